"""What one call learns of a back-office system keeps all others: in other tasks, processes and machines."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session

from adapters.case_store.store import Store
from adapters.systems.records import Entity
from adapters.systems.system_gate import FIRST_PAUSE, LONGEST_PAUSE, OPENS_AFTER, PROBING, SystemGate
from adapters.systems.tmf import TmfClient
from models.errors import AskedToWait, LayananError, Unavailable
from models.settings import HttpSystem
from models.tables import SystemRow
from tests.adapters.systems.back_office import Answer, Request, Scripted, scripted
from tests.fakes import with_methods

START = datetime(2026, 11, 30, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=lambda _: None))


class Moved:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class World:
    """A system whose answers the test sets, and processes of the service that call it."""

    def __init__(self, store: Store, server: Scripted) -> None:
        self.store = store
        self.server = server
        self.clock = Moved()
        self.answer: Answer = (200, {}, {"id": "1"})

    def gate(self, name: str = "nossa") -> SystemGate:
        return SystemGate(self.store, name, "NOSSA", self.clock, ZoneInfo("Asia/Jakarta"), 10)

    def client(self, name: str = "nossa") -> TmfClient:
        """As a process of its own makes one."""
        return TmfClient("NOSSA", self.server.settings, self.gate(name))

    def call(self, client: TmfClient | None = None) -> str:
        """One call; the error's text where it raises one."""
        try:
            return (client or self.client()).get("things/v4/thing", "1", Entity).id
        except LayananError as error:
            return str(error)

    @property
    def calls(self) -> int:
        return len(self.server.requests)


@contextmanager
def _world(store: Store) -> Iterator[World]:
    worlds: list[World] = []

    def answer(_: Request) -> Answer:
        return worlds[0].answer

    with scripted(answer) as server:
        worlds.append(World(store, server))
        yield worlds[0]


@pytest.fixture
def world(store: Store) -> Iterator[World]:
    with _world(store) as world:
        yield world


def http_date(moment: datetime) -> str:
    return f"{moment:%a, %d %b %Y %H:%M:%S} GMT"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    "asked",
    [
        {"Retry-After": "300"},
        {"Retry-After": http_date(START + timedelta(seconds=300)), "Date": http_date(START)},
        # by a clock that is an hour late
        {"Retry-After": http_date(START - timedelta(seconds=3300)), "Date": http_date(START - timedelta(hours=1))},
    ],
    ids=["seconds", "date", "another clock"],
)
def test_what_a_system_asks_for_is_kept_by_everybody(status: int, asked: dict[str, str], world: World) -> None:
    world.answer = (status, asked, {})
    until = f"NOSSA: asked to wait until 30-11-2026 09:05:00 WIB ({status})"
    assert world.call() == until
    # those of a minute, each by a client that knows nothing of the others
    for _ in range(60):
        assert world.call() == until
        world.clock.move(1)
    assert world.calls == 1
    assert world.call(world.client("mycx")).startswith("NOSSA: asked"), "another system is asked itself"
    assert world.calls == 2
    world.clock.move(240)
    world.answer = (200, {}, {"id": "1"})
    assert [world.call() for _ in range(3)] == ["1"] * 3
    assert world.gate().state().until is None


def test_the_error_says_until_when_and_since_when(world: World) -> None:
    world.answer = (429, {"Retry-After": "60"}, {})
    world.call()
    world.clock.move(61)
    world.call()
    with pytest.raises(AskedToWait) as caught:
        world.gate().enter()
    assert (caught.value.since, caught.value.until) == (START, START + timedelta(seconds=121))


@pytest.mark.parametrize("text", ["", "soon", "-5", "0", "Mon, 99 Nov 2026", http_date(START - timedelta(days=1))])
def test_what_asks_for_no_time_is_a_failure_like_any_other(text: str, world: World) -> None:
    world.answer = (429, {"Retry-After": text}, {})
    assert world.call() == "NOSSA: GET things/v4/thing: 429"
    assert world.calls == 3


def test_nobody_is_believed_for_longer_than_a_day(world: World) -> None:
    world.answer = (503, {"Retry-After": "999999999"}, {})
    assert "until 01-12-2026 09:00:00 WIB" in world.call()


def test_who_fails_again_and_again_is_left_alone_and_one_call_goes_first(world: World) -> None:
    world.answer = (500, {}, {})
    for _ in range(5):
        world.call()
    assert world.calls == OPENS_AFTER
    pauses = []
    for _ in range(6):
        until = world.gate().state().until
        assert until is not None
        pauses.append(until - world.clock.now())
        assert "has failed" in world.call()
        world.clock.time = until
        world.call()
    assert world.calls == OPENS_AFTER + len(pauses), "one call each time"
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert max(pauses) == LONGEST_PAUSE
    world.clock.move(LONGEST_PAUSE.total_seconds())
    world.answer = (404, {}, {})
    assert world.call() == "NOSSA: GET things/v4/thing: 404", "it answers"
    assert world.gate().state().failures == 0


def test_an_answer_that_cannot_be_read_ends_the_wait_as_any_other_does(world: World) -> None:
    world.answer = (500, {}, {})
    for _ in range(5):
        world.call()
    until = world.gate().state().until
    assert until is not None
    world.clock.time = until
    world.answer = (200, {"Content-Encoding": "gzip"}, b"no gzip")
    assert "cannot be decompressed" in world.call()
    world.answer = (200, {}, {"id": "1"})
    assert world.call() == "1"
    assert world.gate().state().failures == 0


def test_failures_between_answers_leave_nobody_alone(world: World) -> None:
    for _ in range(4):
        world.answer = (500, {}, {})
        world.call()
        world.answer = (200, {}, {"id": "1"})
        assert world.call() == "1"
    assert world.calls == 16


def test_of_many_at_once_one_goes_first(world: World) -> None:
    world.answer = (429, {"Retry-After": "60"}, {})
    world.call()
    world.clock.move(60)
    ready, entered, kept = threading.Barrier(8), [], []

    def go() -> None:
        gate = world.gate()
        ready.wait()
        try:
            gate.enter()
            entered.append(gate)
        except AskedToWait as error:
            kept.append(error.until)

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(entered) == 1
    assert kept == [world.clock.now() + PROBING] * 7, "they ask again soon"
    # it died over it: another goes when its time is over
    world.clock.move(16)
    world.gate().enter()


def test_an_answer_that_was_under_way_ends_no_wait(world: World) -> None:
    world.answer = (500, {}, {})
    world.call()
    slow = world.gate()
    slow.enter()
    world.answer = (429, {"Retry-After": "300"}, {})
    world.call()
    slow.answered()
    assert "asked to wait until 30-11-2026 09:05:00 WIB" in world.call()


def test_what_was_left_out_is_news_once_an_hour(world: World) -> None:
    gate = world.gate()
    assert [gate.left_out(what) for what in ("a", "a", "b", "b")] == [True, False, True, False]
    world.clock.move(3600)
    assert gate.left_out("b")
    assert gate.state().left_out == "b"
    assert world.call() == "1"


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_two_who_leave_something_out_at_once_both_go_on(world: World) -> None:
    write, others = world.store.write, ["meanwhile"]

    @contextmanager
    def writing() -> Iterator[Session]:
        with write() as session:
            yield session
            if others:
                with write() as other:
                    other.add(SystemRow(name="nossa", left_out=others.pop()))

    world.store = with_methods(world.store, write=writing)
    assert world.gate().left_out("a")
    assert world.gate().state().left_out == "meanwhile"


def test_what_is_under_way_is_known_to_everybody(world: World) -> None:
    assert world.gate().under_way("X/1") is None
    first = world.gate().accepted("X/1", "http://a/monitor/1")
    assert world.gate().under_way("X/1") == first
    assert world.gate("mycx").under_way("X/1") is None
    world.gate().forget("X/1")
    assert world.gate().under_way("X/1") is None


def test_a_healthy_system_costs_no_write(world: World, tmp_path: Path) -> None:
    from sqlalchemy import event

    sent: list[str] = []
    world.gate().state()
    note: Callable[..., None] = lambda _c, _k, statement, *_: sent.append(statement)  # noqa: E731
    event.listen(world.store.engine, "before_cursor_execute", note)
    client = world.client()
    for _ in range(3):
        world.call(client)
    event.remove(world.store.engine, "before_cursor_execute", note)
    statements = [statement for statement in sent if not statement.startswith("BEGIN")]
    assert len(statements) == 3
    assert all(statement.startswith("SELECT") for statement in statements)


def test_a_system_that_nobody_reaches(world: World) -> None:
    gone = HttpSystem(url="http://127.0.0.1:1", timeout=1)
    client = TmfClient("NOSSA", gone, world.gate())
    for _ in range(2):
        with pytest.raises(Unavailable, match="ConnectError"):
            client.get("things/v4/thing", "1", Entity)
    with pytest.raises(AskedToWait, match=r"has failed 6 times, is left alone until .* \(ConnectError\)"):
        client.get("things/v4/thing", "1", Entity)


def test_a_probe_without_a_token_gives_its_turn_back_and_is_named(world: World, tmp_path: Path) -> None:
    client = world.client()
    world.answer = (503, {}, {})
    for _ in range(2):
        world.call(client)
    token = tmp_path / "token"
    settings = world.server.settings.model_copy(update={"token_file": token})
    world.clock.move(FIRST_PAUSE.total_seconds())
    calls, locked_out = world.calls, TmfClient("NOSSA", settings, world.gate())
    with pytest.raises(Unavailable, match="no token"):
        locked_out.get("things/v4/thing", "1", Entity)
    assert world.calls == calls
    assert world.gate().state().probing is False
    assert re.search(r"is left alone until .* \(no token\)", world.call(locked_out))
    token.write_text("abc")
    world.answer = (200, {}, {"id": "1"})
    world.clock.move(LONGEST_PAUSE.total_seconds())
    assert world.call(locked_out) == "1"


def test_a_system_that_answers_is_not_left_alone_for_our_missing_token(world: World, tmp_path: Path) -> None:
    settings = world.server.settings.model_copy(update={"token_file": tmp_path / "token"})
    for _ in range(OPENS_AFTER):
        assert "no token" in world.call(TmfClient("NOSSA", settings, world.gate()))
    assert world.call() == "1"
