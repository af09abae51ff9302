"""Holds the mailboxes against the intake ledger: every mail that a server shows has its row, and every row its mail."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import and_, exists, func
from sqlmodel import col, select

from adapters.wiring import Systems
from models.settings import Mailbox
from models.tables import Letter, Message
from tasks.intake.first_poll import read_from

MOST = 500


@dataclass(frozen=True)
class Unaccounted:
    """One mail that only one side knows; ``number`` is the UID in the folder, or the mail's number in the ledger."""

    mailbox: str
    where: str
    number: int
    what: str


def check_mails(wired: Systems, *boxes: Mailbox) -> list[Unaccounted]:
    """What these mailboxes, or all, and the ledger do not agree on.

    Mails are compared by their bytes, which moving leaves as they are. What came before the mailbox's ``since`` is left
    there, and no matter of the ledger's.

    Raises:
        Unavailable, Refused: a mailbox or the case store does not answer.
    """
    return [found for box in boxes or wired.settings.mailboxes for found in _check(wired, box)]


def _check(wired: Systems, box: Mailbox) -> Iterator[Unaccounted]:
    seen: set[str] = set()
    # what intake takes in meanwhile may lie in a folder that was looked at before
    with wired.store.read() as session:
        newest = session.exec(select(func.max(Message.id))).one() or 0
    older = frozenset(wired.ems.lying(read_from(wired, box)).older)
    for folder, mails in wired.ems.walk(box):
        hashes = set(mails.values())
        seen |= hashes
        with wired.store.read() as session:
            query = select(Message.sha256).where(col(Message.sha256).in_(hashes), Message.mailbox == box.address)
            known = set(session.exec(query))
        what = "not taken in yet" if folder == box.folder else "never taken in"
        for uid, sha256 in mails.items():
            if sha256 not in known and not (folder == box.folder and uid in older):
                yield Unaccounted(box.address, folder, uid, what if sha256 else "the server does not give it")
    last = 0
    while rows := _rows(wired, box, last, newest):
        for number, sha256 in rows:
            if sha256 not in seen:
                yield Unaccounted(box.address, "ledger", number, "in no folder any more; its bytes are kept")
        last = rows[-1][0]


def _rows(wired: Systems, box: Mailbox, after: int, newest: int) -> list[tuple[int, str]]:
    # copies of our own letters lie where letters are kept, which is not walked through
    ours = exists().where(col(Letter.message_id) == col(Message.message_id))
    copy = and_(col(Message.outcome) == "automatic", ours)
    query = select(Message.id, Message.sha256).where(Message.mailbox == box.address, ~copy)
    query = query.where(col(Message.id) > after, col(Message.id) <= newest)
    with wired.store.read() as session:
        return [(number or 0, sha256) for number, sha256 in session.exec(query.order_by(col(Message.id)).limit(MOST))]
