"""NOSSA: a ticket's progress at the units (TMF621 v4, read only) and mass disturbances (TMF656 v4)."""

from datetime import UTC, datetime
from typing import Protocol

from pydantic import TypeAdapter, ValidationError

from adapters.tmf import Characteristic, Entity, TmfClient, Utc, characteristic
from adapters.tmf621 import find_ticket
from models.errors import BrokenAnswer
from models.facts import MassDisturbance, Ticket, TicketStatus
from models.settings import HttpSystem

STATUS_WORDS = {
    "NEW": TicketStatus.ACKNOWLEDGED,
    "DRAFT": TicketStatus.ACKNOWLEDGED,
    "ANALYSIS": TicketStatus.IN_PROGRESS,
    "QUEUED": TicketStatus.IN_PROGRESS,
    "BACKEND": TicketStatus.IN_PROGRESS,
    "INPROG": TicketStatus.IN_PROGRESS,
    "PENDING": TicketStatus.PENDING,
    "WAIT": TicketStatus.PENDING,
    "SLAHOLD": TicketStatus.HELD,
    "FINALCHECK": TicketStatus.RESOLVED,
    "RESOLVED": TicketStatus.RESOLVED,
    "MEDIACARE": TicketStatus.RESOLVED,
    "SALAMSIM": TicketStatus.RESOLVED,
    "CLOSED": TicketStatus.CLOSED,
}
"""NOSSA's own words, which it keeps in ``statusChangeReason``, and the TMF621 status they mean."""

SERVICE_PROBLEM = "serviceProblemManagement/v4/serviceProblem"
OVER = frozenset({TicketStatus.RESOLVED, TicketStatus.CLOSED, TicketStatus.CANCELLED, TicketStatus.REJECTED})


class TicketProgress(Protocol):
    """Follows the units' work."""

    def progress(self, external_id: str) -> Ticket | None:
        """The ticket with our external id, ``status_reason`` being NOSSA's own word; None: not yet there."""
        ...

    def open_disturbance(self, service_number: str) -> MassDisturbance | None:
        """The mass disturbance (gamas) that hits this service now; of several, the oldest."""
        ...


class ServiceProblem(Entity):
    """What we read of a problem. Inference: its expected end is the characteristic ``estimatedEnd``."""

    status: TicketStatus
    description: str = ""
    creation_date: Utc | None = None
    affected_service: tuple[Entity, ...] = ()
    characteristic: tuple[Characteristic, ...] = ()


class Nossa:
    """NOSSA over HTTP. Errors are those of :class:`adapters.tmf.TmfClient`."""

    def __init__(self, settings: HttpSystem) -> None:
        self._client = TmfClient("NOSSA", settings)

    def progress(self, external_id: str) -> Ticket | None:
        """See :class:`TicketProgress`.

        Raises:
            BrokenAnswer: NOSSA uses a status word that we do not know; it is not guessed.
        """
        found = find_ticket(self._client, external_id)
        if found is None:
            return None
        ticket = found.fact()
        if ticket.status_reason is None:
            return ticket
        status = STATUS_WORDS.get(ticket.status_reason)
        if status is None:
            raise BrokenAnswer("NOSSA", f"ticket {ticket.ticket_id}: statusChangeReason: unknown status word")
        return ticket.model_copy(update={"status": status})

    def open_disturbance(self, service_number: str) -> MassDisturbance | None:
        """See :class:`TicketProgress`."""
        problems = self._client.search(SERVICE_PROBLEM, ServiceProblem, {"affectedService.id": service_number})
        hitting = [
            problem
            for problem in problems
            if problem.status not in OVER and any(one.id == service_number for one in problem.affected_service)
        ]
        if not hitting:
            return None
        oldest = min(hitting, key=lambda problem: problem.creation_date or datetime.max.replace(tzinfo=UTC))
        end = characteristic(oldest.characteristic, "estimatedEnd")
        try:
            estimated_end = TypeAdapter(Utc | None).validate_python(end)
        except ValidationError:
            raise BrokenAnswer("NOSSA", f"{SERVICE_PROBLEM}: estimatedEnd is no date-time") from None
        return MassDisturbance(ticket_id=oldest.id, description=oldest.description, estimated_end=estimated_end)
