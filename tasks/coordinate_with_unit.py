"""Activity 7: coordinate with the related unit (SOP 7.7, 5.7)."""

from datetime import timedelta

from models.need import Output
from models.states import SignalKind
from tasks.handle_intensively import Handled, in_force, ticket_row
from tasks.run.activity import activity
from tasks.run.work import Work


class Coordinated(Output):
    """The unit that works now."""

    unit: str
    new_ticket: Handled | None = None
    """The ticket that replaces one that has ended."""


@activity(7)
def coordinate_with_unit(work: Work, handled: Handled, unit: str, note: str = "") -> Coordinated:
    """Give the ticket to the unit, and set the deadlines for its repair (SOP 5.9) and the next update (SOP 5.8)."""
    mycx = work.systems.mycx
    external_id, ticket = in_force(work, handled.external_id, mycx.ticket(handled.ticket_id), unit)
    # the number distinguishes a second request in the same words from a repeat of the first
    text = f"Koordinasi {work.occurrence} dari {work.case.reference}" + (f": {note}" if note else "")
    ticket = mycx.assign(ticket.ticket_id, unit, text)
    work.save(ticket_row(work, external_id, ticket, unit))
    # reports of the unit before are not reports of this one
    work.drop_deadlines(SignalKind.UNIT)
    work.deadline(SignalKind.REPAIR, work.settings.repair_time(work.case.tier))
    work.deadline(SignalKind.UPDATE, timedelta(hours=work.settings.policy.update_hours))
    if external_id == handled.external_id:
        return Coordinated(unit=unit)
    return Coordinated(unit=unit, new_ticket=Handled(ticket_id=ticket.ticket_id, external_id=external_id, unit=unit))
