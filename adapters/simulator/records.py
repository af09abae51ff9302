"""The seeded customers as resources of the TM Forum APIs (v4), without ``href``.

Each function returns one collection. Characteristics have the names that the adapters document. Held by
`tests/adapters/simulator/test_tmf.py`.
"""

from datetime import datetime, timedelta
from typing import Any

from adapters.simulator.seed import Seed, SeededCustomer
from models.facts import Segment

Resource = dict[str, Any]

SERVICE_STATES = {"active": "active", "suspended": "inactive", "terminated": "terminated"}
"""Service states (TMF638, which has no "suspended") by product status (TMF637)."""


def stamp(time: datetime) -> str:
    """RFC 3339, UTC."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def customers(seed: Seed) -> list[Resource]:
    """TMF629."""
    return [
        {
            "id": one.customer_id,
            "name": one.name,
            "status": one.status,
            "engagedParty": {"id": _party_id(one), "name": one.name, "@referredType": _party_type(one)},
            "characteristic": [
                {"name": "segment", "value": one.segment},
                {"name": "tier", "value": one.tier},
            ],
            "contactMedium": [
                {"mediumType": "email", "characteristic": {"emailAddress": address}} for address in one.addresses
            ]
            + [{"mediumType": "phone", "characteristic": {"phoneNumber": one.phone}}] * bool(one.phone),
        }
        for one in seed.customers
    ]


def individuals(seed: Seed) -> list[Resource]:
    """TMF632: consumers."""
    return [
        {"id": _party_id(one), "fullName": one.name, "status": "validated"}
        for one in seed.customers
        if _party_type(one) == "Individual"
    ]


def organizations(seed: Seed) -> list[Resource]:
    """TMF632: all other customers."""
    return [
        {"id": _party_id(one), "tradingName": one.name, "status": "validated"}
        for one in seed.customers
        if _party_type(one) == "Organization"
    ]


def products(seed: Seed) -> list[Resource]:
    """TMF637."""
    return [
        {
            "id": f"PRD-{one.service_no}",
            "name": one.product,
            "status": one.status,
            "productCharacteristic": [{"name": "serviceNumber", "value": one.service_no}],
            "realizingService": [{"id": one.service_no}],
            "relatedParty": [_related(one)],
        }
        for one in seed.customers
    ]


def bills(seed: Seed, started: datetime) -> list[Resource]:
    """TMF678; the seed's days count from ``started``."""
    return [
        {
            "id": f"BILL-{bill.bill_no}",
            "billNo": bill.bill_no,
            "state": bill.state,
            "billDate": stamp(started - timedelta(days=bill.billed_days_ago)),
            "paymentDueDate": stamp(started - timedelta(days=bill.due_days_ago)),
            "amountDue": {"unit": "IDR", "value": float(bill.amount)},
            "remainingAmount": {"unit": "IDR", "value": float(bill.remaining)},
            "billingAccount": {"id": f"ACC-{one.customer_id}"},
            "relatedParty": [_related(one)],
        }
        for one in seed.customers
        for bill in one.bills
    ]


def services(seed: Seed) -> list[Resource]:
    """TMF638: each customer's service and, for a link, the resource-facing service with its port."""
    found: list[Resource] = []
    for one in seed.customers:
        service = {
            "id": one.service_no,
            "name": one.product,
            "category": "CustomerFacingService",
            "state": one.link.service_state if one.link else SERVICE_STATES[one.status],
            "isServiceEnabled": one.link.enabled if one.link else one.status == "active",
            "hasStarted": True,
            "relatedParty": [_related(one)],
        }
        found.append(service)
        if one.link:
            service["supportingService"] = [{"id": f"RFS-{one.service_no}"}]
            found.append(
                {
                    "id": f"RFS-{one.service_no}",
                    "category": "ResourceFacingService",
                    "state": one.link.service_state,
                    "isServiceEnabled": one.link.enabled,
                    "hasStarted": True,
                    "supportingResource": [{"id": f"PORT-{one.service_no}"}],
                }
            )
    return found


def resources(seed: Seed) -> list[Resource]:
    """TMF639: port → device ⇄ metro network."""

    def related(identifier: str, type_: str) -> Resource:
        href = f"/telkom_center/tmf-api/resourceInventoryManagement/v4/resource/{identifier}"
        return {"relationshipType": type_, "resource": {"id": identifier, "href": href}}

    found: dict[str, Resource] = {}
    for one in seed.customers:
        if one.link is None:
            continue
        up, device, metro = one.link.port_up, f"DEV-{one.link.device}", f"METRO-{one.link.device}"
        found[f"PORT-{one.service_no}"] = {
            "name": one.link.interface,
            "category": "port",
            "operationalState": "enable" if up else "disable",
            "resourceStatus": "available" if up else "alarm",
            "resourceCharacteristic": [
                {"name": "device", "value": one.link.device},
                {"name": "trafficTarget", "value": one.service_no},
            ],
            "resourceRelationship": [related(device, "isContainedIn")],
        }
        found[device] = {
            "name": one.link.device,
            "category": "device",
            "operationalState": "enable",
            "resourceStatus": "available",
            "resourceCharacteristic": [{"name": "device", "value": one.link.device}],
            "resourceRelationship": [related(metro, "connectsTo")],
        }
        found[metro] = {
            "name": f"Metro {one.link.device}",
            "category": "network",
            "operationalState": "enable",
            "resourceStatus": "available",
            "resourceRelationship": [related(device, "connectsTo")],
        }
    return [{"id": identifier, **resource} for identifier, resource in found.items()]


def problems(seed: Seed, started: datetime, now: datetime) -> list[Resource]:
    """TMF656: customers with the same disturbance share one problem, which ends at the seed's time."""
    found: dict[str, Resource] = {}
    for one in seed.customers:
        if one.disturbance is None:
            continue
        hours = one.disturbance.ends_in_hours
        end = None if hours is None else started + timedelta(hours=hours)
        over = end is not None and end <= now
        problem = found.setdefault(
            one.disturbance.description,
            {
                "id": f"INC{90_000_001 + len(found)}",
                "category": "serviceProvider.declarer",
                "priority": 1,
                "description": one.disturbance.description,
                "reason": "Unknown",
                "originatorParty": {"id": "NOSSA", "@referredType": "Organization"},
                "status": "resolved" if over else "inProgress",
                "creationDate": stamp(started),
                "affectedService": [],
            }
            | ({"characteristic": [{"name": "estimatedEnd", "value": stamp(end)}]} if end else {})
            | ({"resolutionDate": stamp(end)} if end and over else {}),
        )
        problem["affectedService"].append({"id": one.service_no})
        problem["affectedNumberOfServices"] = len(problem["affectedService"])
    return list(found.values())


def _party_type(customer: SeededCustomer) -> str:
    return "Individual" if customer.segment is Segment.CONSUMER else "Organization"


def _party_id(customer: SeededCustomer) -> str:
    return f"PTY-{customer.customer_id}"


def _related(customer: SeededCustomer) -> Resource:
    return {"id": customer.customer_id, "role": "customer", "@referredType": "Customer"}
