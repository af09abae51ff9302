"""The monitor (SOP W-86): what is due, reported or broken sets its case going, once."""

from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.client.schemas.objects import State
from prefect.states import Cancelling, Completed, Crashed, Failed, Running
from sqlalchemy import update

import tasks.upkeep.monitor
from adapters.clock import SimulatedClock, SystemClock
from adapters.wiring import Systems
from flows.monitor_cases import monitor_cases
from models.audit import AuditRow
from models.errors import NothingDone
from models.facts import Ticket
from models.forms.complaint import UnitProgress
from models.forms.fields import LONGEST_TEXT
from models.tables import Case, Deadline, Outbox, Signal, TicketRow, Wait
from tasks.closing import closing
from tasks.coordinate_with_unit import coordinate_with_unit
from tasks.run.case_run import CaseRun
from tasks.run.resume import resume_waiting_case
from tasks.run.send_letter import deliver
from tasks.run.start_case import start_case
from tasks.run.waits import decide
from tasks.upkeep.monitor import (
    deliver_signals,
    follow_tickets,
    pass_deadlines,
    recover_runs,
    tidy_up,
)
from tasks.upkeep.recover_runs import MOST_RESTARTS, cases_of_lost_runs
from tests.cases import (
    BUDI,
    MAJU,
    change_ticket,
    deadlines,
    done,
    fault,
    keep_signal,
    opened,
    pending,
    rows,
    snapshot,
    ticket,
    told,
)
from tests.fakes import with_methods
from tests.runs import Runs
from tests.stack import Stack, until

# deadlines


def test_a_deadline_wakes_its_case_once(systems: Systems) -> None:
    case = opened(systems)
    done(closing, case)
    assert pass_deadlines.fn() == 0
    systems.clock.advance(48.1)  # type: ignore[attr-defined]
    assert pass_deadlines.fn() == 1
    (wake,) = rows(systems, Signal)
    assert (wake.kind, wake.case_id, wake.source, wake.answers) == ("closing", 1, "deadline:1", {})
    assert deadlines(case) == {}
    assert pass_deadlines.fn() == 0


def test_a_deadline_that_is_dropped_while_it_passes_wakes_nobody(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = opened(systems)
    done(closing, case)
    systems.clock.advance(48.1)  # type: ignore[attr-defined]
    real = tasks.upkeep.monitor._pass

    def meanwhile(systems: Systems, deadline: Deadline) -> None:
        done(closing, case)  # replaces the deadline that the pass has already read
        real(systems, deadline)

    monkeypatch.setattr(tasks.upkeep.monitor, "_pass", meanwhile)
    pass_deadlines.fn()
    assert rows(systems, Signal) == []
    assert list(deadlines(case)) == ["closing"]


def test_a_deadline_that_was_moved_wakes_at_its_new_time_only(systems: Systems) -> None:
    case = opened(systems)
    done(closing, case)
    systems.clock.advance(47)  # type: ignore[attr-defined]
    done(closing, case)
    systems.clock.advance(2)  # type: ignore[attr-defined]
    assert pass_deadlines.fn() == 0
    systems.clock.advance(47)  # type: ignore[attr-defined]
    assert pass_deadlines.fn() == 1


def test_a_part_that_breaks_keeps_no_other_from_its_work(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    systems = runs.systems
    for address in (BUDI, MAJU):
        done(closing, opened(systems, address))
    systems.clock.advance(48.1)  # type: ignore[attr-defined]

    def breaks(systems: Systems, letter_id: int) -> str:
        if letter_id == 1:
            raise ZeroDivisionError
        return deliver(systems, letter_id)

    monkeypatch.setattr(tasks.upkeep.monitor, "deliver", breaks)
    ended = monitor_cases(return_state=True)
    assert ended.is_failed()
    assert str(ended.message).startswith("1 items met a defect; see the worker's log")
    assert "a defect; the other items continue" in caplog.text
    assert {outbox.state for outbox in rows(systems, Outbox) if outbox.letter_id > 1} == {"sent"}
    assert {wake.kind for wake in rows(systems, Signal)} == {"closing"}


# tickets


def test_a_units_report_wakes_the_case_once(systems: Systems) -> None:
    case = opened(systems)
    done(coordinate_with_unit, case, ticket(case), "Access Network")
    assert follow_tickets.fn() == 1
    assert rows(systems, Signal) == []
    systems.clock.advance(4.1)  # type: ignore[attr-defined]
    follow_tickets.fn()
    follow_tickets.fn()
    (wake,) = rows(systems, Signal)
    assert wake.kind == "unit"
    assert wake.answers == {"choice": "REPAIRED", "cause": "Kabel putus", "repair": "Kabel disambung"}
    assert UnitProgress.filled_by_signal(wake.kind, wake.answers).problem() is None
    (row,) = rows(systems, TicketRow)
    assert (row.status, row.status_reason, row.open) == ("resolved", "MEDIACARE", True)


def test_a_ticket_on_hold_is_escalated_with_the_units_word(systems: Systems) -> None:
    case = opened(systems, MAJU)
    done(coordinate_with_unit, case, ticket(case), "Access Network")
    change_ticket(systems, status="held", statusChangeReason="x")
    follow_tickets.fn()
    (wake,) = rows(systems, Signal)
    assert wake.answers["choice"] == "ESCALATE"
    assert "SLAHOLD" in wake.answers["note"]
    assert UnitProgress.filled_by_signal(wake.kind, wake.answers).problem() is None


def test_a_repair_without_cause_is_escalated(systems: Systems) -> None:
    ticket(opened(systems))
    change_ticket(systems, status="resolved")
    follow_tickets.fn()
    (wake,) = rows(systems, Signal)
    assert wake.answers["choice"] == "ESCALATE"
    assert "tanpa penyebab" in wake.answers["note"]


def test_a_unit_that_writes_a_novel_stops_no_case(systems: Systems) -> None:
    ticket(opened(systems))
    change_ticket(systems, status="resolved", note=told("Cause" * 2000, "Repair" * 2000))
    follow_tickets.fn()
    (wake,) = rows(systems, Signal)
    answer = UnitProgress.filled_by_signal(wake.kind, wake.answers)
    assert (len(answer.cause), len(answer.repair)) == (LONGEST_TEXT, LONGEST_TEXT)


def test_a_ticket_that_the_unit_closes_with_cause_and_repair_is_repaired(systems: Systems) -> None:
    ticket(opened(systems))
    change_ticket(systems, status="closed", note=told("Kabel putus", "Kabel disambung"))
    assert (follow_tickets.fn(), follow_tickets.fn()) == (1, 0)
    (wake,) = rows(systems, Signal)
    assert wake.answers == {"choice": "REPAIRED", "cause": "Kabel putus", "repair": "Kabel disambung"}
    assert not rows(systems, TicketRow)[0].open


@pytest.mark.parametrize("status", ["closed", "cancelled", "rejected"])
def test_a_ticket_that_ends_without_a_repair_is_escalated(systems: Systems, status: str) -> None:
    ticket(opened(systems))
    change_ticket(systems, status=status)
    assert (follow_tickets.fn(), follow_tickets.fn()) == (1, 0)
    (wake,) = rows(systems, Signal)
    assert wake.answers["choice"] == "ESCALATE"
    assert UnitProgress.filled_by_signal(wake.kind, wake.answers).problem() is None
    assert not rows(systems, TicketRow)[0].open


def test_a_report_that_is_read_while_the_case_coordinates_is_no_news(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = opened(systems)
    handled = ticket(case)
    done(coordinate_with_unit, case, handled, "Access Network")
    systems.clock.advance(4.1)  # type: ignore[attr-defined]
    look = systems.nossa.progress

    def progress(external_id: str) -> Ticket | None:
        seen = look(external_id)
        done(coordinate_with_unit, case, handled, "Core Network")
        return seen

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(systems.nossa, "progress", progress)
        follow_tickets.fn()
    assert rows(systems, Signal) == []
    (row,) = rows(systems, TicketRow)
    assert (row.unit, row.status) == ("Core Network", "inProgress")


def test_progress_without_news_wakes_nobody(systems: Systems) -> None:
    ticket(opened(systems))
    systems.clock.advance(1.5)  # type: ignore[attr-defined]
    follow_tickets.fn()
    assert rows(systems, TicketRow)[0].status == "inProgress"
    assert rows(systems, Signal) == []


def test_every_open_ticket_is_looked_at_in_each_pass(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.upkeep.monitor, "MOST", 1)
    for number in range(3):
        ticket(opened(systems, f"p{number}@example.com"))
    with systems.store.write() as session:
        session.execute(update(TicketRow).where(TicketRow.case_id == 2).values(open=False))  # type: ignore[arg-type]
    assert follow_tickets.fn() == 2


def test_one_item_that_fails_keeps_no_other_from_its_work(systems: Systems) -> None:
    for number in range(2):
        ticket(opened(systems, f"p{number}@example.com"))
    fault(systems, "nossa", "down", 3)
    assert follow_tickets.fn() == 1
    fault(systems, "nossa", "broken", 1)
    assert follow_tickets.fn() == 1
    assert follow_tickets.fn() == 2


# runs


@flow(persist_result=False)
def follow(case_id: int, reference: str) -> str:
    """A wait that wakes can answer."""
    return str(decide(CaseRun.open(case_id), UnitProgress, about=reference).choice.name)


@flow(persist_result=False)
def fail(case_id: int, reference: str) -> str:
    """Always breaks."""
    raise ZeroDivisionError(reference)


@pytest.fixture
def started(runs: Runs, stack: Stack) -> tuple[CaseRun, str]:
    """A case whose run the monitor has started, because intake could not."""
    case = opened(runs.systems)
    assert recover_runs.fn() == 1
    run = snapshot(case).run_id
    assert run is not None
    return case, run


def force(runs: Runs, run: str, state: State[Any]) -> None:
    runs.client.set_flow_run_state(UUID(run), state, force=True)


def test_a_case_without_run_gets_one(runs: Runs, started: tuple[CaseRun, str]) -> None:
    case, run = started
    assert runs.client.read_flow_run(UUID(run)).name == case.reference
    assert recover_runs.fn() == 0
    # and the same one, where the store had not kept its id
    with runs.systems.store.write() as session:
        session.execute(update(Case).values(run_id=None))
    assert recover_runs.fn() == 1
    assert snapshot(case).run_id == run


def test_a_run_that_took_its_place_meanwhile_stays_the_cases(runs: Runs, stack: Stack) -> None:
    """Intake keeps the ids of several runs together, after all have started."""
    case, start = opened(runs.systems), runs.systems.engine.start_case

    def and_is_replaced(*known: Any) -> str:
        with runs.systems.store.write() as session:
            session.execute(update(Case).values(run_id="another"))
        return start(*known)

    runs.systems.engine = with_methods(runs.systems.engine, start_case=and_is_replaced)
    start_case(runs.systems, case.case_id)
    assert snapshot(case).run_id == "another"


def test_cases_start_again_once_the_flows_are_deployed_anew(runs: Runs, stack: Stack) -> None:
    """The engine's data base was lost, and this process goes on."""
    case = opened(runs.systems)
    runs.systems.engine.deployment_ids["handle-case"] = uuid4()
    with pytest.raises(NothingDone, match="every item failed: Prefect: "):
        recover_runs.fn()
    assert recover_runs.fn() == 1
    assert snapshot(case).run_id is not None


def test_a_broken_run_is_set_going_again_with_growing_pauses_but_not_for_ever(
    runs: Runs, started: tuple[CaseRun, str]
) -> None:
    case, run = started
    later = SimulatedClock(runs.systems.settings.home / "machine")
    later.advance(2)
    for number in range(1, MOST_RESTARTS + 1):
        assert runs.go(fail, run).is_failed()
        if number > 1:
            runs.systems.machine_clock = SystemClock()
            recover_runs.fn()
            assert runs.state(run).is_failed(), "not at once"
            runs.systems.machine_clock = later
        recover_runs.fn()
        assert (runs.state(run).name, snapshot(case).restarts) == ("Restarted", number)
    force(runs, run, Crashed())
    recover_runs.fn()
    assert (runs.state(run).name, snapshot(case).restarts) == ("Crashed", MOST_RESTARTS)


def test_a_case_whose_run_is_gone_goes_on_in_another(runs: Runs, started: tuple[CaseRun, str]) -> None:
    """Somebody deleted it, or the engine's data base was lost; the ledger has all that is needed."""
    case, run = started
    assert runs.go(follow, run).name == "Suspended"
    before = runs.wait(case)
    runs.client.delete_flow_run(UUID(run))
    recover_runs.fn()
    other = snapshot(case).run_id
    assert other not in (None, run)
    assert runs.client.read_flow_run(UUID(other)).tags == ["menunggu Unit terkait / Related unit"]
    assert runs.go(follow, str(other)).name == "Suspended"
    assert runs.wait(case) == before, "it waits since it did"


def test_a_run_that_was_replaced_is_woken_where_that_was_cut_off(runs: Runs, started: tuple[CaseRun, str]) -> None:
    case, run = started
    assert runs.go(follow, run).name == "Suspended"
    runs.client.delete_flow_run(UUID(run))
    # the monitor dies before it has kept the new one's id, and a worker carries that on
    other = runs.systems.engine.start_case(case.case_id, case.reference, after=run)
    assert runs.go(follow, other).name == "Suspended"
    recover_runs.fn()
    assert snapshot(case).run_id == other
    keep_signal(runs.systems, case.case_id, "mail", "mail:99", {"message": 99})
    deliver_signals.fn()
    assert runs.go(follow, other).result() == "CUSTOMER_WROTE"


def test_an_open_case_whose_run_has_ended_goes_on_in_another(runs: Runs, started: tuple[CaseRun, str]) -> None:
    """Somebody has set its state in the UI, or a merger was undone and its run not set going again."""
    case, run = started
    assert runs.go(follow, run).name == "Suspended"
    force(runs, run, Completed())
    recover_runs.fn()
    other = snapshot(case).run_id
    assert other not in (None, run)
    assert runs.go(follow, str(other)).name == "Suspended"
    assert runs.state(run).is_completed()


@pytest.mark.parametrize(("minutes", "lost"), [(1, False), (61, True)])
def test_a_run_that_a_dead_worker_of_another_type_carried_is_lost(
    minutes: float, lost: bool, runs: Runs, started: tuple[CaseRun, str]
) -> None:
    case, run = started
    force(runs, run, Running())
    runs.systems.settings.worker_type = "process"
    clock = SimulatedClock(runs.systems.settings.home / "machine")
    clock.advance(minutes / 60)
    runs.systems.machine_clock = clock
    assert cases_of_lost_runs(runs.systems) == [case.case_id] * lost


def test_more_runs_than_the_server_gives_at_a_time_are_all_found(
    runs: Runs, started: tuple[CaseRun, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(runs.systems, MAJU)
    assert recover_runs.fn() == 1
    monkeypatch.setattr("adapters.engine.runs.PAGE", 1)
    assert cases_of_lost_runs(runs.systems) == []


def test_a_run_whose_pool_was_deleted_is_lost(runs: Runs, started: tuple[CaseRun, str]) -> None:
    (case, _), pool = started, "old"
    runs.client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
    old = runs.client.read_deployment_by_name("handle-case/handle-case")
    deployment = runs.client.create_deployment(old.flow_id, "old", work_pool_name=pool)
    moved = str(runs.client.create_flow_run_from_deployment(deployment).id)
    with runs.systems.store.write() as session:
        session.execute(update(Case).values(run_id=moved))
    runs.client.delete_work_pool(pool)
    assert runs.client.read_flow_run(UUID(moved)).work_pool_name is None
    assert cases_of_lost_runs(runs.systems) == [case.case_id]


def test_the_run_of_a_closed_case_is_left_in_peace(runs: Runs, started: tuple[CaseRun, str]) -> None:
    _, run = started
    force(runs, run, Crashed())
    with runs.systems.store.write() as session:
        session.execute(update(Case).values(status="closed"))
    recover_runs.fn()
    assert runs.state(run).name == "Crashed"


@pytest.mark.parametrize(
    ("pid", "minutes", "state"),
    [
        ("ghost:1234:{run}", 2, "Restarted"),
        (None, 2, "Restarted"),
        ("ghost:1234:{run}", 1, "Running"),
        ("host.example:4711", 60, "Running"),
    ],
    ids=["lost its worker", "never got one", "not for long enough", "a process of its own"],
)
def test_an_orphan_is_set_going_again(
    pid: str | None, minutes: float, state: str, runs: Runs, started: tuple[CaseRun, str]
) -> None:
    _, run = started
    force(runs, run, Running())
    if pid:
        runs.client.update_flow_run(UUID(run), infrastructure_pid=pid.format(run=run))
    clock = SimulatedClock(runs.systems.settings.home / "machine")
    clock.advance(minutes / 60)
    runs.systems.machine_clock = clock
    recover_runs.fn()
    assert runs.state(run).name == state


def test_polls_are_forgotten_after_a_day_or_a_week_and_cases_never(
    runs: Runs, started: tuple[CaseRun, str], stack: Stack
) -> None:
    _, case_run = started
    standing = FlowRunFilter(name=FlowRunFilterName(any_=["standing"]))
    deployment = runs.client.read_deployment_by_name("receive-mail/receive-mail").id
    run = str(runs.client.create_flow_run_from_deployment(deployment, name="standing").id)
    broken = str(runs.client.create_flow_run_from_deployment(deployment, name="standing").id)
    force(runs, run, Running())
    force(runs, run, Completed())
    force(runs, broken, Running())
    force(runs, broken, Failed())
    force(runs, case_run, Completed())

    def left(hours: float) -> list[str]:
        later.advance(hours)
        tidy_up.fn()
        return [str(one.id) for one in runs.client.read_flow_runs(flow_run_filter=standing)]

    runs.systems.machine_clock = later = SimulatedClock(runs.systems.settings.home / "machine")
    assert sorted(left(0)) == sorted([run, broken])
    until(lambda: left(25) == [broken], "what ended well is forgotten, and what failed is looked at for longer")
    until(lambda: left(7 * 24) == [], "that is forgotten, too")
    assert runs.state(case_run).is_completed()


def test_a_sweep_asks_once_for_the_deployments_whose_runs_it_tidies(runs: Runs) -> None:
    with mock.patch.object(SyncPrefectClient, "read_deployments", autospec=True, return_value=[]) as asked:
        tidy_up.fn()
    assert asked.call_count == 1


def test_a_run_that_a_person_cancels_ends_its_case(runs: Runs, started: tuple[CaseRun, str]) -> None:
    case, run = started
    ticket(case)
    done(closing, case)
    assert runs.go(follow, run).name == "Suspended"
    keep_signal(runs.systems, case.case_id, "answer", "deadline:99", {})
    runs.client.set_flow_run_state(UUID(run), Cancelling())
    assert runs.state(run).name == "Cancelled"
    recover_runs.fn()
    row = snapshot(case)
    assert (row.status, row.outcome, row.closed_at is not None) == ("cancelled", "cancelled in the Prefect UI", True)
    assert [(one.action, one.actor, one.run_id) for one in rows(runs.systems, AuditRow)] == [("cancelled", "?", run)]
    assert rows(runs.systems, Wait) == []
    assert (deadlines(case), pending(case)) == ({}, [])
    assert [row.open for row in rows(runs.systems, TicketRow)] == [False]
    assert recover_runs.fn() == 0
    assert runs.state(run).name == "Cancelled"


def test_only_wakes_that_can_be_taken_are_delivered(runs: Runs, started: tuple[CaseRun, str]) -> None:
    systems, (case, run) = runs.systems, started
    # a case before it waits for a person, whom no wake replaces
    other = opened(systems, MAJU)
    keep_signal(systems, other.case_id, "mail", "mail:98", {"message": 98})
    with systems.store.write() as session:
        session.add(
            Wait(
                case_id=other.case_id,
                wait_key="k",
                form="WriteAnswer",
                role="x",
                since=systems.clock.now(),
                description="",
            )
        )
    runs.go(follow, run)
    keep_signal(systems, case.case_id, "mail", "mail:99", {"message": 99})
    assert deliver_signals.fn() == 1
    assert runs.go(follow, run).result() == "CUSTOMER_WROTE"
    assert deliver_signals.fn() == 0
    assert not resume_waiting_case(systems, other.case_id)
    assert pending(other) == ["mail"]
