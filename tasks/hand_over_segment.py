"""W-89: a customer of another segment is handed to that segment's desk."""

from email.utils import parseaddr

from sqlalchemy import update
from sqlmodel import col

from models.errors import MissingFact
from models.letter import LetterKind, OtherSegmentFacts
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
    """Tell the customer which desk serves them; the mail's outcome becomes ``other_segment``."""
    desk = work.given.get("desk") or work.settings.policy.segment_desks.get(need.segment.value, "")
    name, address = parseaddr(desk)
    if not address:
        raise MissingFact(LetterKind.OTHER_SEGMENT, "desk")
    letter = work.letter(OtherSegmentFacts(desk=name or address, desk_address=address))
    work.effect(
        lambda session: session.execute(
            update(Message)
            .where(col(Message.id) == need.message_id)
            .values(outcome="other_segment", reason=f"segment {need.segment.value}: {name or address}")
        )
    )
    return HandedOver(desk=name or address, letter=letter)
