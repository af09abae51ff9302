"""Activity 8: escalate to the team leader, so that the complaint is solved sooner (SOP 7.8, 5.9)."""

from models.need import Output
from models.states import SignalKind
from tasks.handle_intensively import Handled
from tasks.run.activity import activity
from tasks.run.work import Work


class Escalated(Output):
    """Why it went up."""

    reason: str


@activity(8)
def escalate_to_team_leader(work: Work, handled: Handled, reason: str) -> Escalated:
    """Put the case on the team leader's desk; the unit reads that in the ticket."""
    work.systems.mycx.add_note(handled.ticket_id, f"Eskalasi {work.occurrence}: {reason}")
    # while the case is on the leader's desk, lateness is no news
    work.drop_deadlines(SignalKind.REPAIR)
    return Escalated(reason=reason)
