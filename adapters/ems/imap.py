"""The mailboxes that mail comes from, over IMAP."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha256

from imap_tools import AND, BaseMailBox, Header

from adapters.ems import imap_session as session
from adapters.ems.pool import BROKEN, Pool, again
from adapters.ems.protocol import Received, Unsettled
from models.errors import Refused, Unavailable
from models.settings import Mailbox, Settings

WALKED = 500
"""Mails that ``walk`` yields together."""
MOST_BROKEN = 20
"""Unreadable mails after which a poll stops looking for a readable one."""

_log = logging.getLogger(__name__)


class _NotGiven(Unavailable):
    """The server ends the connection when it is asked for these mails."""


class Mailboxes:
    """The mailboxes of the settings; each method promises what :class:`Ems` says."""

    def __init__(self, settings: Settings) -> None:
        self._batch, self._largest = settings.intake_batch_bytes, settings.mail_max_bytes
        self._in: dict[str, Pool[BaseMailBox]] = {}
        self._broken: dict[str, set[int]] = {}
        """By address: UIDs of mails that the server could not read."""

    def fetch(self, box: Mailbox, limit: int, after: int = 0) -> list[Received]:
        """See :class:`Ems`."""
        broken = self._broken.setdefault(box.address, set())
        try:
            received = self._read(box, lambda left: [uid for uid in left if uid > after and uid not in broken][:limit])
        except _NotGiven:
            return self._one_by_one(box, limit, after, broken)
        return received or (self._one_by_one(box, limit, after, broken) if broken else [])

    def _one_by_one(self, box: Mailbox, limit: int, after: int, broken: set[int]) -> list[Received]:
        """Fetch mails one by one where a batch fails: some servers end the connection because of one broken mail.

        Mails that were ``broken`` the last time come last, so that no other mail waits behind them.
        """
        received: list[Received] = []
        not_given: list[int] = []
        left = self._left(box, after)
        if not after:
            broken.intersection_update(left)
        for uid in sorted(left, key=lambda uid: (uid in broken, uid)):
            try:
                received += self._read(box, partial(_if_there, uid))
                broken.discard(uid)
            except _NotGiven:
                if uid in self._left(box, uid - 1):
                    not_given.append(uid)
                    broken.add(uid)
            full = len(received) >= limit or sum(len(mail.raw) for mail in received) >= self._batch
            if full or len(not_given) >= MOST_BROKEN:
                break
        if not_given:
            what = f"the server cannot read {_named(not_given, box)}"
            if not received:
                raise Refused("imap", f"{what}: check its log")
            _log.warning("imap: %s, mailbox of %s", what, box.site)
        return sorted(received, key=lambda mail: mail.uid)

    @again
    def _left(self, box: Mailbox, after: int) -> list[int]:
        """Unsettled UIDs; raises if the server is away."""
        with self._imap(box) as imap:
            session.select(imap, box.folder)
            return [uid for uid in session.unsettled(imap, box) if uid > after]

    @again
    def _read(self, box: Mailbox, wanted: Callable[[list[int]], list[int]]) -> list[Received]:
        with self._imap(box) as imap:
            uidvalidity = session.select(imap, box.folder)
            uids = wanted(session.unsettled(imap, box))
            try:
                # another intake may have moved the first ones meanwhile
                batches = session.batches(imap, uids, self._batch, self._largest)
                mails = next(filter(None, batches), {})
            except BROKEN as error:
                raise _NotGiven("imap", type(error).__name__) from None
        if nothing := [uid for uid, mail in mails.items() if not mail.raw]:
            _log.warning("imap: the server sends no content of %s, mailbox of %s", _named(nothing, box), box.site)
        return [Received(box.address, box.site, uidvalidity, uid, *mail, box.since) for uid, mail in mails.items()]

    @again
    def unsettled(self, box: Mailbox) -> Unsettled:
        """See :class:`Ems`."""
        with self._imap(box) as imap:
            uidvalidity = session.select(imap, box.folder)
            new = session.unsettled(imap, box)
            everything = session.unsettled(imap, box.model_copy(update={"since": None}))
        return Unsettled(uidvalidity, tuple(new), tuple(sorted(set(everything).difference(new))))

    @again
    def settle(
        self, box: Mailbox, uidvalidity: int, done: Sequence[int], aside: Sequence[int], copies: Sequence[int] = ()
    ) -> None:
        """See :class:`Ems`."""
        with self._imap(box) as imap:
            if session.select(imap, box.folder, readonly=False) != uidvalidity:
                _log.warning("imap: UIDVALIDITY of a mailbox of %s has changed, no mail is moved", box.site)
                return
            if done and box.after == "flag":
                session.flag(imap, list(map(str, done)))
            elif done:
                session.move(imap, list(map(str, done)), box.done_folder)
            if aside:
                session.move(imap, list(map(str, aside)), box.aside_folder)
            if copies:
                session.move(imap, list(map(str, copies)), box.sent_folder)

    def listen(self, box: Mailbox) -> Iterator[None]:
        """See :class:`Ems`."""
        with session.errors():
            imap = session.connect(box)
            try:
                session.select(imap, box.folder)
                if session.unsettled(imap, box):
                    yield
                yield from session.idle(imap)
            finally:
                imap.client.shutdown()

    def walk(self, box: Mailbox) -> Iterator[tuple[str, dict[int, str]]]:
        """See :class:`Ems`."""
        for folder in dict.fromkeys((box.folder, box.done_folder, box.aside_folder)):
            uids = self._uids(box, folder)
            for first in range(0, len(uids), WALKED):
                yield folder, self._hashes(box, folder, uids[first : first + WALKED])

    @again
    def _uids(self, box: Mailbox, folder: str) -> list[int]:
        with self._imap(box) as imap:
            if not session.exists(imap, folder):
                return []
            session.select(imap, folder)
            return session.search(imap, "ALL")

    def _hashes(self, box: Mailbox, folder: str, uids: list[int]) -> dict[int, str]:
        try:
            with self._imap(box) as imap:
                session.select(imap, folder)
                mails = session.batches(imap, uids, self._batch, self._largest)
                return {uid: sha256(mail.raw).hexdigest() for batch in mails for uid, mail in batch.items()}
        except (Refused, Unavailable):
            left = set(self._uids(box, folder))  # if this succeeds, the server is there and a mail is broken
            if len(uids) == 1:
                return {uid: "" for uid in uids if uid in left}
        half = len(uids) // 2
        return self._hashes(box, folder, uids[:half]) | self._hashes(box, folder, uids[half:])

    @again
    def reach_imap(self, box: Mailbox) -> int | None:
        """See :class:`Ems`."""
        with self._imap(box) as imap:
            session.select(imap, box.folder, readonly=False)
            session.can_move(imap)
            if box.after == "flag":
                session.can_flag(imap)
            return session.quota(imap, box.folder)

    @again
    def has_copy(self, message_id: str, box: Mailbox, is_it: Callable[[bytes], bool] = bool) -> bool:
        """See :class:`Ems`."""
        with self._imap(box) as imap:
            for folder in (box.sent_folder, box.folder, box.done_folder):
                if not session.exists(imap, folder):
                    continue
                session.select(imap, folder)
                found = imap.uids(AND(header=Header("Message-ID", message_id)))
                # the server's search finds substrings, too
                heads = session.bodies(imap, found, "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]").items()
                same = [uid for uid, head in heads if head.partition(b":")[2].strip() == message_id.encode()]
                if any(map(is_it, session.bodies(imap, same, f"BODY.PEEK[]<0.{self._largest}>").values())):
                    return True
        return False

    @again
    def keep_copy(self, raw: bytes, box: Mailbox) -> None:
        """Put a copy of a letter into the mailbox's sent folder.

        Raises:
            Unavailable, Refused: as for ``fetch``.
        """
        with self._imap(box) as imap:
            session.append(imap, raw, box.sent_folder)

    @again
    def has_sent_folder(self, box: Mailbox) -> bool:
        """Whether the mailbox has its sent folder.

        Raises:
            Unavailable, Refused: as for ``fetch``.
        """
        with self._imap(box) as imap:
            return session.exists(imap, box.sent_folder)

    def close_imap(self) -> None:
        """Close the idle connections."""
        for pool in list(self._in.values()):
            pool.close()

    @contextmanager
    def _imap(self, box: Mailbox) -> Iterator[BaseMailBox]:
        new = Pool[BaseMailBox](
            lambda it: it.client.noop()[0] == "OK", lambda it: it.logout(), lambda it: it.client.shutdown()
        )
        with session.errors(), self._in.setdefault(box.address, new).use(partial(session.connect, box)) as imap:
            yield imap


def _if_there(uid: int, left: list[int]) -> list[int]:
    return [uid] if uid in left else []


def _named(uids: Sequence[int], box: Mailbox) -> str:
    return f"mail {', '.join(f'UID {uid}' for uid in uids[:9])} in {box.folder}"
