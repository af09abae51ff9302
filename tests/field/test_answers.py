"""Back-office answers as they are: each member of each answer that we could do without is taken away, one at a time.

The members are those of the simulator's own answers, so that one that comes to them is tried, too.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adapters.systems.embassy import Embassy
from adapters.systems.epayment import EPayment
from adapters.systems.mycx import MyCx
from adapters.systems.nossa import Nossa
from adapters.systems.siska import Siska
from adapters.systems.telkom_center import TelkomCenter
from adapters.systems.tenoss import Tenoss
from models.facts import TicketStatus
from models.settings import HttpSystem
from tests.adapters.systems.back_office import BackOffice
from tests.field.proxy import Answer, Call, Change, Forward, Proxy, broken_record, nulls, said, totals, without

LINK, LINE = "4700001-0021497479", "122345678901"
CREATED: dict[str, Any] = {
    "external_id": "JKT-0000001/1",
    "description": "JKT-0000001: putus",
    "severity": "Major",
    "ticket_type": "complain",
    "unit": "Core Network",
    "service_number": LINK,
    "customer_id": "C-2",
}
ACTS: dict[str, tuple[str, Callable[[HttpSystem], Any], Callable[[Any], Any]]] = {
    "create again": ("mycx", MyCx, lambda of: of.create_ticket(**CREATED)),
    "ticket": ("mycx", MyCx, lambda of: of.ticket("1-0000001")),
    "progress": ("nossa", Nossa, lambda of: of.progress(CREATED["external_id"])),
    "disturbance": ("nossa", Nossa, lambda of: of.open_disturbance(LINK)),
    "address": ("siska", Siska, lambda of: of.customer_by_address("noc@maju.example")),
    "number": ("siska", Siska, lambda of: of.customer_by_service_number(LINE)),
    "bills": ("epayment", EPayment, lambda of: of.bills("C-1")),
    "services": ("tenoss", Tenoss, lambda of: of.services("C-2")),
    "topology": ("telkom_center", TelkomCenter, lambda of: of.topology(f"PORT-{LINK}")),
    "measure": ("embassy", Embassy, lambda of: of.measure(LINE, "JKT-0000001/1")),
}
KEPT = {"id"}
"""Without an id there is no record, and no reference to one."""


def members(value: Any, path: str = "") -> Iterator[str]:
    """All members of a record, with those of its parts, such as ``note.text``."""
    if isinstance(value, list):
        for item in value:
            yield from members(item, path)
    elif isinstance(value, dict):
        for name, part in value.items():
            yield f"{path}{name}"
            yield from members(part, f"{path}{name}.")


class Answers:
    """A change that changes nothing, and keeps the members that came."""

    def __init__(self) -> None:
        self.members: set[str] = set()

    def __call__(self, call: Call, forward: Forward) -> Answer:
        answer = forward(call)
        self.members |= set(members(answer.json))
        return answer


@pytest.fixture
def worked(office: BackOffice, between: Proxy) -> Callable[[str], HttpSystem]:
    """The systems, with a ticket on which a unit has worked; settings that lead to each by the proxy."""

    def settings(system: str) -> HttpSystem:
        return office.settings(system).model_copy(update={"url": f"{between.url}/{system}"})

    MyCx(settings("mycx")).create_ticket(**CREATED)
    MyCx(settings("mycx")).assign("1-0000001", "Core Network", "Koordinasi 1")
    office.clock.advance(0.6)
    assert MyCx(settings("mycx")).ticket("1-0000001").status is TicketStatus.RESOLVED
    return settings


@pytest.mark.parametrize(
    "kind", [nulls, without, lambda name: said(name, {"odd": [None]})], ids=["null", "gone", "odd"]
)
@pytest.mark.parametrize("act", ACTS)
def test_no_member_that_is_missing_null_or_odd_breaks_anything(
    act: str,
    kind: Callable[[str], Change],
    office: BackOffice,
    between: Proxy,
    worked: Callable[[str], HttpSystem],
) -> None:
    system, adapter, do = ACTS[act]
    behind, answers = adapter(worked(system)), Answers()
    between.change(answers)
    whole = do(behind)
    between.clear()
    tried = sorted(name for name in answers.members if name.rpartition(".")[2] not in KEPT)
    assert len(tried) > 4
    lost = []
    for name in tried:
        between.change(kind(name))
        if do(behind) != whole:
            lost.append(name)
        between.clear()
        assert do(behind) == whole, f"{name} has left something behind"
    assert lost != tried, "what is lost is what was taken away"
    assert [ticket["externalId"] for ticket in office.tickets()] == [CREATED["external_id"]]


@pytest.mark.parametrize("broken", ["x", 7, [], {}, {"id": 42}, {"id": None}])
def test_a_broken_record_breaks_no_list_and_is_told(
    broken: Any, between: Proxy, worked: Callable[[str], HttpSystem], caplog: pytest.LogCaptureFixture
) -> None:
    bills = EPayment(worked("epayment"))
    whole = bills.bills("C-4")
    between.change(broken_record(3, broken))
    left = bills.bills("C-4")
    # the list comes in three pages
    assert [bill.bill_no for bill in whole if bill not in left] == ["M-4", "M-54", "M-104"]
    assert ("customerBill record 4: " in caplog.text) is (broken not in ({}, {"id": None}))


def test_nothing_of_a_customer_stands_in_what_is_told(
    between: Proxy, worked: Callable[[str], HttpSystem], caplog: pytest.LogCaptureFixture
) -> None:
    siska = Siska(worked("siska"))
    for name in ("contactMedium.characteristic", "engagedParty", "name", "characteristic", "id"):
        between.change(said(name, lambda was: [json.dumps(was), {"a": was}]), path="customer$")
        siska.customer_by_address("noc@maju.example")
        between.clear()
    assert "SISKA: dropped from an answer" in caplog.text
    for words in ("maju.example", "example.com", "Budi", "Maju", "0812"):
        assert words not in caplog.text


@pytest.mark.parametrize("total", ["0", "1", "50", "99999", "many", None])
@pytest.mark.parametrize("result", ["0", "7", "99999", None])
def test_no_count_that_is_wrong_shortens_a_list_or_makes_it_endless(
    total: str | None, result: str | None, between: Proxy, worked: Callable[[str], HttpSystem]
) -> None:
    bills = EPayment(worked("epayment"))
    between.change(totals(total, result, content_range="items 0-49/50"))
    assert len(bills.bills("C-4")) == 120
    assert between.count("epayment") == 4
