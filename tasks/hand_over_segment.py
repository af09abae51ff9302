"""W-89: a customer of another segment is handed to that segment's desk."""

from email.utils import parseaddr

from sqlalchemy import update
from sqlmodel import col

from adapters.letters.writer import ADDRESS
from models.errors import MissingFact
from models.letter import LetterKind, OtherSegmentFacts, ToDeskFacts
from models.need import Need, Output
from models.tables import Message
from tasks.activity import step
from tasks.work import Work


class HandedOver(Output):
    """The desk that serves the customer."""

    desk: str
    letter: str


@step("W-89")
def hand_over_segment(work: Work, need: Need) -> HandedOver:
    """Forward the mail to the desk and tell the customer so; the mail's outcome becomes ``other_segment``."""
    desk = work.given.get("segment_desk") or work.settings.policy.segment_desks.get(need.segment.value, "")
    name, address = parseaddr(desk)
    if not ADDRESS.fullmatch(address):
        raise MissingFact(LetterKind.OTHER_SEGMENT, "segment_desk")
    # as reports of what does not arrive name it
    name, address = name or address, address.lower()
    letter = work.letter(OtherSegmentFacts(desk=name, desk_address=address))
    to_desk = ToDeskFacts(desk=name, segment=need.segment.value, customer_address=work.case.address)
    work.forward(to_desk, recipient=address, recipient_name=name)
    work.effect(
        lambda session: session.execute(
            update(Message)
            .where(col(Message.id) == need.message_id)
            .values(outcome="other_segment", reason=f"segment {need.segment.value}: {name}")
        )
    )
    return HandedOver(desk=name, letter=letter)
