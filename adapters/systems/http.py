"""HTTP calls to one system: login, retries, the system's gate, and what an answer's status means.

Held by `tests/adapters/systems/test_tmf.py` and `tests/adapters/systems/test_system_gate.py`.
"""

import re
from collections.abc import Generator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx
from pydantic_core import from_json

from adapters.systems.gate import Gate
from adapters.systems.retries import while_unavailable
from adapters.token import NoToken, read_token
from models.errors import BrokenAnswer, Refused, Unavailable
from models.settings import HttpSystem

RETRY_LATER = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses after which a retry helps. Every other one from 300 on is permanent."""
LONGEST_RETRY_AFTER = timedelta(days=1)
LONGEST_WORDS = 300


class Conflict(Refused):
    """409: what we create exists already, or the change does not fit the resource's state."""


class NotFound(Refused):
    """404."""


_ERRORS: dict[int, type[Refused]] = {404: NotFound, 409: Conflict}


class HttpCalls:
    """Calls one system. Thread-safe; it connects at the first call.

    Every call raises ``Unavailable``, ``AskedToWait``, ``Refused``, ``NotFound``, ``Conflict`` or ``BrokenAnswer``. The
    words of an error's body may contain a customer's data: see :class:`models.errors.OfSystem`.
    """

    def __init__(self, system: str, settings: HttpSystem, gate: Gate) -> None:
        self.system = system
        self.settings = settings
        self.gate = gate

    def call(self, method: str, resource: str, identifier: str = "", **request: Any) -> httpx.Response:
        """Call, in up to three attempts. ``resource`` is such as ``customerManagement/v4/customer``, or a URL."""
        return while_unavailable(lambda: self.call_once(method, resource, identifier, **request))

    def call_once(self, method: str, resource: str, identifier: str = "", **request: Any) -> httpx.Response:
        """Call in one attempt: for what must not be repeated blindly."""
        is_url = urlsplit(resource).scheme != ""
        act = f"{method} {'its monitor' if is_url else resource}"
        self.gate.enter()
        try:
            answer = self._send(act, method, resource if is_url else self._url(resource, identifier), **request)
        except _RetryLater as later:
            self.gate.failed(later.why, later.wait)
            raise
        except Unavailable:
            self.gate.not_called("no token")
            raise
        except BrokenAnswer:
            # the system has answered; a broken answer concerns this resource alone
            self.gate.answered()
            raise
        self.gate.answered()
        return self._checked(act, answer)

    def reach(self, resource: str) -> None:
        """Ask for one item, past the gate; raises unless URL and login are right."""
        act = f"GET {resource}"
        self._checked(act, self._send(act, "GET", self._url(resource), params={"limit": "1"}))

    def json(self, resource: str, answer: httpx.Response) -> Any:
        """The answer's body.

        Raises:
            BrokenAnswer: it is not JSON.
        """
        try:
            return from_json(answer.content, allow_inf_nan=False)
        except ValueError:
            raise BrokenAnswer(self.system, f"{resource}: the whole answer: json_invalid") from None

    def is_ours(self, url: str) -> bool:
        """Whether a URL leads to this system's own server, which may see our login."""
        return _origin(url) == _origin(self.settings.url)

    @cached_property
    def _client(self) -> httpx.Client:
        key = self.settings.api_key.get_secret_value()
        return httpx.Client(
            timeout=self.settings.timeout,
            auth=_Login(self.settings),
            headers={"Accept": "application/json"} | ({self.settings.api_key_header: key} if key else {}),
        )

    def _url(self, resource: str, identifier: str = "") -> str:
        api, _, name = resource.partition("/v4/")
        paths: Mapping[str, str] = self.settings.base_paths  # type: ignore[assignment]
        base = paths.get(api, f"/tmf-api/{api}/v4").rstrip("/")
        url = f"{self.settings.url.rstrip('/')}{base}/{name}"
        return f"{url}/{quote(identifier, safe='')}" if identifier else url

    def _send(self, act: str, method: str, url: str, **request: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, url, **request)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise Refused(self.system, "the server's URL in the settings is not an http(s) URL") from None
        except httpx.DecodingError:
            raise BrokenAnswer(self.system, f"{act}: the answer cannot be decompressed") from None
        except NoToken as error:
            raise Unavailable(self.system, f"no token: {error}: check token_file and token_command") from None
        except httpx.RequestError as error:
            raise _RetryLater(self.system, act, type(error).__name__) from None
        if answer.status_code in RETRY_LATER:
            raise _RetryLater(self.system, act, str(answer.status_code), _retry_after(answer, self.gate.now()))
        return answer

    def _checked(self, act: str, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        words = ""
        with suppress(ValueError):
            words = words_of(from_json(answer.content))
        code = answer.status_code
        raise _ERRORS.get(code, Refused)(self.system, f"{act}: {code}", words=words)


class _RetryLater(Unavailable):
    """No answer, or one of :data:`RETRY_LATER`."""

    def __init__(self, system: str, act: str, why: str, wait: timedelta | None = None) -> None:
        super().__init__(system, f"{act}: {why}")
        self.why = why
        self.wait = wait


class _Login(httpx.Auth):
    """Basic authentication, or a bearer token, which is read again when the system answers 401."""

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
        if self._token == token:  # otherwise another thread has read a newer one meanwhile
            self._token = read_token(settings)
        if self._token != token:
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request


def words_of(body: Any) -> str:
    """The text of an error's body (TM Forum's ``Error``), on one short line."""
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        body = body["error"]
    if not isinstance(body, dict):
        return ""
    said = (str(body[name]) for name in ("code", "reason", "message") if isinstance(body.get(name), str | int))
    return " ".join(": ".join(said).split())[:LONGEST_WORDS]


def monitor_of(answer: httpx.Response) -> str:
    """The URL that reports the progress of an accepted create (202); empty if there is none."""
    where = answer.headers.get("Location", "")
    if not where:
        with suppress(ValueError):
            body = from_json(answer.content)
            href = body.get("href") if isinstance(body, dict) else None
            where = href if isinstance(href, str) else ""
    return urljoin(str(answer.request.url), where) if where else ""


def _retry_after(answer: httpx.Response, now: datetime) -> timedelta | None:
    """The wait that a system asks for, in seconds or until a time of its own clock (RFC 9110, 10.2.3)."""
    text = answer.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
        wait = timedelta(seconds=float(text))
    else:
        until = _http_date(text)
        if until is None:
            return None
        wait = until - (_http_date(answer.headers.get("Date", "")) or now)
    return min(wait, LONGEST_RETRY_AFTER) if wait > timedelta() else None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.rpartition("@")[2]
