"""The parts of one of the monitor's sweeps (SOP W-86). A part that fails does not stop the others."""

import logging
import random
import socket
from datetime import timedelta
from functools import partial

from sqlalchemy import and_, func, or_, update
from sqlmodel import col, select

from adapters.wiring import Systems, load_systems
from models.forms import FORMS
from models.states import SignalKind
from models.tables import Case, Deadline, ServiceRow, Signal, TicketRow, Wait
from tasks.run import signals
from tasks.run.clocks import waits_to_watch
from tasks.run.lease import due_letters
from tasks.run.relay import refusal_now
from tasks.run.resume import answered_waits, go_on, resume_or_show
from tasks.run.send_letter import deliver
from tasks.run.start_case import cases_without_run, start_case
from tasks.upkeep.follow_ticket import follow
from tasks.upkeep.recover_runs import cancel, cases_of_lost_runs, open_cases, replace, restart, take_over
from tasks.upkeep.seal_audit import seal_audit
from tasks.upkeep.sweep import each, every, part
from tasks.upkeep.watch_waits import watch

log = logging.getLogger("layanan.monitor")

MOST = 500
"""Largest number of deadlines, and of waits, that one sweep takes; the next sweep takes the others."""
KEPT, FAILED_KEPT = timedelta(days=1), timedelta(days=7)
"""How long the engine keeps runs of intake and monitor that succeeded, and that failed."""
LATE = timedelta(minutes=1)
"""A run of intake or monitor that no worker has taken by then is dropped: newer ones are due."""


@part("Kirim surat tertunda / Send due letters")
def send_due_letters() -> int:
    """Send queued letters, and those whose lease has run out; returns how many were tried.

    While the relay refuses us, one letter is the probe; if the relay takes it, all others follow.
    """
    systems, refused = load_systems(), refusal_now(load_systems())
    done = each(due_letters(systems), deliver)
    return done + each(due_letters(systems), deliver) if refused and refusal_now(systems) is None else done


@part("Pantau tiket / Follow tickets")
def follow_tickets() -> int:
    """Look up open tickets in NOSSA. A unit's report, or a stuck ticket, becomes a signal for the case."""
    with load_systems().store.read() as session:
        tickets = list(session.exec(select(TicketRow).where(col(TicketRow.open))))
    # shuffled, so that each is looked up in some sweep even if one sweep never has time for all
    random.shuffle(tickets)
    return each(tickets, follow)


@part("Batas waktu / Pass deadlines")
def pass_deadlines() -> int:
    """Turn due deadlines into signals."""
    systems = load_systems()
    with systems.store.read() as session:
        query = select(Deadline).where(col(Deadline.over).is_(False), col(Deadline.due_at) <= systems.clock.now())
        due = session.exec(query.order_by(col(Deadline.due_at)).limit(MOST)).all()
    return each(due, _pass)


@part("Teruskan sinyal / Deliver signals")
def deliver_signals() -> int:
    """Resume suspended cases that have signals, oldest signals first.

    If the case waits for a decision, the form shows a letter that did not arrive instead.
    """
    takes = [and_(col(Wait.form) == name, col(Signal.kind).in_(form.signals())) for name, form in FORMS.items()]
    with load_systems().store.read() as session:
        query = (
            select(Signal.case_id)
            .join(Wait, col(Wait.case_id) == col(Signal.case_id))
            .where(signals.PENDING, or_(col(Signal.kind) == SignalKind.UNDELIVERED, *takes))
        )
        cases = session.exec(query.group_by(col(Signal.case_id)).order_by(func.min(Signal.id))).all()
    _, done = every(
        lambda: each(answered_waits(load_systems()), go_on),
        lambda: each(cases, partial(resume_or_show, kind=SignalKind.UNDELIVERED)),
    )
    return done


@part("Waktu tunggu / Watch waits")
def watch_waits() -> int:
    """Escalate overdue decisions, and keep the customers of waiting cases informed."""
    return each(waits_to_watch(load_systems(), MOST), watch)


@part("Pulihkan proses / Recover runs")
def recover_runs() -> int:
    """Start missing runs, and restart broken runs and orphans."""
    systems = load_systems()

    def restart_broken() -> int:
        broken = {str(run.id): run for run in systems.engine.broken_runs()}
        return each(open_cases(systems, broken), lambda systems, case: restart(systems, case, broken[case.run_id]))

    _, started, *_ = every(
        lambda: each(cases_of_lost_runs(systems), replace),
        lambda: each(cases_without_run(systems), start_case),
        restart_broken,
        lambda: each(systems.engine.running_runs(), partial(take_over, live=systems.engine.live_workers())),
        lambda: each(open_cases(systems, [str(run.id) for run in systems.engine.cancelled_runs()]), cancel),
    )
    return started


@part("Rapikan riwayat / Tidy up")
def tidy_up() -> int:
    """Delete old runs of intake and monitor, and scheduled runs that no worker took in time.

    Intake and monitor make thousands of runs a day; a night without a worker leaves as many scheduled runs.
    """
    systems = load_systems()
    _note_settings(systems)
    now = systems.machine_clock.now()
    late, forgotten = systems.engine.tidy_polls(now - LATE, now - KEPT, now - FAILED_KEPT)
    if late:
        log.warning("%s late runs of intake and monitor are dropped", late)
    return forgotten


PARTS = (
    send_due_letters,
    pass_deadlines,
    deliver_signals,
    watch_waits,
    recover_runs,
    follow_tickets,
    seal_audit,
    tidy_up,
)
"""The parts of a sweep, in their order."""


def _note_settings(systems: Systems) -> None:
    """Record the service's settings on this machine, so that doctor can compare them with its own."""
    now = systems.machine_clock.now()
    with systems.store.write() as session:
        session.merge(ServiceRow(host=socket.gethostname(), settings=systems.settings.shown(), seen_at=now))


def _pass(systems: Systems, deadline: Deadline) -> None:
    """Turn a deadline into a signal, in one transaction with the check that no activity has dropped it.

    An update to the customer that is late because the service was down waits for office hours.
    """
    this = update(Deadline).where(col(Deadline.id) == deadline.id, col(Deadline.over).is_(False))
    now = systems.clock.now()
    with systems.store.write() as session:
        mailbox = session.exec(select(Case.mailbox).where(Case.id == deadline.case_id)).one()
        opens = systems.settings.office_of(mailbox).next_open(now)
        if deadline.kind == SignalKind.UPDATE and opens > now:
            session.execute(this.values(due_at=opens))
        elif session.execute(this.values(over=True)).rowcount == 1:  # type: ignore[attr-defined]
            session.add(signals.of_deadline(deadline, now))
