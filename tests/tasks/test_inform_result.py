"""Activity 10: the result with cause and repair, and nothing that is still due (SOP 7.10, 5.10)."""

from adapters.wiring import Systems
from models.need import Solution
from models.tables import Case, TicketRow
from tasks.coordinate_with_unit import coordinate_with_unit
from tasks.inform_result import inform_result
from tests.cases import (
    deadlines,
    do_now,
    done,
    keep_signal,
    latest,
    letter,
    opened,
    pending,
    rows,
    text,
    ticket,
    tickets,
)

SOLUTION = Solution(cause="Kabel putus di ODP", repair="Kabel disambung ulang")


def test_the_customer_is_told_and_the_ticket_is_closed(systems: Systems) -> None:
    case = opened(systems)
    handled = ticket(case)
    done(coordinate_with_unit, case, handled, "Access Network")
    for kind in ("repair", "update", "unit", "mail"):
        keep_signal(systems, case.case_id, kind, f"{kind}:99", {})
    done(inform_result, case, SOLUTION, handled, approved_by="Sari")

    assert SOLUTION.cause in text(case, "inform_result")
    assert SOLUTION.repair in text(case, "inform_result")
    assert letter(case, "inform_result")["Auto-Submitted"] is None, "a person approved it"
    assert latest(case, "inform_result").performer == "Sari"
    (closed,) = tickets(systems)
    assert (closed["status"], closed["statusChangeReason"]) == ("closed", SOLUTION.repair)
    (row,) = rows(systems, TicketRow)
    assert (row.status, row.open) == ("closed", False)
    assert deadlines(case) == {}
    assert pending(case) == ["mail"], "what the customer wrote is still to be read"
    assert rows(systems, Case)[0].status == "open"


def test_what_was_solved_at_once_has_no_ticket(systems: Systems) -> None:
    case = opened(systems)
    done(inform_result, case, SOLUTION, None, approved_by="Sari")
    assert SOLUTION.repair in text(case, "inform_result")
    assert tickets(systems) == []


def test_a_solution_without_cause_is_not_told(systems: Systems) -> None:
    case = opened(systems)
    do_now(inform_result, case, Solution(cause=" ", repair="Disambung"), None, approved_by="Sari")
    record = latest(case, "inform_result")
    assert (record.state, record.output["fact"]) == ("failed", "cause")
