"""The trouble ticket of TMF621 v4, which My CX and NOSSA share.

Inferences, as TMF621 has no field for them: the unit that works on a ticket is the ``relatedParty`` whose role is
``unit``; cause and repair (SOP 5.10) are notes whose ``@type`` is ``Cause`` and ``Repair``, the last one counting.
"""

from typing import Any

from pydantic import ConfigDict, Field

from adapters.tmf import Entity, TmfClient, Utc, Wire, only_first
from models.facts import Ticket, TicketStatus

TROUBLE_TICKET = "troubleTicket/v4/troubleTicket"


class Part(Wire):
    """An item of an array that a PATCH sends back whole: fields that we do not know are kept."""

    model_config = ConfigDict(extra="allow")

    def body(self) -> dict[str, Any]:
        """As it came."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class Note(Part):
    """A note on a ticket."""

    type: str | None = Field(default=None, alias="@type")
    text: str | None = None


class Party(Part):
    """Someone who has to do with a ticket."""

    id: str
    name: str | None = None
    role: str | None = None


class TroubleTicket(Entity):
    """What we read of a ticket."""

    external_id: str | None = None
    description: str = ""
    severity: str = ""
    ticket_type: str = ""
    status: TicketStatus
    status_change_reason: str | None = None
    status_change_date: Utc | None = None
    last_update: Utc | None = None
    creation_date: Utc | None = None
    note: tuple[Note, ...] = ()
    related_party: tuple[Party, ...] = ()
    related_entity: tuple[Part, ...] = ()

    def fact(self) -> Ticket:
        """In our words."""
        unit = next((party for party in self.related_party if party.role == "unit"), None)
        return Ticket(
            ticket_id=self.id,
            external_id=self.external_id,
            status=self.status,
            status_reason=self.status_change_reason,
            unit=unit and (unit.name or unit.id),
            cause=self._last_note("Cause"),
            repair=self._last_note("Repair"),
            created_at=self.creation_date,
            changed_at=self.status_change_date or self.last_update,
        )

    def _last_note(self, type_: str) -> str | None:
        return next((note.text for note in reversed(self.note) if note.type == type_), None)


def find_ticket(client: TmfClient, external_id: str) -> TroubleTicket | None:
    """The ticket with our ``external_id``; of several, the one created first."""
    tickets = client.search(TROUBLE_TICKET, TroubleTicket, {"externalId": external_id})
    ours = (ticket for ticket in tickets if ticket.external_id == external_id)
    return only_first(client.system, ours, lambda ticket: ticket.creation_date)
