"""Activity 6: handle the complaint intensively: its trouble ticket in My CX (SOP 7.6, 5.4)."""

from models.facts import Ticket
from models.need import Diagnosis, Output
from models.states import SignalKind
from models.tables import TicketRow
from tasks.run.activity import activity
from tasks.run.moments import ticket_times
from tasks.run.work import Work
from tasks.serve_complaint import Complaint


class Handled(Output):
    """The ticket under which the units work."""

    ticket_id: str
    external_id: str
    unit: str


@activity(6)
def handle_intensively(work: Work, complaint: Complaint, diagnosis: Diagnosis, round_number: int) -> Handled:
    """Create the ticket for this round of the case, or find the existing one.

    The external id is the case's reference and round, so a repeat finds the first ticket; see also :func:`in_force`.
    """
    external_id = f"{work.case.reference}/{round_number}"
    ticket = work.systems.mycx.create_ticket(
        external_id=external_id,
        description="; ".join([complaint.description, *diagnosis.evidence]),
        severity=complaint.severity,
        ticket_type="complain",
        unit=diagnosis.unit,
        service_number=complaint.service_number or None,
        customer_id=work.case.customer_id or None,
    )
    external_id, ticket = in_force(work, external_id, ticket, diagnosis.unit)
    work.save(ticket_row(work, external_id, ticket, ticket.unit or diagnosis.unit))
    work.drop_deadlines(SignalKind.APPROVAL)
    return Handled(ticket_id=ticket.ticket_id, external_id=external_id, unit=ticket.unit or diagnosis.unit)


def in_force(work: Work, external_id: str, ticket: Ticket, unit: str) -> tuple[str, Ticket]:
    """The ticket, or the one that replaces it after a unit has closed, cancelled or rejected it; with its external id.

    Later tickets of a round are numbered (``JKT-0000123/1.2``) and looked for before one is created, so that a repeat
    finds them, too.
    """
    while ticket.ended:
        work.save(ticket_row(work, external_id, ticket, ticket.unit or unit))
        first, _, number = external_id.partition(".")
        external_id = f"{first}.{int(number or 1) + 1}"
        ticket = work.systems.mycx.renew(ticket.ticket_id, external_id, unit)
    return external_id, ticket


def ticket_row(work: Work, external_id: str, ticket: Ticket, unit: str) -> TicketRow:
    """The row for the ticket as last seen."""
    return TicketRow(
        external_id=external_id,
        case_id=work.case.key,
        ticket_id=ticket.ticket_id,
        unit=unit,
        status=ticket.status.value,
        status_reason=ticket.status_reason or "",
        open=not ticket.ended,
        **ticket_times(ticket, "My CX", opened_at=work.case.opened_at, now=work.now),
    )
