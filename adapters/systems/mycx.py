"""My CX (SOP 11.1 My CX): trouble tickets (TMF621 v4). Every call may be repeated and takes effect once."""

from typing import Any

from adapters.systems.create_once import create_once
from adapters.systems.gate import Gate
from adapters.systems.http import Conflict
from adapters.systems.tmf import TmfClient
from adapters.systems.tmf621 import TROUBLE_TICKET, TroubleTicket, find_ticket
from models.facts import Ticket, TicketStatus
from models.settings import HttpSystem


class MyCx:
    """Creates tickets and passes them on. Errors are those of :class:`adapters.systems.http.HttpCalls`."""

    def __init__(self, settings: HttpSystem, gate: Gate | None = None) -> None:
        self._client = TmfClient("My CX", settings, gate)

    def create_ticket(
        self,
        *,
        external_id: str,
        description: str,
        severity: str,
        ticket_type: str,
        unit: str,
        service_number: str | None,
        customer_id: str | None,
    ) -> Ticket:
        """The ticket with our ``external_id``, else a new one for ``unit``; a lost answer makes no second ticket."""
        body: dict[str, Any] = {
            "externalId": external_id,
            "description": description,
            "severity": severity,
            "ticketType": ticket_type,
            "relatedParty": [_unit(unit)],
        }
        if customer_id:
            body["relatedParty"].append({"id": customer_id, "role": "customer", "@referredType": "Customer"})
        if service_number:
            body["relatedEntity"] = [{"id": service_number, "role": "service", "@referredType": "Service"}]
        return self._create(external_id, body)

    def renew(self, ticket_id: str, external_id: str, unit: str) -> Ticket:
        """As ``create_ticket``, with the description and the customer of a ticket that has ended."""
        ended = self._get(ticket_id)
        body = {
            "externalId": external_id,
            "description": ended.description,
            "severity": ended.severity,
            "ticketType": ended.ticket_type,
            "relatedParty": _given_to(unit, ended),
            "relatedEntity": [entity.body() for entity in ended.related_entity],
        }
        return self._create(external_id, body)

    def ticket(self, ticket_id: str) -> Ticket:
        """The ticket as it is now."""
        return self._get(ticket_id).fact()

    def find(self, external_id: str) -> Ticket | None:
        """The ticket with our ``external_id``, if there is one."""
        found = find_ticket(self._client, external_id)
        return found.fact() if found else None

    def assign(self, ticket_id: str, unit: str, note: str) -> Ticket:
        """Give the ticket to ``unit``, which starts on it (again). The same unit with the same note is a repeat."""
        now = self._get(ticket_id)
        if now.fact().unit == unit and _has_note(now, note):
            return now.fact()
        change = {"status": TicketStatus.IN_PROGRESS, "relatedParty": _given_to(unit, now), **_notes(now, note)}
        return self._change(ticket_id, change)

    def add_note(self, ticket_id: str, text: str) -> Ticket:
        """Add a note for the unit, once for each text; none if the ticket has ended."""
        now = self._get(ticket_id)
        if now.fact().ended or _has_note(now, text):
            return now.fact()
        return self._change(ticket_id, _notes(now, text))

    def close(self, ticket_id: str, reason: str) -> Ticket:
        """Close the ticket; a ticket that has ended stays as it is."""
        now = self.ticket(ticket_id)
        if now.ended:
            return now
        try:
            return self._change(ticket_id, {"status": TicketStatus.CLOSED, "statusChangeReason": reason})
        except Conflict:
            # an earlier try whose answer was lost may have closed it
            now = self.ticket(ticket_id)
            if now.ended:
                return now
            raise

    def _create(self, external_id: str, body: dict[str, Any]) -> Ticket:
        def find() -> TroubleTicket | None:
            return find_ticket(self._client, external_id)

        def create() -> TroubleTicket:
            return self._client.create(TROUBLE_TICKET, body, TroubleTicket, external_id, find)

        return create_once(find, create).fact()

    def _get(self, ticket_id: str) -> TroubleTicket:
        return self._client.get(TROUBLE_TICKET, ticket_id, TroubleTicket)

    def _change(self, ticket_id: str, change: dict[str, Any]) -> Ticket:
        return self._client.patch(TROUBLE_TICKET, ticket_id, change, TroubleTicket).fact()


def _unit(name: str) -> dict[str, str]:
    return {"id": name, "name": name, "role": "unit", "@referredType": "Organization"}


def _given_to(unit: str, ticket: TroubleTicket) -> list[dict[str, Any]]:
    return [*(party.body() for party in ticket.related_party if party.word("role") != "unit"), _unit(unit)]


def _has_note(ticket: TroubleTicket, text: str) -> bool:
    return any(note.word("text") == text for note in ticket.note)


def _notes(ticket: TroubleTicket, text: str) -> dict[str, Any]:
    # a PATCH replaces the array whole, so the earlier notes go with it
    return {"note": [*(note.body() for note in ticket.note), {"author": "Layanan", "text": text}]}
