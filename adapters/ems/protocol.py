"""The interface of EMS for the rest of the service: its data, methods and errors.

Held by `tests/adapters/ems/test_imap.py` and `tests/adapters/ems/test_smtp.py`.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Protocol

from models.errors import Unavailable
from models.settings import Mailbox
from models.sop import Site


class NotLetIn(Unavailable):
    """The SMTP server refuses us, not a letter: login, certificate, sender. Sending works once a person has fixed that.

    The call is not retried within seconds, because servers lock an account after a few wrong passwords.
    """


class UsOrRecipient(Unavailable):
    """The SMTP server refuses a letter for good (5xx), and its code does not say whether it means the recipient or us.

    Its answers to other letters decide that. The call is not retried within seconds.
    """


@dataclass(frozen=True)
class Received:
    """One mail in a mailbox. ``uid`` identifies it only together with ``uidvalidity`` (RFC 3501, 2.3.1.1)."""

    mailbox: str
    site: Site
    uidvalidity: int
    uid: int
    raw: bytes = field(repr=False)
    cut: bool = False
    """``raw`` is only the beginning: the mail is larger than the settings allow, and the rest stays on the server."""
    arrived_at: datetime | None = None
    """Time of arrival in the mailbox as the server gives it; None if it gives none."""
    since: datetime | None = None
    """Earliest arrival of mail that is read; None: all mail is read."""

    @cached_property
    def sha256(self) -> str:
        """Of ``raw``; identifies the mail in the ledger."""
        return hashlib.sha256(self.raw).hexdigest()


@dataclass(frozen=True)
class Unsettled:
    """UIDs of mail that intake has not settled: what it would take in, and what came before ``Mailbox.since``."""

    uidvalidity: int
    new: tuple[int, ...]
    older: tuple[int, ...]


class Ems(Protocol):
    """Receives mail and sends letters. It ignores mail that came to a mailbox before its ``since``."""

    def fetch(self, box: Mailbox, limit: int, after: int = 0) -> list[Received]:
        """At most ``limit`` unsettled mails of the mailbox with a UID above ``after``, oldest first; none is marked.

        There are fewer if the batch reaches the size limit of the settings, but at least one if there is any. A mail
        that the server itself cannot read is skipped.

        Raises:
            Unavailable: the server cannot be reached, or said "later".
            Refused: the login or the folder was refused; the text names the setting to check. Or the server can read
                none of the mails that are left; the text names them.
        """
        ...

    def unsettled(self, box: Mailbox) -> Unsettled:
        """List the unsettled mails of the mailbox without reading them.

        Raises:
            Unavailable, Refused: as for ``fetch``.
        """
        ...

    def settle(
        self, box: Mailbox, uidvalidity: int, done: Sequence[int], aside: Sequence[int], copies: Sequence[int] = ()
    ) -> None:
        """Move mails, whose outcome is committed, out of the folder; skip those that are gone already.

        If the mailbox has another UIDVALIDITY by now, the UIDs mean other mails and nothing is done.

        Args:
            done: UIDs for the folder of processed mail; they are flagged instead if the mailbox's settings say so.
            aside: UIDs for the folder of quarantined mail.
            copies: UIDs of copies of our letters, for the sent folder.

        Raises:
            Unavailable, Refused: as for ``fetch``; some mails may have been moved, and a repeat moves the others.
        """
        ...

    def listen(self, box: Mailbox) -> Iterator[None]:
        """Wait for mail (IDLE, RFC 2177). Yields whenever mail may have come, and at once if there is some already.

        The iterator has its own connection and closes it at its end. It ends after a long silence; then call again.

        Raises:
            Unavailable: the connection broke, or the server ended it.
            Refused: as for ``fetch``, or the server does not support IDLE.
        """
        ...

    def walk(self, box: Mailbox) -> Iterator[tuple[str, dict[int, str]]]:
        """Go through all mails of the folders that intake uses, in batches: the folder, and the SHA-256 by UID.

        It is the hash of the bytes that ``fetch`` returns, or empty if the server cannot read the mail.

        Raises:
            Unavailable, Refused: as for ``fetch``.
        """
        ...

    def reach_imap(self, box: Mailbox) -> int | None:
        """Check that mail can be read and settled. Returns the used share of the quota in per cent, None without one.

        Raises:
            Unavailable, Refused: as for ``fetch``.
        """
        ...

    def has_copy(self, message_id: str, box: Mailbox, is_it: Callable[[bytes], bool] = bool) -> bool:
        """Whether a copy of our letter is in the mailbox that the letter was sent from.

        Anybody can write a mail with the same Message-ID, so ``is_it`` decides by the bytes whether it is the letter.
        The copy travels like the letter; False right after sending proves nothing.

        Raises:
            Unavailable, Refused: as for ``fetch``.
        """
        ...

    def send(
        self, raw: bytes, sender: str, recipients: Sequence[str], until: float = math.inf, copies: Sequence[str] = ()
    ) -> None:
        """Send one letter (RFC 5322, CRLF) to all recipients or none, with a copy to ourselves.

        The letter is signed (DKIM) if the settings name a key. If a copy is refused, to ourselves or to one of
        ``copies``, the letter still goes. Sending the text does not begin after ``until`` (``time.monotonic``).

        Raises:
            Unavailable: nothing was accepted: the server cannot be reached, said "later" (4xx), was too slow, refuses
                us (:class:`NotLetIn`; the text names the setting to check), or perhaps us (:class:`UsOrRecipient`).
            Refused: nothing was accepted, and a retry does not help: a 5xx answer about the recipient or the letter;
                the text names its code.
            OutcomeUnknown: the connection broke between the end of the letter and the answer.
        """
        ...

    def reach_copies(self, box: Mailbox) -> str:
        """Check that copies of letters can reach the mailbox, and say how; nothing is sent.

        Raises:
            Unavailable: as for ``fetch`` and ``send``.
            Refused: the folder for copies is missing, or the SMTP server refuses the address for copies.
        """
        ...

    def reach_smtp(self) -> None:
        """Log in to the SMTP relay; nothing is sent.

        Raises:
            Unavailable: as for ``send``.
        """
        ...

    def close(self) -> None:
        """Close the idle connections."""
        ...
