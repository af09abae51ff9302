"""One small client for the TM Forum Open APIs (v4) behind seven of the adapters."""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from tenacity import (
    retry,
    retry_if_exception_type,
    retry_if_result,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from models.errors import BrokenAnswer, Refused, Unavailable
from models.settings import HttpSystem

LATER = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that say "try again"; every other one from 300 on is permanent."""

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
E = TypeVar("E", bound="Entity")

Utc = Annotated[AwareDatetime, AfterValidator(lambda time: time.astimezone(UTC))]

_log = logging.getLogger(__name__)
_pause = wait_exponential(multiplier=0.2, max=2) + wait_random(0, 0.2)
_patiently = retry(retry=retry_if_exception_type(Unavailable), stop=stop_after_attempt(3), wait=_pause, reraise=True)


class Conflict(Refused):
    """409: what we create is there already, or the change does not fit its state."""


class Wire(BaseModel):
    """Base of the wire's shapes: camelCase on the wire, only the fields that we use."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)


class Entity(Wire):
    """A resource, or a reference to one."""

    id: str


class Characteristic(Wire):
    """A name and any JSON value."""

    name: str
    value: Any


def characteristic(given: Iterable[Characteristic], name: str) -> str | None:
    """The value called ``name`` as text; ``None`` where it is missing."""
    return next((str(one.value) for one in given if one.name == name), None)


class TmfClient:
    """Calls one system. Thread-safe; it connects at the first call.

    Every call raises ``Unavailable`` (after three tries, except ``post``), ``Refused``, ``Conflict`` or
    ``BrokenAnswer``. The texts of error bodies are left out: they may hold a customer's data.
    """

    def __init__(self, system: str, settings: HttpSystem) -> None:
        self.system = system
        self.settings = settings

    def get(self, resource: str, identifier: str, shape: type[M]) -> M:
        """One ``resource`` (such as ``customerManagement/v4/customer``)."""
        return self._read(resource, self._patient_call("GET", resource, identifier), TypeAdapter(shape))

    def search(self, resource: str, shape: type[M], filters: Mapping[str, str]) -> tuple[M, ...]:
        """All pages. A server may ignore ``filters`` (v4 defines none): check every item before using it."""
        found: list[M] = []
        offset, before = 0, None
        while True:
            answer = self._patient_call("GET", resource, params={**filters, "offset": str(offset)})
            page = self._read(resource, answer, TypeAdapter(tuple[shape, ...]))  # type: ignore[valid-type]
            # a server that knows no offset repeats itself
            if not page or page == before:
                return tuple(found)
            found += page
            offset += self._count(answer, "X-Result-Count") or len(page)
            total = self._count(answer, "X-Total-Count")
            if total is not None and offset >= total:
                return tuple(found)
            before = page

    def reach(self, resource: str) -> None:
        """Ask for one item, whatever it is: address and login are right where nothing is raised."""
        self._call("GET", resource, params={"limit": "1"})

    def post(self, resource: str, body: Mapping[str, Any], shape: type[M]) -> M:
        """Create. Not tried again here, as the first try may have been stored: use :func:`create_once`."""
        return self._read(resource, self._call("POST", resource, json=body), TypeAdapter(shape))

    def patch(self, resource: str, identifier: str, change: Mapping[str, Any], shape: type[M]) -> M:
        """Change (merge-patch: an array is replaced whole)."""
        answer = self._patient_call("PATCH", resource, identifier, json=change)
        return self._read(resource, answer, TypeAdapter(shape))

    @cached_property
    def _http(self) -> httpx.Client:
        login = (self.settings.user, self.settings.password.get_secret_value()) if self.settings.user else None
        token = self.settings.token.get_secret_value()
        return httpx.Client(
            timeout=self.settings.timeout,
            auth=login,
            headers={"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {}),
        )

    @_patiently
    def _patient_call(self, method: str, resource: str, identifier: str = "", **request: Any) -> httpx.Response:
        return self._call(method, resource, identifier, **request)

    def _call(self, method: str, resource: str, identifier: str = "", **request: Any) -> httpx.Response:
        act = f"{method} {resource}"
        path = f"{resource}/{quote(identifier, safe='')}" if identifier else resource
        try:
            answer = self._http.request(method, f"{self.settings.url.rstrip('/')}/tmf-api/{path}", **request)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise Refused(self.system, "the server's address in the settings is no http(s) address") from None
        except httpx.DecodingError:
            raise BrokenAnswer(self.system, f"{act}: the answer cannot be decompressed") from None
        except httpx.RequestError as error:
            raise Unavailable(self.system, f"{act}: {type(error).__name__}") from None
        if answer.status_code in LATER:
            raise Unavailable(self.system, f"{act}: {answer.status_code}")
        if answer.status_code == httpx.codes.CONFLICT:
            raise Conflict(self.system, f"{act}: 409")
        if not answer.is_success:
            raise Refused(self.system, f"{act}: {answer.status_code}")
        return answer

    def _read(self, resource: str, answer: httpx.Response, shape: TypeAdapter[T]) -> T:
        try:
            return shape.validate_json(answer.content)
        except ValidationError as error:
            problem = error.errors(include_input=False, include_context=False, include_url=False)[0]
            field = ".".join(str(part) for part in problem["loc"]) or "the whole answer"
            raise BrokenAnswer(self.system, f"{resource}: {field}: {problem['type']}") from None

    def _count(self, answer: httpx.Response, header: str) -> int | None:
        number = answer.headers.get(header, "")
        return int(number) if number.isdecimal() else None


def create_once(find: Callable[[], T | None], create: Callable[[], T]) -> T:
    """Create what ``find`` does not find, at most once, although an answer may be lost.

    TM Forum has no idempotency key, so we look first, and look again after every unclear answer.

    Raises:
        Unavailable: still unclear; a later call looks first and so creates no second one.
        Conflict: refused as a double, and yet not to be found.
    """
    found, posts = find(), 0
    while found is None:
        posts += 1
        try:
            return create()
        except (Unavailable, Conflict) as error:
            found = _look_again(find)
            if found is None and (posts == 2 or isinstance(error, Conflict)):
                raise
    return found


@retry(
    retry=retry_if_result(lambda found: found is None),
    stop=stop_after_attempt(3),
    wait=_pause,
    retry_error_callback=lambda _: None,
)
def _look_again(find: Callable[[], T | None]) -> T | None:
    """Look a few times: the first POST may still be running."""
    return find()


def only_first(system: str, found: Iterable[E], created: Callable[[E], datetime | None]) -> E | None:
    """The one created first of those with one external id; the others are reported in the log."""
    ordered = sorted(found, key=lambda one: created(one) or datetime.max.replace(tzinfo=UTC))
    if len(ordered) > 1:
        _log.warning("%s: doubles of %s: %s", system, ordered[0].id, ", ".join(one.id for one in ordered[1:]))
    return ordered[0] if ordered else None
