"""SOP 5.8: while nobody has answered a form, the customer gets a letter at regular intervals."""

from datetime import timedelta

from sqlmodel import col, select

from models.letter import WaitingFacts
from models.need import Output
from models.states import SignalKind
from models.tables import TicketRow
from tasks.run.activity import step
from tasks.run.work import Work


class KeptInformed(Output):
    """The letter, and the form that was waiting."""

    letter: str
    form: str


@step("5.8")
def keep_informed(work: Work, form: str) -> KeptInformed:
    """Tell the customer that we are still working on the matter, with its ticket, if there is one."""
    tickets = select(TicketRow).where(TicketRow.case_id == work.case.key, col(TicketRow.open))
    with work.look() as session:
        ticket = session.exec(tickets.order_by(col(TicketRow.status_since).desc()).limit(1)).first()
    facts = WaitingFacts(
        since=work.messages[-1].came_at,
        next_update_at=work.deadline(SignalKind.UPDATE, timedelta(hours=work.settings.policy.update_hours)),
        ticket_id=ticket.ticket_id if ticket else "",
        unit=ticket.unit if ticket else "",
    )
    return KeptInformed(letter=work.letter(facts, routine=True), form=form)
