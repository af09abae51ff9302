"""EMS, the e-mail monitoring system: mail comes in over IMAP and letters go out over SMTP (SOP, section 6)."""

import imaplib
import logging
import re
import smtplib
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from queue import Empty, Full, LifoQueue
from typing import Generic, Literal, Protocol, TypeVar

from imap_tools import AND, BaseMailBox, Header, MailBox, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxFolderCreateError, UnexpectedCommandStatusError
from tenacity import (
    retry,
    retry_if_exception_type,
    retry_if_not_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from models.errors import BrokenAnswer, OutcomeUnknown, Refused, Unavailable
from models.settings import Mailbox, Settings

IMAP_TIMEOUT = 30.0
"""Seconds that one step of an IMAP session may take."""
WALKED = 50
"""Mails that are looked at together."""
KEPT = 4
"""Idle connections to one server that are kept."""

# RFC 5530: the server says "later", or another intake has moved a mail in this moment.
_LATER = re.compile(r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG|EXPUNGEISSUED)\]")
# smtplib would send to another address instead.
_UNFIT = re.compile(r"[\x00-\x20<>\x7f]|^$")
_UID = re.compile(rb"\bUID (\d+)")

_log = logging.getLogger(__name__)

_BROKEN = (OSError, ValueError, imaplib.IMAP4.error, ImapToolsError)
"""What a session may raise; smtplib's errors are among the first."""

C = TypeVar("C")


class NotLetIn(Unavailable):
    """The SMTP server refuses us and not a letter: login, certificate, sender. Works once a person has mended it.

    It is not tried again within seconds: accounts are locked after a few wrong passwords.
    """


_again = retry(
    retry=retry_if_exception_type(Unavailable) & retry_if_not_exception_type(NotLetIn),
    stop=stop_after_attempt(3),
    wait=wait_random_exponential(multiplier=0.3, max=2),
    reraise=True,
)


@dataclass(frozen=True)
class Received:
    """One mail as a mailbox holds it. ``uid`` names it only together with ``uidvalidity`` (RFC 3501, 2.3.1.1)."""

    mailbox: str
    site: Literal["JKT", "BDG"]
    uidvalidity: int
    uid: int
    raw: bytes = field(repr=False)


class Ems(Protocol):
    """Receives mail and sends letters."""

    def fetch(self, box: Mailbox, limit: int) -> list[Received]:
        """At most ``limit`` mails of the mailbox, oldest first; none is marked or left out.

        Raises:
            Unavailable: the server cannot be reached, or said "later".
            Refused: login or folder was refused.
        """
        ...

    def settle(self, box: Mailbox, uidvalidity: int, done: Sequence[int], aside: Sequence[int]) -> None:
        """Move mails whose outcome is committed out of the way, by UID; what has gone already is passed over.

        Where the mailbox's UIDVALIDITY is another one, the UIDs mean other mails and nothing is moved.

        Raises:
            Unavailable, Refused: as for ``fetch``; some may have been moved, and a repeat moves the others.
        """
        ...

    def walk(self, box: Mailbox) -> Iterator[tuple[str, dict[int, str]]]:
        """Every mail of the folders that intake uses, some at a time: the folder, and SHA-256 by UID.

        Raises:
            Unavailable, Refused: as for ``fetch``.
        """
        ...

    def has_copy(self, message_id: str, box: Mailbox) -> bool:
        """Whether a copy of our letter has come to the mailbox that it was sent from.

        A copy travels as the letter does: a "no" right after the sending proves nothing yet.

        Raises:
            Unavailable, Refused: as for ``fetch``.
        """
        ...

    def send(self, raw: bytes, sender: str, recipients: Sequence[str]) -> None:
        """Hand one letter (RFC 5322, CRLF) over for all recipients or none, with a copy to ourselves.

        A copy that is refused does not stop the letter.

        Raises:
            Unavailable: nothing was accepted; the server cannot be reached, said "later" (4xx), or refuses us
                (:class:`NotLetIn`, whose text names the setting to look at).
            Refused: nothing was accepted, and this letter never will be: a 5xx answer, whose code the text names.
            OutcomeUnknown: the connection broke between the letter's end and the answer.
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


class _Pool(Generic[C]):
    """Connections to one server. One thread has one at a time; the latest idle one that lives is used again."""

    def __init__(self, lives: Callable[[C], bool], end: Callable[[C], object], drop: Callable[[C], object]) -> None:
        self._lives, self._end, self._drop = lives, end, drop
        self._idle: LifoQueue[C] = LifoQueue(KEPT)

    @contextmanager
    def use(self, connect: Callable[[], C]) -> Iterator[C]:
        """A connection of one's own; any error ends it, because nobody knows its state then."""
        connection = self._living() or connect()
        try:
            yield connection
        except BaseException:
            self._quietly(self._drop, connection)
            raise
        try:
            self._idle.put_nowait(connection)
        except Full:
            self._quietly(self._end, connection)

    def close(self) -> None:
        with suppress(Empty):
            while True:
                self._quietly(self._end, self._idle.get_nowait())

    def _living(self) -> C | None:
        with suppress(Empty):
            while True:
                connection = self._idle.get_nowait()
                with suppress(*_BROKEN):
                    if self._lives(connection):
                        return connection
                self._quietly(self._drop, connection)
        return None

    @staticmethod
    def _quietly(act: Callable[[C], object], connection: C) -> None:
        with suppress(*_BROKEN):
            act(connection)


class ImapSmtp:
    """The real EMS. Connections are opened when needed, kept for all threads, and dropped on any error."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.smtp
        self._out = _Pool[smtplib.SMTP](lambda it: it.rset()[0] == 250, smtplib.SMTP.quit, smtplib.SMTP.close)
        self._in: dict[str, _Pool[BaseMailBox]] = {}

    @_again
    def fetch(self, box: Mailbox, limit: int) -> list[Received]:
        """See :class:`Ems`."""
        with self._imap(box) as imap:
            uidvalidity = _select(imap, box.folder)
            uids = sorted(map(int, imap.uids("ALL")))[:limit]
            bodies = _bodies(imap, uids)
        return [Received(box.address, box.site, uidvalidity, uid, bodies[uid]) for uid in sorted(bodies)]

    @_again
    def settle(self, box: Mailbox, uidvalidity: int, done: Sequence[int], aside: Sequence[int]) -> None:
        """See :class:`Ems`."""
        with self._imap(box) as imap:
            if _select(imap, box.folder, readonly=False) != uidvalidity:
                _log.warning("imap: UIDVALIDITY of a mailbox of %s has changed, no mail is moved", box.site)
                return
            for uids, folder in ((done, box.done_folder), (aside, box.aside_folder)):
                if uids:
                    _move(imap, list(map(str, uids)), folder)

    def walk(self, box: Mailbox) -> Iterator[tuple[str, dict[int, str]]]:
        """See :class:`Ems`."""
        with self._imap(box) as imap:
            for folder in filter(imap.folder.exists, (box.folder, box.done_folder, box.aside_folder)):
                _select(imap, folder)
                uids = sorted(map(int, imap.uids("ALL")))
                for first in range(0, len(uids), WALKED):
                    bodies = _bodies(imap, uids[first : first + WALKED])
                    yield folder, {uid: sha256(raw).hexdigest() for uid, raw in bodies.items()}

    @_again
    def has_copy(self, message_id: str, box: Mailbox) -> bool:
        """See :class:`Ems`."""
        with self._imap(box) as imap:
            for folder in filter(imap.folder.exists, (box.sent_folder, box.folder, box.done_folder)):
                _select(imap, folder)
                found = imap.uids(AND(header=Header("Message-ID", message_id)))
                # The server finds substrings too.
                heads = _bodies(imap, found, "HEADER.FIELDS (MESSAGE-ID)").values()
                if any(head.partition(b":")[2].strip() == message_id.encode() for head in heads):
                    return True
        return False

    @_again
    def send(self, raw: bytes, sender: str, recipients: Sequence[str]) -> None:
        """See :class:`Ems`."""
        if any(map(_UNFIT.search, (sender, *recipients))):
            raise Refused("smtp", "an address that no command can carry")
        local, _, domain = sender.rpartition("@")
        copy_to = self._settings.copy_to or f"{local}+Sent@{domain}"
        stuffed = re.sub(rb"(?m)^\.", b"..", raw.removesuffix(b"\r\n"))  # RFC 5321, 4.5.2
        with self._smtp() as smtp:
            _check("MAIL", *smtp.mail(sender, _mail_options(raw, sender, *recipients, copy_to)))
            for recipient in recipients:
                _check("RCPT", *smtp.rcpt(recipient))
            code, _text = smtp.rcpt(copy_to)
            if code // 100 != 2:
                _log.warning("smtp: the copy of a letter was refused (%d)", code)
            _check("DATA", *smtp.docmd("DATA"), expected=3)
            smtp.send(stuffed + b"\r\n.\r\n")
            try:
                code, text = smtp.getreply()
            except smtplib.SMTPException as error:
                raise OutcomeUnknown("smtp", f"no answer to a letter: {type(error).__name__}") from None
            if code // 100 not in (2, 4, 5):
                raise OutcomeUnknown("smtp", f"{code} to a letter")
            _check("the letter", code, text)

    @_again
    def reach_smtp(self) -> None:
        """See :class:`Ems`."""
        with self._smtp():
            pass

    def close(self) -> None:
        """See :class:`Ems`."""
        self._out.close()
        for pool in list(self._in.values()):
            pool.close()

    @contextmanager
    def _imap(self, box: Mailbox) -> Iterator[BaseMailBox]:
        new = _Pool[BaseMailBox](
            lambda it: it.client.noop()[0] == "OK", lambda it: it.logout(), lambda it: it.client.shutdown()
        )
        try:
            with self._in.setdefault(box.address, new).use(partial(_connect_imap, box)) as imap:
                yield imap
        except _BROKEN as error:
            raise _imap_error(error) from None

    @contextmanager
    def _smtp(self) -> Iterator[smtplib.SMTP]:
        try:
            with self._out.use(self._connect_smtp) as smtp:
                yield smtp
        except (ValueError, smtplib.SMTPNotSupportedError) as error:
            raise Refused("smtp", type(error).__name__) from None  # addresses that this server cannot take
        except OSError as error:
            raise Unavailable("smtp", type(error).__name__) from None

    def _connect_smtp(self) -> smtplib.SMTP:
        to, context = self._settings, ssl.create_default_context()
        with _asking("the connection", "LAYANAN_SMTP__HOST, LAYANAN_SMTP__PORT, LAYANAN_SMTP__TLS"):
            smtp = (
                smtplib.SMTP_SSL(to.host, to.port, timeout=to.timeout, context=context)
                if to.tls == "tls"
                else smtplib.SMTP(to.host, to.port, timeout=to.timeout)
            )
        try:
            with _asking("TLS and greeting", "LAYANAN_SMTP__TLS, LAYANAN_SMTP__HOST"):
                if to.tls == "starttls":
                    smtp.starttls(context=context)
                smtp.ehlo_or_helo_if_needed()
            with _asking("the login", "LAYANAN_SMTP__USER, LAYANAN_SMTP__PASSWORD"):
                if to.user:
                    smtp.login(to.user, to.password.get_secret_value())
        except BaseException:
            smtp.close()
            raise
        return smtp


@contextmanager
def _asking(step: str, settings: str) -> Iterator[None]:
    """What goes wrong before any letter is the service's trouble."""
    try:
        yield
    except (OSError, ValueError) as error:
        code = getattr(error, "smtp_code", 0)
        # certificates are among the first
        lasting = code // 100 == 5 or isinstance(error, ValueError | smtplib.SMTPNotSupportedError)
        what = f"{code if code > 0 else type(error).__name__} to {step}: look at {settings}"
        raise (NotLetIn if lasting else Unavailable)("smtp", what) from None


def _connect_imap(box: Mailbox) -> BaseMailBox:
    imap: BaseMailBox = (
        MailBox(box.host, box.port, IMAP_TIMEOUT, ssl_context=ssl.create_default_context())
        if box.tls
        else MailBoxUnencrypted(box.host, box.port, IMAP_TIMEOUT)
    )
    try:
        password = box.password.get_secret_value()
        login = imap.login if (box.user + password).isascii() else imap.login_utf8
        login(box.user, password, initial_folder=None)
        # imaplib asks before the login, when servers do not speak of MOVE yet.
        imap.client.capabilities = tuple(imap.client.capability()[1][0].decode().upper().split())
    except BaseException:
        imap.client.shutdown()
        raise
    return imap


def _select(imap: BaseMailBox, folder: str, readonly: bool = True) -> int:
    """Open a folder and return its UIDVALIDITY."""
    imap.folder.set(folder, readonly)
    value = imap.client.response("UIDVALIDITY")[1][0]
    if not isinstance(value, bytes):
        raise BrokenAnswer("imap", "no UIDVALIDITY")
    return int(value)


def _bodies(imap: BaseMailBox, uids: Iterable[int | str], section: str = "") -> dict[int, bytes]:
    """Mails by UID, unparsed and unmarked (imap-tools' own fetch would parse each)."""
    wanted = ",".join(map(str, uids))
    if not wanted:
        return {}
    data = _uid(imap, "FETCH", wanted, f"(UID BODY.PEEK[{section}])")
    bodies: dict[int, bytes] = {}
    for item, after in zip(data, [*data[1:], b""], strict=True):
        # (what stands before the body, the body); some servers tell the UID after it
        if isinstance(item, tuple):
            uid = _UID.search(item[0]) or (_UID.search(after) if isinstance(after, bytes) else None)
            if uid:
                bodies[int(uid[1])] = item[1]
    return bodies


def _move(imap: BaseMailBox, uids: list[str], folder: str) -> None:
    if not imap.folder.exists(folder):
        with suppress(MailboxFolderCreateError):  # another intake was faster
            imap.folder.create(folder)
        imap.folder.subscribe(folder, True)
    if "MOVE" in imap.client.capabilities:
        imap.move(uids, folder)
        return
    if "UIDPLUS" not in imap.client.capabilities:
        raise Refused("imap", "the server offers neither MOVE nor UIDPLUS")
    imap.copy(uids, folder)
    _uid(imap, "STORE", ",".join(uids), "+FLAGS.SILENT", r"(\Deleted)")
    _uid(imap, "EXPUNGE", ",".join(uids))  # these alone, not what others have marked


def _uid(imap: BaseMailBox, command: str, *arguments: str) -> list[bytes | tuple[bytes, bytes]]:
    result = imap.client.uid(command, *arguments)
    if result[0] != "OK":
        raise UnexpectedCommandStatusError(result, "OK")
    return result[1]


def _imap_error(error: Exception) -> Unavailable | Refused:
    name = type(error).__name__
    lasting = isinstance(error, ssl.SSLCertVerificationError)
    if isinstance(error, OSError | imaplib.IMAP4.abort) and not lasting:
        return Unavailable("imap", name)
    later = isinstance(error, UnexpectedCommandStatusError) and _LATER.search(str(error.command_result))
    return Unavailable("imap", name) if later else Refused("imap", name)


def _mail_options(raw: bytes, *addresses: str) -> list[str]:
    return [
        *([] if raw.isascii() else ["BODY=8BITMIME"]),
        *([] if "".join(addresses).isascii() else ["SMTPUTF8"]),
    ]


def _check(step: str, code: int, text: bytes, expected: int = 2) -> None:
    """Raise what an answer other than the expected means (RFC 5321, 4.2.1); its words may hold addresses."""
    if code // 100 == expected:
        return
    match = re.match(rb"\d\.\d{1,3}\.\d{1,3}\b", text)
    status = match[0].decode() if match else ""
    what = f"{code} {status} to {step}".replace("  ", " ")
    if code // 100 != 5:
        raise Unavailable("smtp", what)
    too_large = code == 552 or status == "5.3.4"  # RFC 1870, RFC 3463
    if code == 530 or (step == "MAIL" and not too_large):  # RFC 4954: a login is wanted
        raise NotLetIn("smtp", f"{what}: look at LAYANAN_SMTP__USER, LAYANAN_MAILBOXES")
    raise Refused("smtp", what)
