"""States that the tables keep and the command line asks for.

Held by `tests/models/test_tables.py`.
"""

from enum import StrEnum
from typing import Literal

CaseStatus = Literal["open", "closed", "cancelled", "merged"]
"""``cancelled``: its run was cancelled in the Prefect UI. ``merged``: another case goes on for it."""

MailOutcome = Literal["opened", "joined", "automatic", "other_segment", "duplicate", "quarantined"]
"""What became of a mail; each has one."""

NOT_THE_CUSTOMERS: tuple[MailOutcome, ...] = ("automatic", "duplicate", "quarantined")
"""Mails of a case that are none of the customer's, or none of their new ones."""

LetterState = Literal["queued", "sending", "sent", "failed", "bounced"]
"""``sending`` is also a letter whose delivery is unconfirmed; ``failed`` (refused by our server) and ``bounced``
(reported by another) are for good.
"""
LOST: tuple[LetterState, ...] = ("failed", "bounced")
UNDER_WAY: tuple[LetterState, ...] = ("queued", "sending")

RefusalCause = Literal["", "recipient", "us", "unclear"]
"""Whom the relay's latest refusal of a letter concerned; ``recipient`` stands for the letter itself, too."""


class SignalKind(StrEnum):
    """What ends or informs a wait from outside."""

    MAIL = "mail"
    """The customer, or a party, has written."""
    UNIT = "unit"
    """The unit reports."""
    UNDELIVERED = "undelivered"
    """A letter did not arrive."""
    UPDATE = "update"
    """The customer is to hear of us (SOP 5.8)."""
    REPAIR = "repair"
    """The unit's time to repair is over (SOP 5.9)."""
    APPROVAL = "approval"
    """Nobody has approved a solution in time."""
    ANSWER = "answer"
    """The customer has not answered our question in time."""
    CLOSING = "closing"
    """Nobody has answered the closing letter in time."""
    OPENING = "opening"
    """The office opens."""


class RecordState(StrEnum):
    """How an activity, step or wait ended."""

    DONE = "done"
    FAILED = "failed"
    """It could not be done: a person is asked."""
    HELD = "held"
    """It waits for the office to open."""
    REFUSED = "refused"
    """A form's answers could not be taken: it is asked again."""
    UNDELIVERED = "undelivered"
    """A letter that did not arrive interrupted the wait: it is asked again after that."""
    MERGED = "merged"
    """The case was merged into another; the wait is asked again should that be undone."""


class EscalationReason(StrEnum):
    """Why a decision went to the role above."""

    OVERDUE = "overdue"
    """Nobody has decided in time."""
    REPAIR = "repair"
    """The unit's time to repair passed while somebody was deciding."""


class Retired(StrEnum):
    """Why no wait takes a signal any more."""

    NO = ""
    """It is pending, or a wait has taken it."""
    CASE_ENDED = "case_ended"
    NOT_DUE = "not_due"
    """An activity has done, or made needless, what it asked for."""
    SENT_AGAIN = "sent_again"
    """The letter that did not arrive is sent once more."""
    UNMERGED = "unmerged"
    """The merger that it told of was undone."""
    SPLIT = "split"
    """The mail that it told of opened a case of its own."""
    NO_LETTER = "no_letter"
    """The letter that it asked for cannot be written."""
