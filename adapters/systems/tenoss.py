"""TENOSS (SOP 11.1 TENOSS): data and internet services (TMF638 v4)."""

from adapters.systems.gate import Gate
from adapters.systems.http import NotFound
from adapters.systems.records import Entity, one_of
from adapters.systems.tmf import TmfClient
from models.errors import BrokenAnswer
from models.facts import Service
from models.settings import HttpSystem

SERVICE = "serviceInventory/v4/service"


class InventoryService(Entity):
    """What we read of a service. Only resource-facing services have resources of their own."""

    state: str | None = None
    is_service_enabled: bool | None = None
    has_started: bool | None = None
    related_party: tuple[Entity, ...] = ()
    supporting_service: tuple[Entity, ...] = ()
    supporting_resource: tuple[Entity, ...] = ()


class Tenoss:
    """Knows the services. Errors are those of :class:`adapters.systems.http.HttpCalls`."""

    def __init__(self, settings: HttpSystem, gate: Gate | None = None) -> None:
        self._client = TmfClient("TENOSS", settings, gate)

    def services(self, customer_id: str) -> tuple[Service, ...]:
        """The customer's services, with their resources and those of the services that support them, one level down."""
        found = self._client.search(
            SERVICE,
            InventoryService,
            {"relatedParty.id": customer_id},
            lambda one: one_of(customer_id, (party.id for party in one.related_party)),
        )
        return tuple(map(self._fact, found))

    def _supporting(self, identifier: str) -> InventoryService | None:
        try:
            return self._client.get(SERVICE, identifier, InventoryService)
        except (NotFound, BrokenAnswer):
            return None  # the other services are still useful

    def _fact(self, service: InventoryService) -> Service:
        beneath = [found for one in service.supporting_service if (found := self._supporting(one.id))]
        return Service(
            service_id=service.id,
            state=service.state or "unknown",
            enabled=service.is_service_enabled,
            started=service.has_started,
            resources=tuple(resource.id for one in (service, *beneath) for resource in one.supporting_resource),
        )
