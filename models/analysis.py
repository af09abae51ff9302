"""Activity 1's output: what a mail wants, as findings with evidence and a confidence from 0 to 1.

Held by `tests/adapters/analyser/test_rules.py`.
"""

from enum import StrEnum
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field


class Kind(StrEnum):
    """Why the customer writes (SOP 7.1: complaint or information)."""

    COMPLAINT = "complaint"
    INFORMATION = "information"
    FOLLOW_UP = "follow_up"
    THANKS = "thanks"
    IRRELEVANT = "irrelevant"


Topic = Literal[
    "no_service", "slow", "intermittent", "voice_fault", "tv_fault", "device", "installation", "technician",
    "billing_amount", "payment", "bill_copy", "packages", "coverage", "change_package", "relocation", "termination",
    "account_data", "password", "link_quality", "cable", "compensation", "staff_conduct", "fraud", "privacy",
    "case_status", "other",
]  # fmt: skip
PERSONAL_TOPICS: frozenset[Topic] = frozenset({"bill_copy", "billing_amount", "account_data", "privacy"})
"""Topics whose answer contains the customer's own data, and so goes only to an address on record."""
Product = Literal[
    "indihome_internet", "indihome_tv", "telephony", "astinet", "vpn_ip", "metro_ethernet", "managed_wifi",
    "hosting", "mobile", "other",
]  # fmt: skip
Urgency = Literal["critical", "high", "normal", "low"]
SegmentHint = Literal["consumer", "business", "enterprise", "government", "wholesale", "unknown"]

T = TypeVar("T")


class Finding(BaseModel, Generic[T]):
    """One finding: its value, the confidence, and the words of the mail that support it."""

    model_config = ConfigDict(frozen=True)
    value: T
    confidence: float = Field(ge=0, le=1)
    evidence: str = ""


class ServiceNumber(BaseModel):
    """A service number in the new text, normalised: digits; telephone with area code; service id with hyphen."""

    model_config = ConfigDict(frozen=True)
    value: str
    type: Literal["internet", "telephone", "service_id"]
    text: str
    """As written."""


class Analysis(BaseModel):
    """What a mail wants."""

    model_config = ConfigDict(frozen=True)
    kind: Finding[Kind]
    topic: Finding[Topic]
    products: Finding[tuple[Product, ...]]
    service_numbers: tuple[ServiceNumber, ...] = ()
    known_references: tuple[str, ...] = ()
    """Numbers of tickets or cases, as written."""
    urgency: Finding[Urgency]
    segment_hint: Finding[SegmentHint]
    wants_escalation: Finding[bool]
    says_solved: Finding[bool]
    """Whether the writer says that the matter is over."""
    thanks_alone: bool = False
    """Whether the new text says no more than thanks, or that all is well."""

    def sure(self, threshold: float) -> bool:
        """Whether kind and topic, which choose the case's path, both have at least this confidence."""
        return min(self.kind.confidence, self.topic.confidence) >= threshold
