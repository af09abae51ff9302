"""NOSSA (SOP 11.1 NOSSA): a ticket's progress at the units (TMF621 v4, read only) and mass disturbances (TMF656 v4)."""

from datetime import UTC, datetime

from adapters.systems.gate import Gate
from adapters.systems.records import Entity, Utc, one_of
from adapters.systems.tmf import TmfClient
from adapters.systems.tmf621 import find_ticket, is_unknown, status_of
from models.facts import ENDED, MassDisturbance, Ticket, TicketStatus
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
OVER = ENDED | {TicketStatus.RESOLVED}


class ServiceProblem(Entity):
    """What we read of a problem."""

    loggable_id = True
    status: str = ""
    creation_date: Utc | None = None
    resolution_date: Utc | None = None
    affected_service: tuple[Entity, ...] = ()


class Nossa:
    """Follows the units' work. Errors are those of :class:`adapters.systems.http.HttpCalls`."""

    def __init__(self, settings: HttpSystem, gate: Gate | None = None) -> None:
        self._client = TmfClient("NOSSA", settings, gate)

    def progress(self, external_id: str) -> Ticket | None:
        """The ticket with our external id, and NOSSA's own word as ``status_reason``; None: NOSSA does not have it yet.

        An unknown word is shown, and the standard's status is used.
        """
        found = find_ticket(self._client, external_id)
        if found is None:
            return None
        ticket = found.fact()
        status = STATUS_WORDS.get((found.status_change_reason or found.status).strip().upper())
        return ticket.model_copy(update={"status": status}) if status else ticket

    def open_disturbance(self, service_number: str) -> MassDisturbance | None:
        """The mass disturbance (gamas) that affects this service now; of several, the oldest."""
        hitting = [
            problem
            for problem in self._client.search(
                SERVICE_PROBLEM,
                ServiceProblem,
                {"affectedService.id": service_number},
                lambda problem: one_of(service_number, (one.id for one in problem.affected_service)),
            )
            if problem.resolution_date is None and status_of(problem.status) not in OVER
        ]
        if not hitting:
            return None
        oldest = min(hitting, key=lambda problem: problem.creation_date or datetime.max.replace(tzinfo=UTC))
        return MassDisturbance(
            ticket_id=oldest.id,
            status_word=oldest.status if is_unknown(oldest.status) else "",
        )
