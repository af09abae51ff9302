"""No answer of My CX's, however odd, makes a second ticket."""

from typing import Any

import pytest

from adapters.systems.gate import Gate
from adapters.systems.http import HttpCalls
from adapters.systems.mycx import MyCx
from tests.adapters.systems.back_office import BackOffice
from tests.field.proxy import Change, Proxy, no_filter, nulls, totals, without

OURS: dict[str, Any] = {"severity": "Minor", "ticket_type": "complain", "unit": "Billing", "description": "?"}
NOBODYS: dict[str, Any] = {"service_number": None, "customer_id": None}


def mycx(office: BackOffice, between: Proxy) -> MyCx:
    return MyCx(office.settings("mycx").model_copy(update={"url": f"{between.url}/mycx"}))


@pytest.mark.parametrize(
    "odd",
    [totals("7"), totals("0"), totals("50", "50", "items 0-49/50"), totals("many", "-1"), totals()],
    ids=["too few", "none", "a page", "no number", "not told"],
)
@pytest.mark.parametrize("filters", [None, no_filter(), no_filter(7)], ids=["heeded", "ignored", "small pages"])
def test_a_ticket_behind_any_number_of_others_is_found(
    odd: Change, filters: Change | None, office: BackOffice, between: Proxy
) -> None:
    system = mycx(office, between)
    calls = HttpCalls("My CX", office.settings("mycx"), Gate())
    for number in range(54):
        calls.call_once("POST", "troubleTicket/v4/troubleTicket", json=_body(f"JKT-{number}/1"))
    between.change(odd)
    if filters is not None:
        between.change(filters, method="GET")
    office.arm("mycx", "lose_answer")
    made = system.create_ticket(external_id="JKT-54/1", **OURS, **NOBODYS)
    assert system.create_ticket(external_id="JKT-54/1", **OURS, **NOBODYS) == made
    assert len(office.tickets()) == 55


@pytest.mark.parametrize("change", [nulls("externalId"), without("externalId")])
def test_a_ticket_that_does_not_show_whose_it_is_is_found_by_the_filter(
    change: Change, office: BackOffice, between: Proxy
) -> None:
    between.change(change)
    system = mycx(office, between)
    other = system.create_ticket(external_id="JKT-1/1", **OURS, **NOBODYS)
    office.arm("mycx", "lose_answer")
    made = system.create_ticket(external_id="JKT-2/1", **OURS, **NOBODYS)
    assert system.create_ticket(external_id="JKT-2/1", **OURS, **NOBODYS) == made
    assert made.ticket_id != other.ticket_id
    assert len(office.tickets()) == 2


def _body(external_id: str) -> dict[str, Any]:
    return {"externalId": external_id, "description": "?", "severity": "Minor", "ticketType": "complain"}
