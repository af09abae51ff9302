"""Signals: what ends or informs a wait from outside. Made, taken and retired here alone.

A signal is pending until a wait takes it, in the transaction that records the decision, or until it is retired.

Held by `tests/tasks/run/test_waits.py`.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from adapters.wiring import Systems
from models.forms.base import Form
from models.states import Retired, SignalKind
from models.tables import Case, Deadline, Outbox, Signal

PENDING: ColumnElement[bool] = col(Signal.taken_at).is_(None)
"""Condition: neither taken nor retired."""


def of_mail(case_id: int, message_id: int, at: datetime, *, tells_of: int = 0) -> Signal:
    """A mail has come; ``tells_of`` is the mail to read, if the customer has sent that one again."""
    return _made(case_id, SignalKind.MAIL, f"mail:{message_id}", at, {"message": tells_of or message_id})


def of_merger(case_id: int, merged_id: int, message_id: int | None, at: datetime) -> Signal:
    """Another case was merged into this one; its first mail is to be read."""
    return _made(case_id, SignalKind.MAIL, f"{_merger(merged_id)}{at.isoformat()}", at, {"message": message_id})


def of_deadline(deadline: Deadline, at: datetime) -> Signal:
    """A deadline is due."""
    return _made(deadline.case_id, SignalKind(deadline.kind), f"deadline:{deadline.id}", at, {})


def of_unit(case_id: int, source: str, at: datetime, answers: dict[str, Any]) -> Signal:
    """A unit reports; ``source`` identifies the report."""
    return _made(case_id, SignalKind.UNIT, f"ticket:{source}", at, answers)


def of_undelivered(case_id: int, outbox: Outbox, at: datetime) -> Signal:
    """A letter did not arrive; one signal for each time that it was queued."""
    return _made(case_id, SignalKind.UNDELIVERED, _undelivered(outbox), at, {"letter": outbox.letter_id})


def _made(case_id: int, kind: SignalKind, source: str, at: datetime, answers: dict[str, Any]) -> Signal:
    return Signal(case_id=case_id, kind=kind, source=source, answers=answers, created_at=at)


def _merger(merged_id: int) -> str:
    return f"merged:{merged_id}:"


def _undelivered(outbox: Outbox) -> str:
    return f"undelivered:{outbox.letter_id}:{outbox.tries}"


def keep_once(session: Session, signal: Signal) -> None:
    """Keep a signal unless one of the same source is kept."""
    if session.exec(select(Signal.id).where(Signal.source == signal.source)).first() is None:
        session.add(signal)


def pending(case_id: int, kinds: Collection[str]) -> SelectOfScalar[Signal]:
    """Query of the case's pending signals of these kinds, oldest first."""
    of_case = (Signal.case_id == case_id, PENDING, col(Signal.kind).in_(kinds))
    return select(Signal).where(*of_case).order_by(col(Signal.id))


def is_pending(session: Session, case_id: int, kinds: Collection[str]) -> bool:
    """Whether the case has a pending signal of these kinds."""
    return session.exec(pending(case_id, kinds).limit(1)).first() is not None


def offered(systems: Systems, case: Case, form: type[Form]) -> list[SignalKind]:
    """Kinds of signal that may end this wait now: updates to the customer only in office hours."""
    is_open = systems.settings.office_of(case.mailbox).is_open(systems.clock.now())
    return [kind for kind in form.signals() if is_open or kind is not SignalKind.UPDATE]


def take(session: Session, case_id: int, ids: Collection[int | None], wait_key: str, at: datetime) -> bool:
    """Let a wait take these signals; False if one of them is no longer pending for this case."""
    these = (col(Signal.id).in_(ids), col(Signal.case_id) == case_id, PENDING)
    taken = session.execute(update(Signal).where(*these).values(taken_at=at, taken_by=wait_key))
    return taken.rowcount == len(ids)  # type: ignore[attr-defined, no-any-return]


def retire(session: Session, case_id: int, kinds: Collection[str], why: Retired, at: datetime) -> None:
    """Retire the case's pending signals of these kinds."""
    _retire(session, why, at, col(Signal.case_id) == case_id, col(Signal.kind).in_(kinds))


def retire_mail(session: Session, message_id: int, why: Retired, at: datetime) -> None:
    """Retire the signal of a mail."""
    _retire(session, why, at, col(Signal.source) == f"mail:{message_id}")


def retire_merger(session: Session, merged_id: int, at: datetime) -> None:
    """Retire the signal that told another case about the merger of this one."""
    _retire(session, Retired.UNMERGED, at, col(Signal.source).startswith(_merger(merged_id)))


def retire_undelivered(session: Session, outbox: Outbox, at: datetime) -> None:
    """Retire the signal of a letter that is sent again: no agent needs to find another way."""
    _retire(session, Retired.SENT_AGAIN, at, col(Signal.source) == _undelivered(outbox))


def _retire(session: Session, why: Retired, at: datetime, *which: ColumnElement[bool]) -> None:
    session.execute(update(Signal).where(PENDING, *which).values(taken_at=at, retired=why))
