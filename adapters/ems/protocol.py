"""What the rest of the service knows of EMS: what it gives, what it takes, and how it fails.

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
    """The SMTP server refuses us and not a letter: login, certificate, sender. Works once a person has fixed it.

    It is not tried again within seconds: accounts are locked after a few wrong passwords.
    """


class UsOrRecipient(Unavailable):
    """The SMTP server refuses a letter for good (5xx), and its code does not say whether the recipient or we are meant.

    What it answers to other letters tells; it is not tried again within seconds.
    """


@dataclass(frozen=True)
class Received:
    """One mail as a mailbox holds it. ``uid`` names it only together with ``uidvalidity`` (RFC 3501, 2.3.1.1)."""

    mailbox: str
    site: Site
    uidvalidity: int
    uid: int
    raw: bytes = field(repr=False)
    cut: bool = False
    """``raw`` is only the mail's beginning: the whole is larger than the settings allow and stays on the server."""
    arrived_at: datetime | None = None
    """When it came to the mailbox, as the server says; None where it does not."""
    since: datetime | None = None
    """Nothing that came earlier is read, as far as the server can be believed; None: whatever lies there."""

    @cached_property
    def sha256(self) -> str:
        """Of ``raw``: the ledger knows a mail by it."""
        return hashlib.sha256(self.raw).hexdigest()


@dataclass(frozen=True)
class Lying:
    """What lies unsettled in a mailbox, by UID: what would be taken in, and what came before ``Mailbox.since``."""

    uidvalidity: int
    new: tuple[int, ...]
    older: tuple[int, ...]


class Ems(Protocol):
    """Receives mail and sends letters. What came to a mailbox before its ``since`` is not seen by it."""

    def fetch(self, box: Mailbox, limit: int, after: int = 0) -> list[Received]:
        """At most ``limit`` mails of the mailbox that are not settled, oldest first; none is marked or left out.

        They are fewer where the settings' bytes of a batch are reached; one at least, if there is any. ``after`` is
        the last UID that is passed over. So is a mail that the server itself cannot read.

        Raises:
            Unavailable: the server cannot be reached, or said "later".
            Refused: login or folder was refused; the text names the setting to look at. Or only mails are left that the
                server cannot read; the text names them.
        """
        ...

    def lying(self, box: Mailbox) -> Lying:
        """What lies in the mailbox, without reading any of it.

        Raises:
            Unavailable, Refused: as for ``fetch``.
        """
        ...

    def settle(
        self, box: Mailbox, uidvalidity: int, done: Sequence[int], aside: Sequence[int], copies: Sequence[int] = ()
    ) -> None:
        """Move mails whose outcome is committed out of the way, by UID; what has gone already is passed over.

        ``copies`` of our letters go where they belong. Those that are ``done`` are flagged instead where the mailbox's
        settings say so. Where the mailbox's UIDVALIDITY is another one, the UIDs mean other mails and nothing is done.

        Raises:
            Unavailable, Refused: as for ``fetch``; some may have been moved, and a repeat moves the others.
        """
        ...

    def listen(self, box: Mailbox) -> Iterator[None]:
        """Wait for mail (IDLE, RFC 2177): one item whenever there may be some, the first at once if there is.

        Has a connection of its own, which is closed with the iterator. Ends after a long silence: begin anew.

        Raises:
            Unavailable: the connection broke or was ended.
            Refused: as for ``fetch``, or the server does not know IDLE.
        """
        ...

    def walk(self, box: Mailbox) -> Iterator[tuple[str, dict[int, str]]]:
        """Every mail of the folders that intake uses, some at a time: the folder, and SHA-256 by UID.

        It is that of the bytes that ``fetch`` gives; empty where the server cannot read a mail.

        Raises:
            Unavailable, Refused: as for ``fetch``.
        """
        ...

    def reach_imap(self, box: Mailbox) -> int | None:
        """Log in, and see that mail can be read and settled; returns per cent of the quota used, if there is one.

        Raises:
            Unavailable, Refused: as for ``fetch``.
        """
        ...

    def has_copy(self, message_id: str, box: Mailbox, is_it: Callable[[bytes], bool] = bool) -> bool:
        """Whether a copy of our letter has come to the mailbox that it was sent from.

        Anybody may write a mail with that Message-ID: ``is_it`` says of its bytes whether it is the letter.

        A copy travels as the letter does: a "no" right after the sending proves nothing yet.

        Raises:
            Unavailable, Refused: as for ``fetch``.
        """
        ...

    def send(
        self, raw: bytes, sender: str, recipients: Sequence[str], until: float = math.inf, copies: Sequence[str] = ()
    ) -> None:
        """Hand one letter (RFC 5322, CRLF) over for all recipients or none, with a copy to ourselves.

        It is signed (DKIM) where the settings name a key. A copy that is refused, to ourselves or to one of ``copies``,
        does not stop the letter. Its text is not begun after ``until``, by ``time.monotonic``.

        Raises:
            Unavailable: nothing was accepted; the server cannot be reached, said "later" (4xx), was too slow, or
                refuses us (:class:`NotLetIn`, whose text names the setting to look at), or perhaps us
                (:class:`UsOrRecipient`).
            Refused: nothing was accepted, and this letter never will be: a 5xx answer that concerns its recipient or
                itself; the text names its code.
            OutcomeUnknown: the connection broke between the letter's end and the answer.
        """
        ...

    def reach_copies(self, box: Mailbox) -> str:
        """See that copies of letters can come to the mailbox, and say how; nothing is sent.

        Raises:
            Unavailable: as for ``fetch`` and ``send``.
            Refused: there is no folder for them, or the SMTP server takes nothing for their address.
        """
        ...

    def reach_smtp(self) -> None:
        """Log in where letters go out; nothing is sent.

        Raises:
            Unavailable: as for ``send``.
        """
        ...

    def close(self) -> None:
        """End the connections that nobody uses."""
        ...
