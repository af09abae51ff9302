"""TENOSS: data and internet services (TMF638 v4)."""

from typing import Literal, Protocol

from adapters.tmf import Entity, TmfClient
from models.facts import Service
from models.settings import HttpSystem

SERVICE = "serviceInventory/v4/service"


class Services(Protocol):
    """Knows the services."""

    def services(self, customer_id: str) -> tuple[Service, ...]:
        """The customer's services, with the resources beneath them."""
        ...


class InventoryService(Entity):
    """What we read of a service. Only resource-facing services have resources of their own."""

    state: Literal["feasibilityChecked", "designed", "reserved", "inactive", "active", "terminated"] | None = None
    is_service_enabled: bool | None = None
    has_started: bool | None = None
    related_party: tuple[Entity, ...] = ()
    supporting_service: tuple[Entity, ...] = ()
    supporting_resource: tuple[Entity, ...] = ()


class Tenoss:
    """TENOSS over HTTP. Errors are those of :class:`adapters.tmf.TmfClient`."""

    def __init__(self, settings: HttpSystem) -> None:
        self._client = TmfClient("TENOSS", settings)

    def services(self, customer_id: str) -> tuple[Service, ...]:
        """See :class:`Services`; resources are looked for one level down, in the services that support it."""
        found = self._client.search(SERVICE, InventoryService, {"relatedParty.id": customer_id})
        return tuple(self._fact(one) for one in found if any(party.id == customer_id for party in one.related_party))

    def _fact(self, service: InventoryService) -> Service:
        beneath = (self._client.get(SERVICE, one.id, InventoryService) for one in service.supporting_service)
        return Service(
            service_id=service.id,
            state=service.state or "unknown",
            enabled=service.is_service_enabled,
            started=service.has_started,
            resources=tuple(resource.id for one in (service, *beneath) for resource in one.supporting_resource),
        )
