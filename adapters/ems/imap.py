"""Mail comes in: mailboxes over IMAP."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha256

from imap_tools import AND, BaseMailBox, Header

from adapters.ems import imap_session as session
from adapters.ems.pool import Pool, again
from adapters.ems.protocol import Received
from models.settings import Mailbox, Settings

WALKED = 500
"""Mails whose sizes are asked for together."""

_log = logging.getLogger(__name__)


class Mailboxes:
    """The mailboxes of the settings; each method promises what :class:`Ems` says."""

    def __init__(self, settings: Settings) -> None:
        self._batch, self._largest = settings.intake_batch_bytes, settings.mail_max_bytes
        self._in: dict[str, Pool[BaseMailBox]] = {}

    @again
    def fetch(self, box: Mailbox, limit: int, after: int = 0) -> list[Received]:
        """See :class:`Ems`."""
        with self._imap(box) as imap:
            uidvalidity = session.select(imap, box.folder)
            uids = [uid for uid in session.unsettled(imap, box) if uid > after][:limit]
            # another intake may have been faster with the first ones
            mails = next(filter(None, session.batches(imap, uids, self._batch, self._largest)), {})
        return [Received(box.address, box.site, uidvalidity, uid, raw, cut) for uid, (raw, cut) in mails.items()]

    @again
    def settle(self, box: Mailbox, uidvalidity: int, done: Sequence[int], aside: Sequence[int]) -> None:
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

    def listen(self, box: Mailbox) -> Iterator[None]:
        """See :class:`Ems`."""
        with session.meaning():
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
        with self._imap(box) as imap:
            for folder in filter(imap.folder.exists, (box.folder, box.done_folder, box.aside_folder)):
                session.select(imap, folder)
                uids = sorted(map(int, imap.uids("ALL")))
                for first in range(0, len(uids), WALKED):
                    part = uids[first : first + WALKED]
                    for mails in session.batches(imap, part, self._batch, self._largest):
                        yield folder, {uid: sha256(raw).hexdigest() for uid, (raw, _) in mails.items()}

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
    def has_copy(self, message_id: str, box: Mailbox) -> bool:
        """See :class:`Ems`."""
        with self._imap(box) as imap:
            for folder in filter(imap.folder.exists, (box.sent_folder, box.folder, box.done_folder)):
                session.select(imap, folder)
                found = imap.uids(AND(header=Header("Message-ID", message_id)))
                # The server finds substrings too.
                heads = session.bodies(imap, found, "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]").values()
                if any(head.partition(b":")[2].strip() == message_id.encode() for head in heads):
                    return True
        return False

    def close_imap(self) -> None:
        """End the connections that nobody uses."""
        for pool in list(self._in.values()):
            pool.close()

    @contextmanager
    def _imap(self, box: Mailbox) -> Iterator[BaseMailBox]:
        new = Pool[BaseMailBox](
            lambda it: it.client.noop()[0] == "OK", lambda it: it.logout(), lambda it: it.client.shutdown()
        )
        with session.meaning(), self._in.setdefault(box.address, new).use(partial(session.connect, box)) as imap:
            yield imap
