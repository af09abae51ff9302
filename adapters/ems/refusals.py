"""Whom a relay's permanent refusal (5xx) concerns, by step, code and enhanced status (RFC 3463, RFC 5248).

Servers differ: Exchange Online refuses our account after the text (5.7.60, 5.2.252), Gmail at any step (5.4.5), Postfix
delays what concerns the sender until RCPT, and Exim gives no status. If the status does not decide, the relay's answers
to other letters do (``tasks/run/relay.py``).

Held by `tests/adapters/ems/test_smtp.py` and `tests/tasks/run/test_relay.py`.
"""

from typing import Literal

Concerned = Literal["recipient", "us", "unclear"]
"""``recipient`` includes the letter itself."""

_LETTER = frozenset({"5.3.4", "5.2.3"})
"""Too large."""
_RECIPIENT = frozenset(
    {"5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.6", "5.1.9", "5.1.10", "5.2.1", "5.2.2", "5.2.4"}
    | {"5.7.2", "5.7.17", "5.7.18", "5.7.124", "5.7.133", "5.7.134", "5.7.135", "5.7.136"}
    | {"5.7.504", "5.7.505", "5.7.507", "5.7.703"}
)
"""From 5.7.124 on they are Exchange Online's: the recipient takes no mail from outside, or is on our own block list."""
_US = frozenset({"5.1.7", "5.1.8", "5.1.90", "5.2.252", "5.4.5", "5.7.3"})
"""The sender's address (1.7, 1.8), limits (1.90, 4.5), sending as somebody else (2.252), login (7.3)."""
_LOGIN = frozenset({530, 534, 535, 538})
_NO_PARAMETER = frozenset({504, 555})


def concerns(step: str, code: int, status: str) -> Concerned:
    """Whom a 5xx answer to a step (``MAIL``, ``RCPT``, ``DATA``, ``the letter``) concerns.

    Args:
        status: the enhanced status code, such as ``5.7.1``; empty if the server gave none.
    """
    _, subject, detail = status.split(".") if status else ("", "", "0")
    if code in _LOGIN:
        return "us"
    if status in _LETTER or subject == "6" or (code == 552 and not status):
        return "recipient"
    if step == "MAIL":
        return "unclear" if code in _NO_PARAMETER else "us"
    if status in _RECIPIENT or (code == 551 and not status):
        return "recipient"
    # authentication and sending limits: RFC 5248, RFC 7372, Gmail, Exchange Online
    proof = subject == "7" and (8 <= int(detail) <= 11 or 13 <= int(detail) <= 14 or int(detail) >= 20)
    return "us" if status in _US or proof else "unclear"
