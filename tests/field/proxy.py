"""A proxy on loopback before the TM Forum simulator, which answers as real back offices do.

    with proxy("http://127.0.0.1:8900") as between:        # the simulator's root: /mycx, /nossa, … lie below it
        settings = between.before(settings)                # or: environment |= between.environment()
        between.change(status(429, retry_after=300), system="nossa")
        between.change(nulls("externalId"), system="mycx", method="GET", times=1)
        ...
        assert between.count("nossa") == 1                 # what came, whatever was answered
        between.clear()

A change wraps what lies behind it: ``change(call, forward) -> Answer``. Changes that match one call are applied in the
order in which they were given, the first outermost. All of it is safe to use while calls come, from any thread.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx

from adapters.simulator.faults import SYSTEMS
from models.settings import Settings


@dataclass(frozen=True)
class Call:
    """A request as it came; ``path`` is without the query."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    body: bytes = b""
    at: float = field(default_factory=time.monotonic)

    @property
    def system(self) -> str:
        """The first part of the path: ``mycx``, ``nossa``, …"""
        return self.path.split("/")[1]


@dataclass(frozen=True)
class Answer:
    """What goes back; ``content`` is sent as JSON unless it is bytes."""

    status: int
    content: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        """The content; None where it is no JSON."""
        if not isinstance(self.content, bytes):
            return self.content
        try:
            return json.loads(self.content)
        except ValueError:
            return None


Forward = Callable[[Call], Answer]
Change = Callable[[Call, Forward], Answer]


@dataclass
class _Armed:
    change: Change
    system: str
    method: str
    path: str
    times: int | None

    def meets(self, call: Call) -> bool:
        if self.system not in ("", call.system) or self.method not in ("", call.method):
            return False
        return self.times != 0 and re.search(self.path, call.path) is not None


class Proxy:
    """See the module; ``calls`` are those that came, in order."""

    def __init__(self, upstream: str) -> None:
        self.calls: list[Call] = []
        self._armed: list[_Armed] = []
        self._lock = threading.Lock()
        self._upstream = httpx.Client(base_url=upstream, timeout=60, trust_env=False)
        self.url = ""

    def change(
        self, change: Change, *, system: str = "", method: str = "", path: str = "", times: int | None = None
    ) -> None:
        """Apply ``change`` to calls of this system and method whose path this expression finds.

        Args:
            times: So many calls, and none after; None: all.
        """
        with self._lock:
            self._armed.append(_Armed(change, system, method, path, times))

    def clear(self) -> None:
        """Pass everything on as it is again."""
        with self._lock:
            self._armed.clear()

    def count(self, system: str = "", method: str = "") -> int:
        """How many calls have come."""
        return sum(1 for call in self.calls if system in ("", call.system) and method in ("", call.method))

    def environment(self) -> dict[str, str]:
        """Variables that lead a service's systems here instead of to the simulator."""
        return {f"LAYANAN_{name.upper()}__URL": f"{self.url}/{name}" for name in SYSTEMS}

    def before(self, settings: Settings) -> Settings:
        """The settings, with their systems behind this proxy."""
        here: dict[str, Any] = {
            name: getattr(settings, name).model_copy(update={"url": f"{self.url}/{name}"}) for name in SYSTEMS
        }
        return settings.model_copy(update=here)

    def close(self) -> None:
        """Close what leads to the simulator."""
        self._upstream.close()

    def answer(self, call: Call) -> Answer:
        """Pass a call on through all changes that it meets."""
        with self._lock:
            self.calls.append(call)
            met = [one for one in self._armed if one.meets(call)]
            for one in met:
                one.times = None if one.times is None else one.times - 1
        forward: Forward = self._pass_on
        for one in reversed(met):
            forward = _wrapped(one.change, forward)
        return forward(call)

    def _pass_on(self, call: Call) -> Answer:
        headers = {name: value for name, value in call.headers.items() if name not in _OF_THE_HOP}
        url = call.path + (f"?{call.query}" if call.query else "")
        got = self._upstream.request(call.method, url, content=call.body, headers=headers)
        kept = {name: value for name, value in got.headers.items() if name not in _OF_THE_HOP}
        return Answer(got.status_code, got.content, kept)


_OF_THE_HOP = frozenset({"connection", "content-length", "transfer-encoding", "date", "server", "accept-encoding"})


def _wrapped(change: Change, forward: Forward) -> Forward:
    return lambda call: change(call, forward)


@contextmanager
def proxy(upstream: str) -> Iterator[Proxy]:
    """A proxy before the simulator at ``upstream``, such as ``http://127.0.0.1:8900``, until the block ends."""
    between = Proxy(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _do(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = between.answer(Call(self.command, url.path, url.query, headers, body))
            raw = answer.content if isinstance(answer.content, bytes) else json.dumps(answer.content).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            if answer.status != 204:
                self.wfile.write(raw)

        do_GET = do_POST = do_PATCH = _do

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    between.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield between
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        between.close()


# the changes


def status(code: int, *, retry_after: float | datetime | None = None, **said: str) -> Change:
    """Answer ``code`` and do nothing; ``said`` are members of the error body (``code``, ``reason``, ``message``).

    Args:
        retry_after: Seconds, or a moment, which is written as an HTTP date.
    """
    headers: dict[str, str] = {}
    if isinstance(retry_after, datetime):
        headers = {"Retry-After": format_datetime(retry_after, usegmt=True)}
    elif retry_after is not None:
        headers = {"Retry-After": f"{retry_after:.0f}"}
    body = {"code": str(code), "reason": "said by the proxy", "status": str(code), **said}
    return lambda _call, _forward: Answer(code, body, headers)


def nulls(*members: str) -> Change:
    """These members, such as ``note.text``, come as null; dots lead into parts, lists are gone through."""
    return _rewritten(lambda record: _at(record, members, lambda part, name: part.update({name: None})))


def without(*members: str) -> Change:
    """These members do not come."""
    return _rewritten(lambda record: _at(record, members, lambda part, name: part.pop(name)))


def said(member: str, value: Any) -> Change:
    """This member, where it comes, comes as ``value``, or as ``value(what it was)``."""
    return _rewritten(
        lambda record: _at(
            record, [member], lambda part, name: part.update({name: value(part[name]) if callable(value) else value})
        )
    )


def broken_record(place: int = 0, record: Any = None) -> Change:
    """One record of every list is broken: it is ``record``, or else has a number for its id."""

    def change(call: Call, forward: Forward) -> Answer:
        answer = forward(call)
        records = answer.json
        if isinstance(records, list) and len(records) > place:
            records[place] = {**records[place], "id": 42} if record is None else record
            return replace(answer, content=records)
        return answer

    return change


def totals(total: str | None = None, result: str | None = None, content_range: str | None = None) -> Change:
    """The headers that count say this; what is None does not come."""
    wanted = {"x-total-count": total, "x-result-count": result, "content-range": content_range}

    def change(call: Call, forward: Forward) -> Answer:
        answer = forward(call)
        kept = {name: value for name, value in answer.headers.items() if name not in wanted}
        return replace(answer, headers=kept | {name: value for name, value in wanted.items() if value is not None})

    return change


def no_filter(limit: int = 0) -> Change:
    """Filters are ignored, and pages hold ``limit`` records where it is given."""

    def change(call: Call, forward: Forward) -> Answer:
        kept = [pair for pair in call.query.split("&") if pair.partition("=")[0] in ("offset", "limit", "fields")]
        if limit:
            kept = [pair for pair in kept if not pair.startswith("limit=")] + [f"limit={limit}"]
        return forward(replace(call, query="&".join(kept)))

    return change


def no_offset() -> Change:
    """The offset is ignored: the same page comes for ever."""

    def change(call: Call, forward: Forward) -> Answer:
        return forward(replace(call, query=re.sub(r"(^|&)offset=\d+", "", call.query).lstrip("&")))

    return change


def delayed(seconds: float) -> Change:
    """The answer comes late."""

    def change(call: Call, forward: Forward) -> Answer:
        answer = forward(call)
        time.sleep(seconds)
        return answer

    return change


def wants(header: str, value: str, instead: Mapping[str, str]) -> Change:
    """401 unless this header has this value; then the call goes on with ``instead``, which the simulator wants."""

    def change(call: Call, forward: Forward) -> Answer:
        if call.headers.get(header.lower()) != value:
            return Answer(401, {"code": "401", "reason": "Unauthorized", "status": "401"})
        kept = {name: one for name, one in call.headers.items() if name != header.lower()}
        return forward(replace(call, headers=kept | {name.lower(): one for name, one in instead.items()}))

    return change


def moved(to: str, really: str) -> Change:
    """Paths that begin with ``to`` (after the system) are the simulator's ``really``; those are 404 themselves."""

    def change(call: Call, forward: Forward) -> Answer:
        root = f"/{call.system}"
        rest = call.path.removeprefix(root)
        if not rest.startswith(to):
            return Answer(404, {"code": "404", "reason": "Not Found", "status": "404"})
        return forward(replace(call, path=root + really + rest.removeprefix(to)))

    return change


class Asynchronous:
    """A create is answered by 202 and a monitor, and done when the monitor has been asked ``after`` times.

    Args:
        after: -1: it is never done.
        monitor: Where the monitor is told: the header Location, the body's ``href``, or nowhere (then what is created
            is there once its collection has been asked for ``after`` times).
        failed: Members of the error that the monitor tells in the place of success.
    """

    def __init__(self, *, after: int = 1, monitor: str = "Location", failed: Mapping[str, str] | None = None) -> None:
        self._after = after
        self._monitor = monitor
        self._failed = failed
        self._numbers = count(1)
        self._open: dict[str, tuple[Call, Forward, int]] = {}
        self._lock = threading.Lock()
        self.accepted = 0

    def __call__(self, call: Call, forward: Forward) -> Answer:
        """A :data:`Change`, to be given for all methods of a system."""
        if call.method == "POST":
            return self._accept(call, forward)
        if "/monitor/" in call.path:
            return self._tell(call.path)
        if not self._monitor and call.method == "GET":
            for path in list(self._open):
                self._tell(path)
        return forward(call)

    def _accept(self, call: Call, forward: Forward) -> Answer:
        with self._lock:
            self.accepted += 1
            path = f"/{call.system}/monitor/{next(self._numbers)}"
            self._open[path] = (call, forward, 0)
        headers = {"Location": path} if self._monitor == "Location" else {}
        body = {"href": path, "state": "InProgress"} if self._monitor == "href" else {}
        return Answer(202, body, headers)

    def _tell(self, path: str) -> Answer:
        with self._lock:
            call, forward, asked = self._open.get(path, (None, None, 0))
            if call is None or forward is None:
                return Answer(200, {"href": path, "state": "Completed"})
            done = 0 <= self._after <= asked + 1
            self._open[path] = (call, forward, asked + 1)
            if done:
                del self._open[path]
        if not done:
            return Answer(200, {"href": path, "state": "InProgress"})
        if self._failed is not None:
            return Answer(200, {"href": path, "state": "Failed", "error": dict(self._failed)})
        forward(call)
        return Answer(200, {"href": path, "state": "Completed"})


def _rewritten(rewrite: Callable[[Any], None]) -> Change:
    def change(call: Call, forward: Forward) -> Answer:
        answer = forward(call)
        content = answer.json
        if not isinstance(content, dict | list) or not 200 <= answer.status < 300:
            return answer
        for record in content if isinstance(content, list) else [content]:
            rewrite(record)
        return replace(answer, content=content)

    return change


def _at(record: Any, members: Any, act: Callable[[dict[str, Any], str], object]) -> None:
    for member in members:
        path = member.split(".")
        for part in _parts(record, path[:-1]):
            if path[-1] in part:
                act(part, path[-1])


def _parts(value: Any, path: list[str]) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _parts(item, path)
    elif isinstance(value, dict):
        if not path:
            yield value
        elif path[0] in value:
            yield from _parts(value[path[0]], path[1:])
