"""Activity 8: the case goes up, and the unit reads it (SOP 7.8, 5.9)."""

from adapters.wiring import Systems
from tasks.coordinate_with_unit import coordinate_with_unit
from tasks.escalate_to_team_leader import escalate_to_team_leader
from tests.cases import deadlines, done, keep_signal, opened, pending, ticket, tickets


def test_the_unit_reads_it_and_lateness_is_no_news_any_more(systems: Systems) -> None:
    case = opened(systems)
    handled = ticket(case)
    done(coordinate_with_unit, case, handled, "Access Network")
    keep_signal(systems, case.case_id, "repair", "deadline:99", {})
    keep_signal(systems, case.case_id, "mail", "mail:99", {"message": 99})
    assert done(escalate_to_team_leader, case, handled, "Terlambat").reason == "Terlambat"
    assert [note["text"] for note in tickets(systems)[0]["note"]][-1] == "Eskalasi 1: Terlambat"
    assert set(deadlines(case)) == {"update"}
    assert pending(case) == ["mail"]


def test_the_note_is_written_once_for_each_escalation(systems: Systems) -> None:
    case = opened(systems)
    handled = ticket(case)
    done(escalate_to_team_leader, case, handled, "Terlambat")
    done(escalate_to_team_leader, case, handled, "Terlambat")
    notes = [note["text"] for note in tickets(systems)[0]["note"]]
    assert notes == ["Eskalasi 1: Terlambat", "Eskalasi 2: Terlambat"]
