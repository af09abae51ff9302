"""Activity 7: coordinate with the related unit (SOP 7.7, 5.7)."""

from datetime import timedelta

from models.need import Output
from tasks.activity import activity
from tasks.handle_intensively import Handled, ticket_row
from tasks.work import Work


class Coordinated(Output):
    """The unit that works now."""

    unit: str


@activity(7)
def coordinate_with_unit(work: Work, handled: Handled, unit: str, note: str = "") -> Coordinated:
    """Give the ticket to the unit; from now on its time to repair (5.9) and the next update (5.8) run."""
    text = note or f"Koordinasi {work.occurrence} dari {work.case.reference}"
    ticket = work.systems.mycx.assign(handled.ticket_id, unit, text)
    work.save(ticket_row(work, handled.external_id, ticket, unit))
    work.deadline("repair", work.settings.repair_time(work.case.tier))
    work.deadline("update", timedelta(hours=work.settings.policy.update_hours))
    return Coordinated(unit=unit)
