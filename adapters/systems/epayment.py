"""E-Payment (SOP 11.1 E-Payment): bills (TMF678 v4)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from adapters.systems.gate import Gate
from adapters.systems.records import Entity, Utc, Wire, one_of
from adapters.systems.tmf import TmfClient
from models.facts import Bill
from models.settings import HttpSystem

CUSTOMER_BILL = "customerBillManagement/v4/customerBill"


class Money(Wire):
    """An amount. Without a unit it means nothing; a unit other than rupiah is an error."""

    unit: Literal["IDR"] | None = None
    value: Decimal | None = None


class CustomerBill(Wire):
    """What we read of a bill. A broken member counts as unknown; the bill itself is never dropped."""

    id: str | None = None
    bill_no: str | None = None
    state: str | None = None
    bill_date: Utc | None = None
    payment_due_date: Utc | None = None
    amount_due: Money | None = None
    remaining_amount: Money | None = None
    related_party: tuple[Entity, ...] = ()

    def fact(self) -> Bill:
        """The bill as our own type."""
        return Bill(
            bill_no=self.bill_no or self.id or "?",
            state=self.state or "unknown",
            billed_at=self.bill_date,
            due_at=self.payment_due_date,
            amount=_amount(self.amount_due),
            remaining=_amount(self.remaining_amount),
        )


class EPayment:
    """Knows the bills. Errors are those of :class:`adapters.systems.http.HttpCalls`."""

    def __init__(self, settings: HttpSystem, gate: Gate | None = None) -> None:
        self._client = TmfClient("E-Payment", settings, gate)

    def bills(self, customer_id: str) -> tuple[Bill, ...]:
        """The customer's bills, newest first; bills without a date come last."""
        found = self._client.search(
            CUSTOMER_BILL,
            CustomerBill,
            {"relatedParty.id": customer_id},
            lambda bill: one_of(customer_id, (party.id for party in bill.related_party)),
        )
        theirs = [bill.fact() for bill in found]
        undated = datetime.min.replace(tzinfo=UTC)
        return tuple(sorted(theirs, key=lambda bill: bill.billed_at or undated, reverse=True))


def _amount(money: Money | None) -> Decimal | None:
    return money.value if money and money.unit else None
