"""Waits: the run suspends until a person submits a form, or a mail, a unit or a deadline answers it.

    decision = decide(case, Escalation, about=…)

The answer is recorded before anything follows from it, so a resumed run passes a finished wait at once. A signal that
comes while the run is not suspended stays pending: the run looks for signals before it suspends and right after, and
the monitor does in each sweep, so none is lost. Each is taken once, in the transaction that records the decision.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any, Generic, TypeVar

from prefect import get_run_logger
from prefect.exceptions import Pause
from pydantic import ValidationError
from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from adapters.case_store import audit
from adapters.engine.suspend import suspend_for
from models.audit import Action, Entry
from models.author import ITSELF, Author
from models.errors import LayananError
from models.forms.base import NOBODY, SYSTEM, Form
from models.forms.complaint import ComplaintForm
from models.forms.fields import MEANWHILE
from models.forms.trouble import Unreachable
from models.sop import Role
from models.states import RecordState, SignalKind
from models.tables import ActivityRecord, Case, Decision, Signal, Wait
from tasks.run import ask_unreachable, clocks, signals
from tasks.run.authors import NotAllowed, asks_for_code, author_in_prefect, author_of_given
from tasks.run.briefing import brief
from tasks.run.case_run import CaseRun
from tasks.run.family import locked
from tasks.run.ledger import entry
from tasks.run.resume import label, resume_waiting_case
from tasks.run.wait_key import WaitKey
from tasks.run.work import Effect

F = TypeVar("F", bound=Form)
_AUDITED = {RecordState.DONE: Action.DECIDED, RecordState.REFUSED: Action.DECISION_REFUSED}


NOT_KNOWN = Author("?")
"""Who submitted something that is no form of ours, or signed as nobody may."""


@dataclass(frozen=True)
class Rules:
    """What a form's answers must satisfy beyond the form, and what is done in the transaction that records them."""

    problem: Callable[[Any], str | None] = lambda _: None
    then: Callable[[Session, Any], object] = lambda _, __: None


def decide(
    case: CaseRun,
    form: type[F],
    *,
    about: str,
    key: WaitKey | None = None,
    rules: Rules | None = None,
    hidden: Collection[str] = (),
    **first_answers: Any,
) -> F:
    """Wait until ``form`` is answered and return the answers.

    Args:
        about: what to decide; the first line of the form's description (markdown).
        key: of the wait; by default the form and its occurrence.
        rules: what else an answer must satisfy, and what is done when it is recorded.
        hidden: fields, and codes of choices, that make no sense here.
        first_answers: values with which the form is shown.
    """
    key = key or WaitKey.of_form(form, case.next_occurrence(form.__name__))
    refusal = ""
    for attempt in count(1):
        key = replace(key, attempt=attempt)
        record = case.record(key.name, 1, attempt)
        if record is None:
            units, with_code = case.systems.settings.policy.units, asks_for_code(case.systems)
            shown = form.asking(units, hidden, with_code=with_code, **first_answers)
            record = Question(case, form, key, shown, rules or Rules()).answered(refusal + about)
            case.remember(record)
        if record.state == RecordState.DONE:
            # an older revision of the form may have had more fields
            return form(**{name: value for name, value in record.output.items() if name in form.model_fields})
        if record.state == RecordState.UNDELIVERED:
            _reach(case, record.output["letters"], key.for_undelivered)
        if record.state == RecordState.REFUSED:
            # the refused answers are shown again, so that nobody types them twice
            first_answers |= record.output.get("answers", {})
            refusal = f"⚠ **{record.output['problem']}**\n\n"
    raise AssertionError("unreachable")


def _reach(case: CaseRun, letters: Sequence[int], key: WaitKey) -> None:
    """Letters did not arrive: an agent finds another way before the wait continues."""
    if (record := case.record(key.name, 1)) is not None and record.state == RecordState.DONE:
        return
    about = ask_unreachable.about(case, letters)
    problem, settle = partial(ask_unreachable.problem, case, letters), partial(ask_unreachable.settle, case, letters)
    decide(case, Unreachable, key=key, about=about, rules=Rules(problem, settle))


@dataclass(frozen=True)
class Question(Generic[F]):
    """One attempt at one wait: its form is answered, refused, or interrupted."""

    case: CaseRun
    form: type[F]
    key: WaitKey
    shown: type[F]
    """The form as people see it."""
    rules: Rules = Rules()

    def answered(self, about: str) -> ActivityRecord:
        """Suspend the run until there is an answer, and record its outcome.

        Raises:
            Pause: the run is suspended.
        """
        try:
            return self._answered(about)
        except _AnsweredMeanwhile:
            return self._answered(about)

    def _answered(self, about: str) -> ActivityRecord:
        wait = self._begun()
        # only a new wait looks for pending signals first: one that has begun may already have a person's answers
        if wait is None:
            if (record := self.take_signal(offered=True)) is not None:
                return record
            wait = self.begin(about)
        try:
            given = self.shown(**wait.given) if wait.given else suspend_for(self.shown, wait.description, str(self.key))
        except Pause:
            # a signal may have come between looking and suspending; if this fails, the monitor looks again
            with suppress(LayananError):
                resume_waiting_case(self.case.systems, self.case.case_id)
            raise
        except ValidationError as error:
            if error.title != self.form.__name__:
                raise
            titles = {name: field.title for name, field in self.form.model_fields.items()}
            problems = [f"{titles.get(str(item['loc'][0]), item['loc'][0])}: {item['msg']}" for item in error.errors()]
            return self._refuse("; ".join(problems))
        return self._judged(given, wait)

    def _judged(self, answers: F, wait: Wait) -> ActivityRecord:
        """Record the answers, or why they cannot be accepted."""
        given, author = answers.answers(), Author(answers.by)
        if answers.by == SYSTEM:
            return self.take_signal() or self._refuse(NOBODY)
        if wait.given_how:
            with self.case.store.read() as session:
                author = author_of_given(session, wait)
        problem = answers.problem() or self.rules.problem(answers)
        if not problem and not wait.given_how:
            try:  # last, for it uses the code up
                author = author_in_prefect(self.case.systems, wait, answers.by, answers.code)
            except NotAllowed as error:
                problem, author = str(error), NOT_KNOWN
        if problem:
            # somebody else may answer next time
            typed = {name: answer for name, answer in given.items() if name != "by"}
            return self._refuse(problem, author, typed)
        return self.record(RecordState.DONE, given, author, effect=lambda session: self.rules.then(session, answers))

    def _begun(self) -> Wait | None:
        """The wait's row, if an earlier pass of the run has made it."""
        with self.case.store.read() as session:
            wait = session.exec(select(Wait).where(Wait.case_id == self.case.case_id)).first()
        return wait if wait is not None and wait.wait_key == str(self.key) else None

    def begin(self, about: str) -> Wait:
        """Let the case wait: write its form, and tag the run with whom it waits for."""
        case, before = self.case, self._before()
        wait = Wait(
            case_id=case.case_id,
            wait_key=str(self.key),
            form=self.form.__name__,
            role=self.form.role,
            since=self._asked_since(before) or case.systems.clock.now(),
            about=about,
            asked_after=before.state if before else None,
            description="",
        )
        with case.store.read() as session:
            clocks.set_time(session, case.systems, session.get_one(Case, case.case_id), wait)
        wait.shown_to = wait.escalated_to
        wait.description = brief(case, self.form, about, wait)
        wait.json_schema = self.shown.model_json_schema()
        with case.store.write() as session:
            row = locked(session, case.case_id)
            clocks.promise_update(session, case.systems, row, self.form)
            clocks.limit_silence(session, case.systems, row, self.form)
            session.flush()
            wait.watch_at = clocks.watch_at(session, case.systems, wait)
            session.merge(wait)
        if case.run_id:
            label(case.systems, case.run_id, wait)
        return wait

    def _before(self) -> ActivityRecord | None:
        return self.case.record(self.key.name, 1, self.key.attempt - 1)

    def _asked_since(self, before: ActivityRecord | None) -> datetime | None:
        """When the person got this form first, if it is asked again after a refusal, an update or a customer's mail."""
        if before is not None and before.state == RecordState.REFUSED:
            return before.started_at
        since = None
        for key in self.key.earlier(self.form) if issubclass(self.form, ComplaintForm) else ():
            record = self.case.record(key.name, 1)
            if record is None or record.output.get("choice") not in MEANWHILE:
                break
            since = record.started_at
        return since

    def take_signal(self, *, offered: bool = False) -> ActivityRecord | None:
        """Let the oldest pending signal that this form takes answer it; with ``offered``, of the kinds offered now."""
        case, form = self.case, self.form
        kinds = signals.offered(case.systems, case.row, form) if offered else form.signals()
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
            if not signals.take(session, case.case_id, ids, self.key.name, case.systems.clock.now()):
                raise _Gone

        try:
            if signal in lost:
                letters = {"letters": [one.answers["letter"] for one in lost]}
                return self.record(RecordState.UNDELIVERED, letters, ITSELF, effect=take)
            output = form.filled_by_signal(signal.kind, signal.answers).answers()
            return self.record(RecordState.DONE, output, ITSELF, signal=signal, effect=take)
        except _Gone:
            return self.take_signal()

    def _refuse(
        self, problem: str, author: Author = NOT_KNOWN, answers: Mapping[str, Any] | None = None
    ) -> ActivityRecord:
        get_run_logger().warning("Jawaban ditolak / the answer was refused: %s", problem)
        return self.record(RecordState.REFUSED, {"problem": problem, "answers": dict(answers or {})}, author)

    def record(
        self,
        state: RecordState,
        output: dict[str, Any],
        author: Author,
        *,
        signal: Signal | None = None,
        effect: Effect | None = None,
    ) -> ActivityRecord:
        """End the wait, in one transaction with the record, the decision and what follows from it.

        Raises:
            _AnsweredMeanwhile: somebody has decided on the desk, where they were told that it counts.
        """
        case, now = self.case, self.case.systems.clock.now()
        with case.store.write() as session:
            # first of all, as do those who merge or end the case
            locked(session, case.case_id)
            wait = session.exec(select(Wait).where(Wait.case_id == case.case_id)).first()
            if wait and wait.given_how and author.how != wait.given_how:
                raise _AnsweredMeanwhile
            record = entry(
                case.case_id,
                self.key.name,
                output,
                self._performer(wait, author.name),
                ended_at=now,
                state=state,
                attempt=self.key.attempt,
                started_at=wait.since if wait else now,
                run_id=case.run_id,
            )
            session.add(record)
            if state is RecordState.DONE:
                # the case has moved on, so earlier failures of its run no longer count
                session.execute(update(Case).where(col(Case.id) == case.case_id).values(restarts=0))
                session.add(self._decision(output, author, now, signal))
            if effect:
                effect(session)
            if state in _AUDITED:
                audit.note(session, self._entry(_AUDITED[state], output, author, wait, now))
            session.execute(delete(Wait).where(col(Wait.case_id) == case.case_id))
        return record

    def _decision(self, answers: dict[str, Any], author: Author, now: datetime, signal: Signal | None) -> Decision:
        return Decision(
            case_id=self.case.case_id,
            wait_key=self.key.name,
            form=self.form.__name__,
            role=self.form.role,
            by=author.name,
            answers=answers,
            decided_at=now,
            signal_id=signal.id if signal else None,
            staff_id=author.staff_id,
            signed_in=author.how or "",
        )

    def _entry(self, action: Action, output: dict[str, Any], author: Author, wait: Wait | None, now: datetime) -> Entry:
        """For the audit log: what was decided, and on which facts."""
        return author.entry(
            action,
            now,
            reference=self.case.reference,
            subject=str(self.key),
            before=wait.description if wait else None,
            after=output,
            run_id=self.case.run_id,
        )

    def _performer(self, wait: Wait | None, by: str) -> str:
        """Who answered; for an escalated decision both roles, because either may have answered."""
        if by == SYSTEM:
            return Role.SYSTEM
        to = f" → {wait.escalated_to}" if wait and wait.escalated_to else ""
        return f"{self.form.role}{to}: {by}"


class _Gone(Exception):
    """A signal is no longer pending: a split, a merger or an activity has taken or retired it meanwhile."""


class _AnsweredMeanwhile(Exception):
    """Somebody has answered on the desk or the command line since the wait was read: that answer is taken."""
