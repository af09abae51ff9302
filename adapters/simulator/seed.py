"""The model of the simulator's seed file: customers, and what each system says about them.

The file is a JSON object, ``{"customers": [...]}``, with ``"mailboxes": [...]`` if our one in Jakarta is not enough.
Unknown names are refused. `docs/operations.md` shows an example.
"""

from collections import Counter
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.facts import Segment, Tier
from models.sop import Site


class Seeded(BaseModel):
    """Base class; it refuses unknown names, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Address = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]


class SeededBill(Seeded):
    """A bill in E-Payment; dates are days before (or, negative, after) the simulator's start."""

    bill_no: str
    state: Literal["new", "onHold", "validated", "sent", "partiallyPaid", "settled"] = "sent"
    billed_days_ago: int = 20
    due_days_ago: int = 0
    amount: int = Field(ge=0, description="Rupiah")
    remaining: int = Field(ge=0, description="Rupiah")


class SeededLine(Seeded):
    """What EMBASSY measures on an IndiHome line."""

    technology: Literal["copper", "fibre"] = "copper"
    snr_db: float = 28
    attenuation_db: float = 20
    attainable_kbps: float = 60_000


class SeededLink(Seeded):
    """A data link: its service in TENOSS, its topology in TELKOM.CENTER, its traffic in MRTG, and its device."""

    service_state: Literal["active", "inactive", "terminated"] = "active"
    enabled: bool = True
    size_bytes_per_s: int = 1_250_000
    traffic: Literal["healthy", "saturated", "dead", "unanswered", "stale"] = "healthy"
    port_up: bool = True
    device: str = Field(description="Name of the device's SecureCRT session", examples=["BDG-DGO-OLT-01"])
    interface: str = "GigabitEthernet0/0/1"


class SeededRepair(Seeded):
    """How one unit works on this customer's ticket. Hours count from the moment when it gets the ticket."""

    hours: float | None = Field(default=4, ge=0, description="Until it is repaired; null: never")
    held_after_hours: float | None = Field(default=None, ge=0, description="Until it is put on hold; null: never")
    cause: str = "Kabel drop putus di ODP"
    repair: str = "Kabel drop disambung ulang dan redaman diukur normal"


class SeededDisturbance(Seeded):
    """A mass disturbance (gamas) that hits this customer."""

    description: str
    ends_in_hours: float | None = None


class SeededCustomer(Seeded):
    """One customer."""

    customer_id: str
    name: str
    addresses: list[Address]
    segment: Segment = Segment.CONSUMER
    tier: Tier = Tier.REGULAR
    service_no: str
    phone: str = ""
    product: str = "IndiHome"
    status: Literal["active", "suspended", "terminated"] = "active"
    bills: list[SeededBill] = []
    line: SeededLine | None = None
    link: SeededLink | None = None
    repairs: dict[str, SeededRepair] = Field(
        default={}, description="By unit; a unit that is not named repairs after 4 hours"
    )
    disturbance: SeededDisturbance | None = None


class SeededMailbox(Seeded):
    """A mailbox of the contact centre, or of a customer (so that letters can be fetched)."""

    address: Address
    password: str
    site: Site | None = Field(default=None, description="Site of a mailbox of ours; null: a customer's")


class Seed(Seeded):
    """The whole file."""

    mailboxes: list[SeededMailbox] = [SeededMailbox(address="layanan@telkom.example", password="pw", site="JKT")]  # noqa: S106 - on loopback
    customers: list[SeededCustomer]

    @field_validator("customers")
    @classmethod
    def _told_apart(cls, customers: list[SeededCustomer]) -> list[SeededCustomer]:
        for name in ("customer_id", "service_no"):
            value, times = Counter(getattr(one, name) for one in customers).most_common(1)[0] if customers else ("", 0)
            if times > 1:
                raise ValueError(f"{times} customers have the {name} {value!r}")
        return customers
