"""What the customer needs (activity 1's output), and what handling finds. Small, frozen, kept in the ledger.

Unknown fields are ignored and every field has a default where it can, because a case that began under an older
revision of the code reads its ledger with this one.

Held by `tests/tasks/test_receive_and_analyse.py`.
"""

from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from models.analysis import PERSONAL_TOPICS, Kind, Product, Topic, Urgency
from models.facts import Segment, Tier

Missing = Literal["service_number", "customer", "detail"]
MISSING: dict[Missing, str] = {
    "service_number": "nomor layanan / the service number",
    "customer": "siapa pelanggannya / who the customer is",
    "detail": "rincian masalah / details of the matter",
}
"""What is missing, as people read it."""


class Output(BaseModel):
    """Base of every activity's output."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Path(StrEnum):
    """Which way through the SOP a case goes."""

    COMPLAINT = "complaint"
    INFORMATION = "information"
    OTHER_SEGMENT = "other segment"
    THANKS = "thanks"
    NOT_FOR_US = "not for us"
    UNANSWERED = "unanswered"
    """We asked, and the customer did not answer."""


SERVED = frozenset({Kind.COMPLAINT, Kind.INFORMATION})
"""Kinds that the SOP goes on with."""


class Need(Output):
    """What one mail wants, and of whom."""

    message_id: int
    """Row of the mail in the intake ledger."""
    kind: Kind
    topic: Topic
    products: tuple[Product, ...] = ()
    service_number: str = ""
    urgency: Urgency = "normal"
    sure: bool = True
    unread: str = ""
    """Why the customer's words could not be read, where they could not; a person does."""
    kind_prevails: bool = True
    """Whether its kind is likelier than all others together."""
    confidence: float = 1.0
    because: str = ""
    """What the analysis found, how sure it is, and the words that say so."""
    wants_escalation: bool = False
    customer_id: str = ""
    """Empty: nobody knows the customer."""
    verified: bool = True
    """Whether the customer's record has the sender's address; false where a person told whose line it is."""
    segment: Segment = Segment.UNKNOWN
    tier: Tier = Tier.REGULAR
    ours: bool = True
    """False: another desk serves this segment (SOP W-89)."""
    unanswered: bool = False
    perhaps_id: int = 0
    """A case that the mail perhaps belongs to (SOP 5.3); 0: none."""
    perhaps: str = ""
    """That case in a line, for the person who compares."""
    thanks_only: bool | None = None
    """Whether the customer's own words say no more than thanks; None where an older revision has read them."""
    doubt: str = ""
    """Why it is not certain who wrote; nothing of the customer's is opened until a person is certain."""

    @property
    def path(self) -> Path:
        """Which way the case goes."""
        if self.unanswered:
            return Path.UNANSWERED
        # what their own desk's customers write is for that desk to judge
        if not self.ours:
            return Path.OTHER_SEGMENT
        if self.kind is Kind.IRRELEVANT:
            return Path.NOT_FOR_US
        if self.kind is Kind.THANKS:
            return Path.THANKS
        if self.kind is Kind.INFORMATION:
            return Path.INFORMATION
        return Path.COMPLAINT

    @property
    def thanks_alone(self) -> bool:
        """Whether nobody need read it: it says no more than thanks, and all of it was read."""
        if self.thanks_only is not None:
            return self.thanks_only and not self.unread and not self.doubt
        return self.path is Path.THANKS and self.kind_prevails and not self.unread

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What must be asked before the case can go on: data is opened only for an address on record."""
        personal = self.path is Path.INFORMATION and self.topic in PERSONAL_TOPICS
        if self.path is not Path.COMPLAINT and not personal:
            return ()
        if not self.customer_id or (personal and not self.verified):
            return ("customer", "service_number")
        return () if self.service_number else ("service_number",)

    def confirmed(self, kind: Kind, topic: Topic, service_number: str) -> Self:
        """As the agent decided."""
        return self.model_copy(
            update={
                "kind": kind,
                "topic": topic,
                "service_number": service_number,
                "sure": True,
                "unread": "",
                "confidence": 1.0,
            }
        )

    def forged(self) -> Self:
        """Somebody else wrote in the customer's name."""
        return self.model_copy(update={"kind": Kind.IRRELEVANT, "sure": True, "doubt": "", "perhaps_id": 0})

    def with_answer(self, answer: Self) -> Self:
        """The same need, with what the customer's answer to our question told."""
        told: dict[str, Any] = {
            "message_id": answer.message_id,
            "unread": answer.unread,
            "wants_escalation": self.wants_escalation or answer.wants_escalation,
        }
        return self.model_copy(update=told | self._of_customer(answer))

    def again(self, reply: Self) -> Self:
        """The need of a case that the reply to its closing letter reopens; not sure where a person must say it."""
        told = {name: getattr(reply, name) for name in ("message_id", "unread", "doubt", "confidence")}
        if reply.sure and reply.kind in SERVED:
            told |= {"kind": reply.kind, "topic": reply.topic if reply.topic != "other" else self.topic}
        known = self.model_copy(update=told | {"unanswered": False} | self._of_customer(reply))
        return known.model_copy(update={"sure": known.kind in SERVED and not known.unread})

    def _of_customer(self, answer: Self) -> dict[str, Any]:
        """What a later mail tells of the customer; what it does not tell stays."""
        told: dict[str, Any] = {"service_number": answer.service_number or self.service_number}
        if answer.customer_id:
            told |= {name: getattr(answer, name) for name in ("customer_id", "verified", "segment", "tier", "ours")}
        return told

    def left_unanswered(self) -> Self:
        """We asked, and no answer came."""
        return self.model_copy(update={"unanswered": True})


class Solution(Output):
    """What the result letter tells (SOP 5.10)."""

    cause: str
    repair: str


class Finding(Output):
    """What the systems say of a complaint (activity 4)."""

    solution: Solution | None = None
    """Solved there and then, if an agent approves."""
    unit: str
    """Unit that repairs otherwise."""
    evidence: tuple[str, ...] = ()
    """One line for each system that was asked."""
    severity: Literal["Critical", "Major", "Minor"] = "Minor"


class Turn(Output):
    """Where a complaint goes next: a solution, a unit, back to the agent, or (none of them) up."""

    solution: Solution | None = None
    unit: str = ""
    back_to_agent: bool = False
    reason: str = ""
    by: str = ""
    """Who decided."""
