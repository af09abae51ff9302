"""TELKOM.CENTER (SOP 11.1 TELKOM.CENTER): the topology of links (TMF639 v4).

Guesses, because the API has no field for them: the names that a resource has in SecureCRT and in MRTG are its
characteristics ``device`` and ``trafficTarget``.
"""

from collections import deque

from adapters.systems.gate import Gate
from adapters.systems.http import NotFound
from adapters.systems.records import Characteristic, Entity, Wire, characteristic
from adapters.systems.tmf import TmfClient
from models.errors import BrokenAnswer
from models.facts import Resource
from models.settings import HttpSystem

RESOURCE = "resourceInventoryManagement/v4/resource"
OPERATIONAL = {"enable": True, "enabled": True, "disable": False, "disabled": False}
"""The standard's words, and variants that servers use; any other word says nothing."""
DEPTH = 5
MOST = 50


class Relationship(Wire):
    """A link to another resource."""

    resource: Entity


class InventoryResource(Entity):
    """What we read of a resource."""

    name: str | None = None
    operational_state: str | None = None
    resource_status: str | None = None
    resource_characteristic: tuple[Characteristic, ...] = ()
    resource_relationship: tuple[Relationship, ...] = ()

    def fact(self) -> Resource:
        """The resource as our own type."""
        return Resource(
            resource_id=self.id,
            name=self.name or self.id,
            operational=OPERATIONAL.get((self.operational_state or "").lower()),
            status=self.resource_status,
            device=characteristic(self.resource_characteristic, "device"),
            traffic_target=characteristic(self.resource_characteristic, "trafficTarget"),
        )


class TelkomCenter:
    """Knows the links. Errors are those of :class:`adapters.systems.http.HttpCalls`."""

    def __init__(self, settings: HttpSystem, gate: Gate | None = None) -> None:
        self._client = TmfClient("TELKOM.CENTER", settings, gate)

    def topology(self, resource_id: str) -> tuple[Resource, ...]:
        """The resource and its relatives, nearest first, each once: at most five steps away and fifty resources."""
        found: dict[str, Resource] = {}
        waiting = deque([(resource_id, 0)])
        while waiting and len(found) < MOST:
            identifier, steps = waiting.popleft()
            if identifier in found:
                continue
            try:
                resource = self._client.get(RESOURCE, identifier, InventoryResource)
            except (NotFound, BrokenAnswer):
                if steps == 0:
                    raise
                continue  # the other resources are still useful
            found[identifier] = resource.fact()
            if steps < DEPTH:
                waiting.extend((one.resource.id, steps + 1) for one in resource.resource_relationship)
        return tuple(found.values())
