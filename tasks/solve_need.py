"""Activity 5: solve the customer's need at first contact (SOP 7.5)."""

from models.need import Output, Solution
from models.states import SignalKind
from tasks.run.activity import activity
from tasks.run.work import Work


class Solved(Output):
    """First-contact resolution."""

    solution: Solution
    first_contact: bool = True


@activity(5)
def solve_need(work: Work, solution: Solution, *, approved_by: str) -> Solved:
    """Record that the complaint was solved at first contact, and who approved the solution."""
    work.performer = approved_by
    work.drop_deadlines(SignalKind.UPDATE, SignalKind.APPROVAL)
    return Solved(solution=solution)
