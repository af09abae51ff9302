"""What the monitor does in a pass (SOP W-86). Each part stands alone: one that fails keeps no other from its work."""

import logging
import random
import socket
import time
from collections.abc import Callable, Container, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import FlowRun
from sqlalchemy import and_, func, or_, update
from sqlmodel import col, select

from adapters.systems.mycx import ENDED
from adapters.wiring import Systems, systems
from models.errors import AskedToWait, Defect, LayananError, NothingDone, Unavailable
from models.facts import Ticket, TicketStatus
from models.forms import FORMS, LONGEST_TEXT
from models.states import SignalKind
from models.tables import Case, Deadline, ServiceRow, Signal, TicketRow, Wait
from tasks.run import drain, signals
from tasks.run.clocks import waits_to_watch
from tasks.run.family import going_on, locked
from tasks.run.lifetime import finish
from tasks.run.moments import ticket_times
from tasks.run.relay import refusal_now
from tasks.run.send_letter import deliver, due_letters
from tasks.run.start_case import cases_without_run, replace_run, start_case
from tasks.run.waits import resume_or_show, show_news
from tasks.upkeep.watch_waits import watch

log = logging.getLogger("layanan.monitor")

STUCK = {TicketStatus.HELD, TicketStatus.PENDING, TicketStatus.REJECTED, TicketStatus.CANCELLED}
MOST = 500
"""Items that one pass takes of each kind; the next pass takes the next ones."""
QUOTED = 3
"""Different errors that a part names in which every item failed."""
PART_SECONDS = 60.0
"""Time that a part of a pass may take, so that a system that hangs keeps nothing else waiting for long."""
MOST_RESTARTS = 8
RESTART_AFTER = timedelta(seconds=15)
"""Pause before a run is set going again; it doubles each time, to about an hour in all."""
KEPT = timedelta(days=1)
FAILED_KEPT = timedelta(days=7)
LATE = timedelta(minutes=1)
"""A pass that no worker took up for so long is dropped: several have become due since."""
LONE_RUN = timedelta(seconds=90)
"""A run that no live worker carries for so long is an orphan."""


def part(label: str) -> Callable[[Callable[[], int]], Any]:
    """A part of the monitor as a Prefect task."""
    return task(name=label, task_run_name=label, cache_policy=NO_CACHE, persist_result=False)


@part("Kirim surat tertunda / Send due letters")
def send_due_letters() -> int:
    """Send letters that are queued, or whose sending was cut off; returns how many were looked at.

    Where the relay has refused us, one is tried; if it is taken, all others follow.
    """
    wired, refused = systems(), refusal_now(systems())
    done = _each(due_letters(wired), deliver)
    return done + _each(due_letters(wired), deliver) if refused and refusal_now(wired) is None else done


@part("Pantau tiket / Follow tickets")
def follow_tickets() -> int:
    """Look at open tickets in NOSSA; a report, or a unit that is stuck, wakes the case."""
    with systems().store.read() as session:
        tickets = list(session.exec(select(TicketRow).where(col(TicketRow.open))))
    # where the time does not suffice for all of them, each has its turn in some pass
    random.shuffle(tickets)
    return _each(tickets, _follow)


@part("Batas waktu / Pass deadlines")
def pass_deadlines() -> int:
    """Deadlines that are due become signals."""
    wired = systems()
    with wired.store.read() as session:
        query = select(Deadline).where(col(Deadline.over).is_(False), col(Deadline.due_at) <= wired.clock.now())
        due = session.exec(query.order_by(col(Deadline.due_at)).limit(MOST)).all()
    return _each(due, _pass)


@part("Teruskan sinyal / Deliver signals")
def deliver_signals() -> int:
    """Resume suspended cases for which something was kept, the longest kept first.

    Who decides reads meanwhile that a letter did not arrive.
    """
    takes = [and_(col(Wait.form) == name, col(Signal.kind).in_(form.signals())) for name, form in FORMS.items()]
    with systems().store.read() as session:
        query = (
            select(Signal.case_id)
            .join(Wait, col(Wait.case_id) == col(Signal.case_id))
            .where(signals.PENDING, or_(col(Signal.kind) == SignalKind.UNDELIVERED, *takes))
        )
        cases = session.exec(query.group_by(col(Signal.case_id)).order_by(func.min(Signal.id))).all()
    return _each(cases, partial(resume_or_show, kind=SignalKind.UNDELIVERED))


@part("Waktu tunggu / Watch waits")
def watch_waits() -> int:
    """Escalate what nobody decides in time, and keep customers informed beneath it."""
    return _each(waits_to_watch(systems(), MOST), watch)


@part("Pulihkan proses / Recover runs")
def recover_runs() -> int:
    """Start runs that were never started or are gone, and set broken ones and orphans going again."""
    wired = systems()

    def restart_broken() -> int:
        broken = {str(run.id): run for run in wired.engine.broken_runs()}
        return _each(_open_cases(wired, broken), lambda wired, case: _restart(wired, case, broken[case.run_id]))

    _, started, *_ = _all(
        lambda: _each(cases_of_lost_runs(wired), _replace),
        lambda: _each(cases_without_run(wired), start_case),
        restart_broken,
        lambda: _each(wired.engine.running_runs(), partial(_take_over, live=wired.engine.live_workers())),
        lambda: _each(_open_cases(wired, [str(run.id) for run in wired.engine.cancelled_runs()]), _cancel),
    )
    return started


@part("Rapikan riwayat / Tidy up")
def tidy_up() -> int:
    """Delete passes of intake and monitor that ended well a day ago, and those that nobody took up in time.

    The list of the first would grow by thousands a day; of the latter a night without a worker leaves as many.
    """
    wired = systems()
    _note_settings(wired)
    if dropped := wired.engine.drop_late_passes(wired.machine_clock.now() - LATE):
        log.warning("%s late passes of intake and monitor are dropped", dropped)
    now = wired.machine_clock.now()
    return wired.engine.forget_passes(now - KEPT, now - FAILED_KEPT)


PARTS = (send_due_letters, pass_deadlines, deliver_signals, watch_waits, recover_runs, follow_tickets, tidy_up)
"""Of a pass, in their order."""


def _note_settings(wired: Systems) -> None:
    """Tell doctor, which may run with others, what settings the service has on this machine."""
    now = wired.machine_clock.now()
    with wired.store.write() as session:
        session.merge(ServiceRow(host=socket.gethostname(), settings=wired.settings.shown(), seen_at=now))


def _follow(wired: Systems, known: TicketRow) -> None:
    seen = wired.nossa.progress(known.external_id)
    if seen is None or _told_already(seen, known):
        return
    now = wired.clock.now()
    answers = _report(seen)
    source = f"{known.external_id}:{seen.status}:{(seen.changed_at or now).isoformat()}"
    with wired.store.write() as session:
        case_id = going_on(session, known.case_id).key
        row = session.exec(select(TicketRow).where(TicketRow.external_id == known.external_id).with_for_update()).one()
        if (row.open, row.unit, row.status_since) != (True, known.unit, known.status_since):
            return  # the case has coordinated meanwhile, so this is news of the unit before
        row.unit, row.status, row.open = seen.unit or known.unit, seen.status.value, seen.status not in ENDED
        row.status_reason = seen.status_reason or ""
        opened_at = session.get_one(Case, known.case_id).opened_at
        for column, value in ticket_times(seen, "NOSSA", opened_at=opened_at, now=now).items():
            setattr(row, column, value)
        if answers is not None:
            signals.keep_once(session, signals.of_unit(case_id, source, now, answers))
    if answers is not None:
        resume_or_show(wired, case_id, "unit")
    elif seen.status is TicketStatus.UNKNOWN:
        show_news(wired, case_id)


def _told_already(seen: Ticket, known: TicketRow) -> bool:
    if seen.status is TicketStatus.UNKNOWN and (seen.status_reason or "") != known.status_reason:
        return False  # the word is all that there is of it
    return seen.status == known.status and (seen.unit or known.unit) == known.unit


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
    """In one transaction, in which it is still due: an activity may have dropped it meanwhile.

    An update that nobody passed in time, for the service was away, waits for the office to open.
    """
    this = update(Deadline).where(col(Deadline.id) == deadline.id, col(Deadline.over).is_(False))
    now = wired.clock.now()
    with wired.store.write() as session:
        mailbox = session.exec(select(Case.mailbox).where(Case.id == deadline.case_id)).one()
        opens = wired.settings.office_of(mailbox).next_open(now)
        if deadline.kind == SignalKind.UPDATE and opens > now:
            session.execute(this.values(due_at=opens))
        elif session.execute(this.values(over=True)).rowcount == 1:  # type: ignore[attr-defined]
            session.add(signals.of_deadline(deadline, now))


def _open_cases(wired: Systems, run_ids: Iterable[str]) -> Sequence[Case]:
    with wired.store.read() as session:
        return session.exec(select(Case).where(col(Case.run_id).in_(list(run_ids)), Case.status == "open")).all()


def cases_of_lost_runs(wired: Systems, most: int | None = MOST) -> list[int]:
    """Of some open cases those whose run goes on nowhere: it, its deployment or its pool is gone, or it is done."""
    some = select(Case.id, Case.run_id).where(Case.status == "open", col(Case.run_id).is_not(None))
    with wired.store.read() as session:
        cases = session.exec(some.order_by(func.random()).limit(most)).all()
    since = wired.machine_clock.now() - timedelta(minutes=wired.settings.run_minutes)
    known = wired.engine.reachable_runs([run_id for _, run_id in cases if run_id], since)
    return [case_id for case_id, run_id in cases if case_id and run_id not in known]


def _replace(wired: Systems, case_id: int) -> None:
    with wired.store.read() as session:
        case = session.get_one(Case, case_id)
    if case.run_id and wired.engine.called_off(case.run_id):
        _cancel(wired, case)
    else:
        replace_run(wired, case_id)


def _restart(wired: Systems, case: Case, run: FlowRun) -> None:
    broke = run.state.timestamp if run.state else wired.machine_clock.now()
    pause = RESTART_AFTER * 2**case.restarts if case.restarts else timedelta()
    if case.restarts >= MOST_RESTARTS or wired.machine_clock.now() - broke < pause:
        return
    with wired.store.write() as session:
        session.execute(update(Case).where(col(Case.id) == case.id).values(restarts=case.restarts + 1))
    if case.restarts + 1 == MOST_RESTARTS:
        log.error("%s breaks again and again; this is its last try: layanan doctor", case.reference)
    wired.engine.restart(str(run.id), "it had crashed or failed")


def _take_over(wired: Systems, run: FlowRun, live: Container[str]) -> None:
    """An orphan goes on, or ends where a person had cancelled it."""
    owner, _, rest = (run.infrastructure_pid or "::").partition(":")
    # one without a colon is a process of its own, which Prefect's process worker looks after
    if ":" not in rest or owner in live or run.state is None:
        return
    if wired.machine_clock.now() - run.state.timestamp > LONE_RUN:
        if run.state.is_cancelling():
            wired.engine.cancel(str(run.id))
        else:
            wired.engine.restart(str(run.id), "its worker is gone")


def _cancel(wired: Systems, case: Case) -> None:
    with wired.store.write() as session:
        if locked(session, case.key).status == "open":
            finish(session, case.key, "cancelled", "cancelled in the Prefect UI", wired.clock.now())


def _all(*steps: Callable[[], int]) -> list[int]:
    """Take each step, whatever becomes of those before; returns how much each has done.

    Raises:
        Defect, NothingDone: of the first step that raised one.
    """
    done: list[int] = []
    errors: list[LayananError] = []
    for step in steps:
        try:
            done.append(step())
        except (Defect, NothingDone) as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return done


def _each(items: Any, act: Callable[[Systems, Any], object]) -> int:
    """Do ``act`` for each item, as long as there is time; one that fails is left for the next pass.

    A system that is to be left alone ends the part: the other items would meet the same.

    Raises:
        Defect: our own code broke with some; all others are done.
        NothingDone: there were items, and each has failed.
    """
    wired, done, defects = systems(), 0, 0
    failed: list[LayananError] = []
    end = time.monotonic() + PART_SECONDS
    for item in items:
        if drain.asked() or time.monotonic() > end:
            log.warning("the rest is left for the next pass")
            break
        try:
            act(wired, item)
            done += 1
        except AskedToWait as error:
            log.warning("the rest is left for the next pass: %s", error)
            failed.append(error)
            break
        except Unavailable as error:
            log.warning("left for the next pass: %s", error)
            failed.append(error)
        except LayananError as error:
            log.error("needs a person: %s", error)  # noqa: TRY400 - said by a system, no defect
            failed.append(error)
        except Exception:
            log.exception("a defect; the others go on")
            defects += 1
    if defects:
        raise Defect(f"{defects} items broke; see the worker's log")
    if failed and not done:
        errors = list(dict.fromkeys(map(str, failed)))[:QUOTED]
        raise NothingDone(f"nothing could be done: {'; '.join(errors)}")
    return done
