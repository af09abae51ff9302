"""How a failing server gets no calls: a growing pause, after which one attempt goes first.

Shared by the back-office systems' gate and the SMTP relay. Held by `tests/adapters/systems/test_system_gate.py` and
`tests/tasks/run/test_relay.py`.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlmodel import Session


def pause_after(failures: int, first: timedelta, longest: timedelta) -> timedelta:
    """The pause after so many failures beyond the first; it doubles with each, up to ``longest``."""
    doubled: int = 2 ** min(max(failures, 0), 10)
    return min(first * doubled, longest)


def goes_first(
    session: Session,
    row: ColumnElement[bool],
    ends: Any,
    known: datetime,
    lease: datetime,
    **changes: Any,
) -> bool:
    """Whether this caller is the first after a pause: it moves the pause's end to ``lease``, which stops all others.

    Args:
        row: Condition for the server's row.
        ends: Mapped column with the end of the pause, which was ``known``.
        changes: Other columns to set.
    """
    changed = update(ends.class_).where(row, ends == known).values({ends.key: lease, **changes})
    return session.connection().execute(changed).rowcount == 1
