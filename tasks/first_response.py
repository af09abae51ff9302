"""The first response: the customer learns at once that the mail has arrived, and its reference (SOP 5.2)."""

from datetime import timedelta

from models.letter import FirstResponseFacts
from models.need import Output
from tasks.hand_over_segment import desk_at, tell
from tasks.run.activity import step
from tasks.run.work import Work

LATE = timedelta(days=1)
"""Time after which the letter apologises for the delay."""


class Responded(Output):
    """The letter."""

    letter: str


@step("5.2")
def first_response(work: Work) -> Responded:
    """Answer the case's first mail; if another desk serves the customer, say so at once (SOP W-89)."""
    policy, segment = work.settings.policy, work.case.segment
    desk = None if segment in policy.our_segments else desk_at(policy.segment_desks.get(segment, ""))
    if desk is not None:
        return Responded(letter=tell(work, *desk))
    came_at = work.messages[0].came_at
    facts = FirstResponseFacts(received_at=came_at, late=work.now - came_at > LATE)
    return Responded(letter=work.letter(facts))
