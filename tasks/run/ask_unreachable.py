"""The form on which an agent says how to reach a customer whom a letter did not reach.

Held by `tests/tasks/run/test_undelivered.py`.
"""

from collections.abc import Sequence
from contextlib import suppress
from email import message_from_bytes, policy

from sqlalchemy import and_, or_, update
from sqlmodel import Session, col, select

from models.errors import LayananError
from models.forms.trouble import Unreachable, UnreachableChoice
from models.letter import LetterKind
from models.mail import lower_case, without_detail
from models.sop import label
from models.tables import Case, Letter, Outbox, Party
from tasks.run.briefing import escaped
from tasks.run.case_run import CaseRun
from tasks.run.family import going_on
from tasks.run.undelivered import put_back


def about(case: CaseRun, letter_ids: Sequence[int]) -> str:
    """What the agent reads first: the letters, and what the mail servers said about them."""
    query = select(Letter, Outbox).join(Outbox).where(col(Letter.id).in_(letter_ids)).order_by(col(Letter.id))
    lines = ["**Surat tidak sampai / a letter did not arrive**"]
    with case.store.read() as session:
        customer_id = session.exec(select(Case.customer_id).where(Case.id == case.case_id)).one()
        for letter, outbox in session.exec(query):
            to = escaped(letter.recipient, 100)
            lines.append(f"{label(letter.kind)} #{letter.id} → {to}: {escaped(outbox.error)}")
    # without SISKA the agent still sees the rest
    with suppress(LayananError):
        if customer_id and (phone := case.systems.siska.customer(customer_id).phone):
            lines.append(f"Telepon / Phone: {escaped(phone, 40)}")
    return "\n\n".join(lines)


def problem(case: CaseRun, letter_ids: Sequence[int], answers: Unreachable) -> str | None:
    """Why an answer cannot be accepted: letters go only to addresses on record."""
    if answers.choice is not UnreachableChoice.OTHER_ADDRESS:
        return None
    to_desk = select(Letter.id).where(col(Letter.id).in_(letter_ids), Letter.kind == LetterKind.TO_DESK)
    # a case that was merged into this one may belong to another customer
    theirs = select(Case.customer_id).join(Letter).where(col(Letter.id).in_(letter_ids), Case.customer_id != "")
    with case.store.read() as session:
        customers = {*session.exec(theirs), *session.exec(select(Case.customer_id).where(Case.id == case.case_id))}
        if session.exec(to_desk.limit(1)).first() is not None:
            return "Alamat desk ada di setelan / a desk's address is a setting: LAYANAN_POLICY__SEGMENT_DESKS"
    try:
        customer = case.systems.siska.customer_by_address(answers.address)
    except LayananError as error:
        return f"Alamat tidak dapat diperiksa / the address could not be checked: {error}"
    if customer is None or customers != {customer.customer_id}:
        return "Alamat itu tidak terdaftar atas pelanggan ini / the address is not on record for this customer (SISKA)"
    return None


def settle(case: CaseRun, letter_ids: Sequence[int], session: Session, answers: Unreachable) -> None:
    """Apply the agent's decision, in the transaction that records it."""
    query = select(Letter, Outbox).join(Outbox).where(col(Letter.id).in_(letter_ids)).with_for_update()
    for letter, outbox in session.exec(query).all():
        outbox.handled = True
        if answers.choice is UnreachableChoice.OTHER_ADDRESS:
            before, letter.recipient, outbox.state = letter.recipient, lower_case(answers.address), "bounced"
            letter.recipient_key = without_detail(letter.recipient)
            raw = _readdressed(case.systems.store.kept(letter.sha256), letter.recipient)
            letter.sha256 = case.systems.store.keep_within(session, raw)
            same = and_(col(Case.id) == going_on(session, letter.case_id).key, col(Case.address) == before)
            cases = update(Case).where(or_(col(Case.id) == letter.case_id, same))
            session.execute(cases.values(address=letter.recipient))
            # the customer may still write from the old address
            party = Party(
                case_id=letter.case_id, address=before, added_by=answers.by, added_at=case.systems.clock.now()
            )
            session.merge(party)
        chosen = answers.choice in {UnreachableChoice.OTHER_ADDRESS, UnreachableChoice.SEND_AGAIN}
        # it may have been sent again meanwhile (`layanan letters --again`)
        if chosen and outbox.state != "sent":
            put_back(case.systems, outbox)
        session.add_all([letter, outbox])


def _readdressed(raw: bytes, recipient: str) -> bytes:
    """The same letter to another address of the customer."""
    message = message_from_bytes(raw, policy=policy.compat32.clone(linesep="\r\n", max_line_length=None))
    message.replace_header("To", recipient)
    return message.as_bytes()
