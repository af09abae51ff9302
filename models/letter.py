"""The letters: their kinds, and the facts each of them must have.

A letter's text lies in ``templates/<language>/<kind>.jinja``; the renderer refuses to write a letter with
a missing fact. Times in facts are aware; the renderer shows them in the site's zone.

Held by `tests/adapters/letters/test_writer.py`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict

Language = Literal["id", "en"]
PAST = "past"
Past = Annotated[AwareDatetime, PAST]
"""A time in the past; every other time in a letter is a promise."""


class LetterKind(StrEnum):
    """One per activity that speaks, and one to a desk; the value is the template's name."""

    FIRST_RESPONSE = "first_response"  # 5.2
    QUESTION = "ask_customer"  # 1, 2: what is still needed to help
    INFORMATION = "give_information"  # 11
    STATUS = "inform_status"  # 9
    WAITING = "keep_informed"  # 5.8: while one of us still has to decide
    RESULT = "inform_result"  # 10
    OTHER_SEGMENT = "hand_over_segment"  # W-89
    TO_DESK = "hand_over_segment_to_desk"  # W-89
    CLOSING = "closing"  # 12


class LetterFacts(BaseModel):
    """Base of a letter's facts. Its template uses every field; an empty one is a missing fact."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[LetterKind]

    @classmethod
    def past(cls) -> tuple[str, ...]:
        """Names of the facts that are times in the past."""
        return tuple(name for name, field in cls.model_fields.items() if PAST in field.metadata)

    def until(self, now: datetime) -> Self:
        """The same facts, with no past time after ``now``."""
        return self.model_copy(update={name: min(getattr(self, name), now) for name in self.past()})


class FirstResponseFacts(LetterFacts):
    """SOP 5.2: we have your mail, this is its reference."""

    kind = LetterKind.FIRST_RESPONSE
    received_at: Past
    late: bool = False
    """Whether the mail has waited for more than a day: then the letter apologises."""


class QuestionFacts(LetterFacts):
    """What we must know before the case continues."""

    kind = LetterKind.QUESTION
    missing: tuple[Literal["service_number", "customer", "detail"], ...]
    """``customer``: the sender's address is not on record; ``detail``: what the matter is."""
    question: str = ""
    """The agent's own words, if any; empty is allowed here."""


class InformationFacts(LetterFacts):
    """11: the answer, with related products (SOP 5.5)."""

    kind = LetterKind.INFORMATION
    answer: str
    """Paragraphs, separated by an empty line, in the letter's language."""
    related_products: tuple[str, ...]


StatusState = Literal["recorded", "in_progress", "waiting", "escalated", "repaired", "said_solved"]
"""``said_solved``: the customer wrote that the matter is over."""


class StatusFacts(LetterFacts):
    """9: where the complaint stands."""

    kind = LetterKind.STATUS
    ticket_id: str
    unit: str
    state: StatusState
    since: Past
    next_update_at: AwareDatetime
    note: str = ""
    """A person's own words, if any; empty is allowed here."""


class WaitingFacts(LetterFacts):
    """SOP 5.8: the matter still waits for our decision."""

    kind = LetterKind.WAITING
    since: Past
    """When the customer's mail arrived."""
    next_update_at: AwareDatetime
    ticket_id: str = ""
    """Empty: there is no ticket yet."""
    unit: str = ""


class ResultFacts(LetterFacts):
    """10: the result, with the cause and the repair (SOP 5.10)."""

    kind = LetterKind.RESULT
    cause: str
    repair: str


class OtherSegmentFacts(LetterFacts):
    """SOP W-89: we have your mail, and another desk serves you: first response, answer and closing in one letter."""

    kind = LetterKind.OTHER_SEGMENT
    received_at: Past
    desk: str
    desk_address: str


class ToDeskFacts(LetterFacts):
    """SOP W-89: the customer's mails, for the desk that serves them."""

    kind = LetterKind.TO_DESK
    desk: str
    segment: str
    customer_address: str


class ClosingFacts(LetterFacts):
    """12: closing; an answer before ``answer_by`` opens the case again."""

    kind = LetterKind.CLOSING
    answer_by: AwareDatetime


class RenderedLetter(BaseModel):
    """A letter ready for the outbox."""

    model_config = ConfigDict(frozen=True)
    kind: LetterKind
    message_id: str
    recipient: str
    subject: str
    raw: bytes
    """The whole message, RFC 5322, CRLF line ends."""
