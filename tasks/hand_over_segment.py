"""SOP W-89: a customer of another segment is handed to that segment's desk, in one letter to the customer.

If intake knows the segment, the first response (SOP 5.2) is that letter; otherwise it is written here. The customer's
answers go to the desk, too, and get no letter from us.
"""

from datetime import timedelta
from email.utils import parseaddr

from sqlalchemy import update
from sqlmodel import col, select

from adapters.letters.writer import ADDRESS
from adapters.wiring import Systems
from models.errors import LayananError, MissingFact
from models.letter import LetterKind, OtherSegmentFacts, ToDeskFacts
from models.mail import ParsedMail
from models.need import Need, Output
from models.reasons import Why
from models.tables import Letter, Message
from tasks.run.activity import step
from tasks.run.work import Work


class HandedOver(Output):
    """The desk that serves the customer."""

    desk: str
    letter: str
    """The letter that told the customer so; empty if an answer to it is passed on."""


@step("W-89")
def hand_over_segment(work: Work, need: Need, answer_id: int = 0) -> HandedOver:
    """Forward the mail to the desk and tell the customer so; the mail's outcome becomes ``other_segment``.

    Args:
        answer_id: the customer's answer to that letter; then only this mail goes to the desk.
    """
    desk = work.given.get("segment_desk") or work.settings.policy.segment_desks.get(need.segment.value, "")
    known = desk_at(desk)
    if known is None:
        raise MissingFact(LetterKind.OTHER_SEGMENT, "segment_desk")
    name, address = known
    letter = "" if answer_id else _told(work) or tell(work, name, address)
    to_desk = ToDeskFacts(desk=name, segment=need.segment.value, customer_address=work.case.address)
    mails = [work.message(answer_id)] if answer_id else work.messages
    work.forward(to_desk, recipient=address, recipient_name=name, mails=mails)
    work.effect(
        lambda session: session.execute(
            update(Message)
            .where(col(Message.id) == (answer_id or need.message_id))
            .values(outcome="other_segment", reasons=[[Why.OTHER_SEGMENT, f"{need.segment.value}: {name}"]])
        )
    )
    return HandedOver(desk=name, letter=letter)


def tell(work: Work, name: str, address: str) -> str:
    """Tell the customer which desk serves them; returns the letter's Message-ID."""
    facts = OtherSegmentFacts(received_at=work.messages[0].came_at, desk=name, desk_address=address)
    return work.letter(facts)


def desk_at(desk: str) -> tuple[str, str] | None:
    """Name and address of a desk in the settings; None if it has no usable address."""
    name, address = parseaddr(desk)
    # lower case, as in delivery reports
    return (name or address, address.lower()) if ADDRESS.fullmatch(address) else None


def _told(work: Work) -> str:
    """Message-ID of the letter that has already told the customer so."""
    with work.look() as session:
        written = select(Letter.message_id).where(Letter.case_id == work.case.key)
        return session.exec(written.where(Letter.kind == LetterKind.OTHER_SEGMENT)).first() or ""


ASKED_FOR = timedelta(seconds=10)
"""Time that SISKA may take for the senders of one batch."""


class OtherSegments:
    """Which senders another desk serves, as far as SISKA answers quickly.

    SISKA is asked once for each sender, and no more after an error or after ``ASKED_FOR`` in all, so that no first
    response waits for it.
    """

    def __init__(self, systems: Systems) -> None:
        self._systems = systems
        self._known: dict[str, str] = {}
        self._taken = timedelta()

    def of(self, mail: ParsedMail | None) -> str:
        """The sender's segment, if another desk with an address serves it; else empty."""
        settings = self._systems.settings
        if mail is None or not mail.sender or mail.automatic is not None or mail.forged:
            return ""
        if settings.is_ours(mail.sender) or mail.sender in settings.segment_desk_addresses:
            return ""
        if mail.sender not in self._known:
            self._known[mail.sender] = self._asked(mail.sender)
        return self._known[mail.sender]

    def _asked(self, sender: str) -> str:
        policy = self._systems.settings.policy
        if not any(map(desk_at, policy.segment_desks.values())) or "" in self._known:
            return ""
        began = self._systems.machine_clock.now()
        try:
            customer = self._systems.siska.customer_by_address(sender)
        except LayananError:
            self._known[""] = ""
            return ""
        self._taken += self._systems.machine_clock.now() - began
        if self._taken > ASKED_FOR:
            self._known[""] = ""
        segment = customer.segment.value if customer else ""
        others = segment not in policy.our_segments and desk_at(policy.segment_desks.get(segment, ""))
        return segment if others else ""
