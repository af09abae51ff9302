"""One small client for the TM Forum Open APIs (v4) behind seven of the adapters.

Systems answer as they can: null stands for a member that is absent, a member that we could do without may be broken,
times come without a zone, totals are wrong, and a create may be accepted (202) and done later. We ask, and follow; we
take no callbacks (TM Forum's hub), which nobody signs, so that whoever reached us could tell us anything.
"""

import json
import logging
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self, TypeVar
from urllib.parse import parse_qsl, quote, urljoin, urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import from_json
from tenacity import (
    Retrying,
    retry,
    retry_if_exception,
    retry_if_result,
    stop_after_attempt,
    wait_exponential,
    wait_fixed,
    wait_random,
)

from adapters.systems.gate import Gate, OpenGate, UnderWay
from adapters.token import NoToken, read_token
from models.errors import AskedToWait, BrokenAnswer, Refused, Unavailable
from models.settings import HttpSystem

LATER = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that say "try again"; every other one from 300 on is permanent."""
MOST_PAGES = 200
"""Pages of one list; a server that has more ignores our filters."""
LONGEST_WAIT = timedelta(days=1)
"""Up to which a system's Retry-After is taken at its word."""
FOLLOWS, FOLLOW_SECONDS = 8, 0.5
"""How often, and at what interval, we look for what was accepted (202) before the activity is put off."""
LOOK_AGAIN = timedelta(seconds=30)
"""How long it is put off."""
LOST = timedelta(days=1)
"""After so long what was accepted does not come any more."""
LONGEST_WORDS = 300
_FAILED = frozenset({"failed", "failure", "rejected", "cancelled", "aborted", "error", "terminatedwitherror"})
"""Words of a monitor for a create that will never be done."""
_OF_PAGES = frozenset({"next", "prev", "previous", "first", "last"})

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
E = TypeVar("E", bound="Entity")

_log = logging.getLogger(__name__)
_pause = wait_exponential(multiplier=0.2, max=2) + wait_random(0, 0.2)
_patiently = retry(
    retry=retry_if_exception(lambda error: isinstance(error, Unavailable) and not isinstance(error, AskedToWait)),
    stop=stop_after_attempt(3),
    wait=_pause,
    reraise=True,
)


class Conflict(Refused):
    """409: what we create is there already, or the change does not fit its state."""


class NotThere(Refused):
    """404."""


_KINDS: dict[int, type[Refused]] = {404: NotThere, 409: Conflict}


@dataclass
class Reading:
    """How one system's answers are read, and what could not be."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    left_out: list[str] = field(default_factory=list)


def _in_utc(time: datetime, info: ValidationInfo) -> datetime:
    if time.tzinfo is None:
        time = time.replace(tzinfo=info.context.zone if info.context else UTC)
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("beyond the calendar") from None


Utc = Annotated[datetime, AfterValidator(_in_utc)]
"""A moment; one without a zone is in the system's."""


class Wire(BaseModel):
    """Base of the wire's shapes: camelCase on the wire, only the fields that we use.

    Null stands for a member that is absent. What is broken and not needed (an optional member, an item of a list) is
    left out, and its place told to the :class:`Reading`.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)

    @model_validator(mode="wrap")
    @classmethod
    def _as_it_comes(cls, given: Any, read: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        if not isinstance(given, dict):
            return read(given)
        members = {name: _without_nulls(value) for name, value in given.items() if value is not None}
        while True:
            try:
                return read(members)
            except ValidationError as error:
                problems = _problems(error)
                if not _leave_out(cls, members, problems):
                    raise
                if info.context:
                    info.context.left_out += (f"{cls.__name__}.{_told(problem)}" for problem in problems)


def _without_nulls(value: Any) -> Any:
    return [item for item in value if item is not None] if isinstance(value, list) else value


def _leave_out(shape: type[BaseModel], members: dict[str, Any], problems: list[Any]) -> bool:
    """Drop from ``members`` the members and items of lists that are broken; False where one cannot be done without."""
    optional = {one.alias or name for name, one in shape.model_fields.items() if not one.is_required()}
    items: dict[str, set[int]] = {}
    for name, *rest in (problem["loc"] or ("",) for problem in problems):
        if rest and isinstance(rest[0], int) and isinstance(members.get(name), list):
            items.setdefault(name, set()).add(rest[0])
        elif name in optional:
            members.pop(name, None)
        else:
            return False
    for name, places in items.items():
        members[name] = [item for place, item in enumerate(members[name]) if place not in places]
    return True


def _problems(error: ValidationError) -> list[Any]:
    return list(error.errors(include_input=False, include_context=False, include_url=False))


def _told(problem: Any) -> str:
    """The place and the kind of a problem, and nothing of what stood there."""
    place = ".".join(str(part) for part in problem["loc"] if not isinstance(part, int))
    return f"{place or 'the whole answer'}: {problem['type']}"


class Entity(Wire):
    """A resource, or a reference to one."""

    names: ClassVar[bool] = False
    """Its id may stand in logs: it is neither a customer's nor a line's number."""
    id: str


class Characteristic(Wire):
    """A name and any JSON value."""

    name: str
    value: Any = None


def characteristic(given: Iterable[Characteristic], name: str) -> str | None:
    """The value called ``name`` as text; ``None`` where it is missing."""
    return next((str(one.value) for one in given if one.name == name and one.value is not None), None)


class TmfClient:
    """Calls one system. Thread-safe; it connects at the first call.

    Every call raises ``Unavailable`` (after three tries, except ``create``), ``AskedToWait``, ``Refused``,
    ``NotThere``, ``Conflict`` or ``BrokenAnswer``. Words of error bodies may hold a customer's data: see
    :class:`Refused`.
    """

    def __init__(self, system: str, settings: HttpSystem, gate: Gate | None = None) -> None:
        self.system = system
        self.settings = settings
        self.gate: Gate = gate or OpenGate()
        self._zone = ZoneInfo(settings.timezone or "UTC")

    def get(self, resource: str, identifier: str, shape: type[M]) -> M:
        """One ``resource`` (such as ``customerManagement/v4/customer``)."""
        return self._read(resource, self._patient_call("GET", resource, identifier), shape)

    def search(
        self,
        resource: str,
        shape: type[M],
        filters: Mapping[str, str],
        ours: Callable[[M], bool | None],
        *,
        complete: bool = False,
    ) -> tuple[M, ...]:
        """All records that ``filters`` ask for, from all pages.

        A broken record is left out and told to people, unless ``complete`` is asked for and it is one that we look for.

        Args:
            ours: Whether a record is one that we look for, as a server may ignore filters (v4 defines none). None: it
                does not say; then it is one if the server is seen to heed the filter.

        Raises:
            BrokenAnswer: no list, one that does not end, or, with ``complete``, such a record.
        """
        found = self._records(resource, shape, filters, complete)
        said = [ours(one) for one in found]
        heeded = None in said and False not in said and self._heeds(resource, next(iter(filters)))
        return tuple(one for one, is_ours in zip(found, said, strict=True) if is_ours or (is_ours is None and heeded))

    def _records(self, resource: str, shape: type[M], filters: Mapping[str, str], complete: bool) -> list[M]:
        found = []
        for place, item in enumerate(self._items(resource, filters)):
            reading = Reading(self._zone)
            try:
                found.append(shape.model_validate(item, context=reading))
            except ValidationError as error:
                problem = _told(_problems(error)[0])
                if complete and all(wanted in _values(item, path.split(".")) for path, wanted in filters.items()):
                    raise BrokenAnswer(self.system, f"{resource}: {problem}") from None
                reading.left_out = [problem]
            name = item.get("id") if isinstance(item, dict) and getattr(shape, "names", False) else None
            self._tell(f"{resource} {name or f'record {place + 1}'}", reading)
        return found

    def _heeds(self, resource: str, name: str) -> bool:
        """Whether the server heeds this filter: a value that nothing has finds nothing."""
        answer = self._patient_call("GET", resource, params={name: f"layanan-{uuid4().hex}", "offset": "0"})
        return not self._page(resource, answer)

    def reach(self, resource: str) -> None:
        """Ask for one item, whatever it is, past the gate: address and login are right where nothing is raised."""
        act = f"GET {resource}"
        self._checked(act, self._send(act, "GET", self._address(resource), params={"limit": "1"}))

    def create(
        self, resource: str, body: Mapping[str, Any], shape: type[M], key: str, find: Callable[[], M | None]
    ) -> M:
        """Create, and follow what was accepted (202) until ``find`` finds it; that is not posted again meanwhile.

        A POST is not tried again here, as the first try may have been stored: use :func:`create_once`.

        Args:
            key: Tells what we create from all else, now and in a later call.

        Raises:
            AskedToWait: accepted, and not done yet.
            Refused: the system has said that it will not be done, or has not done it within a day.
        """
        under_way = self.gate.under_way(key)
        if under_way is None:
            answer = self._call("POST", resource, json=body)
            if answer.status_code != httpx.codes.ACCEPTED:
                return self._read(resource, answer, shape)
            under_way = self.gate.accepted(key, _monitor(answer))
        return self._follow(resource, under_way, key, find)

    def patch(self, resource: str, identifier: str, change: Mapping[str, Any], shape: type[M]) -> M:
        """Change (merge-patch: an array is replaced whole)."""
        answer = self._patient_call("PATCH", resource, identifier, json=change)
        if answer.status_code in {httpx.codes.NO_CONTENT, httpx.codes.ACCEPTED}:
            return self.get(resource, identifier, shape)
        return self._read(resource, answer, shape)

    def moment(self, text: str | None, member: str) -> datetime | None:
        """What an untyped member says as a moment; None where it is none, which people are told."""
        try:
            return _MOMENT.validate_python(text, context=Reading(self._zone))
        except ValidationError as error:
            self.tell(member, [_problems(error)[0]["type"]])
            return None

    def _items(self, resource: str, filters: Mapping[str, str]) -> list[Any]:
        """Of all pages, each once: by what came, whatever the server counts."""
        found: list[Any] = []
        seen: set[str] = set()
        asked, offset = {**filters, "offset": "0"}, 0
        for _ in range(MOST_PAGES):
            answer = self._patient_call("GET", resource, params=asked)
            page = self._page(resource, answer)
            before = len(found)
            for item in page:
                mark = (
                    str(item["id"]) if isinstance(item, dict) and item.get("id") else json.dumps(item, sort_keys=True)
                )
                if mark not in seen:
                    seen.add(mark)
                    found.append(item)
            # a server that knows no offset repeats itself
            if len(found) == before:
                return found
            offset += len(page)
            if "next" in answer.links:
                asked = dict(parse_qsl(urlsplit(answer.links["next"]["url"]).query, keep_blank_values=True))
            elif _OF_PAGES.isdisjoint(answer.links):
                asked = {**filters, "offset": str(offset)}
            else:
                return found
        raise BrokenAnswer(self.system, f"{resource}: more than {MOST_PAGES} pages: are filters ignored?")

    def _page(self, resource: str, answer: httpx.Response) -> list[Any]:
        if answer.status_code == httpx.codes.NO_CONTENT:
            return []
        page = self._json(resource, answer)
        if not isinstance(page, list):
            raise BrokenAnswer(self.system, f"{resource}: the whole answer: list_type")
        return page

    def _follow(self, resource: str, under_way: UnderWay, key: str, find: Callable[[], M | None]) -> M:
        looks = Retrying(
            retry=retry_if_result(lambda found: found is None),
            stop=stop_after_attempt(FOLLOWS),
            wait=wait_fixed(FOLLOW_SECONDS),
            retry_error_callback=lambda _: None,
        )

        def look() -> M | None:
            self._ask_monitor(resource, under_way, key)
            return find()

        found: M | None = looks(look)
        if found is not None:
            self.gate.forget(key)
            return found
        now = self.gate.now()
        if now - under_way.since > LOST:
            self.gate.forget(key)
            raise Refused(self.system, f"POST {resource}: {key} was accepted a day ago, and never came")
        what = f"POST {resource}: {key} is accepted (202), and not there yet"
        raise AskedToWait(self.system, what, now + LOOK_AGAIN, under_way.since)

    def _ask_monitor(self, resource: str, under_way: UnderWay, key: str) -> None:
        """See whether it has failed; what else it says, and whether it says anything, is the same to us."""
        url = urljoin(f"{self.settings.url.rstrip('/')}/", under_way.monitor)
        if not under_way.monitor or _origin(url) != _origin(self.settings.url):
            return  # who is somewhere else gets no login of ours
        try:
            told = self._json(resource, self._patient_call("GET", url))
        except (NotThere, BrokenAnswer):
            return
        state = told.get("state") or told.get("status") if isinstance(told, dict) else None
        if isinstance(state, str) and state.replace(" ", "").lower() in _FAILED:
            self.gate.forget(key)
            raise Refused(self.system, f"POST {resource}: accepted (202), and then failed", _words(told))

    @cached_property
    def _http(self) -> httpx.Client:
        key = self.settings.api_key.get_secret_value()
        return httpx.Client(
            timeout=self.settings.timeout,
            auth=_Login(self.settings),
            headers={"Accept": "application/json"} | ({self.settings.api_key_header: key} if key else {}),
        )

    @_patiently
    def _patient_call(self, method: str, resource: str, identifier: str = "", **request: Any) -> httpx.Response:
        return self._call(method, resource, identifier, **request)

    def _call(self, method: str, resource: str, identifier: str = "", **request: Any) -> httpx.Response:
        of_monitor = urlsplit(resource).scheme != ""
        act = f"{method} {'its monitor' if of_monitor else resource}"
        self.gate.enter()
        try:
            answer = self._send(act, method, resource if of_monitor else self._address(resource, identifier), **request)
        except _Later as later:
            self.gate.failed(later.why, later.wait)
            raise
        self.gate.answered()
        return self._checked(act, answer)

    def _address(self, resource: str, identifier: str = "") -> str:
        api, _, name = resource.partition("/v4/")
        paths: Mapping[str, str] = self.settings.base_paths  # type: ignore[assignment]
        base = paths.get(api, f"/tmf-api/{api}/v4").rstrip("/")
        address = f"{self.settings.url.rstrip('/')}{base}/{name}"
        return f"{address}/{quote(identifier, safe='')}" if identifier else address

    def _send(self, act: str, method: str, url: str, **request: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, url, **request)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise Refused(self.system, "the server's address in the settings is no http(s) address") from None
        except httpx.DecodingError:
            raise BrokenAnswer(self.system, f"{act}: the answer cannot be decompressed") from None
        except NoToken as error:
            raise Unavailable(self.system, f"no token: {error}: look at token_file and token_command") from None
        except httpx.RequestError as error:
            raise _Later(self.system, act, type(error).__name__) from None
        if answer.status_code in LATER:
            raise _Later(self.system, act, str(answer.status_code), _retry_after(answer, self.gate.now()))
        return answer

    def _checked(self, act: str, answer: httpx.Response) -> httpx.Response:
        code = answer.status_code
        if answer.is_success:
            return answer
        words = ""
        with suppress(ValueError):
            words = _words(from_json(answer.content))
        raise _KINDS.get(code, Refused)(self.system, f"{act}: {code}", words)

    def _read(self, resource: str, answer: httpx.Response, shape: type[M]) -> M:
        reading = Reading(self._zone)
        try:
            found = shape.model_validate(self._json(resource, answer), context=reading)
        except ValidationError as error:
            raise BrokenAnswer(self.system, f"{resource}: {_told(_problems(error)[0])}") from None
        self._tell(resource, reading)
        return found

    def _json(self, resource: str, answer: httpx.Response) -> Any:
        try:
            return from_json(answer.content, allow_inf_nan=False)
        except ValueError:
            raise BrokenAnswer(self.system, f"{resource}: the whole answer: json_invalid") from None

    def tell(self, where: str, left_out: Iterable[str]) -> None:
        """Name for people what an answer was read without: its place and its fault, and never its words."""
        what = f"{where}: {', '.join(dict.fromkeys(left_out))}"[:LONGEST_WORDS]
        if self.gate.left_out(what):
            _log.warning("%s: left out of an answer: %s", self.system, what)

    def _tell(self, where: str, reading: Reading) -> None:
        if reading.left_out:
            self.tell(where, reading.left_out)


class _Later(Unavailable):
    """No answer, or one that says "later"."""

    def __init__(self, system: str, act: str, why: str, wait: timedelta | None = None) -> None:
        super().__init__(system, f"{act}: {why}")
        self.why = why
        self.wait = wait


class _Login(httpx.Auth):
    """Basic authentication, or a bearer token, which is read again when the system refuses it."""

    def __init__(self, settings: HttpSystem) -> None:
        self._settings = settings
        self._token = settings.token.get_secret_value()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See ``httpx.Auth``."""
        settings = self._settings
        if settings.user:
            yield from httpx.BasicAuth(settings.user, settings.password.get_secret_value()).auth_flow(request)
            return
        if settings.used and not self._token:
            self._token = read_token(settings)
        token = self._token
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        answer = yield request
        if answer.status_code != httpx.codes.UNAUTHORIZED or not settings.used:
            return
        if self._token == token:  # else another thread has read a newer one meanwhile
            self._token = read_token(settings)
        if self._token != token:
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request


def _retry_after(answer: httpx.Response, now: datetime) -> timedelta | None:
    """The time that a system asks for, in seconds or as a moment of its own clock (RFC 9110, 10.2.3)."""
    text = answer.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
        wait = timedelta(seconds=float(text))
    else:
        until = _http_date(text)
        if until is None:
            return None
        wait = until - (_http_date(answer.headers.get("Date", "")) or now)
    return min(wait, LONGEST_WAIT) if wait > timedelta() else None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _monitor(answer: httpx.Response) -> str:
    """Where an accepted create (202) may be followed; empty: nowhere."""
    where = answer.headers.get("Location", "")
    if not where:
        with suppress(ValueError):
            body = from_json(answer.content)
            href = body.get("href") if isinstance(body, dict) else None
            where = href if isinstance(href, str) else ""
    return urljoin(str(answer.request.url), where) if where else ""


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.rpartition("@")[2]


def _words(body: Any) -> str:
    """What an error's body says (TM Forum's ``Error``), on one short line."""
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        body = body["error"]
    if not isinstance(body, dict):
        return ""
    said = (str(body[name]) for name in ("code", "reason", "message") if isinstance(body.get(name), str | int))
    return " ".join(": ".join(said).split())[:LONGEST_WORDS]


def _values(value: Any, path: list[str]) -> Iterator[str]:
    """What stands at a path of members, in all items of lists."""
    if isinstance(value, list):
        for item in value:
            yield from _values(item, path)
    elif not path:
        yield str(value)
    elif isinstance(value, dict) and path[0] in value:
        yield from _values(value[path[0]], path[1:])


_MOMENT: TypeAdapter[datetime | None] = TypeAdapter(Utc | None)


def create_once(find: Callable[[], T | None], create: Callable[[], T]) -> T:
    """Create what ``find`` does not find, at most once, although an answer may be lost.

    TM Forum has no idempotency key, so we look first, and look again after every unclear answer.

    Raises:
        AskedToWait: the system is left alone, or has accepted it and not done it yet.
        Unavailable: still unclear; a later call looks first and so creates no second one.
        Conflict: refused as a double, and yet not to be found.
    """
    found, posts = find(), 0
    while found is None:
        posts += 1
        try:
            return create()
        except AskedToWait:
            raise
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


def among(wanted: str, ids: Iterable[str]) -> bool | None:
    """Whether ``wanted`` is one of them; None where there are none."""
    known = set(ids)
    return wanted in known if known else None


def only_first(system: str, found: Iterable[E], created: Callable[[E], datetime | None]) -> E | None:
    """The one created first of those with one external id; the others are reported in the log."""
    ordered = sorted(found, key=lambda one: created(one) or datetime.max.replace(tzinfo=UTC))
    if len(ordered) > 1:
        _log.warning("%s: doubles of %s: %s", system, ordered[0].id, ", ".join(one.id for one in ordered[1:]))
    return ordered[0] if ordered else None
