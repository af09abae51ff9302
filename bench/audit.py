"""Rows a second that `layanan audit verify` checks, beside a plain read of the same rows.

    python -m bench.audit [--rows 300000] [--url postgresql+psycopg://…]

With ``--url`` the log is in that (empty) database.
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert
from sqlmodel import Session

from adapters.case_store import audit, schema
from adapters.case_store.audit_seals import verified
from adapters.case_store.store import Store
from models.audit import START, Action, AuditRow, Entry, chained

BATCH = 5_000
RUN = "0b1c6a0e-3f57-4a0e-9a0b-6f0e6d1f7a11"


def main() -> None:
    """Print rows a second of both, and the memory that verifying took."""
    parser = argparse.ArgumentParser(prog="python -m bench.audit", description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--url", help="PostgreSQL's address")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="layanan-bench-") as folder:
        store = Store(options.url or f"sqlite:///{folder}/cases.sqlite", Path(folder, "blobs"))
        schema.upgrade(store)
        fill(store, options.rows)
        before = _memory()
        print("rows/s          by the clock   by CPU time")
        print(f"plain read   {_rates(store, lambda session: sum(1 for _ in audit.stream(session)))}")
        print(f"verify       {_rates(store, _verify)}")
        print(f"{_memory() - before:.0f} MB more than before")
        store.close()


def fill(store: Store, rows: int) -> None:
    """A log of so many decisions."""
    previous, noon = START, datetime(2026, 11, 30, 12, tzinfo=UTC)
    for first in range(1, rows + 1, BATCH):
        batch = []
        for number in range(first, min(first + BATCH, rows + 1)):
            at, case = noon + timedelta(seconds=number), f"JKT-{number // 9:07d}"
            who = ("Sari Wulandari", 7, "password_and_code")
            entry = Entry(Action.DECIDED, at, *who, case, "approve-solution-1", "shown", {"choice": "APPROVE"}, RUN)
            row, _ = chained(entry, number, previous)
            previous = row["hash"]
            batch.append(row)
        with store.write() as session:
            session.execute(insert(AuditRow), batch)


def _verify(session: Session) -> int:
    verdict = verified(audit.stream(session), iter(()))
    assert verdict.fault is None, verdict
    return verdict.rows


def _rates(store: Store, work: Callable[[Session], int]) -> str:
    with store.read() as session:
        started, busy = time.perf_counter(), time.process_time()
        rows = work(session)
        rates = rows / (time.perf_counter() - started), rows / (time.process_time() - busy)
        return "   ".join(f"{rate:>12,.0f}" for rate in rates)


def _memory() -> float:
    """The most that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
