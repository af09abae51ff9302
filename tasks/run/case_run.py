"""A case as its run sees it: its ledger, read in one query, and the number of occurrences of each step so far.

Prefect runs a flow's body again from the top after every wait. The ledger makes that harmless: what is recorded is
not done again. Occurrences are counted by name within one pass of the body, so every pass with the same decisions
counts alike.

Held by `tests/tasks/run/test_activity.py`.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from prefect.runtime import flow_run
from sqlalchemy import bindparam, update
from sqlmodel import Session, col, select

from adapters.case_store.store import Store
from adapters.wiring import Systems, load_systems
from models.errors import UnknownCase
from models.tables import ActivityRecord, Case

Key = tuple[str, int, int]

_KEEP = (
    update(Case)
    .where(col(Case.id) == bindparam("its_id"), col(Case.run_id).is_(None))
    .values(run_id=bindparam("its_run_id"))
)


def keep_runs(session: Session, runs: Mapping[int, str]) -> None:
    """Store the ids of runs with their cases, by number; a case that has a run keeps it."""
    session.connection().execute(_KEEP, [{"its_id": case_id, "its_run_id": run_id} for case_id, run_id in runs.items()])


class CaseRun:
    """One pass of a case's flow."""

    def __init__(self, case: Case, systems: Systems, records: list[ActivityRecord]) -> None:
        self.row = case
        """The case as it was when the pass began."""
        self.case_id = case.key
        self.reference = case.reference
        self.merged = case.status == "merged"
        """Another case continues for it."""
        self.systems = systems
        self._records: dict[Key, ActivityRecord] = {}
        self._counts: Counter[str] = Counter()
        for record in records:
            self.remember(record)

    @classmethod
    def open(cls, case_id: int, systems: Systems | None = None) -> "CaseRun":
        """Read the case and its ledger, in one query.

        Raises:
            UnknownCase: there is no such case.
        """
        systems = systems or load_systems()
        query = (
            select(Case, ActivityRecord)
            .join(ActivityRecord, ActivityRecord.case_id == Case.id, isouter=True)  # type: ignore[arg-type]
            .where(Case.id == case_id)
            .order_by(ActivityRecord.id)  # type: ignore[arg-type]
        )
        with systems.store.read() as session:
            rows = session.exec(query).all()
        if not rows:
            raise UnknownCase(f"there is no case {case_id}")
        return cls(rows[0][0], systems, [record for _, record in rows if record is not None])

    @classmethod
    def begin(cls, case_id: int) -> "CaseRun":
        """Open the case at the beginning of a pass of its own run.

        The run may begin before intake has stored its id with the case, because intake stores several ids together.
        Then the run stores it, so that whoever sees the case wait, or merges it, finds the run.
        """
        case = cls.open(case_id)
        if case.row.run_id is not None:
            return case
        with case.store.write() as session:
            keep_runs(session, {case_id: case.run_id})
        return cls.open(case_id)  # a merger before that did not find the run

    @property
    def store(self) -> Store:
        """The case store."""
        return self.systems.store

    @property
    def telkom(self) -> str:
        """The unit that stands for Telkom itself (SOP 5.6)."""
        return self.systems.settings.policy.units[-1]

    @property
    def run_id(self) -> str:
        """The engine's id of this run; empty outside of a run."""
        return flow_run.get_id() or ""

    def next_occurrence(self, name: str) -> int:
        """Count one more occurrence of ``name`` in this pass, from 1."""
        self._counts[name] += 1
        return self._counts[name]

    def record(self, name: str, occurrence: int, attempt: int = 1) -> ActivityRecord | None:
        """The ledger's record of this attempt, if there is one."""
        return self._records.get((name, occurrence, attempt))

    def times(self, name: str) -> int:
        """Number of the ledger's records of ``name``."""
        return sum(key[0] == name for key in self._records)

    def last_output(self, name: str) -> dict[str, Any]:
        """The output of the latest time that ``name`` was done; empty if it was not."""
        outputs = [record.output for key, record in self._records.items() if key[0] == name and record.state == "done"]
        return outputs[-1] if outputs else {}

    def remember(self, record: ActivityRecord) -> None:
        """Add a record of this pass."""
        self._records[record.name, record.occurrence, record.attempt] = record
