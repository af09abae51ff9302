"""States that the tables keep and the command line asks for."""

from typing import Literal

CaseStatus = Literal["open", "closed", "cancelled"]
"""``cancelled``: its run was cancelled in the Prefect UI."""

MailOutcome = Literal["opened", "joined", "automatic", "other_segment", "duplicate", "set_aside"]
"""What became of a mail; each has one."""

NOT_THE_CUSTOMERS: tuple[MailOutcome, ...] = ("automatic", "duplicate")
"""Mails of a case that are none of the customer's, or none of their new ones."""

LetterState = Literal["queued", "sending", "sent", "failed"]
"""``sending`` is also a letter of which it is open whether it went; ``failed`` is for good."""
