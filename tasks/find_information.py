"""Activity 3: give the information the customer needs: find it, with related products (SOP 7.3, 5.5)."""

from decimal import Decimal

from models.facts import Bill
from models.letter import Language
from models.need import Need, Output
from tasks.run.activity import activity
from tasks.run.work import Work

BILLS_SHOWN = 3
BILL_TOPICS = {"bill_copy", "billing_amount"}


class Information(Output):
    """An answer for the customer; an empty ``answer`` means that a person must write it."""

    answer: str = ""
    related_products: tuple[str, ...] = ()


@activity(3)
def find_information(work: Work, need: Need) -> Information:
    """Look for a prepared answer, and for the customer's own data where the answer needs them.

    Customer data is shown only to a customer whose address is on record (E-Payment by customer id).
    """
    work.change(kind=need.kind.value, topic=need.topic)
    language: Language = "en" if work.case.language == "en" else "id"
    answer = work.systems.canned_answers.answer(need.topic, need.products, language)
    if answer is None:
        return Information()
    text = answer.text
    if need.topic in BILL_TOPICS and need.customer_id and need.verified:
        bills = work.systems.epayment.bills(need.customer_id)
        text = f"{_bills_in_words(work, bills, language)}\n\n{text}"
    return Information(answer=text, related_products=answer.related_products)


def _bills_in_words(work: Work, bills: tuple[Bill, ...], language: Language) -> str:
    if not bills:
        return {"id": "Saat ini tidak ada tagihan yang tercatat.", "en": "There is no bill on record at present."}[
            language
        ]
    zone = work.settings.zone_of(work.case.mailbox)
    lines = []
    for bill in bills[:BILLS_SHOWN]:
        due = f"{bill.due_at.astimezone(zone):%d-%m-%Y}" if bill.due_at else "-"
        amount, left = _in_rupiah(bill.amount), _in_rupiah(bill.remaining)
        if language == "id":
            lines.append(f"- Tagihan {bill.bill_no}: {amount}, sisa {left}, jatuh tempo {due}")
        else:
            lines.append(f"- Bill {bill.bill_no}: {amount}, remaining {left}, due {due}")
    heading = {"id": "Berikut tagihan Bapak/Ibu yang tercatat:", "en": "These are your bills on record:"}[language]
    return heading + "\n" + "\n".join(lines)


def _in_rupiah(amount: Decimal | None) -> str:
    # a missing amount is not zero (TMF678 requires none)
    return "-" if amount is None else f"Rp{amount:,.0f}".replace(",", ".")
