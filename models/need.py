"""What the customer needs (activity 1's output), and what the diagnosis finds. Small, frozen, stored in the ledger.

Unknown fields are ignored, and fields have defaults where possible, because a case that began under an older revision
of the code reads its ledger with this one.

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
"""Kinds of mail that the SOP serves."""


class Need(Output):
    """What one mail wants, and whose it is."""

    message_id: int
    """Row of the mail in the intake ledger."""
    kind: Kind
    topic: Topic
    products: tuple[Product, ...] = ()
    service_number: str = ""
    urgency: Urgency = "normal"
    sure: bool = True
    unread: str = ""
    """Why the customer's words could not be read, so that a person must; empty if they could."""
    kind_prevails: bool = True
    """Whether its kind is more likely than all others together."""
    confidence: float = 1.0
    because: str = ""
    """What the analysis found, how sure it is, and the customer's words that show it."""
    wants_escalation: bool = False
    customer_id: str = ""
    """Empty: nobody knows the customer."""
    verified: bool = True
    """Whether the sender's address is on the customer's record; false if a person said whose line it is."""
    segment: Segment = Segment.UNKNOWN
    tier: Tier = Tier.REGULAR
    ours: bool = True
    """False: another desk serves this segment (SOP W-89)."""
    unanswered: bool = False
    perhaps_id: int = 0
    """A case that the mail may belong to (SOP 5.3); 0: none."""
    perhaps: str = ""
    """That case in one line, for the person who compares."""
    thanks_only: bool | None = None
    """Whether the customer says no more than thanks; None if an older revision has read the mail."""
    doubt: str = ""
    """Why it is doubtful who wrote; no customer data is opened until a person has decided."""

    @property
    def path(self) -> Path:
        """Which way the case goes."""
        if self.unanswered:
            return Path.UNANSWERED
        # another desk's customers are for that desk to judge
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
        """Whether no person needs to read it: it says no more than thanks, and all of it was read."""
        if self.thanks_only is not None:
            return self.thanks_only and not self.unread and not self.doubt
        return self.path is Path.THANKS and self.kind_prevails and not self.unread

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What we must ask before the case continues: customer data is opened only for an address on record."""
        personal = self.path is Path.INFORMATION and self.topic in PERSONAL_TOPICS
        if self.path is not Path.COMPLAINT and not personal:
            return ()
        if not self.customer_id or (personal and not self.verified):
            return ("customer", "service_number")
        return () if self.service_number else ("service_number",)

    def confirmed(self, kind: Kind, topic: Topic, service_number: str) -> Self:
        """The need as the agent decided."""
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
        """The need of a mail that somebody else wrote in the customer's name."""
        return self.model_copy(update={"kind": Kind.IRRELEVANT, "sure": True, "doubt": "", "perhaps_id": 0})

    def with_answer(self, answer: Self) -> Self:
        """The same need, with what the customer's answer adds."""
        told: dict[str, Any] = {
            "message_id": answer.message_id,
            "unread": answer.unread,
            "wants_escalation": self.wants_escalation or answer.wants_escalation,
        }
        return self.model_copy(update=told | self._of_customer(answer))

    def again(self, reply: Self) -> Self:
        """The need of a case that the reply to its closing letter reopens; not sure if a person must say what it is."""
        told = {name: getattr(reply, name) for name in ("message_id", "unread", "doubt", "confidence")}
        if reply.sure and reply.kind in SERVED:
            told |= {"kind": reply.kind, "topic": reply.topic if reply.topic != "other" else self.topic}
        known = self.model_copy(update=told | {"unanswered": False} | self._of_customer(reply))
        return known.model_copy(update={"sure": known.kind in SERVED and not known.unread})

    def _of_customer(self, answer: Self) -> dict[str, Any]:
        """What a later mail says about the customer; the rest stays."""
        told: dict[str, Any] = {"service_number": answer.service_number or self.service_number}
        if answer.customer_id:
            told |= {name: getattr(answer, name) for name in ("customer_id", "verified", "segment", "tier", "ours")}
        return told

    def left_unanswered(self) -> Self:
        """The need of a customer who has not answered our question."""
        return self.model_copy(update={"unanswered": True})


class Solution(Output):
    """What the result letter tells (SOP 5.10)."""

    cause: str
    repair: str


class Diagnosis(Output):
    """What the systems say about a complaint (activity 4)."""

    solution: Solution | None = None
    """A solution there and then, if an agent approves."""
    unit: str
    """The unit that repairs otherwise."""
    evidence: tuple[str, ...] = ()
    """Lines on what each system says."""
    severity: Literal["Critical", "Major", "Minor"] = "Minor"


class Turn(Output):
    """Where a complaint goes next: to a solution, a unit, back to the agent, or (if none of them) up."""

    solution: Solution | None = None
    unit: str = ""
    back_to_agent: bool = False
    reason: str = ""
    by: str = ""
    """Who decided."""
