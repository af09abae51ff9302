"""Activity 12: closing by the standard; an answer within the waiting period reopens the case (SOP 7.12)."""

from datetime import timedelta

from models.letter import ClosingFacts
from models.need import Output
from tasks.activity import activity
from tasks.work import Work


class Closed(Output):
    """The closing letter."""

    letter: str


@activity(12, routine=lambda _settings, _case: True)
def closing(work: Work) -> Closed:
    """Write the closing letter and let the waiting period begin."""
    work.drop_deadlines("update")
    answer_by = work.deadline("closing", timedelta(hours=work.settings.policy.closing_hours))
    return Closed(letter=work.letter(ClosingFacts(answer_by=answer_by), routine=True))
