"""States that the tables keep and the command line asks for."""

from typing import Literal

CaseStatus = Literal["open", "closed", "cancelled", "merged"]
"""``cancelled``: its run was cancelled in the Prefect UI. ``merged``: another case goes on for it."""

MailOutcome = Literal["opened", "joined", "automatic", "other_segment", "duplicate", "set_aside"]
"""What became of a mail; each has one."""

NOT_THE_CUSTOMERS: tuple[MailOutcome, ...] = ("automatic", "duplicate", "set_aside")
"""Mails of a case that are none of the customer's, or none of their new ones."""

LetterState = Literal["queued", "sending", "sent", "failed", "bounced"]
"""``sending`` is also a letter whose delivery is unconfirmed; ``failed`` (refused by our server) and ``bounced``
(reported by another) are for good.
"""
LOST: tuple[LetterState, ...] = ("failed", "bounced")
UNDER_WAY: tuple[LetterState, ...] = ("queued", "sending")

RefusalCause = Literal["", "recipient", "us", "unclear"]
"""Whom the relay's latest refusal of a letter concerned; ``recipient`` stands for the letter itself, too."""
