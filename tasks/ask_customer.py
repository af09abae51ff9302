"""Ask the customer what is needed to help (SOP 5.4: the record must be complete before it is passed on)."""

from datetime import timedelta

from models.letter import QuestionFacts
from models.need import Need, Output
from models.states import SignalKind
from tasks.run.activity import step
from tasks.run.work import Work


class Asked(Output):
    """The letter that asked."""

    letter: str


@step("5.4")
def ask_customer(work: Work, need: Need) -> Asked:
    """Write the customer what is missing, and wait for the answer only so long."""
    # from now on we wait for the customer, and have nothing to tell
    work.drop_deadlines(SignalKind.UPDATE)
    work.deadline(SignalKind.ANSWER, timedelta(hours=work.settings.policy.answer_hours))
    return Asked(letter=work.letter(QuestionFacts(missing=need.missing)))
