"""Activity 9: inform the customer of the complaint's status, at regular intervals (SOP 7.9, 5.8)."""

from datetime import timedelta

from sqlmodel import select

from models.facts import TicketStatus
from models.letter import StatusFacts, StatusState
from models.need import Output
from models.states import SignalKind
from models.tables import TicketRow
from tasks.handle_intensively import Handled
from tasks.receive_and_analyse import analysed, unread_words
from tasks.run.activity import activity
from tasks.run.moments import believed
from tasks.run.work import Work

STATES: dict[str, StatusState] = {
    TicketStatus.SUBMITTED: "recorded",
    TicketStatus.ACKNOWLEDGED: "recorded",
    # nothing more is certain
    TicketStatus.UNKNOWN: "recorded",
    TicketStatus.IN_PROGRESS: "in_progress",
    TicketStatus.PENDING: "waiting",
    TicketStatus.HELD: "waiting",
    TicketStatus.RESOLVED: "repaired",
}


class Informed(Output):
    """The update, and what the customer's mail asked for, if it answers one."""

    letter: str
    wants_escalation: bool = False
    says_solved: bool = False
    unread: str = ""
    """Why the customer's mail could not be read, so that a person must."""


@activity(9)
def inform_status(work: Work, handled: Handled, message_id: int = 0, *, escalated: bool = False) -> Informed:
    """Tell the customer the state of the complaint; with ``message_id``, in answer to that mail."""
    wants_escalation, says_solved, unread = False, False, ""
    if message_id:
        mail = work.message(message_id)
        analysis = analysed(work, mail)
        wants_escalation = analysis.wants_escalation.value
        says_solved = analysis.says_solved.value and not wants_escalation
        unread = unread_words(mail)
    with work.systems.store.read() as session:
        ticket = session.exec(select(TicketRow).where(TicketRow.external_id == handled.external_id)).one()
    state = "escalated" if escalated else STATES.get(ticket.status, "in_progress")
    facts = StatusFacts(
        ticket_id=ticket.ticket_id,
        unit=ticket.unit,
        state="said_solved" if says_solved else state,
        # an older revision stored even impossible times
        since=work.now if says_solved else believed(ticket.status_since, earliest=work.case.opened_at, now=work.now)[0],
        next_update_at=work.deadline(SignalKind.UPDATE, timedelta(hours=work.settings.policy.update_hours)),
    )
    known = {"wants_escalation": wants_escalation, "says_solved": says_solved, "unread": unread}
    # an answer to a mail goes at any hour
    return Informed(letter=work.letter(facts, routine=not message_id), **known)
