"""Ask the customer what is needed to help (SOP 5.4: the record must be complete before it is passed on)."""

from datetime import timedelta

from models.letter import QuestionFacts
from models.need import Need, Output
from models.states import SignalKind
from tasks.run.activity import step
from tasks.run.work import Work


class Asked(Output):
    """The letter with our question."""

    letter: str


@step("5.4")
def ask_customer(work: Work, need: Need) -> Asked:
    """Ask the customer for what is missing, and set a deadline for the answer."""
    # while we wait for the customer there is nothing to report
    work.drop_deadlines(SignalKind.UPDATE)
    work.deadline(SignalKind.ANSWER, timedelta(hours=work.settings.policy.answer_hours))
    return Asked(letter=work.letter(QuestionFacts(missing=need.missing)))
