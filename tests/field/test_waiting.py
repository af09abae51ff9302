"""A system that asks to be left alone: cases go on by themselves where that is short; else a person is asked."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from prefect import flow

from adapters.wiring import load_systems
from flows.monitor_cases import monitor_cases
from models.need import Diagnosis
from models.tables import ActivityRecord, Wait
from tasks.coordinate_with_unit import coordinate_with_unit
from tasks.handle_intensively import handle_intensively
from tasks.run.activity import SOON
from tasks.run.case_run import CaseRun
from tasks.serve_complaint import Complaint
from tasks.upkeep.doctor.back_office import back_office
from tasks.upkeep.monitor import follow_tickets
from tests.cases import BUDI, MAJU, TOKO, done, latest, opened, rows, ticket, tickets
from tests.field.proxy import Asynchronous, Proxy, proxy, status
from tests.runs import Runs

COMPLAINT = Complaint(topic="slow", service_number="", severity="Minor", description="JKT-0000001: slow")


@flow(persist_result=False)
def handle(case_id: int) -> str:
    """One activity that calls a system."""
    return handle_intensively(CaseRun.open(case_id), COMPLAINT, Diagnosis(unit="Core Network"), 1).ticket_id


@pytest.fixture
def between(runs: Runs) -> Iterator[Proxy]:
    """The proxy, between the service of this process and its systems."""
    systems = runs.systems
    with proxy(systems.settings.mycx.url.removesuffix("/mycx")) as running:
        for name in ("mycx", "nossa", "siska"):
            setattr(systems.settings, name, getattr(running.before(systems.settings), name))
        yield running


def test_a_short_wait_burns_no_tries_and_holds_no_thread(runs: Runs, between: Proxy) -> None:
    systems, case = runs.systems, opened(runs.systems)
    between.change(status(429, retry_after=120), system="mycx")
    run = runs.start(handle, case)
    state = runs.go(handle, run)
    assert (state.name, state.is_scheduled()) == ("AskedToWait", True)
    until = systems.gate("mycx").state().until
    assert until is not None
    assert state.state_details.scheduled_time is not None
    assert until <= state.state_details.scheduled_time < until + timedelta(seconds=4)
    assert "My CX: asked to wait until" in str(state.message)
    # the engine sets it going too early, as a restart does: no call
    systems.engine.restart(run, "too early")
    assert runs.go(handle, run).name == "AskedToWait"
    assert between.count("mycx") == 1
    assert rows(systems, ActivityRecord, name="handle_intensively") == []
    assert rows(systems, Wait) == []
    between.clear()
    systems.machine_clock = Later(systems.machine_clock.now() + timedelta(seconds=130))
    del systems.mycx
    systems.engine.restart(run, "its time")
    assert runs.go(handle, run).result() == "1-0000001"
    assert len(tickets(systems)) == 1


class Later:
    def __init__(self, time: datetime) -> None:
        self.time = time

    def now(self) -> datetime:
        return self.time


def test_of_a_long_wait_a_person_is_told_the_time(runs: Runs, between: Proxy) -> None:
    case = opened(runs.systems)
    between.change(status(503, retry_after=SOON.total_seconds() + 60), system="mycx")
    run = runs.start(handle, case)
    assert runs.go(handle, run).name == "Suspended"
    record = latest(case, "handle_intensively")
    assert (record.state, record.tries) == ("failed", 1)
    wait = runs.wait(case)
    assert wait is not None
    assert "My CX: asked to wait until" in wait.description
    check = back_office("mycx").check(runs.systems)
    assert (check.state, check.found[:20]) == ("warn", "asked to wait until ")
    assert between.count("mycx") == 1, "doctor does not ask either"


def test_what_a_system_says_stands_on_the_form_and_in_no_record_of_errors(runs: Runs, between: Proxy) -> None:
    case = opened(runs.systems)
    said = status(422, reason="budi@example.com has no such line", message=500 * "x")
    between.change(said, system="mycx", method="POST")
    run = runs.start(handle, case)
    assert runs.go(handle, run).name == "Suspended"
    assert latest(case, "handle_intensively").output["error"] == "My CX: POST troubleTicket/v4/troubleTicket: 422"
    wait = runs.wait(case)
    assert wait is not None
    assert "422: budi\\@example\\.com has no such line: xxx" in wait.description.replace("\\:", ":")
    assert len(wait.description) < 1200


def test_a_create_that_takes_its_time_is_awaited_and_made_once(
    runs: Runs, between: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.systems.tmf.FOLLOWS", 2)
    monkeypatch.setattr("adapters.systems.tmf.FOLLOW_SECONDS", 0.0)
    case, later = opened(runs.systems), Asynchronous(after=5)
    between.change(later, system="mycx")
    run = runs.start(handle, case)
    for _ in range(2):
        assert runs.go(handle, run).name == "AskedToWait"
        runs.systems.engine.restart(run, "its time")
    assert runs.go(handle, run).result() == "1-0000001"
    assert later.accepted == 1
    assert len(tickets(runs.systems)) == 1


def test_a_part_of_the_monitor_in_which_everything_fails_makes_the_sweep_fail(runs: Runs, between: Proxy) -> None:
    systems = runs.systems
    for address in (BUDI, MAJU, TOKO):
        case = opened(systems, address)
        done(coordinate_with_unit, case, ticket(case), "Access Network")
    assert follow_tickets.fn() == 3
    before = between.count("nossa")
    between.change(status(429, retry_after=300), system="nossa")
    ended = monitor_cases(return_state=True)
    assert ended.is_failed()
    assert "every item failed: NOSSA: asked to wait until" in str(ended.message)
    assert between.count("nossa") == before + 1, "the others are left for a later pass"
    monitor_cases(return_state=True)
    assert between.count("nossa") == before + 1
    assert load_systems() is systems
