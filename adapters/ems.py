"""EMS, the e-mail monitoring system: mail comes in over IMAP and letters go out over SMTP (SOP, section 6)."""

import imaplib
import logging
import re
import smtplib
import ssl
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal, Protocol

from imap_tools import AND, BaseMailBox, Header, MailBox, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxFolderCreateError, UnexpectedCommandStatusError
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from models.errors import BrokenAnswer, OutcomeUnknown, Refused, RefusedLetter, Unavailable
from models.settings import Mailbox, Settings

IMAP_TIMEOUT = 30.0
"""Seconds that one step of an IMAP session may take."""

# RFC 5530: the server says "later", or another intake has moved a mail in this moment.
_LATER = re.compile(r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG|EXPUNGEISSUED)\]")
# smtplib would send to another address instead.
_UNFIT = re.compile(r"[\x00-\x20<>\x7f]|^$")
_UID = re.compile(rb"\bUID (\d+)")

_log = logging.getLogger(__name__)

_again = retry(
    retry=retry_if_exception_type(Unavailable),
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
            Unavailable: nothing was accepted; the server cannot be reached or said "later" (4xx).
            RefusedLetter: nothing was accepted; a final no (5xx, whose code the text names) to this letter.
            Refused: nothing was accepted, and no other letter would be: login, certificate, our sender's address.
            OutcomeUnknown: the connection broke between the letter's end and the answer.
        """
        ...

    def reach_smtp(self) -> None:
        """Log in where letters go out; nothing is sent.

        Raises:
            Unavailable: the server cannot be reached, or said "later".
            Refused: the login was refused.
        """
        ...

    def close(self) -> None:
        """End the connections of the calling thread."""
        ...


class _Connections(threading.local):
    """Each thread's own: neither imaplib nor smtplib may be shared."""

    def __init__(self) -> None:
        self.imap: dict[str, BaseMailBox] = {}
        self.smtp: smtplib.SMTP | None = None


class ImapSmtp:
    """The real EMS. Connections are opened when needed, kept, and dropped on any error."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.smtp
        self._open = _Connections()

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
            raise RefusedLetter("smtp", "an address that no command can carry")
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
        with self._smtp() as smtp:
            _check("NOOP", *smtp.noop())

    def close(self) -> None:
        """See :class:`Ems`."""
        for imap in self._open.imap.values():
            with suppress(OSError, imaplib.IMAP4.error, ImapToolsError):
                imap.logout()
        self._open.imap.clear()
        if self._open.smtp:
            with suppress(OSError):
                self._open.smtp.quit()
        self._open.smtp = None

    @contextmanager
    def _imap(self, box: Mailbox) -> Iterator[BaseMailBox]:
        usable = False
        try:
            if box.address not in self._open.imap:
                self._open.imap[box.address] = _connect_imap(box)
            yield self._open.imap[box.address]
            usable = True
        except (OSError, ValueError, imaplib.IMAP4.error, ImapToolsError) as error:
            raise _imap_error(error) from None
        finally:
            if not usable and (imap := self._open.imap.pop(box.address, None)):
                with suppress(OSError):
                    imap.client.shutdown()

    @contextmanager
    def _smtp(self) -> Iterator[smtplib.SMTP]:
        usable = False
        try:
            if not self._open.smtp:
                self._open.smtp = self._connect_smtp()
            yield self._open.smtp
            usable = True
        except (OSError, ValueError) as error:
            raise _smtp_error(error) from None
        finally:
            if not usable and self._open.smtp:
                self._open.smtp.close()
                self._open.smtp = None

    def _connect_smtp(self) -> smtplib.SMTP:
        to, context = self._settings, ssl.create_default_context()
        smtp = (
            smtplib.SMTP_SSL(to.host, to.port, timeout=to.timeout, context=context)
            if to.tls == "tls"
            else smtplib.SMTP(to.host, to.port, timeout=to.timeout)
        )
        try:
            if to.tls == "starttls":
                smtp.starttls(context=context)
            smtp.ehlo_or_helo_if_needed()
            if to.user:
                smtp.login(to.user, to.password.get_secret_value())
        except BaseException:
            smtp.close()
            raise
        return smtp


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


def _smtp_error(error: Exception) -> Unavailable | Refused:
    name = type(error).__name__
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code // 100 != 4:
        return Refused("smtp", f"{error.smtp_code} ({name})")
    lasting = (ValueError, smtplib.SMTPNotSupportedError)  # addresses and certificates among the first
    return Refused("smtp", name) if isinstance(error, lasting) else Unavailable("smtp", name)


def _mail_options(raw: bytes, *addresses: str) -> list[str]:
    return [
        *([] if raw.isascii() else ["BODY=8BITMIME"]),
        *([] if "".join(addresses).isascii() else ["SMTPUTF8"]),
    ]


def _check(step: str, code: int, text: bytes, expected: int = 2) -> None:
    """Raise what an answer other than the expected means (RFC 5321, 4.2.1); its words may hold addresses."""
    if code // 100 == expected:
        return
    status = re.match(rb"\d\.\d{1,3}\.\d{1,3}\b", text)
    what = f"{code} {status[0].decode() + ' ' if status else ''}to {step}"
    if code // 100 == 4:
        raise Unavailable("smtp", what)
    if code // 100 != 5:
        raise BrokenAnswer("smtp", what)
    # a sender that is refused is so for every letter, unless this one is too big
    raise Refused("smtp", what) if step == "MAIL" and code != 552 else RefusedLetter("smtp", what)
