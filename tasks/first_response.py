"""The first response: the customer hears at once that the mail is here, and its reference (SOP 5.2)."""

from models.letter import FirstResponseFacts
from models.need import Output
from tasks.activity import step
from tasks.work import Work


class Responded(Output):
    """The letter that went out."""

    letter: str


@step("5.2")
def first_response(work: Work) -> Responded:
    """Answer the case's first mail."""
    facts = FirstResponseFacts(received_at=work.messages[0].came_at)
    return Responded(letter=work.letter(facts))
