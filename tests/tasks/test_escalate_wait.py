from adapters.wiring import Systems
from models.forms.analysis import ConfirmAnalysis
from models.forms.complaint import Escalation
from models.states import EscalationReason, RecordState
from models.tables import ActivityRecord, Wait
from tasks.escalate_wait import escalate_wait
from tests.cases import asks, at_office, opened, rows, waiting


def test_it_goes_to_the_role_above_and_is_recorded_with_its_time(systems: Systems) -> None:
    clock = at_office(systems, "2026-11-24 09:00")
    case = opened(systems)
    wait = asks(case, ConfirmAnalysis)
    clock.advance(1.5)
    with systems.store.write() as session:
        escalate_wait.do_beneath(session, case, session.get_one(Wait, case.case_id), EscalationReason.OVERDUE)
    (record,) = rows(systems, ActivityRecord, name="escalate_wait")
    assert (record.number, record.performer, record.occurrence) == (None, "Sistem / System", 1)
    assert record.output == {
        "wait": "confirm-analysis-1",
        "form": "ConfirmAnalysis",
        "since": "2026-11-24T02:00:00Z",
        "to": "Team Leader",
        "due_at": "2026-11-24T04:30:00Z",
        "reason": "overdue",
    }
    assert wait.since.isoformat() == "2026-11-24T02:00:00+00:00"


def test_a_decision_that_is_asked_for_again_stays_where_it_was(systems: Systems) -> None:
    """After an update the same form is asked again, and its clock does not begin anew; another matter's does."""
    clock = at_office(systems, "2026-11-24 09:00")
    case = opened(systems)
    asks(case, Escalation)
    clock.advance(1.5)
    with systems.store.write() as session:
        escalate_wait.do_beneath(session, case, session.get_one(Wait, case.case_id), EscalationReason.OVERDUE)
        since = session.get_one(Wait, case.case_id).since
        session.add(
            ActivityRecord(
                case_id=case.case_id,
                name="escalation-1",
                occurrence=1,
                state=RecordState.DONE,
                output={"choice": "UPDATE"},
                performer="Sistem / System",
                started_at=since,
                ended_at=clock.now(),
                sop_revision="",
            )
        )
    again = asks(case, Escalation, 2)
    assert (again.escalated_to, again.shown_to, again.since) == ("Supervisor", "Supervisor", since)
    assert again.due_at is not None
    assert again.due_at.isoformat() == "2026-11-24T05:30:00+00:00"
    assert again.description.startswith("⏰ **Terlambat → Supervisor")
    another = asks(case, ConfirmAnalysis)
    assert (another.escalated_to, waiting(case).since) == ("", clock.now())
