"""E-Payment over its wire, real and simulated (SOP 11.1 E-Payment)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.systems.epayment import EPayment
from models.facts import Bill
from tests.adapters.systems.back_office import BackOffice, scripted


def test_bills_newest_first(office: BackOffice) -> None:
    newest, oldest = EPayment(office.settings("epayment")).bills("C-1")
    assert (newest.bill_no, newest.state, newest.amount, newest.remaining) == (
        "B-2",
        "settled",
        Decimal(360_500),
        Decimal(0),
    )
    assert (oldest.bill_no, oldest.state, oldest.amount, oldest.remaining) == (
        "B-1",
        "sent",
        Decimal(350_000),
        Decimal(350_000),
    )
    assert newest.billed_at is not None
    assert oldest.billed_at is not None
    assert newest.billed_at - oldest.billed_at == timedelta(days=30)
    now = office.clock.now()
    assert oldest.overdue(now)
    assert not newest.overdue(now)


def test_many_bills_come_page_by_page(office: BackOffice) -> None:
    bills = EPayment(office.settings("epayment")).bills("C-4")
    assert [bill.bill_no for bill in bills] == [f"M-{number}" for number in range(1, 121)]
    assert office.requests("epayment") == ["GET"] * 4


def test_nobody_has_no_bills(office: BackOffice) -> None:
    assert EPayment(office.settings("epayment")).bills("C-9") == ()


def bills(*wire: dict[str, Any]) -> tuple[Bill, ...]:
    with scripted(lambda _: (200, {"X-Total-Count": str(len(wire))}, wire)) as server:
        return EPayment(server.settings).bills("C-1")


THEIRS = {"id": "1", "relatedParty": [{"id": "C-1"}]}


def test_what_is_not_said_is_none_and_never_zero() -> None:
    nothing = {"state": "unknown", "billed_at": None, "due_at": None, "amount": None, "remaining": None}
    assert bills(THEIRS) == (Bill(bill_no="1", **nothing),)
    assert bills({**THEIRS, "amountDue": {"value": 5.0}, "remainingAmount": {"unit": "IDR"}}) == bills(THEIRS)


def test_wire_to_fact() -> None:
    (bill,) = bills(
        THEIRS
        | {
            "billNo": "B-7",
            "state": "partiallyPaid",
            "billDate": "2026-01-01T07:00:00+07:00",
            "paymentDueDate": "2026-01-20T00:00:00Z",
            "amountDue": {"unit": "IDR", "value": 350000.1},
            "remainingAmount": {"unit": "IDR", "value": 1},
        }
    )
    assert bill == Bill(
        bill_no="B-7",
        state="partiallyPaid",
        billed_at=datetime(2026, 1, 1, tzinfo=UTC),
        due_at=datetime(2026, 1, 20, tzinfo=UTC),
        amount=Decimal("350000.1"),
        remaining=Decimal(1),
    )
    assert bill.billed_at is not None
    assert bill.billed_at.tzinfo is UTC


def test_a_server_that_ignores_filters_and_a_bill_without_date() -> None:
    dated = {**THEIRS, "id": "2", "billDate": "2026-01-01T00:00:00Z"}
    anothers = {"id": "3", "relatedParty": [{"id": "C-2"}]}
    assert [bill.bill_no for bill in bills(THEIRS, anothers, {"id": "4"}, dated)] == ["2", "1"]


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"amountDue": {"unit": "USD", "value": 5}}, "amount", "Money.unit: literal_error"),
        ({"remainingAmount": {"unit": "IDR", "value": "many"}}, "remaining", "Money.value: decimal_parsing"),
        ({"paymentDueDate": "2026-13-20"}, "due_at", "CustomerBill.paymentDueDate: datetime_from_date_parsing"),
    ],
)
def test_what_is_broken_of_a_bill_is_not_known_and_the_bill_stays(
    wrong: dict[str, Any], field: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    known = {
        **THEIRS,
        "amountDue": {"unit": "IDR", "value": 5},
        "remainingAmount": {"unit": "IDR", "value": 5},
        "paymentDueDate": "2026-01-20T00:00:00Z",
    }
    (whole,) = bills(known)
    assert not whole.unclear
    assert bills(known | wrong) == (whole.model_copy(update={field: None}),)
    assert bills(known | wrong)[0].unclear is (field != "amount")
    assert set(caplog.messages) == {
        f"E-Payment: dropped from an answer: customerBillManagement/v4/customerBill record 1: {says}"
    }


def test_a_state_that_is_none_of_the_standards_is_shown() -> None:
    assert bills({**THEIRS, "state": "overdue"})[0].state == "overdue"


def test_times_without_a_zone_are_in_the_systems() -> None:
    wire = {**THEIRS, "billDate": "2026-01-01T07:00:00", "paymentDueDate": "2026-01-20"}
    with scripted(lambda _: (200, {}, [wire])) as server:
        (bill,) = EPayment(server.settings.model_copy(update={"timezone": "Asia/Makassar"})).bills("C-1")
        (in_utc,) = EPayment(server.settings).bills("C-1")
    assert bill.billed_at == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert bill.due_at == datetime(2026, 1, 19, 16, tzinfo=UTC)
    assert in_utc.billed_at == datetime(2026, 1, 1, 7, tzinfo=UTC)
    beyond = {**THEIRS, "billDate": "9999-12-31T23:59:59-05:00"}
    assert bills(beyond)[0].billed_at is None
