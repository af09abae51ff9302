"""One session with an IMAP server: logging in, reading within bounds, settling, and what its errors mean.

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
"""Seconds that one step of a session may take."""
SILENCE = 600.0
"""Seconds after which a connection that waits and hears nothing is made anew: routers forget silent ones sooner than
RFC 2177's 29 minutes."""
BEGINNING = 1_000_000
"""Bytes that are read of a mail which is too large to be read whole."""
TOGETHER = 500
"""Mails that one command names."""
NO_MAIL_BEFORE = date(1990, 1, 1)
"""What a server says came earlier came when its clock was wrong, and nobody knows when."""
DONE = "LayananDone"
"""Keyword of mail that is done, where the settings want it flagged."""

# RFC 5530: the server says "later", or another intake has moved a mail in this moment.
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
    # a port for TLS waits for the client to begin
    TimeoutError: "host, port and tls",
}
"""What to look at where no session begins, by the error itself: those derived from it end one, too."""

_COMMANDS: dict[type[Exception], str] = {
    MailboxUidsError: "UID SEARCH",
    MailboxFolderCreateError: "CREATE",
    MailboxFolderSubscribeError: "SUBSCRIBE",
    MailboxAppendError: "APPEND",
}
"""The command that an error is about."""
_NAMESPACE_PREFIX = re.compile(rb'\("([^"]*)" (?:"[^"]+"|NIL)')
_PREFIXES: "WeakKeyDictionary[BaseMailBox, tuple[str, tuple[str, ...]]]" = WeakKeyDictionary()
"""Of sessions that were asked: the personal namespace's prefix, and those of the others."""
_LOG = "the server refuses this command: look at its log"

Line = bytes | tuple[bytes, bytes]


class NotDone(UnexpectedCommandStatusError):
    """The server did not do a command."""

    def __init__(self, command: str, result: Any) -> None:
        super().__init__(result, "OK")
        self.command = command


class Mail(NamedTuple):
    """A mail's bytes, whether they are its beginning alone, and when it came."""

    raw: bytes
    cut: bool
    arrived_at: datetime | None


class Known(NamedTuple):
    """What the server says of a mail: its bytes, 0 where it does not say, and when it came."""

    size: int = 0
    arrived_at: datetime | None = None


Batch = dict[int, Mail]
"""Mails by UID."""


def connect(box: Mailbox) -> BaseMailBox:
    """A session that is logged in, with no folder open; raises what :func:`meaning` translates."""
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
            # what comes before the server's "no" wants an empty answer
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
def meaning() -> Iterator[None]:
    """What goes wrong in a session, as an error of ours."""
    try:
        yield
    except BROKEN as error:
        raise _meaning(error) from None


def _meaning(error: Exception) -> Unavailable | Refused:
    """Names the error and the server's response code (RFC 5530); a server's own words may hold anything."""
    what = type(error).__name__
    if isinstance(error, ssl.SSLCertVerificationError):
        return Refused("imap", f"{what}: look at host and tls in LAYANAN_MAILBOXES, or at the server's certificate")
    if isinstance(error, NoToken):
        return Refused("imap", f"{what}: {error}: look at xoauth2 in LAYANAN_MAILBOXES")
    if isinstance(error, socket.gaierror):
        return Unavailable("imap", f"{what}: there is no such host: look at host in LAYANAN_MAILBOXES")
    if isinstance(error, imaplib.IMAP4.readonly):
        return Refused("imap", f"{what}: look at the rights of user in LAYANAN_MAILBOXES")
    if where := _WHERE.get(type(error)):
        return Unavailable("imap", f"{what}: look at {where} in LAYANAN_MAILBOXES")
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
        what += ": look at user, password, xoauth2 in LAYANAN_MAILBOXES"
    elif isinstance(error, MailboxFolderSelectError):
        what += ": look at folder in LAYANAN_MAILBOXES"
    elif isinstance(error, MailboxMoveError | MailboxCopyError):
        what += ": look at done_folder and aside_folder in LAYANAN_MAILBOXES, and at the room on the server"
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
    """A folder's name on this server: our own ones stand below the personal namespace (RFC 2342), such as ``INBOX.``.

    One that says where it stands, in whatever namespace, is taken as it is.
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
    """The personal namespace's prefix, and those of all others; the personal ones come first, and may be NIL."""
    found = [decoded(prefix) for prefix in _NAMESPACE_PREFIX.findall(said)]
    return ("", tuple(found)) if said.startswith(b"NIL") or not found else (found[0], tuple(found[1:]))


def exists(imap: BaseMailBox, folder: str) -> bool:
    """Whether the server has a folder."""
    return imap.folder.exists(named(imap, folder))


def made(imap: BaseMailBox, folder: str) -> str:
    """Make a folder where it is missing; its name on this server."""
    name = named(imap, folder)
    if not imap.folder.exists(name):
        # another intake was faster, or what comes next says what is wrong; and who does not subscribe still finds it
        with suppress(MailboxFolderCreateError, MailboxFolderSubscribeError):
            imap.folder.create(name)
            imap.folder.subscribe(name, True)
    return name


def append(imap: BaseMailBox, raw: bytes, folder: str) -> None:
    """Put a mail into a folder, as read."""
    imap.append(raw, made(imap, folder), flag_set=[r"\Seen"])


def unsettled(imap: BaseMailBox, box: Mailbox) -> list[int]:
    """UIDs of the open folder's mails that intake has not settled, and that came when it reads, oldest first.

    A server looks for whole days, in whatever zone it likes: near the border each mail's own moment counts.
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
        known = _known(imap, near[first : first + TOGETHER]).items()
        early |= {uid for uid, (_, arrived_at) in known if arrived_at and arrived_at < box.since}
    return [uid for uid in found if uid not in early]


def _search_day(day: date) -> str:
    """As SEARCH wants it, whatever the machine's language."""
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"


def batches(imap: BaseMailBox, uids: Collection[int], most: int, largest: int) -> Iterator[Batch]:
    """Mails in order, batch by batch.

    A batch has at most ``most`` bytes, or one mail. Of mails above ``largest`` bytes the beginning is read. One that is
    there, and of which the server gives nothing, is empty.
    """
    batch: dict[int, tuple[bool, datetime | None]] = {}
    total = 0
    known = _known(imap, uids)
    for uid in uids:
        size, arrived_at = known.get(uid, Known())
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
            # it may have been for a moment
            given |= dict.fromkeys(left, b"") | bodies(imap, left, f"BODY.PEEK[]{part}")
        found |= {uid: Mail(raw, *batch[uid]) for uid, raw in given.items()}
    # Courier makes one up for each that another session has removed meanwhile
    return {uid: found[uid] for uid in still_there(imap, sorted(found))}


def still_there(imap: BaseMailBox, known: list[int]) -> list[int]:
    """Those that nobody has moved or removed."""
    if not known:
        return []
    imap.client.noop()  # until then the server may not say what is gone
    there: set[int] = set()
    for first in range(0, len(known), TOGETHER):
        there |= set(search(imap, f"UID {','.join(map(str, known[first : first + TOGETHER]))}"))
    return [uid for uid in known if uid in there]


def bodies(imap: BaseMailBox, uids: Iterable[int | str], what: str) -> dict[int, bytes]:
    """A part of mails by UID, unparsed and unmarked (imap-tools' own fetch would parse each).

    Without those of which the server gives nothing (NIL).
    """
    data = _fetch(imap, uids, what)
    found: dict[int, bytes] = {}
    for item, after in zip(data, [*data[1:], b""], strict=False):
        # (what stands before the body, the body); some servers tell the UID after it
        if isinstance(item, tuple):
            uid = _UID.search(item[0]) or (_UID.search(after) if isinstance(after, bytes) else None)
            if uid:
                found[int(uid[1])] = item[1]
        elif (short := _SHORT.search(item)) and (uid := _UID.search(item)):
            found[int(uid[1])] = re.sub(rb"\\(.)", rb"\1", short[1])
    return found


def _known(imap: BaseMailBox, uids: Collection[int]) -> dict[int, Known]:
    found: dict[int, Known] = {}
    for item in _fetch(imap, uids, "RFC822.SIZE INTERNALDATE"):
        line = item[0] if isinstance(item, tuple) else item
        if uid := _UID.search(line):
            size = _SIZE.search(line)
            found[int(uid[1])] = Known(int(size[1]) if size else 0, _arrived(line))
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
    """Move mails of the open folder, and no others; the folder is made where it is missing."""
    folder = made(imap, folder)
    if can_move(imap) == "MOVE":
        imap.move(uids, folder)
        return
    # Courier says OK to a mail that is gone
    if not (uids := list(map(str, still_there(imap, list(map(int, uids)))))):
        return
    imap.copy(uids, folder)
    uid(imap, "STORE", ",".join(uids), "+FLAGS.SILENT", r"(\Deleted)")
    uid(imap, "EXPUNGE", ",".join(uids))  # these alone, not what others have marked


def can_move(imap: BaseMailBox) -> str:
    """The extension by which the server moves mails without touching others."""
    for name in ("MOVE", "UIDPLUS"):
        if name in capabilities(imap):
            return name
    raise Refused("imap", "the server offers neither MOVE nor UIDPLUS")


def flag(imap: BaseMailBox, uids: list[str]) -> None:
    """Mark mails of the open folder as done."""
    can_flag(imap)
    uid(imap, "STORE", ",".join(uids), "+FLAGS.SILENT", f"({DONE})")


def can_flag(imap: BaseMailBox) -> None:
    """See that the folder, opened for writing, keeps our keyword (RFC 3501, 7.1: a list may be missing)."""
    flags = imap.client.response("PERMANENTFLAGS")[1][0]
    if flags is not None and b"\\*" not in flags and DONE.encode() not in flags:
        raise Refused("imap", "the server keeps no keywords: set after to “move” in LAYANAN_MAILBOXES")


def quota(imap: BaseMailBox, folder: str) -> int | None:
    """Per cent of the folder's quota that is used; None where there is none."""
    if not any(name.startswith("QUOTA") for name in capabilities(imap)):
        return None
    _, (_, lines) = imap.client.getquotaroot(encoded(named(imap, folder)))
    found = [(int(used), int(most)) for line in lines if line for used, most in _QUOTA.findall(line)]
    return max((100 * used // most for used, most in found if most), default=None)


def idle(imap: BaseMailBox) -> Iterator[None]:
    """Wait in the open folder for mail: one item whenever the server tells of some; ends after a long silence.

    imap-tools' IDLE takes the end of a connection for silence and breaks on a line that comes in two pieces.
    """
    if "IDLE" not in capabilities(imap):
        raise Refused("imap", "the server does not know IDLE: set idle to false in LAYANAN_MAILBOXES")
    imap.client.socket().settimeout(SILENCE)
    imap.client.send(b"idle IDLE\r\n")
    with suppress(TimeoutError):
        while (line := imap.client.readline()) and not line.startswith(b"idle "):
            if line.rstrip().endswith(b" EXISTS"):
                yield
        raise Unavailable("imap", "IDLE was ended by the server")


def search(imap: BaseMailBox, criteria: str) -> list[int]:
    """UIDs of the open folder's mails that the server finds, in order."""
    found = uid(imap, "SEARCH", criteria)
    return sorted({int(one) for line in found if isinstance(line, bytes) for one in line.split()})


def uid(imap: BaseMailBox, command: str, *arguments: str) -> list[Line]:
    """One UID command."""
    try:
        result = imap.client.uid(command, *arguments)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        result = "BAD", [str(error).encode()]
    if result[0] != "OK":
        raise NotDone(f"UID {command}", result)
    return result[1]
