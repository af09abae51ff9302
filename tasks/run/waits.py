"""Waits: the run suspends until a person submits a form, or a mail, a unit or a deadline answers it.

    decision = decide(case, Escalation, about=…)

The answer is recorded before anything follows from it, so a wait that is over costs a later wake nothing. A wake that
comes while the run is not suspended is kept in the store: it is looked for before suspending, again right after, and
swept up by the monitor, so none is lost; each is taken once, in the transaction that records the decision.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any, TypeVar

from prefect import get_run_logger, suspend_flow_run
from prefect.exceptions import Pause
from pydantic import ValidationError
from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from adapters.engine.forms import Resumed
from adapters.wiring import Systems
from models.errors import LayananError
from models.forms import FORMS, MEANWHILE, SYSTEM, Desk, Form, Unreachable
from models.sop import REVISION, Role
from models.states import SignalKind
from models.tables import ActivityRecord, Case, Decision, Signal, Wait
from tasks.run import clocks, signals, undelivered
from tasks.run.briefing import brief
from tasks.run.case_run import CaseRun
from tasks.run.family import locked
from tasks.run.work import Effect

F = TypeVar("F", bound=Form)
Asking = Callable[[str], type[Form]]
"""A form as it is shown with a description."""


@dataclass(frozen=True)
class Rules:
    """What a form's answers must keep beyond the form, and what is done in the transaction that records them."""

    problem: Callable[[Any], str | None] = lambda _: None
    then: Callable[[Session, Any], object] = lambda _, __: None


NOBODY = "“system” bukan nama orang / is nobody's name"


def decide(
    case: CaseRun,
    form: type[F],
    *,
    about: str,
    key: str = "",
    rules: Rules | None = None,
    hidden: Collection[str] = (),
    **first_answers: Any,
) -> F:
    """Wait until ``form`` is answered and return the answers.

    Args:
        about: what is to be decided, first line of the form's description (markdown).
        key: names the wait; by default the form and its occurrence.
        rules: what else an answer must keep, and what is done when it is recorded.
        hidden: fields, and codes of choices, that make no sense here.
        first_answers: what the form shows filled in.
    """
    key = key or f"{form.slug()}-{case.next_occurrence(form.__name__)}"
    refusal = ""
    for attempt in count(1):
        record = case.record(key, 1, attempt)
        if record is None:
            asking = partial(form.asking, units=case.systems.settings.policy.units, hidden=hidden, **first_answers)
            record = _answered(case, form, asking, key, attempt, refusal + about, rules or Rules())
            case.remember(record)
        if record.state == "done":
            # a field that an older form had is no longer asked for
            return form(**{name: value for name, value in record.output.items() if name in form.model_fields})
        if record.state == SignalKind.UNDELIVERED:
            _reach(case, record.output["letters"], f"{key}-undelivered{attempt}")
        if record.state != "refused":
            continue
        # nobody types twice what was refused once
        first_answers |= record.output.get("answers", {})
        refusal = f"⚠ **{record.output['problem']}**\n\n"
    raise AssertionError("unreachable")


def _reach(case: CaseRun, letters: Sequence[int], key: str) -> None:
    """Letters did not arrive: an agent finds another way, before the wait goes on."""
    if (record := case.record(key, 1)) is not None and record.state == "done":
        return
    about = undelivered.about(case, letters)
    rules = Rules(partial(undelivered.problem, case, letters), partial(undelivered.settle, case.systems, letters))
    decide(case, Unreachable, key=key, about=about, rules=rules)


def _answered(
    case: CaseRun, form: type[F], asking: Asking, key: str, attempt: int, about: str, rules: Rules
) -> ActivityRecord:
    wait_key = _wait_key(key, attempt)
    # a wait that has begun may already hold a person's answers; only a new one looks for kept wakes first
    if not _begun(case, wait_key):
        if (record := _take_signal(case, form, key, attempt, offered=True)) is not None:
            return record
        _begin(case, form, asking, key, attempt, about)
    with case.store.read() as session:
        wait = session.exec(select(Wait).where(Wait.case_id == case.case_id)).one()
    shown = asking(wait.description)
    try:
        answers: Form = (
            shown(**wait.given) if wait.given else suspend_flow_run(wait_for_input=shown, key=wait_key, timeout=None)
        )
    except Pause:
        # something may have come between looking and suspending; the monitor looks again where this cannot
        with suppress(LayananError):
            resume_waiting_case(case.systems, case.case_id)
        raise
    except ValidationError as error:
        if error.title != form.__name__:
            raise
        problems = [f"{form.model_fields[str(item['loc'][0])].title}: {item['msg']}" for item in error.errors()]
        return _refuse(case, form, key, attempt, "; ".join(problems))
    given, by = answers.answers(), answers.by
    if by == SYSTEM:
        record = _take_signal(case, form, key, attempt)
        return record or _refuse(case, form, key, attempt, NOBODY)
    if problem := answers.problem() or rules.problem(answers):
        # who answers next time may be somebody else
        typed = {name: answer for name, answer in given.items() if name != "by"}
        return _refuse(case, form, key, attempt, problem, by=by, answers=typed)
    return _record(case, form, key, attempt, "done", given, by, effect=lambda session: rules.then(session, answers))


def _wait_key(key: str, attempt: int) -> str:
    return key if attempt == 1 else f"{key}-r{attempt}"


def _begun(case: CaseRun, wait_key: str) -> bool:
    with case.store.read() as session:
        wait = session.exec(select(Wait).where(Wait.case_id == case.case_id)).first()
    return wait is not None and wait.wait_key == wait_key


def _begin(case: CaseRun, form: type[Form], asking: Asking, key: str, attempt: int, about: str) -> None:
    wait = Wait(
        case_id=case.case_id,
        wait_key=_wait_key(key, attempt),
        form=form.__name__,
        role=form.role,
        since=_asked_since(case, form, key, attempt) or case.systems.clock.now(),
        about=about,
        description="",
    )
    with case.store.read() as session:
        clocks.set_time(session, case.systems, session.get_one(Case, case.case_id), wait)
    wait.shown_to = wait.escalated_to
    wait.description = brief(case, form, about, wait)
    wait.json_schema = asking(wait.description).model_json_schema()
    with case.store.write() as session:
        clocks.promise_update(session, case.systems, locked(session, case.case_id), form)
        session.merge(wait)
    if case.run_id:
        label(case.systems, case.run_id, wait)


def label(systems: Systems, run_id: str, wait: Wait) -> None:
    """Show in the list of runs whom this one waits for."""
    with suppress(LayananError):
        systems.engine.label(run_id, *_labels(wait))


def _labels(wait: Wait) -> list[str]:
    labels = [f"menunggu {wait.role}"]
    if wait.escalated_to:
        labels += [f"menunggu {wait.escalated_to}", "terlambat / overdue"]
    if re.search(r"-r\d+$", wait.wait_key):
        labels.append("jawaban ditolak / answer refused")
    return labels


def _asked_since(case: CaseRun, form: type[Form], key: str, attempt: int) -> datetime | None:
    """When this matter came to the desk, where the form is asked again.

    So it is after an answer that was refused, an update or a customer's mail.
    """
    if (before := case.record(key, 1, attempt - 1)) is not None and before.state == "refused":
        return before.started_at
    first, since = re.fullmatch(rf"{form.slug()}-(\d+)", key), None
    for number in range(int(first[1]) - 1, 0, -1) if first and issubclass(form, Desk) else ():
        record = case.record(f"{form.slug()}-{number}", 1)
        if record is None or record.output.get("choice") not in MEANWHILE:
            break
        since = record.started_at
    return since


def _take_signal(
    case: CaseRun, form: type[F], key: str, attempt: int, *, offered: bool = False
) -> ActivityRecord | None:
    """Let the oldest kept wake that this form takes answer it; of those that may be ``offered`` now, where asked so."""
    if not form.takes:
        return None
    kinds = _offered(case.systems, case.row, form) if offered else form.signals()
    with case.store.read() as session:
        found = session.exec(signals.pending(case.case_id, kinds)).all()
    if not found:
        return None
    signal = found[0]
    # all letters that did not arrive are one matter
    lost = [one for one in found if one.kind == SignalKind.UNDELIVERED]
    taken = lost if signal in lost else [signal]

    def take(session: Session) -> None:
        ids = [one.id for one in taken]
        if not signals.take(session, case.case_id, ids, key, case.systems.clock.now()):
            raise _Gone

    state, output = "done", {}
    if signal in lost:
        state, output = SignalKind.UNDELIVERED, {"letters": [one.answers["letter"] for one in taken]}
    else:
        output = form.filled_by_signal(signal.kind, signal.answers).answers()
    try:
        return _record(case, form, key, attempt, state, output, SYSTEM, signal, take)
    except _Gone:
        return _take_signal(case, form, key, attempt)


class _Gone(Exception):
    """A wake is no longer kept here: a split, a merger, or an activity that dropped it, came between."""


def _refuse(
    case: CaseRun,
    form: type[Form],
    key: str,
    attempt: int,
    problem: str,
    *,
    by: str = "?",
    answers: Mapping[str, Any] | None = None,
) -> ActivityRecord:
    get_run_logger().warning("Jawaban ditolak / the answer was refused: %s", problem)
    return _record(case, form, key, attempt, "refused", {"problem": problem, "answers": dict(answers or {})}, by)


def _record(
    case: CaseRun,
    form: type[Form],
    key: str,
    attempt: int,
    state: str,
    output: dict[str, Any],
    by: str,
    signal: Signal | None = None,
    effect: Effect | None = None,
) -> ActivityRecord:
    now = case.systems.clock.now()
    with case.store.write() as session:
        # before all else, as who merges or ends the case does
        locked(session, case.case_id)
        wait = session.exec(select(Wait).where(Wait.case_id == case.case_id)).first()
        record = ActivityRecord(
            case_id=case.case_id,
            name=key,
            occurrence=1,
            attempt=attempt,
            state=state,
            output=output,
            performer=_performer(wait, form, by),
            started_at=wait.since if wait else now,
            ended_at=now,
            run_id=case.run_id,
            sop_revision=REVISION,
        )
        session.add(record)
        if state == "done":
            # it goes on, so what broke it before no longer counts
            session.execute(update(Case).where(col(Case.id) == case.case_id).values(restarts=0))
            session.add(
                Decision(
                    case_id=case.case_id,
                    wait_key=key,
                    form=form.__name__,
                    role=form.role,
                    by=by,
                    answers=output,
                    decided_at=now,
                    signal_id=signal.id if signal else None,
                )
            )
        if effect:
            effect(session)
        session.execute(delete(Wait).where(col(Wait.case_id) == case.case_id))
    return record


def _performer(wait: Wait | None, form: type[Form], by: str) -> str:
    """Who answered; a decision that was escalated names both roles, for either may have taken it."""
    if by == SYSTEM:
        return Role.SYSTEM
    to = f" → {wait.escalated_to}" if wait and wait.escalated_to else ""
    return f"{form.role}{to}: {by}"


def _offered(systems: Systems, case: Case, form: type[Form]) -> list[str]:
    """Kinds of wake that end this wait now: what only writes to the customer does so in office hours."""
    is_open = systems.settings.office_of(case.mailbox).is_open(systems.clock.now())
    return [kind for kind in form.signals() if is_open or kind != "update"]


def resume_waiting_case(systems: Systems, case_id: int) -> bool:
    """Resume a suspended case if a kept wake can answer what it waits for; returns whether it was resumed.

    The form is submitted as a person would, signed ``system``; the run takes the wake itself.

    Raises:
        Unavailable: store or engine do not answer; the wake stays kept.
    """
    with systems.store.read() as session:
        wait = session.exec(select(Wait).where(Wait.case_id == case_id)).first()
        if wait is None:
            return False
        form = FORMS[wait.form]
        case = session.exec(select(Case).where(Case.id == case_id)).one()
        signal = session.exec(signals.pending(case_id, _offered(systems, case, form)).limit(1)).first()
    if signal is None or case.run_id is None:
        return False
    answers = form.submitted_for_signal(signal.kind, signal.answers)
    return resume(systems, case.run_id, wait, answers).state == "accepted"


def resume_or_show(systems: Systems, case_id: int, kind: str) -> None:
    """What a wake of this kind brings answers what the case waits for, or is put before the person who decides.

    Raises:
        Unavailable: store or engine do not answer; the wake stays kept.
    """
    if not resume_waiting_case(systems, case_id):
        show_news(systems, case_id, kind)


def show_news(systems: Systems, case_id: int, kind: str = "") -> None:
    """Put what has come before a person whose form it does not answer; a later wait may take it.

    Without a kind, what has changed concerns the form alone.

    Raises:
        Unavailable: store or engine do not answer; the form shows what it showed.
    """
    with systems.store.read() as session:
        query = select(Wait, Case).join(Case).where(Wait.case_id == case_id)
        wait, case = session.exec(query).first() or (None, None)
    if wait is None or case is None or case.run_id is None or kind in FORMS[wait.form].signals():
        return
    # one that began under an older revision has it in its description alone
    about = wait.about or wait.description.partition(f"\n\n- **{case.reference}**")[0]
    description = brief(CaseRun.open(case_id, systems), FORMS[wait.form], about, wait)
    if description == wait.description and wait.shown_to == wait.escalated_to:
        return
    this = (col(Wait.case_id) == case_id, col(Wait.wait_key) == wait.wait_key)
    # the store last: what the engine does not take is not taken for shown
    if wait.shown_to != wait.escalated_to:
        systems.engine.label(case.run_id, *_labels(wait))
    shown = systems.engine.describe(case.run_id, wait.wait_key, description)
    with systems.store.write() as session:
        values = {"about": about, "description": description, "shown_to": wait.escalated_to}
        session.execute(update(Wait).where(*this).values(**values))
    if not shown:
        systems.engine.describe(case.run_id, wait.wait_key, description)  # the form may have come meanwhile


def resume(systems: Systems, run_id: str, wait: Wait, answers: dict[str, Any]) -> Resumed:
    """Submit a form to the run that waits with it.

    Raises:
        Unavailable: the engine does not answer.
    """
    resumed = systems.engine.resume(run_id, answers)
    if resumed.state == "no_form" and _offer(systems, run_id, wait):
        resumed = systems.engine.resume(run_id, answers)
    return resumed


def offer_lost_forms(systems: Systems, most: int) -> int:
    """After a crash: show the forms that the crash kept from being shown, looking at the ``most`` latest waits."""
    with systems.store.read() as session:
        query = select(Wait, Case.run_id).join(Case).order_by(col(Wait.since).desc()).limit(most)
        waits = session.exec(query).all()
    return sum(_offer(systems, run_id, wait) for wait, run_id in waits if run_id is not None)


def _offer(systems: Systems, run_id: str, wait: Wait) -> bool:
    return systems.engine.offer_form(run_id, wait.wait_key, wait.json_schema, wait.description)
