"""Beneath a wait: its clock, its escalation, the customer's updates; over nights, Sundays and holidays."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, event, update

from adapters.wiring import Systems
from models.errors import NothingDone, Unavailable
from models.forms import FORMS
from models.forms.analysis import ConfirmAnalysis, ConfirmSender
from models.forms.answers import CustomerAnswer
from models.forms.complaint import UnitProgress
from models.forms.trouble import FixActivity, Unreachable
from models.settings import Limits, Office
from models.sop import Role
from models.states import SignalKind
from models.tables import ActivityRecord, Case, Deadline, Letter, Outbox, Signal, Wait
from tasks.coordinate_with_unit import coordinate_with_unit
from tasks.keep_informed import keep_informed
from tasks.run.clocks import INFORMS, PERSONS, cases_without_clock, overdue_decisions, waits_to_watch
from tasks.run.lease import due_letters
from tasks.upkeep.monitor import pass_deadlines, watch_waits
from tests.cases import asks, at_office, deadlines, done, keep_signal, opened, pending, rows, text, ticket, waiting
from tests.conftest import BOTH
from tests.fakes import fake, with_methods

WIB = ZoneInfo("Asia/Jakarta")
on_both = pytest.mark.parametrize("systems", BOTH, indirect=True)


@pytest.fixture(autouse=True)
def shown(systems: Systems) -> list[tuple[str, ...]]:
    """The engine in these tests shows whatever it is told; here stand the labels."""
    labels: list[tuple[str, ...]] = []
    systems.engine = with_methods(
        systems.engine, describe=lambda *_: True, label=lambda _run, *tags: labels.append(tags)
    )
    return labels


def wib(moment: datetime | None) -> str:
    assert moment is not None
    return f"{moment.astimezone(WIB):%a %d %H:%M}"


def sweep() -> None:
    """What the monitor does about time."""
    pass_deadlines.fn()
    watch_waits.fn()


def raised(systems: Systems) -> list[tuple[str, str, str]]:
    return [
        (row.performer, row.output["to"], row.output["reason"])
        for row in rows(systems, ActivityRecord, name="escalate_wait")
    ]


def with_run(systems: Systems, *case: str) -> Any:
    """A case whose run the engine knows."""
    run = opened(systems, *case)
    with systems.store.write() as session:
        session.execute(update(Case).values(run_id="00000000-0000-0000-0000-000000000001"))
    return run


def test_an_escalation_that_failed_stops_no_wait(systems: Systems, shown: Sequence[tuple[str, ...]]) -> None:
    at_office(systems, "2026-11-24 09:00")
    case, now = with_run(systems), systems.clock.now()
    failed: dict[str, Any] = {"name": "escalate_wait", "occurrence": 1, "state": "failed", "output": {"error": "…"}}
    known: dict[str, Any] = {"case_id": 1, "performer": "", "started_at": now, "ended_at": now, "sop_revision": ""}
    with systems.store.write() as session:
        session.add(ActivityRecord(**failed, **known))
    assert wib(asks(case, ConfirmAnalysis).due_at) == "Tue 24 10:00"


@on_both
def test_a_decision_that_nobody_takes_goes_up_once_a_step(systems: Systems, shown: Sequence[tuple[str, ...]]) -> None:
    clock = at_office(systems, "2026-11-24 09:00")
    case = with_run(systems)
    assert wib(asks(case, ConfirmAnalysis).due_at) == "Tue 24 10:00"
    clock.advance(0.9)
    sweep()
    assert raised(systems) == []

    clock.advance(0.2)
    for _ in range(2):
        sweep()
    leader = waiting(case)
    assert raised(systems) == [("Sistem / System", "Team Leader", "overdue")]
    assert (leader.role, leader.escalated_to, wib(leader.due_at)) == ("Agent Email", "Team Leader", "Tue 24 11:06")
    first, about, facts = leader.description.split("\n\n", 2)
    assert first == "⏰ **Terlambat → Team Leader / Overdue, escalated** · sejak / since 24-11-2026 09:00 WIB"
    assert (about, facts[:8]) == ("Bagaimana", "- **JKT-")
    assert shown[-1] == ("menunggu Agent Email", "menunggu Team Leader", "terlambat / overdue")

    clock.advance(1.1)
    for _ in range(2):
        sweep()
    assert [to for _, to, _ in raised(systems)] == ["Team Leader", "Supervisor"]
    assert waiting(case).description.count("Terlambat") == 1
    # nobody is above the supervisor: it stays there, and the clock goes on
    clock.advance(2.5)
    sweep()
    assert len(raised(systems)) == 2
    assert (waiting(case).escalated_to, wib(waiting(case).due_at)) == ("Supervisor", "Tue 24 15:42")
    assert cases_without_clock(systems, timedelta()) == []


@pytest.mark.parametrize("form", PERSONS)
def test_every_form_of_a_person_has_a_clock(systems: Systems, form: str) -> None:
    clock = at_office(systems, "2026-11-24 09:00")
    case = with_run(systems)
    assert asks(case, FORMS[form]).due_at is not None
    clock.advance(2.1)
    assert [late.why for late in cases_without_clock(systems)] == [f"{form} is overdue and was not escalated"]
    sweep()
    assert cases_without_clock(systems, timedelta()) == []
    above = {Role.AGENT: "Team Leader", Role.TEAM_LEADER: "Supervisor", Role.SUPERVISOR: ""}
    assert waiting(case).escalated_to == above[FORMS[form].role]


@pytest.mark.parametrize(
    ("asked", "due", "office"),
    [
        ("2026-11-24 19:30", "Wed 25 08:30", Office()),
        ("2026-11-28 16:30", "Mon 30 08:30", Office()),  # over a Sunday
        ("2026-11-24 01:40", "Tue 24 09:00", Office()),
        ("2026-03-19 16:30", "Fri 20 09:00", Office()),  # Nyepi
        ("2026-03-17 19:30", "Wed 25 08:30", Office(holidays=("public", "joint_leave"))),  # Lebaran, with joint leave
        ("2026-11-24 23:30", "Wed 25 00:30", Office(hours={"tue": "22:00-06:00"})),
    ],
)
def test_the_time_to_decide_is_office_time(systems: Systems, asked: str, due: str, office: Office) -> None:
    at_office(systems, asked, office)
    assert wib(asks(opened(systems), ConfirmAnalysis).due_at) == due


def test_it_is_the_time_of_the_mailboxs_own_zone(systems: Systems) -> None:
    at_office(systems, "2026-11-24 18:30")
    systems.settings.mailboxes[0].timezone = "Asia/Makassar"
    # it closes at 20:00 there, which is 19:00 in Jakarta
    assert wib(asks(opened(systems), ConfirmAnalysis).due_at) == "Wed 25 07:30"


def test_a_question_has_more_time_than_a_complaint(systems: Systems) -> None:
    at_office(systems, "2026-11-24 09:00")
    case = opened(systems)
    with systems.store.write() as session:
        session.execute(update(Case).values(kind="information"))
    assert wib(asks(case, ConfirmAnalysis).due_at) == "Tue 24 13:00"


@on_both
def test_an_update_beneath_each_form_goes_out_at_the_usual_intervals(systems: Systems) -> None:
    clock = at_office(systems, "2026-11-24 08:00")
    case = with_run(systems)
    asks(case, ConfirmAnalysis)
    assert deadlines(case) == {"update": 6}
    for hours in (6.1, 0.1):
        clock.advance(hours)
        sweep()
    (letter,) = rows(systems, Letter, kind="keep_informed")
    words = text(case, "keep_informed")
    assert "kami terima pada 24 November 2026 pukul 08.00 WIB" in words
    # six hours later the office is closed: it is promised for the morning, and comes then
    assert "Kabar berikutnya: 25 November 2026 pukul 08.00 WIB" in words
    assert rows(systems, Outbox, letter_id=letter.id)[0].routine
    assert pending(case) == []
    assert "Latest letter, 24-11-2026 14:06: Kabar selama menunggu" in waiting(case).description
    for _ in range(17):
        clock.advance(1)
        sweep()
    assert len(rows(systems, Letter, kind="keep_informed")) == 1, "none at night"
    clock.advance(1)
    sweep()
    assert [wib(one.written_at) for one in rows(systems, Letter, kind="keep_informed")] == [
        "Tue 24 14:06",
        "Wed 25 08:12",
    ]


@pytest.mark.parametrize("form", sorted(name for name in PERSONS if "update" not in FORMS[name].takes))
def test_only_whom_a_letter_reaches_safely_is_written_to(systems: Systems, form: str) -> None:
    clock = at_office(systems, "2026-11-24 08:00")
    case = with_run(systems)
    asks(case, FORMS[form])
    clock.advance(6.1)
    sweep()
    expected = form not in {ConfirmSender.__name__, Unreachable.__name__}
    assert bool(rows(systems, Letter, kind="keep_informed")) == expected == (form in INFORMS)


def test_a_sender_in_doubt_gets_no_update(systems: Systems) -> None:
    clock = at_office(systems, "2026-11-24 08:00")
    case = with_run(systems)
    with systems.store.write() as session:
        session.execute(update(Case).values(sender_doubt="dmarc"))
    asks(case, ConfirmAnalysis)
    assert deadlines(case) == {}
    keep_signal(systems, case.case_id, "update", "older", {})
    clock.advance(6.1)
    sweep()
    assert rows(systems, Letter, kind="keep_informed") == []


def test_an_update_beneath_a_form_tells_the_ticket(systems: Systems) -> None:
    clock = at_office(systems, "2026-11-24 08:00")
    case = with_run(systems)
    handled = ticket(case)
    done(coordinate_with_unit, case, handled, "Access Network")
    asks(case, FixActivity)
    clock.advance(6.1)
    sweep()
    assert f"Nomor tiket: {handled.ticket_id} Unit yang menangani: Access Network" in text(case, "keep_informed")


def test_a_letter_that_cannot_be_written_is_recorded_and_tried_at_the_next_time(systems: Systems) -> None:
    clock = at_office(systems, "2026-11-24 08:00")
    case = with_run(systems)
    asks(case, ConfirmAnalysis)
    systems.settings.limits = Limits(letters_a_day=1)
    clock.advance(6.1)
    for _ in range(2):
        sweep()
    assert [row.state for row in rows(systems, ActivityRecord, name="keep_informed")] == ["failed"]
    assert (pending(case), wib(rows(systems, Deadline, over=False)[0].due_at)) == ([], "Wed 25 08:00")
    clock.advance(24)
    sweep()
    assert [row.state for row in rows(systems, ActivityRecord, name="keep_informed")] == ["failed", "done"]


def test_a_repair_that_is_overdue_beneath_a_form_goes_up_at_once(
    systems: Systems, shown: Sequence[tuple[str, ...]]
) -> None:
    """What the unit or its deadline has to say is kept for the unit's own form, and shown."""
    clock = at_office(systems, "2026-11-24 08:00")
    case = with_run(systems)
    done(coordinate_with_unit, case, ticket(case), "Access Network")
    hours = deadlines(case)["repair"]
    clock.advance(hours - 0.5)
    asks(case, FixActivity)
    clock.advance(0.6)
    for _ in range(2):
        sweep()
    assert raised(systems) == [("Sistem / System", "Team Leader", "repair")]
    said = waiting(case).description
    assert said.startswith("⏰ **Perbaikan unit terlambat → Team Leader / The unit's repair is overdue, escalated** · ")
    assert "⚠ Batas perbaikan / Repair due: " in said
    assert "Terlambat →" not in said, "nobody is late with a decision"
    assert shown[-1][-1] == "perbaikan terlambat / repair overdue"
    assert overdue_decisions(systems) == []
    assert pending(case) == ["repair"]
    clock.advance(1.1)
    assert [case.key for case, _ in overdue_decisions(systems)] == [case.case_id], "the agent's own hour is over"


@on_both
def test_what_sleeps_under_an_older_revision_gets_a_clock(systems: Systems) -> None:
    """Its wait has no time; its customer was promised nothing."""
    clock = at_office(systems, "2026-11-24 09:00")
    case = with_run(systems)
    asks(case, ConfirmAnalysis)
    with systems.store.write() as session:
        session.execute(update(Wait).values(due_at=None, watch_at=None))
        session.execute(delete(Deadline))
    assert [late.why for late in cases_without_clock(systems)] == ["ConfirmAnalysis has no time limit"]
    sweep()
    assert (wib(waiting(case).due_at), deadlines(case)) == ("Tue 24 10:00", {"update": 6})
    clock.advance(1.1)
    sweep()
    assert waiting(case).escalated_to == "Team Leader"


@pytest.mark.parametrize(("form", "ends"), [(UnitProgress, "repair"), (CustomerAnswer, "answer")])
def test_a_wait_that_lost_its_deadline_gets_another(systems: Systems, form: Any, ends: str) -> None:
    clock = at_office(systems, "2026-11-24 09:00")
    case = with_run(systems)
    asks(case, form)
    (until,) = deadlines(case).values()
    with systems.store.write() as session:
        session.execute(delete(Deadline))
    assert [late.why for late in cases_without_clock(systems)] == [f"{form.__name__} has no deadline"]
    assert list(waits_to_watch(systems, 10)) == []
    clock.advance(until + 0.1)
    for _ in range(2):
        sweep()
    assert list(deadlines(case)) == [ends]
    assert cases_without_clock(systems, timedelta()) == []


def test_a_sweep_finds_by_an_index_what_is_due(systems: Systems) -> None:
    """Whatever waits: it reads the waits that it has to look at, and no others."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(systems.store.engine, "before_cursor_execute", note)
    waits_to_watch(systems, 10)
    event.remove(systems.store.engine, "before_cursor_execute", note)
    (question,) = [one for one in asked if "FROM wait" in one[0]]
    with systems.store.engine.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {question[0]}", question[1])]
    assert [line for line in plan if line.startswith("SCAN") and "INDEX" not in line and "subquery" not in line] == []


def test_what_the_engine_did_not_take_is_shown_by_a_later_sweep(
    systems: Systems, shown: Sequence[tuple[str, ...]]
) -> None:
    clock = at_office(systems, "2026-11-24 09:00")
    case = with_run(systems)
    asks(case, ConfirmAnalysis)
    clock.advance(1.1)

    def away(*_: object) -> None:
        raise Unavailable("Prefect", "ConnectError")

    with fake(systems, "engine", label=away), pytest.raises(NothingDone):
        sweep()
    assert (waiting(case).escalated_to, waiting(case).shown_to) == ("Team Leader", "")
    assert list(waits_to_watch(systems, 10)) == [case.case_id]
    sweep()
    assert "Terlambat" in waiting(case).description
    assert list(waits_to_watch(systems, 10)) == []
    assert len(raised(systems)) == 1


@on_both
def test_two_sweeps_at_a_time_escalate_once(systems: Systems) -> None:
    clock = at_office(systems, "2026-11-24 08:00")
    case = with_run(systems)
    asks(case, ConfirmAnalysis)
    clock.advance(6.1)
    pass_deadlines.fn()
    together = threading.Barrier(4)

    def one() -> None:
        together.wait()
        with suppress(Unavailable):
            watch_waits.fn()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sweep()
    assert [to for _, to, _ in raised(systems)] == ["Team Leader"]
    assert len(rows(systems, Letter, kind="keep_informed")) == 1


def test_a_routine_letter_that_is_late_does_not_go_out_at_night(systems: Systems) -> None:
    """The server for letters was away, and answers again at 21:00."""
    clock = at_office(systems, "2026-11-24 19:50")
    case = opened(systems)
    (first,) = due_letters(systems)
    with systems.store.write() as session:
        keep_informed.do_beneath(session, case, "ConfirmAnalysis")
    assert len(due_letters(systems)) == 2
    clock.advance(1.2)
    assert due_letters(systems) == [first], "the first response goes at any hour"
    clock.advance(11)
    assert len(due_letters(systems)) == 2


def test_an_update_that_nobody_passed_by_day_waits_for_the_morning(systems: Systems) -> None:
    """The worker was away from the afternoon on."""
    clock = at_office(systems, "2026-11-24 12:00")
    case = opened(systems)
    with systems.store.write() as session:
        session.add(
            Deadline(case_id=case.case_id, kind=SignalKind.UPDATE, due_at=datetime(2026, 11, 24, 9, tzinfo=UTC))
        )
    clock.advance(10)
    pass_deadlines.fn()
    assert (rows(systems, Signal), wib(rows(systems, Deadline)[0].due_at)) == ([], "Wed 25 08:00")
