"""What the monitor does in a pass (W-86). Each part stands alone: one that fails keeps no other from its work."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import FlowRun
from sqlalchemy import and_, or_, update
from sqlmodel import col, select

from adapters.mycx import ENDED
from adapters.store import Conflict
from adapters.wiring import Systems, systems
from models.errors import LayananError, Unavailable
from models.facts import Ticket, TicketStatus
from models.forms import FORMS, LONGEST_TEXT
from models.tables import Case, Deadline, TicketRow, Wait, Wake
from tasks.end_case import finish
from tasks.send_letter import deliver, due_letters
from tasks.start_case import cases_without_run, start_case
from tasks.waits import wake_waiting_case

log = logging.getLogger("layanan.monitor")

STUCK = {TicketStatus.HELD, TicketStatus.PENDING, TicketStatus.REJECTED, TicketStatus.CANCELLED}
MOST = 500
"""Items that one pass takes of each kind; the next pass takes the next ones."""
MOST_RESTARTS = 5
LONE_RUN = timedelta(seconds=90)
"""A run that no live worker carries for so long is an orphan."""


def part(label: str) -> Callable[[Callable[[], int]], Any]:
    """A part of the monitor as a Prefect task."""
    return task(name=label, task_run_name=label, cache_policy=NO_CACHE, persist_result=False)


@part("Kirim surat tertunda / Send due letters")
def send_due_letters() -> int:
    """Send letters that are queued, or whose sending was cut off; returns how many were looked at."""
    return _each(due_letters(systems()), lambda wired, letter_id: deliver(wired, letter_id))


@part("Pantau tiket / Follow tickets")
def follow_tickets() -> int:
    """Look at open tickets in NOSSA; a report, or a unit that is stuck, wakes the case."""
    with systems().store.read() as session:
        # all of them: an open ticket stays in this list, so that a limit would hide those behind it
        tickets = session.exec(select(TicketRow).where(col(TicketRow.open))).all()
    return _each(tickets, _follow)


@part("Batas waktu / Pass deadlines")
def pass_deadlines() -> int:
    """Deadlines that are due become wakes."""
    wired = systems()
    with wired.store.read() as session:
        query = select(Deadline).where(col(Deadline.over).is_(False), col(Deadline.due_at) <= wired.clock.now())
        due = session.exec(query.order_by(col(Deadline.due_at)).limit(MOST)).all()
    return _each(due, _pass)


@part("Bangunkan kasus / Deliver wakes")
def deliver_wakes() -> int:
    """Resume suspended cases for which something was kept."""
    takes = [and_(col(Wait.form) == name, col(Wake.kind).in_(form.takes)) for name, form in FORMS.items() if form.takes]
    with systems().store.read() as session:
        query = (
            select(Wake.case_id)
            .join(Wait, col(Wait.case_id) == col(Wake.case_id))
            .where(col(Wake.taken_at).is_(None), or_(*takes))
        )
        cases = session.exec(query.distinct().limit(MOST)).all()
    return _each(cases, wake_waiting_case)


@part("Pulihkan proses / Recover runs")
def recover_runs() -> int:
    """Start runs that were never started, and set broken ones and orphans going again."""
    wired = systems()
    started = _each(cases_without_run(wired), start_case)
    _each(_open_cases(wired, wired.engine.broken_runs()), _restart)
    live = wired.engine.live_workers()
    for run in wired.engine.running_runs():
        owner, _, rest = (run.infrastructure_pid or "::").partition(":")
        since = run.state.timestamp if run.state else None
        if ":" not in rest:
            continue  # a process of its own, which Prefect's process worker looks after
        if owner not in live and since is not None and wired.machine_clock.now() - since > LONE_RUN:
            if run.state is not None and run.state.is_cancelling():
                wired.engine.cancel(str(run.id))
            else:
                wired.engine.restart(str(run.id), "its worker is gone")
    _each(_open_cases(wired, wired.engine.cancelled_runs()), _cancel)
    return started


def keep_wake(wired: Systems, case_id: int, kind: str, source: str, answers: dict[str, Any]) -> None:
    """Keep something that happened to a case, once for each ``source``."""
    try:
        with wired.store.write() as session:
            session.add(Wake(case_id=case_id, kind=kind, source=source, answers=answers, created_at=wired.clock.now()))
    except Conflict:
        return


def _follow(wired: Systems, known: TicketRow) -> None:
    seen = wired.nossa.progress(known.external_id)
    if seen is None or (seen.status == known.status and (seen.unit or known.unit) == known.unit):
        return
    since = seen.changed_at or wired.clock.now()
    answers, source = _report(seen), f"ticket:{known.external_id}:{seen.status}:{since.isoformat()}"
    with wired.store.write() as session:
        row = session.exec(select(TicketRow).where(TicketRow.external_id == known.external_id).with_for_update()).one()
        if (row.open, row.unit, row.status_since) != (True, known.unit, known.status_since):
            return  # the case has coordinated meanwhile, so this is news of the unit before
        row.unit, row.status, row.open = seen.unit or known.unit, seen.status.value, seen.status not in ENDED
        row.status_reason, row.status_since = seen.status_reason or "", since
        if answers is not None and not session.exec(select(Wake).where(Wake.source == source)).first():
            now = wired.clock.now()
            session.add(Wake(case_id=known.case_id, kind="unit", source=source, answers=answers, created_at=now))


def _report(ticket: Ticket) -> dict[str, Any] | None:
    if ticket.status in (TicketStatus.RESOLVED, TicketStatus.CLOSED):
        if not ticket.cause or not ticket.repair:
            return {
                "choice": "ESCALATE",
                "note": "Unit selesai tanpa penyebab/perbaikan / repaired, cause or repair not told",
            }
        return {"choice": "REPAIRED", "cause": ticket.cause[:LONGEST_TEXT], "repair": ticket.repair[:LONGEST_TEXT]}
    if ticket.status in STUCK:
        return {"choice": "ESCALATE", "note": f"Tiket {ticket.status_reason or ticket.status} / the ticket is stuck"}
    return None


def _pass(wired: Systems, deadline: Deadline) -> None:
    keep_wake(wired, deadline.case_id, deadline.kind, f"deadline:{deadline.id}", {})
    with wired.store.write() as session:
        session.execute(update(Deadline).where(col(Deadline.id) == deadline.id).values(over=True))


def _open_cases(wired: Systems, runs: list[FlowRun]) -> Sequence[Case]:
    of_runs = col(Case.run_id).in_([str(run.id) for run in runs])
    with wired.store.read() as session:
        return session.exec(select(Case).where(of_runs, Case.status == "open")).all()


def _restart(wired: Systems, case: Case) -> None:
    if case.run_id is None or case.restarts >= MOST_RESTARTS:
        return
    with wired.store.write() as session:
        session.execute(update(Case).where(col(Case.id) == case.id).values(restarts=case.restarts + 1))
    wired.engine.restart(case.run_id, "it had crashed or failed")


def _cancel(wired: Systems, case: Case) -> None:
    with wired.store.write() as session:
        finish(session, case.key, "cancelled", "cancelled in the Prefect UI", wired.clock.now())


def _each(items: Any, act: Callable[[Systems, Any], object]) -> int:
    """Do ``act`` for each item; one that fails is logged and left for the next pass."""
    wired, done = systems(), 0
    for item in items:
        try:
            act(wired, item)
            done += 1
        except Unavailable as error:
            log.warning("left for the next pass: %s", error)
        except LayananError as error:
            log.error("needs a person: %s", error)  # noqa: TRY400 - said by a system, no defect
    return done
