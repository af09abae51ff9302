"""A case is opened and ended in one place each.

Held by `tests/tasks/test_end_case.py` and `tests/tasks/intake/test_batch.py`.
"""

from datetime import datetime

from sqlalchemy import delete, update
from sqlmodel import Session, col

from models.states import CaseStatus, Retired, SignalKind
from models.tables import Case, Deadline, TicketRow, Wait
from tasks.run import signals
from tasks.run.family import family


def finish(session: Session, case_id: int, status: CaseStatus, outcome: str, now: datetime) -> None:
    """Set the case's end; no signal reaches it from now on, and nobody waits for it."""
    signals.retire(session, case_id, list(SignalKind), Retired.CASE_ENDED, now)
    session.execute(update(Deadline).where(col(Deadline.case_id) == case_id).values(over=True))
    session.execute(update(TicketRow).where(col(TicketRow.case_id).in_(family(session, case_id))).values(open=False))
    session.execute(delete(Wait).where(col(Wait.case_id) == case_id))
    session.execute(update(Case).where(col(Case.id) == case_id).values(status=status, outcome=outcome, closed_at=now))
