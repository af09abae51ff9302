"""The trouble ticket of TMF621 v4, as both My CX and NOSSA have it.

Guesses, because TMF621 has no field for them: the unit that works on a ticket is the ``relatedParty`` whose role is
``unit``; cause and repair (SOP 5.10) are notes whose ``@type`` is ``Cause`` and ``Repair``, the last one counting.
Held by `tests/adapters/systems/test_mycx.py` and `tests/adapters/systems/test_nossa.py`.
"""

from typing import Any

from pydantic import ConfigDict, RootModel

from adapters.systems.create_once import only_first
from adapters.systems.records import Entity, Utc
from adapters.systems.tmf import TmfClient
from models.facts import Ticket, TicketStatus

TROUBLE_TICKET = "troubleTicket/v4/troubleTicket"


STATUSES: dict[str, TicketStatus] = {status.lower(): status for status in TicketStatus}
"""By the word in lower case and without blanks, because v3 wrote ``In Progress``."""


class Item(RootModel[dict[str, Any]]):
    """An item of an array. A PATCH sends the array back whole, so the item keeps all members that came."""

    model_config = ConfigDict(frozen=True)

    def body(self) -> dict[str, Any]:
        """All members, as they came."""
        return self.root

    def word(self, member: str) -> str | None:
        """A member that is text; None where it is missing or not text."""
        value = self.root.get(member)
        return value if isinstance(value, str) else None


class TroubleTicket(Entity):
    """What we read of a ticket."""

    loggable_id = True
    external_id: str | None = None
    description: str = ""
    severity: str = ""
    ticket_type: str = ""
    status: str = ""
    status_change_reason: str | None = None
    status_change_date: Utc | None = None
    last_update: Utc | None = None
    creation_date: Utc | None = None
    note: tuple[Item, ...] = ()
    related_party: tuple[Item, ...] = ()
    related_entity: tuple[Item, ...] = ()

    def fact(self) -> Ticket:
        """The ticket as our :class:`Ticket`. A status word that the standard does not have is shown, not guessed."""
        unit = next((party for party in self.related_party if party.word("role") == "unit"), None)
        return Ticket(
            ticket_id=self.id,
            external_id=self.external_id,
            status=status_of(self.status),
            status_reason=": ".join(filter(None, [self.unknown_word, self.status_change_reason])) or None,
            unit=unit and (unit.word("name") or unit.word("id")),
            cause=self._last_note("Cause"),
            repair=self._last_note("Repair"),
            created_at=self.creation_date,
            changed_at=self.status_change_date or self.last_update,
        )

    @property
    def unknown_word(self) -> str:
        """The status word, if the standard does not have it; else empty."""
        return self.status if is_unknown(self.status) else ""

    def _last_note(self, type_: str) -> str | None:
        return next((note.word("text") for note in reversed(self.note) if note.word("@type") == type_), None)


def status_of(word: str) -> TicketStatus:
    """The status of a word; ``UNKNOWN`` if the standard does not have it."""
    return STATUSES.get("".join(word.lower().split()), TicketStatus.UNKNOWN)


def is_unknown(word: str) -> bool:
    """Whether the word is not empty, and the standard does not have it."""
    return bool(word) and status_of(word) is TicketStatus.UNKNOWN


def find_ticket(client: TmfClient, external_id: str) -> TroubleTicket | None:
    """The ticket with our ``external_id``; of several, the one created first."""

    def is_ours(ticket: TroubleTicket) -> bool | None:
        return None if ticket.external_id is None else ticket.external_id == external_id

    ours = client.search(TROUBLE_TICKET, TroubleTicket, {"externalId": external_id}, is_ours, complete=True)
    return only_first(client.system, ours, lambda ticket: ticket.creation_date)
