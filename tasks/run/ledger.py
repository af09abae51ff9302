"""The activity ledger's rows: made here alone, and found here.

Held by `tests/tasks/run/test_activity.py` and `tests/tasks/upkeep/test_merge_case.py`.
"""

from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from models.sop import REVISION
from models.states import RecordState
from models.tables import ActivityRecord


def entry(
    case_id: int,
    name: str,
    output: dict[str, Any],
    performer: str,
    *,
    ended_at: datetime,
    state: RecordState = RecordState.DONE,
    occurrence: int = 1,
    attempt: int = 1,
    **more: Any,
) -> ActivityRecord:
    """A row for what has ended at this moment, under the SOP's revision that is in force.

    Args:
        more: other columns; where ``started_at`` is missing, it is the end.
    """
    return ActivityRecord(
        case_id=case_id,
        name=name,
        occurrence=occurrence,
        attempt=attempt,
        state=state,
        output=output,
        performer=performer,
        ended_at=ended_at,
        sop_revision=REVISION,
        **({"started_at": ended_at} | more),
    )


def recorded(session: Session, case_id: int, name: str, occurrence: int, attempt: int) -> ActivityRecord | None:
    """The row of this attempt, if there is one."""
    key = (ActivityRecord.case_id == case_id, ActivityRecord.name == name)
    which = (ActivityRecord.occurrence == occurrence, ActivityRecord.attempt == attempt)
    return session.exec(select(ActivityRecord).where(*key, *which)).first()
