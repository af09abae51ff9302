"""Compares the mailboxes with the intake ledger: every mail has its row, and every row its mail."""

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
    """A mail that only the mailbox or only the ledger has; ``number`` is its UID in the folder, or in the ledger."""

    mailbox: str
    where: str
    number: int
    what: str


def check_mails(systems: Systems, *boxes: Mailbox) -> list[Unaccounted]:
    """The differences between these mailboxes, or all, and the ledger.

    Mails are compared by their bytes, which a move between folders does not change. Mail from before the mailbox's
    ``since`` is ignored.

    Raises:
        Unavailable, Refused: a mailbox or the case store does not answer.
    """
    return [found for box in boxes or systems.settings.mailboxes for found in _check(systems, box)]


def _check(systems: Systems, box: Mailbox) -> Iterator[Unaccounted]:
    seen: set[str] = set()
    # intake may meanwhile move a mail into a folder that was already read
    with systems.store.read() as session:
        newest = session.exec(select(func.max(Message.id))).one() or 0
    older = frozenset(systems.ems.unsettled(read_from(systems, box)).older)
    for folder, mails in systems.ems.walk(box):
        hashes = set(mails.values())
        seen |= hashes
        with systems.store.read() as session:
            query = select(Message.sha256).where(col(Message.sha256).in_(hashes), Message.mailbox == box.address)
            known = set(session.exec(query))
        what = "not taken in yet" if folder == box.folder else "never taken in"
        for uid, sha256 in mails.items():
            if sha256 not in known and not (folder == box.folder and uid in older):
                yield Unaccounted(box.address, folder, uid, what if sha256 else "the server does not deliver it")
    last = 0
    while rows := _rows(systems, box, last, newest):
        for number, sha256 in rows:
            if sha256 not in seen:
                yield Unaccounted(box.address, "ledger", number, "no longer in any folder; the case store has it")
        last = rows[-1][0]


def _rows(systems: Systems, box: Mailbox, after: int, newest: int) -> list[tuple[int, str]]:
    # copies of our own letters are in the sent folder, which is not read here
    ours = exists().where(col(Letter.message_id) == col(Message.message_id))
    copy = and_(col(Message.outcome) == "automatic", ours)
    query = select(Message.id, Message.sha256).where(Message.mailbox == box.address, ~copy)
    query = query.where(col(Message.id) > after, col(Message.id) <= newest)
    with systems.store.read() as session:
        return [(number or 0, sha256) for number, sha256 in session.exec(query.order_by(col(Message.id)).limit(MOST))]
