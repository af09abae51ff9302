"""The time limit of every wait: no open case stands still because nobody clicks.

A decision has a time limit in office hours, by role. If it passes, the decision is escalated one step (agent → team
leader → supervisor); whoever could answer before still can. While the form waits, the customer is kept informed
(SOP 5.8). A wait for nobody's decision ends by a deadline of the case.

Held by `tests/tasks/run/test_waits.py` and `tests/tasks/upkeep/test_watch_waits.py`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, union
from sqlmodel import Session, col, select

from adapters.wiring import Systems
from models.analysis import Kind
from models.forms import FORMS
from models.forms.base import Form
from models.sop import DECIDE, Role
from models.states import EscalationReason, RecordState, SignalKind
from models.tables import ActivityRecord, Case, Deadline, Signal, Wait
from tasks.run import signals

INFORMS = sorted(
    name
    for name, form in FORMS.items()
    if form.role in DECIDE and form.keeps_informed and SignalKind.UPDATE not in form.takes
)
"""Forms that wait while :mod:`tasks.keep_informed` writes to the customer."""
PERSONS = sorted(name for name, form in FORMS.items() if form.role in DECIDE)
_DECISIONS = (
    select(Case, Wait).join(Wait).where(Case.status == "open", col(Wait.form).in_(PERSONS)).order_by(col(Wait.since))
)
SWEPT_WITHIN = timedelta(minutes=5)
"""Time within which a running monitor has processed what is due."""


def time_to_decide(systems: Systems, case: Case, role: str, since: datetime) -> datetime | None:
    """When a decision that a role has had since then is overdue; None for roles that decide nothing."""
    policy = systems.settings.policy
    hours = {
        Role.AGENT: policy.agent_information_hours if case.kind == Kind.INFORMATION else policy.agent_hours,
        Role.TEAM_LEADER: policy.team_leader_hours,
        Role.SUPERVISOR: policy.supervisor_hours,
    }
    if role not in DECIDE:
        return None
    return systems.settings.office_of(case.mailbox).add(since, timedelta(hours=hours[Role(role)]))


def set_time(session: Session, systems: Systems, case: Case, wait: Wait) -> None:
    """Set a wait's time limit; a form that is asked again after an update keeps its earlier escalation."""
    this = (
        ActivityRecord.case_id == case.key,
        ActivityRecord.name == "escalate_wait",
        ActivityRecord.state == RecordState.DONE,
    )
    raised = select(ActivityRecord).where(*this)
    wait.due_at = time_to_decide(systems, case, wait.role, wait.since)
    for record in session.exec(raised.order_by(col(ActivityRecord.id))):
        if record.output["form"] == wait.form and datetime.fromisoformat(record.output["since"]) == wait.since:
            wait.escalated_to = record.output["to"]
            wait.escalated_for = EscalationReason(record.output["reason"])
            wait.due_at = datetime.fromisoformat(record.output["due_at"])


def promise_update(session: Session, systems: Systems, case: Case, form: type[Form]) -> None:
    """Set the deadline for the next update to the customer while a form waits (SOP 5.8)."""
    if form.__name__ not in INFORMS or case.sender_doubt or _is_running(session, case.key, [SignalKind.UPDATE]):
        return
    due = systems.clock.now() + timedelta(hours=systems.settings.policy.update_hours)
    due = systems.settings.office_of(case.mailbox).next_open(due)
    session.add(Deadline(case_id=case.key, kind=SignalKind.UPDATE, due_at=due))


def limit_silence(session: Session, systems: Systems, case: Case, form: type[Form]) -> None:
    """Set a deadline for a wait for nobody's decision, if none is running: it must end some day."""
    if not form.ends or _is_running(session, case.key, form.takes):
        return
    now, settings = systems.clock.now(), systems.settings
    due = {
        SignalKind.REPAIR: now + settings.repair_time(case.tier),
        SignalKind.ANSWER: now + timedelta(hours=settings.policy.answer_hours),
        SignalKind.CLOSING: now + timedelta(hours=settings.policy.closing_hours),
        SignalKind.OPENING: settings.office_of(case.mailbox).next_open(now),
    }
    session.add(Deadline(case_id=case.key, kind=form.ends, due_at=due[form.ends]))


def _is_running(session: Session, case_id: int, kinds: Collection[str]) -> bool:
    """Whether a deadline of these kinds is running, or a signal of these kinds is pending."""
    running = select(Deadline.id).where(
        Deadline.case_id == case_id, col(Deadline.over).is_(False), col(Deadline.kind).in_(kinds)
    )
    return session.exec(running.limit(1)).first() is not None or signals.is_pending(session, case_id, kinds)


def watch_at(session: Session, systems: Systems, wait: Wait) -> datetime | None:
    """When the monitor must look at a wait next: when it is overdue, or when its deadline should have ended it."""
    form = FORMS[wait.form]
    if not form.ends:
        return wait.due_at
    running = (Deadline.case_id == wait.case_id, col(Deadline.over).is_(False), col(Deadline.kind).in_(form.takes))
    last = session.exec(select(func.max(Deadline.due_at)).where(*running)).one()
    now = systems.clock.now()
    return max(last, now) + SWEPT_WITHIN if last else now + SWEPT_WITHIN


def waits_to_watch(systems: Systems, limit: int) -> Sequence[int]:
    """Cases whose wait is due, shows an old state, or has a pending update or repair signal that it does not take.

    Each part is found through an index, however many cases wait.
    """
    due = select(Wait.case_id).where(or_(col(Wait.watch_at).is_(None), col(Wait.watch_at) <= systems.clock.now()))
    stale = select(Wait.case_id).where(col(Wait.escalated_to) != col(Wait.shown_to))
    beneath = or_(
        and_(col(Wait.form).in_(INFORMS), col(Signal.kind) == SignalKind.UPDATE),
        and_(col(Wait.form).in_(PERSONS), col(Signal.kind) == SignalKind.REPAIR, col(Wait.escalated_to) == ""),
    )
    # few signals are pending, so they are searched first
    held_up = select(Wait.case_id).join(Signal, col(Signal.case_id) == Wait.case_id).where(signals.PENDING, beneath)
    query = (
        select(Wait.case_id).join(Case).where(Case.status == "open", col(Wait.case_id).in_(union(due, stale, held_up)))
    )
    with systems.store.read() as session:
        return session.exec(query.order_by(col(Wait.watch_at)).limit(limit)).all()


@dataclass(frozen=True)
class Late:
    """An open case that has no time limit, or has missed it."""

    reference: str
    why: str


def cases_without_clock(systems: Systems, grace: timedelta = SWEPT_WITHIN) -> list[Late]:
    """Open cases without a future deadline, or with an overdue wait that was not escalated: there must be none.

    Args:
        grace: how long something may be due before it counts as missed.
    """
    now = systems.clock.now()
    late = now - grace
    with systems.store.read() as session:
        rows = session.exec(
            select(Case, Wait).join(Wait, isouter=True).where(Case.status == "open").order_by(col(Case.id))
        ).all()
        ahead = set(
            session.exec(select(Deadline.case_id).where(col(Deadline.over).is_(False), col(Deadline.due_at) > late))
        )
        kept: dict[int, set[str]] = {}
        for case_id, kind in session.exec(select(Signal.case_id, Signal.kind).where(signals.PENDING)):
            kept.setdefault(case_id, set()).add(kind)
        found: list[Late] = []
        for case, wait in rows:
            if wait is None:
                if case.key not in ahead and _idle_since(session, case) < now - timedelta(
                    minutes=systems.settings.run_minutes
                ):
                    found.append(Late(case.reference, "neither running nor waiting"))
            elif wait.form in PERSONS:
                if wait.due_at is None:
                    found.append(Late(case.reference, f"{wait.form} has no time limit"))
                elif wait.due_at <= late:
                    found.append(Late(case.reference, f"{wait.form} is overdue and was not escalated"))
            elif case.key not in ahead and kept.get(case.key, set()).isdisjoint(FORMS[wait.form].signals()):
                found.append(Late(case.reference, f"{wait.form} has no deadline"))
    return found


def _idle_since(session: Session, case: Case) -> datetime:
    query = select(ActivityRecord.ended_at).where(ActivityRecord.case_id == case.key)
    latest = session.exec(query.order_by(col(ActivityRecord.id).desc()).limit(1)).first()
    return latest or case.opened_at


def oldest_decision(systems: Systems) -> tuple[Case, Wait] | None:
    """The open case that has waited longest for a person's decision."""
    with systems.store.read() as session:
        row = session.exec(_DECISIONS.limit(1)).first()
    return (row[0], row[1]) if row else None


def overdue_decisions(systems: Systems) -> list[tuple[Case, Wait]]:
    """Open cases whose decision is overdue, the oldest first; a supervisor's is never marked as escalated."""
    now = systems.clock.now()
    perhaps = or_(col(Wait.escalated_to) != "", col(Wait.role) == Role.SUPERVISOR)
    with systems.store.read() as session:
        rows = session.exec(_DECISIONS.where(perhaps)).all()
    return [
        (case, wait)
        for case, wait in rows
        if wait.escalated_for == EscalationReason.OVERDUE
        or ((due := time_to_decide(systems, case, wait.role, wait.since)) and due <= now)
    ]
