"""Activity 12: closing by the standard; an answer within the waiting period reopens the case (SOP 7.12)."""

from datetime import timedelta

from models.letter import ClosingFacts
from models.need import Output
from models.settings import Settings
from models.states import SignalKind
from models.tables import Case
from tasks.run.activity import activity
from tasks.run.work import Work


class Closed(Output):
    """The closing letter; empty if another desk serves the customer."""

    letter: str


def _writes_a_letter(settings: Settings, case: Case) -> bool:
    return case.segment in settings.policy.our_segments or case.segment not in settings.policy.segment_desks


@activity(12, routine=_writes_a_letter)
def closing(work: Work, *, handed_over: bool = False) -> Closed:
    """Write the closing letter and begin the waiting period.

    Args:
        handed_over: a segment desk serves the customer (SOP W-89). Then there is no closing letter: asking for answers
            here would contradict the letter that said so.
    """
    work.drop_deadlines(SignalKind.UPDATE)
    answer_by = work.deadline(SignalKind.CLOSING, timedelta(hours=work.settings.policy.closing_hours))
    if handed_over:
        return Closed(letter="")
    return Closed(letter=work.letter(ClosingFacts(answer_by=answer_by), routine=True))
