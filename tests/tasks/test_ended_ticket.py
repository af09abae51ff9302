"""A ticket that the unit ends is no dead end: the case's real flow, pass by pass."""

import pytest

from flows.handle_case import handle_case
from models.tables import ActivityRecord, TicketRow
from tasks.monitor import deliver_wakes, follow_tickets
from tests.cases import change_ticket, opened, rows, tickets, told
from tests.tasks.conftest import Runs


@pytest.mark.parametrize(
    ("status", "form", "answers"),
    [
        ("closed", "ApproveSolution", {"choice": "COORDINATE"}),
        ("cancelled", "Escalation", {"choice": "OTHER_UNIT", "unit": "Access Network"}),
        ("rejected", "Escalation", {"choice": "BACK_TO_AGENT"}),
    ],
)
def test_the_case_goes_on_under_a_new_ticket(runs: Runs, status: str, form: str, answers: dict[str, str]) -> None:
    case = opened(runs.wired)
    run = runs.start(handle_case, case, reference=case.reference)

    def goes_on_to(form: str) -> None:
        runs.go(handle_case, run)
        wait = runs.wait(case)
        assert wait is not None
        assert wait.form == form, wait.description

    def decides(form: str, **answers: str) -> None:
        assert runs.submit(run, form, **answers).state == "accepted"

    goes_on_to("ApproveSolution")
    decides("ApproveSolution", choice="COORDINATE")
    goes_on_to("UnitProgress")
    change_ticket(runs.wired, status=status, note=told("Kabel putus", "Kabel disambung"))
    follow_tickets.fn()
    deliver_wakes.fn()
    goes_on_to(form)
    decides(form, **answers)
    if answers["choice"] == "BACK_TO_AGENT":
        goes_on_to("HandlingStuck")
        decides("HandlingStuck", choice="COORDINATE", unit="Access Network")
    goes_on_to("UnitProgress")
    old, new = tickets(runs.wired)
    assert (old["externalId"], new["externalId"]) == ("JKT-0000001/1", "JKT-0000001/1.2")
    wait = runs.wait(case)
    assert wait is not None
    assert new["id"] in wait.description

    # its unit repairs, and it ends with the case
    runs.wired.clock.advance(4.1)  # type: ignore[attr-defined]
    follow_tickets.fn()
    deliver_wakes.fn()
    goes_on_to("ApproveSolution")
    decides("ApproveSolution", choice="SEND", cause="Kabel putus", repair="Kabel disambung")
    goes_on_to("ClosingPeriod")
    assert [one["status"] for one in tickets(runs.wired)] == [status, "closed"]
    assert [(row.status, row.open) for row in rows(runs.wired, TicketRow)] == [(status, False), ("closed", False)]
    assert {record.state for record in rows(runs.wired, ActivityRecord)} == {"done"}
