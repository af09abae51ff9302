"""Activity 8: escalate to the team leader, so that the complaint is solved sooner (SOP 7.8, 5.9)."""

from models.need import Output
from models.states import SignalKind
from tasks.handle_intensively import Handled
from tasks.run.activity import activity
from tasks.run.work import Work


class Escalated(Output):
    """Why the case was escalated."""

    reason: str


@activity(8)
def escalate_to_team_leader(work: Work, handled: Handled, reason: str) -> Escalated:
    """Hand the case to the team leader, and note that in the ticket for the unit."""
    work.systems.mycx.add_note(handled.ticket_id, f"Eskalasi {work.occurrence}: {reason}")
    # while the team leader decides, the unit's lateness is no news
    work.drop_deadlines(SignalKind.REPAIR)
    return Escalated(reason=reason)
