"""What the back-office systems answer, as our own types: frozen, validated, without details of the protocols.

Every adapter turns an answer into one of these, or raises :class:`models.errors.BrokenAnswer`. Times are timezone-aware
UTC. Money is a ``Decimal`` in rupiah. Held by `tests/adapters/systems/test_siska.py`.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict


class Fact(BaseModel):
    """Base: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Segment(StrEnum):
    """Telkom's customer segments; ``unknown`` if SISKA names none of them."""

    CONSUMER = "DCS"
    BUSINESS = "DBS"
    ENTERPRISE = "DES"
    GOVERNMENT = "DGS"
    WHOLESALE = "DWS"
    OTHER_OPERATOR = "OLO"
    UNKNOWN = "unknown"


class Tier(StrEnum):
    """Customer tiers; they determine the time to repair."""

    VVIP = "HVC_VVIP"
    DIAMOND = "HVC_DIAMOND"
    PLATINUM = "HVC_PLATINUM"
    GOLD = "HVC_GOLD"
    SILVER = "HVC_SILVER"
    REGULAR = "REGULER"


class Customer(Fact):
    """A customer on record (SISKA, TMF629 and TMF632)."""

    customer_id: str
    name: str
    addresses: tuple[str, ...]
    """E-mail addresses on record, lower case."""
    segment: Segment
    tier: Tier
    service_numbers: tuple[str, ...] = ()
    phone: str | None = None
    product: str | None = None


class Bill(Fact):
    """One bill (E-Payment, TMF678). ``None`` means the system did not say; it never means zero."""

    bill_no: str
    state: str
    billed_at: AwareDatetime | None
    due_at: AwareDatetime | None
    amount: Decimal | None
    remaining: Decimal | None

    def overdue(self, now: datetime) -> bool:
        """Whether it is past its due date, not settled, and not fully paid (TMF678 has no such state)."""
        return (
            self.state != "settled"
            and self.due_at is not None
            and self.due_at < now
            and self.remaining is not None
            and self.remaining > 0
        )

    @property
    def unclear(self) -> bool:
        """Whether the system says too little to tell if it is paid."""
        return self.state != "settled" and self.remaining != 0 and (self.remaining is None or self.due_at is None)


class Service(Fact):
    """A data or internet service (TENOSS, TMF638)."""

    service_id: str
    state: str
    """TMF638: feasibilityChecked, designed, reserved, inactive, active, terminated."""
    enabled: bool | None
    started: bool | None
    resources: tuple[str, ...] = ()
    """Ids of supporting resources, to be looked up in TELKOM.CENTER."""

    @property
    def failed(self) -> bool:
        """Whether the service has failed: in TMF638, started and not enabled."""
        return self.started is True and self.enabled is False


class Resource(Fact):
    """One node or port of a link (TELKOM.CENTER, TMF639)."""

    resource_id: str
    name: str
    operational: bool | None
    """TMF639 operationalState: ``enable`` is True, ``disable`` False."""
    status: str | None
    device: str | None = None
    """Name of the device's session in SecureCRT, if the inventory has one."""
    traffic_target: str | None = None
    """Name of the MRTG target, if the inventory has one."""


class LineQuality(StrEnum):
    """Verdict of a line measurement."""

    GOOD = "good"
    FAIR = "fair"
    BAD = "bad"
    NOT_APPLICABLE = "not applicable: fibre"
    UNKNOWN = "unknown"


class LineTest(Fact):
    """A line measurement (EMBASSY, TMF653)."""

    test_id: str
    state: str
    measured_at: AwareDatetime | None
    snr_db: float | None
    attenuation_db: float | None
    quality: LineQuality


class Rates(Fact):
    """Traffic of a link, as MRTG measures it: *in* is into the device's port."""

    in_bytes_per_s: float
    out_bytes_per_s: float
    in_share: float | None
    """Share of the link's capacity; None if that is unknown."""
    out_share: float | None


class Traffic(Fact):
    """The traffic of a link in the last hour (MRTG), or why it is not known."""

    target: str
    state: Literal["measured", "unknown", "stale"]
    """``unknown``: part of the hour was probably not measured; ``stale``: MRTG has stopped."""
    unknown: tuple[tuple[AwareDatetime, AwareDatetime], ...] = ()
    """The parts that were not measured: there MRTG repeats its last value, or writes zero before the first."""
    latest: Rates | None = None
    """The last interval alone, if it was measured for certain."""
    measured_at: AwareDatetime
    in_bytes_per_s: float | None
    out_bytes_per_s: float | None
    in_share: float | None
    """Share of the link's capacity; None unless the state is ``measured``."""
    out_share: float | None


class DeviceReading(Fact):
    """A device's answer to one read-only command (SecureCRT's device sessions over SSH)."""

    device: str
    command: str
    output: str
    """Without passwords and keys."""


class TicketStatus(StrEnum):
    """TMF621's states; ``submitted``, with which some servers begin; and ``unknown`` for any other word."""

    SUBMITTED = "submitted"
    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    PENDING = "pending"
    HELD = "held"
    IN_PROGRESS = "inProgress"
    CANCELLED = "cancelled"
    CLOSED = "closed"
    RESOLVED = "resolved"
    UNKNOWN = "unknown"


ENDED = frozenset({TicketStatus.CLOSED, TicketStatus.CANCELLED, TicketStatus.REJECTED})
"""Final states of a ticket: nobody works on it any more."""


class Ticket(Fact):
    """A trouble ticket (My CX and NOSSA, TMF621)."""

    ticket_id: str
    external_id: str | None
    status: TicketStatus
    status_reason: str | None = None
    """The system's own word (NOSSA: BACKEND, MEDIACARE…) or reason; for an unknown status, its word."""
    unit: str | None = None
    cause: str | None = None
    repair: str | None = None
    created_at: AwareDatetime | None = None
    changed_at: AwareDatetime | None = None

    @property
    def ended(self) -> bool:
        """Whether its status is final."""
        return self.status in ENDED


class MassDisturbance(Fact):
    """A known disturbance of many customers (gamas)."""

    ticket_id: str
    status_word: str = ""
    """The system's own word for its state, if we do not know it: a person must say whether it continues."""
