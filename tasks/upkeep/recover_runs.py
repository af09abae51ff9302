"""Recovers the runs of open cases. Held by `tests/tasks/upkeep/test_monitor.py` and `test_lost_deployments.py`."""

import logging
from collections.abc import Container, Iterable, Sequence
from datetime import timedelta

from prefect.client.schemas.objects import FlowRun
from sqlalchemy import func, update
from sqlmodel import col, select

from adapters.case_store import audit
from adapters.engine.carrier import Carrier
from adapters.wiring import Systems
from models.audit import UNKNOWN, Action, Entry
from models.tables import Case
from tasks.run.family import locked
from tasks.run.lifetime import finish
from tasks.run.start_case import replace_run

log = logging.getLogger("layanan.monitor")

MOST_CASES = 500
"""Open cases whose runs one sweep looks for."""
MOST_RESTARTS = 8
RESTART_AFTER = timedelta(seconds=15)
"""Pause before a run is restarted; it doubles each time, to about an hour in all."""
LONE_RUN = timedelta(seconds=90)
"""Time after which a run that no live worker executes is an orphan."""


def open_cases(systems: Systems, run_ids: Iterable[str]) -> Sequence[Case]:
    """The open cases of these runs."""
    with systems.store.read() as session:
        return session.exec(select(Case).where(col(Case.run_id).in_(list(run_ids)), Case.status == "open")).all()


def cases_of_lost_runs(systems: Systems, most: int | None = MOST_CASES) -> list[int]:
    """Open cases whose run cannot go on: the run, its deployment or its work pool is gone, or the run has ended.

    Args:
        most: number of cases to look at, chosen at random; None: all.
    """
    some = select(Case.id, Case.run_id).where(Case.status == "open", col(Case.run_id).is_not(None))
    with systems.store.read() as session:
        cases = session.exec(some.order_by(func.random()).limit(most)).all()
    since = systems.machine_clock.now() - timedelta(minutes=systems.settings.run_minutes)
    known = systems.engine.reachable_runs([run_id for _, run_id in cases if run_id], since)
    return [case_id for case_id, run_id in cases if case_id and run_id not in known]


def replace(systems: Systems, case_id: int) -> None:
    """Give a case another run; end the case if a person cancelled its run."""
    with systems.store.read() as session:
        case = session.get_one(Case, case_id)
    if case.run_id and systems.engine.called_off(case.run_id):
        cancel(systems, case)
    else:
        replace_run(systems, case_id)


def restart(systems: Systems, case: Case, run: FlowRun) -> None:
    """Schedule a crashed or failed run again, after a pause that doubles with each restart."""
    broke = run.state.timestamp if run.state else systems.machine_clock.now()
    pause = RESTART_AFTER * 2**case.restarts if case.restarts else timedelta()
    if case.restarts >= MOST_RESTARTS or systems.machine_clock.now() - broke < pause:
        return
    with systems.store.write() as session:
        session.execute(update(Case).where(col(Case.id) == case.id).values(restarts=case.restarts + 1))
    if case.restarts + 1 == MOST_RESTARTS:
        log.error("the run of %s keeps failing; this is its last restart: see layanan doctor", case.reference)
    systems.engine.restart(str(run.id), "it had crashed or failed")


def take_over(systems: Systems, run: FlowRun, live: Container[str]) -> None:
    """Schedule an orphan again, or end it if a person had cancelled it."""
    carrier = Carrier.of(run)
    if carrier is None or carrier.name in live or run.state is None:
        return
    if systems.machine_clock.now() - run.state.timestamp > LONE_RUN:
        if run.state.is_cancelling():
            systems.engine.cancel(str(run.id))
        else:
            systems.engine.restart(str(run.id), "its worker is gone")


def cancel(systems: Systems, case: Case) -> None:
    """End a case whose run was cancelled in the Prefect UI."""
    with systems.store.write() as session:
        if locked(session, case.key).status == "open":
            now, run_id = systems.clock.now(), case.run_id or ""
            finish(session, case.key, "cancelled", "cancelled in the Prefect UI", now)
            audit.note(session, Entry(Action.CANCELLED, now, UNKNOWN, reference=case.reference, run_id=run_id))
