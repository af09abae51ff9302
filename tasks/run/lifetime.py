"""The one place that opens cases, and the one that ends them.

Held by `tests/tasks/test_end_case.py` and `tests/tasks/upkeep/test_merge_case.py`.
"""

from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete, update
from sqlmodel import Session, col

from models.errors import WrongUse
from models.sop import REVISION
from models.states import CaseStatus, Retired, SignalKind
from models.tables import Case, Deadline, NewCase, TicketRow, Wait, row
from tasks.run import signals
from tasks.run.family import family


def new_case(**known: Any) -> NewCase:
    """Validate the columns of a new case.

    Raises:
        WrongUse: columns are missing or wrong; the message names them, and no address.
    """
    try:
        return NewCase.model_validate(known | {"sop_revision": REVISION})
    except ValidationError as error:
        wrong = ", ".join(str(one["loc"][0]) for one in error.errors())
        raise WrongUse(f"no case can be opened: {wrong} is missing or wrong") from None


def open_case(session: Session, new: NewCase) -> Case:
    """Open a case; its number is known after a flush."""
    case = row(Case, new)
    session.add(case)
    return case


def finish(session: Session, case_id: int, status: CaseStatus, outcome: str, now: datetime) -> None:
    """End the case: no signal reaches it any more, and nobody waits for it."""
    signals.retire(session, case_id, list(SignalKind), Retired.CASE_ENDED, now)
    session.execute(update(Deadline).where(col(Deadline.case_id) == case_id).values(over=True))
    session.execute(update(TicketRow).where(col(TicketRow.case_id).in_(family(session, case_id))).values(open=False))
    session.execute(delete(Wait).where(col(Wait.case_id) == case_id))
    session.execute(update(Case).where(col(Case.id) == case_id).values(status=status, outcome=outcome, closed_at=now))
