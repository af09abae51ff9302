"""States that the tables keep and the command line asks for.

Held by `tests/models/test_tables.py`.
"""

from enum import StrEnum
from typing import Literal

CaseStatus = Literal["open", "closed", "cancelled", "merged"]
"""``cancelled``: its run was cancelled in the Prefect UI. ``merged``: another case continues for it."""

MailOutcome = Literal["opened", "joined", "automatic", "other_segment", "duplicate", "quarantined"]
"""What became of a mail; each has one."""

NOT_THE_CUSTOMERS: tuple[MailOutcome, ...] = ("automatic", "duplicate", "quarantined")
"""Outcomes of a case's mails that the customer did not write, or has sent before."""

LetterState = Literal["queued", "sending", "sent", "failed", "bounced"]
"""``sending`` includes unconfirmed letters; ``failed`` (refused by our relay) and ``bounced`` (reported by another
server) are final.
"""
LOST: tuple[LetterState, ...] = ("failed", "bounced")
UNDER_WAY: tuple[LetterState, ...] = ("queued", "sending")

RefusalCause = Literal["", "recipient", "us", "unclear"]
"""Whom the relay's latest refusal of a letter concerns; ``recipient`` includes the letter itself."""


class SignalKind(StrEnum):
    """What ends or informs a wait from outside."""

    MAIL = "mail"
    """The customer, or a party, has written."""
    UNIT = "unit"
    """The unit reports."""
    UNDELIVERED = "undelivered"
    """A letter did not arrive."""
    UPDATE = "update"
    """An update to the customer is due (SOP 5.8)."""
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
    """It could not be done, and a person is asked."""
    HELD = "held"
    """It waits for the office to open."""
    REFUSED = "refused"
    """A form's answers could not be accepted, and it is asked again."""
    UNDELIVERED = "undelivered"
    """A letter that did not arrive interrupted the wait; the form is asked again afterwards."""
    MERGED = "merged"
    """The case was merged into another; if that is reversed, the form is asked again."""


class EscalationReason(StrEnum):
    """Why a decision was escalated."""

    OVERDUE = "overdue"
    """Nobody decided in time."""
    REPAIR = "repair"
    """The unit's time to repair passed while somebody was deciding."""


class Retired(StrEnum):
    """Why no wait takes a signal any more."""

    NO = ""
    """It is pending, or a wait has taken it."""
    CASE_ENDED = "case_ended"
    NOT_DUE = "not_due"
    """An activity has done what it asked for, or made that unnecessary."""
    SENT_AGAIN = "sent_again"
    """The letter that did not arrive is sent again."""
    UNMERGED = "unmerged"
    """The merger that it reported was reversed."""
    SPLIT = "split"
    """The mail that it reported was split off into a case of its own."""
    NO_LETTER = "no_letter"
    """The letter that it asked for cannot be written."""
