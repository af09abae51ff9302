"""One session with an IMAP server: login, bounded reading, moving mail, and the translation of its errors.

Held by `tests/adapters/ems/test_imap.py` and `tests/adapters/ems/test_login.py`.
"""

import imaplib
import re
import socket
import ssl
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from imap_tools import BaseMailBox, MailBox, MailBoxUnencrypted
from imap_tools.errors import (
    MailboxAppendError,
    MailboxCopyError,
    MailboxFolderCreateError,
    MailboxFolderSelectError,
    MailboxFolderSubscribeError,
    MailboxLoginError,
    MailboxMoveError,
    MailboxUidsError,
    UnexpectedCommandStatusError,
)

from adapters.ems.imap_internals import answer, ask_capabilities, capabilities, decoded, encoded, refused_command
from adapters.ems.login import NoToken, bearer
from adapters.ems.pool import BROKEN
from models.errors import BrokenAnswer, Refused, Unavailable
from models.settings import Mailbox

IMAP_TIMEOUT = 30.0
"""Timeout of one step of a session, in seconds."""
SILENCE = 600.0
"""Seconds of silence after which a listening connection is renewed: routers drop silent ones sooner than RFC 2177's 29
minutes."""
BEGINNING = 1_000_000
"""Bytes that are read of a mail that is too large to be read whole."""
TOGETHER = 500
"""Most UIDs in one command."""
NO_MAIL_BEFORE = date(1990, 1, 1)
"""An earlier arrival shows that the server's clock was wrong; when the mail came is unknown."""
DONE = "LayananDone"
"""Keyword of processed mail, if the settings want it flagged."""

# RFC 5530: the server says "later", or another intake has just moved a mail
_LATER = re.compile(r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG|EXPUNGEISSUED)\]")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_CODE = re.compile(r"\[([A-Z]+)\b")
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_ARRIVED = re.compile(rb'\bINTERNALDATE "([^"]{1,40})"')
_SHORT = re.compile(rb'\bBODY\[[^]]*\](?:<0>)? "((?:[^"\\]|\\.)*)"')
_QUOTA = re.compile(rb"\b(?:STORAGE|MESSAGE) (\d+) (\d+)")

_WHERE: dict[type[Exception], str] = {
    ConnectionRefusedError: "host and port",
    ssl.SSLError: "port and tls",
    # on a port for TLS, the server waits for the client to begin
    TimeoutError: "host, port and tls",
}
"""What to check if no session begins, by the exact class: a derived one may also end a running session."""

_COMMANDS: dict[type[Exception], str] = {
    MailboxUidsError: "UID SEARCH",
    MailboxFolderCreateError: "CREATE",
    MailboxFolderSubscribeError: "SUBSCRIBE",
    MailboxAppendError: "APPEND",
}
"""Names of commands, by error."""
_NAMESPACE_PREFIX = re.compile(rb'\("([^"]*)" (?:"[^"]+"|NIL)')
_PREFIXES: "WeakKeyDictionary[BaseMailBox, tuple[str, tuple[str, ...]]]" = WeakKeyDictionary()
"""By session: the prefix of the personal namespace, and those of the others."""
_LOG = "the server refuses this command: check its log"

Line = bytes | tuple[bytes, bytes]


class NotDone(UnexpectedCommandStatusError):
    """The server refused a command."""

    def __init__(self, command: str, result: Any) -> None:
        super().__init__(result, "OK")
        self.command = command


class Mail(NamedTuple):
    """A mail's bytes, whether they are only its beginning, and its time of arrival."""

    raw: bytes
    cut: bool
    arrived_at: datetime | None


class Described(NamedTuple):
    """A mail's size in bytes (0 if the server gives none) and its time of arrival."""

    size: int = 0
    arrived_at: datetime | None = None


Batch = dict[int, Mail]
"""Mails by UID."""


def connect(box: Mailbox) -> BaseMailBox:
    """Open a session and log in. Raises what :func:`errors` translates."""
    imap: BaseMailBox = (
        MailBox(box.host, box.port, IMAP_TIMEOUT, ssl_context=ssl.create_default_context())
        if box.tls
        else MailBoxUnencrypted(box.host, box.port, IMAP_TIMEOUT)
    )
    try:
        _log_in(imap, box)
        ask_capabilities(imap)
    except BaseException:
        imap.client.shutdown()
        raise
    return imap


def _log_in(imap: BaseMailBox, box: Mailbox) -> None:
    password = box.password.get_secret_value()
    try:
        if box.xoauth2.used:
            answer = bearer(box.user, box.xoauth2).encode()
            # before its refusal the server sends a challenge, which takes an empty answer
            imap.client.authenticate("XOAUTH2", lambda challenge: b"" if challenge else answer)
        elif (box.user + password).isascii():
            imap.login(box.user, password, initial_folder=None)
        else:
            imap.login_utf8(box.user, password, initial_folder=None)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise MailboxLoginError(("NO", str(error)), "OK") from None


@contextmanager
def errors() -> Iterator[None]:
    """Translate what goes wrong in a session into errors of ours."""
    try:
        yield
    except BROKEN as error:
        raise _translated(error) from None


def _translated(error: Exception) -> Unavailable | Refused:
    """Name the error and the server's response code (RFC 5530). Its own words may contain anything and are left out."""
    what = type(error).__name__
    if isinstance(error, ssl.SSLCertVerificationError):
        return Refused("imap", f"{what}: check host and tls in LAYANAN_MAILBOXES, or the server's certificate")
    if isinstance(error, NoToken):
        return Refused("imap", f"{what}: {error}: check xoauth2 in LAYANAN_MAILBOXES")
    if isinstance(error, socket.gaierror):
        return Unavailable("imap", f"{what}: there is no such host: check host in LAYANAN_MAILBOXES")
    if isinstance(error, imaplib.IMAP4.readonly):
        return Refused("imap", f"{what}: check the rights of user in LAYANAN_MAILBOXES")
    if where := _WHERE.get(type(error)):
        return Unavailable("imap", f"{what}: check {where} in LAYANAN_MAILBOXES")
    if isinstance(error, OSError | imaplib.IMAP4.abort):
        return Unavailable("imap", what)
    if not isinstance(error, UnexpectedCommandStatusError):
        command = refused_command(error) if isinstance(error, imaplib.IMAP4.error) else ""
        return Refused("imap", f"{what} to {command}: {_LOG}" if command else what)
    said = answer(error)
    code = _CODE.search(said)
    what += f" {code[1]}" if code else ""
    if _LATER.search(said):
        return Unavailable("imap", what)
    if isinstance(error, MailboxLoginError):
        what += ": check user, password, xoauth2 in LAYANAN_MAILBOXES"
    elif isinstance(error, MailboxFolderSelectError):
        what += ": check folder in LAYANAN_MAILBOXES"
    elif isinstance(error, MailboxMoveError | MailboxCopyError):
        what += ": check done_folder and aside_folder in LAYANAN_MAILBOXES, and the free space on the server"
    else:
        command = error.command if isinstance(error, NotDone) else _COMMANDS.get(type(error), "a command")
        what += f" to {command}: {_LOG}"
    return Refused("imap", what)


def select(imap: BaseMailBox, folder: str, readonly: bool = True) -> int:
    """Open a folder and return its UIDVALIDITY."""
    imap.folder.set(named(imap, folder), readonly)
    value = imap.client.response("UIDVALIDITY")[1][0]
    if not isinstance(value, bytes):
        raise BrokenAnswer("imap", "no UIDVALIDITY")
    return int(value)


def named(imap: BaseMailBox, folder: str) -> str:
    """A folder's full name on this server: our folders are in the personal namespace (RFC 2342), such as ``INBOX.``.

    A name that already begins with the prefix of a namespace stays as it is.
    """
    if "NAMESPACE" not in capabilities(imap) or folder.upper() == "INBOX":
        return folder
    if imap not in _PREFIXES:
        said = imap.client.namespace()[1][0]
        _PREFIXES[imap] = _prefixes(said if isinstance(said, bytes) else b"")
    personal, others = _PREFIXES[imap]
    known = any(folder.upper().startswith(prefix.upper()) for prefix in (personal, *others) if prefix)
    return folder if known else personal + folder


def _prefixes(said: bytes) -> tuple[str, tuple[str, ...]]:
    """The prefix of the personal namespace and those of the others. The server names the personal one first, or NIL."""
    found = [decoded(prefix) for prefix in _NAMESPACE_PREFIX.findall(said)]
    return ("", tuple(found)) if said.startswith(b"NIL") or not found else (found[0], tuple(found[1:]))


def exists(imap: BaseMailBox, folder: str) -> bool:
    """Whether the folder exists."""
    return imap.folder.exists(named(imap, folder))


def made(imap: BaseMailBox, folder: str) -> str:
    """Create the folder if it is missing; return its full name."""
    name = named(imap, folder)
    if not imap.folder.exists(name):
        # another intake may have been faster; otherwise the next command fails and names the error
        with suppress(MailboxFolderCreateError, MailboxFolderSubscribeError):
            imap.folder.create(name)
            imap.folder.subscribe(name, True)
    return name


def append(imap: BaseMailBox, raw: bytes, folder: str) -> None:
    """Add a mail to a folder, marked as read."""
    imap.append(raw, made(imap, folder), flag_set=[r"\Seen"])


def unsettled(imap: BaseMailBox, box: Mailbox) -> list[int]:
    """UIDs of the selected folder's mails that intake has not settled and that came after ``box.since``, oldest first.

    A server searches by whole days in a time zone of its own, so near the border each mail's time of arrival decides.
    """
    unsettled = f"UNKEYWORD {DONE}" if box.after == "flag" else "ALL"
    if box.since is None:
        return search(imap, unsettled)
    day = box.since.astimezone(UTC).date()
    from_then = f"SINCE {_search_day(day - timedelta(1))}"
    found = search(imap, f"{unsettled} OR {from_then} BEFORE {_search_day(NO_MAIL_BEFORE)}")
    if not found:
        return []
    near = search(imap, f"{unsettled} {from_then} BEFORE {_search_day(day + timedelta(2))}")
    early: set[int] = set()
    for first in range(0, len(near), TOGETHER):
        known = _described(imap, near[first : first + TOGETHER]).items()
        early |= {uid for uid, (_, arrived_at) in known if arrived_at and arrived_at < box.since}
    return [uid for uid in found if uid not in early]


def _search_day(day: date) -> str:
    """A date for SEARCH, independent of the locale."""
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"


def batches(imap: BaseMailBox, uids: Collection[int], most: int, largest: int) -> Iterator[Batch]:
    """Read mails in order, batch by batch.

    A batch has at most ``most`` bytes, or one mail. Of a mail above ``largest`` bytes only the beginning is read. If
    the server does not send the content of an existing mail, that mail is empty.
    """
    batch: dict[int, tuple[bool, datetime | None]] = {}
    total = 0
    known = _described(imap, uids)
    for uid in uids:
        size, arrived_at = known.get(uid, Described())
        cut = size > largest
        size = BEGINNING if cut else size
        if batch and total + size > most:
            yield _read(imap, batch)
            batch, total = {}, 0
        batch[uid] = cut, arrived_at
        total += size
    if batch:
        yield _read(imap, batch)


def _read(imap: BaseMailBox, batch: dict[int, tuple[bool, datetime | None]]) -> Batch:
    found: Batch = {}
    for cut, part in ((False, ""), (True, f"<0.{BEGINNING}>")):
        uids = [uid for uid, (is_cut, _) in batch.items() if is_cut is cut]
        given = bodies(imap, uids, f"BODY.PEEK[]{part}")
        if left := still_there(imap, [uid for uid in uids if uid not in given]):
            # the server may have failed for a moment
            given |= dict.fromkeys(left, b"") | bodies(imap, left, f"BODY.PEEK[]{part}")
        found |= {uid: Mail(raw, *batch[uid]) for uid, raw in given.items()}
    # Courier makes up a mail in place of one that another session has removed meanwhile
    return {uid: found[uid] for uid in still_there(imap, sorted(found))}


def still_there(imap: BaseMailBox, known: list[int]) -> list[int]:
    """The UIDs of ``known`` that are still in the folder."""
    if not known:
        return []
    imap.client.noop()  # before it the server may hide what is gone
    there: set[int] = set()
    for first in range(0, len(known), TOGETHER):
        there |= set(search(imap, f"UID {','.join(map(str, known[first : first + TOGETHER]))}"))
    return [uid for uid in known if uid in there]


def bodies(imap: BaseMailBox, uids: Iterable[int | str], what: str) -> dict[int, bytes]:
    """One part of each mail by UID, without marking it as read (imap-tools' own fetch would parse each mail).

    Mails of which the server sends nothing (NIL) are left out.
    """
    data = _fetch(imap, uids, what)
    found: dict[int, bytes] = {}
    for item, after in zip(data, [*data[1:], b""], strict=False):
        # a tuple is (text before the body, body); some servers send the UID after the body
        if isinstance(item, tuple):
            uid = _UID.search(item[0]) or (_UID.search(after) if isinstance(after, bytes) else None)
            if uid:
                found[int(uid[1])] = item[1]
        elif (short := _SHORT.search(item)) and (uid := _UID.search(item)):
            found[int(uid[1])] = re.sub(rb"\\(.)", rb"\1", short[1])
    return found


def _described(imap: BaseMailBox, uids: Collection[int]) -> dict[int, Described]:
    found: dict[int, Described] = {}
    for item in _fetch(imap, uids, "RFC822.SIZE INTERNALDATE"):
        line = item[0] if isinstance(item, tuple) else item
        if uid := _UID.search(line):
            size = _SIZE.search(line)
            found[int(uid[1])] = Described(int(size[1]) if size else 0, _arrived(line))
    return found


def _arrived(line: bytes) -> datetime | None:
    found = _ARRIVED.search(line)
    try:
        at = parsedate_to_datetime(found[1].decode("ascii", "replace")) if found else None
    except (IndexError, OverflowError, TypeError, ValueError):
        return None
    return at if at and at.tzinfo else None


def _fetch(imap: BaseMailBox, uids: Iterable[int | str], what: str) -> list[Line]:
    wanted = ",".join(map(str, uids))
    return [line for line in uid(imap, "FETCH", wanted, f"(UID {what})") if line] if wanted else []


def move(imap: BaseMailBox, uids: list[str], folder: str) -> None:
    """Move these mails, and no others, to a folder, which is created if it is missing."""
    folder = made(imap, folder)
    if can_move(imap) == "MOVE":
        imap.move(uids, folder)
        return
    # Courier answers OK for a mail that is gone
    if not (uids := list(map(str, still_there(imap, list(map(int, uids)))))):
        return
    imap.copy(uids, folder)
    uid(imap, "STORE", ",".join(uids), "+FLAGS.SILENT", r"(\Deleted)")
    uid(imap, "EXPUNGE", ",".join(uids))  # only these, not what others have marked


def can_move(imap: BaseMailBox) -> str:
    """The extension by which the server moves mails without touching other ones."""
    for name in ("MOVE", "UIDPLUS"):
        if name in capabilities(imap):
            return name
    raise Refused("imap", "the server offers neither MOVE nor UIDPLUS")


def flag(imap: BaseMailBox, uids: list[str]) -> None:
    """Mark mails of the selected folder as processed."""
    can_flag(imap)
    uid(imap, "STORE", ",".join(uids), "+FLAGS.SILENT", f"({DONE})")


def can_flag(imap: BaseMailBox) -> None:
    """Check that the folder, selected for writing, keeps our keyword. A server may list none (RFC 3501, 7.1)."""
    flags = imap.client.response("PERMANENTFLAGS")[1][0]
    if flags is not None and b"\\*" not in flags and DONE.encode() not in flags:
        raise Refused("imap", "the server keeps no keywords: set after to “move” in LAYANAN_MAILBOXES")


def quota(imap: BaseMailBox, folder: str) -> int | None:
    """Used share of the folder's quota in per cent; None without a quota."""
    if not any(name.startswith("QUOTA") for name in capabilities(imap)):
        return None
    _, (_, lines) = imap.client.getquotaroot(encoded(named(imap, folder)))
    found = [(int(used), int(most)) for line in lines if line for used, most in _QUOTA.findall(line)]
    return max((100 * used // most for used, most in found if most), default=None)


def idle(imap: BaseMailBox) -> Iterator[None]:
    """Wait in the selected folder for mail. Yields whenever the server announces some; ends after a long silence.

    imap-tools' IDLE mistakes a closed connection for silence, and fails on a line that arrives in two pieces.
    """
    if "IDLE" not in capabilities(imap):
        raise Refused("imap", "the server does not support IDLE: set idle to false in LAYANAN_MAILBOXES")
    imap.client.socket().settimeout(SILENCE)
    imap.client.send(b"idle IDLE\r\n")
    with suppress(TimeoutError):
        while (line := imap.client.readline()) and not line.startswith(b"idle "):
            if line.rstrip().endswith(b" EXISTS"):
                yield
        raise Unavailable("imap", "the server ended IDLE")


def search(imap: BaseMailBox, criteria: str) -> list[int]:
    """UIDs of the selected folder's mails that match, in order."""
    found = uid(imap, "SEARCH", criteria)
    return sorted({int(one) for line in found if isinstance(line, bytes) for one in line.split()})


def uid(imap: BaseMailBox, command: str, *arguments: str) -> list[Line]:
    """Run one UID command."""
    try:
        result = imap.client.uid(command, *arguments)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        result = "BAD", [str(error).encode()]
    if result[0] != "OK":
        raise NotDone(f"UID {command}", result)
    return result[1]
