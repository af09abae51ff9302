"""The audit log in the case store: entries are noted within a transaction, and chained at its very end.

The lock on the chain's end is taken last, when nothing else is to be locked: so it deadlocks with nothing, and it is
held for the commit alone.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, insert
from sqlmodel import Session, col, select

from models.audit import START, AuditRow, AuditSalt, Entry, chained

_NOTED = "audit entries of this transaction"
_LOCK = select(func.pg_advisory_xact_lock(0x6C6179616E616E))
_NAMES = tuple(AuditRow.model_fields)
BATCH = 2_000
"""Rows that a stream holds at a time."""


def note(session: Session, entry: Entry) -> None:
    """Let the entry be part of the transaction: it is written if, and only if, the transaction is committed."""
    session.info.setdefault(_NOTED, []).append(entry)


def append_noted(session: Session) -> None:
    """Write what was noted. :meth:`Store.write` calls it as the last thing before the commit."""
    if not (entries := session.info.pop(_NOTED, [])):
        return
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        session.exec(_LOCK)
    number, previous = newest(session)
    rows, salts = [], []
    for entry in entries:
        number += 1
        row, salt = chained(entry, number, previous)
        previous = row["hash"]
        rows.append(row)
        salts.append(salt)
    session.execute(insert(AuditRow), rows)
    session.execute(insert(AuditSalt), salts)


def newest(session: Session) -> tuple[int, str]:
    """Number and hash of the newest row; 0 and zeros where there is none."""
    query = select(AuditRow.number, AuditRow.hash).order_by(col(AuditRow.number).desc()).limit(1)
    return session.exec(query).first() or (0, START)


def stream(session: Session, *where: Any) -> Iterator[dict[str, Any]]:
    """The log's rows by number, without holding all of them."""
    query = select(*[col(getattr(AuditRow, name)) for name in _NAMES]).where(*where).order_by(col(AuditRow.number))
    found = session.connection().execute(query, execution_options={"yield_per": BATCH})
    return (dict(zip(_NAMES, row, strict=True)) for row in found)
