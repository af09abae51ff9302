"""A case's flow goes through its ledger again, beside one look-up for each entry."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlmodel import select

from adapters.case_store import schema
from adapters.clock import SystemClock
from adapters.wiring import Systems
from models.settings import Settings
from models.sop import REVISION, Role
from models.states import RecordState
from models.tables import ActivityRecord, Case
from tasks.closing import Closed, closing
from tasks.run.case_run import CaseRun

ENTRIES = 100
ROUNDS = 5


@dataclass(frozen=True)
class Cost:
    """SQL queries and seconds of a replay, and of looking each entry up by itself; the best of some rounds."""

    queries: int
    seconds: float
    single_queries: int
    single_seconds: float


def replay(home: Path) -> Cost:
    """Both ways, on a case with ``ENTRIES`` entries."""
    systems = Systems(Settings(home=home))
    _fill(systems)
    try:
        return Cost(*_best(systems, _replay), *_best(systems, _look_up))
    finally:
        systems.store.close()


def _fill(systems: Systems) -> None:
    schema.upgrade(systems.store)
    now = SystemClock().now()
    with systems.store.write() as session:
        session.add(Case(id=1, site="JKT", mailbox="m", address="a", opened_at=now, sop_revision=REVISION))
        session.flush()
        session.add_all(
            ActivityRecord(
                case_id=1,
                number=closing.number,
                name=closing.name,
                occurrence=occurrence,
                state=RecordState.DONE,
                output=Closed(letter=f"<{occurrence}@telkom.example>").model_dump(),
                performer=Role.AGENT,
                started_at=now,
                ended_at=now,
                sop_revision=REVISION,
            )
            for occurrence in range(1, ENTRIES + 1)
        )


def _replay(systems: Systems) -> None:
    case = CaseRun.open(1, systems)
    for _ in range(ENTRIES):
        closing(case)


def _look_up(systems: Systems) -> None:
    for occurrence in range(1, ENTRIES + 1):
        query = select(ActivityRecord).where(
            ActivityRecord.case_id == 1, ActivityRecord.name == closing.name, ActivityRecord.occurrence == occurrence
        )
        with systems.store.read() as session:
            Closed.model_validate(session.exec(query).one().output)


def _best(systems: Systems, way: Callable[[Systems], None]) -> tuple[int, float]:
    queries = 0

    def count(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        nonlocal queries
        queries += statement.startswith("SELECT")

    event.listen(systems.store.engine, "before_cursor_execute", count)
    way(systems)
    event.remove(systems.store.engine, "before_cursor_execute", count)
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        way(systems)
        best = min(best, time.perf_counter() - started)
    return queries, best
