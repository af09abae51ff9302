"""Starts a case's run, once, and keeps its id with the case.

Held by `tests/flows/test_worker.py` and `tests/tasks/upkeep/test_lost_deployments.py`.
"""

import logging
from collections.abc import Sequence

from sqlalchemy import update
from sqlalchemy.orm import load_only
from sqlmodel import col, select

from adapters.wiring import Systems
from models.tables import Case, Wait
from tasks.run.case_run import keep_runs
from tasks.run.resume import label

log = logging.getLogger("layanan.start")


AT_ONCE = 50
"""Runs whose ids are kept together."""


def start_case(systems: Systems, case_id: int) -> None:
    """Start the case's run unless it has one. Repeating it is harmless: the engine knows the case's key.

    Raises:
        Unavailable: store or engine do not answer; the monitor tries again.
    """
    start_cases(systems, [case_id])


def start_cases(systems: Systems, case_ids: Sequence[int]) -> None:
    """Do so for several cases, until one cannot be started.

    Raises:
        Unavailable, Refused: as for ``start_case``; some may have been started.
    """
    for first in range(0, len(case_ids), AT_ONCE):
        some = col(Case.id).in_(case_ids[first : first + AT_ONCE])
        query = select(Case).where(some, col(Case.run_id).is_(None), Case.status == "open").order_by(col(Case.id))
        query = query.options(load_only(Case.site))  # type: ignore[arg-type]
        with systems.store.read() as session:
            cases = session.exec(query).all()
        runs: dict[int, str] = {}
        try:
            for case in cases:
                runs[case.key] = systems.engine.start_case(case.key, case.reference)
        finally:
            if runs:
                with systems.store.write() as session:
                    keep_runs(session, runs)


def replace_run(systems: Systems, case_id: int) -> None:
    """Replace a run that cannot go on by a new one, which continues where the ledger ends.

    An answer that somebody gave to the old run is kept for the new one.

    Raises:
        Unavailable: store or engine do not answer; repeating it makes no third run.
        Refused: the flow is not deployed; the old run still accepts an answer.
    """
    with systems.store.read() as session:
        case = session.exec(select(Case).where(Case.id == case_id)).one()
        wait = session.get(Wait, case_id)
    if case.run_id is None or case.status != "open":
        return
    systems.engine.ready_for_cases()
    log.warning("the run of %s cannot go on; a new run replaces it", case.reference)
    # in this order no answer is lost, and none comes after the new run has begun
    systems.engine.retire(case.run_id)
    if wait is not None and (given := systems.engine.answer(case.run_id, wait.wait_key)):
        this = (col(Wait.case_id) == case_id, col(Wait.wait_key) == wait.wait_key)
        with systems.store.write() as session:
            # what was answered at the desk stands
            session.execute(update(Wait).where(*this, col(Wait.given_how) == "").values(given=given))
    run_id = systems.engine.start_case(case_id, case.reference, after=case.run_id)
    # the wait stays: if this was interrupted before, it may be the new run's
    with systems.store.write() as session:
        session.execute(update(Case).where(col(Case.id) == case_id).values(run_id=run_id))
        wait = session.get(Wait, case_id)
    if wait is not None:
        label(systems, run_id, wait)


def cases_without_run(systems: Systems, limit: int = 500) -> list[int]:
    """Open cases whose run was never started, because intake was interrupted or the engine did not answer."""
    query = select(Case.id).where(Case.status == "open", col(Case.run_id).is_(None)).order_by(col(Case.id)).limit(limit)
    with systems.store.read() as session:
        return [case_id for case_id in session.exec(query) if case_id is not None]
