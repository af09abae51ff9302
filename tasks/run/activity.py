"""`@activity(number)` (SOP 10.2): an SOP activity as a recorded, retried, once-only Prefect task.

Calling a decorated function inside a case's flow looks in the ledger first: what is recorded is returned without a
task run, so each activity stands once in the run's history however often the run wakes. Otherwise the body runs
as a Prefect task (retried while that helps, bounded in time), and its output, actor, times, tries and run are recorded
in one transaction with its local effects. What cannot be done, be it for a defect of ours, is recorded as failed and
a person is asked.
"""

import logging
import random
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast, get_type_hints

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.runtime import task_run
from pydantic import BaseModel
from sqlmodel import Session, select

from adapters.case_store.store import AlreadyRecorded
from models.errors import AskedToWait, Defect, LayananError, MissingFact, Refused, Unavailable
from models.forms import FixActivity, FixActivityByLeader, FixChoice, OfficeOpens
from models.letter import LetterKind
from models.settings import Settings
from models.sop import BY_TASK, REVISION, STEPS_BY_TASK
from models.states import RecordState
from models.tables import ActivityRecord, Case, Deadline, Letter, Message
from tasks.run import drain
from tasks.run.briefing import escaped
from tasks.run.case_run import CaseRun
from tasks.run.send_letter import send_letter
from tasks.run.wait_key import WaitKey
from tasks.run.waits import decide
from tasks.run.work import Work

P = ParamSpec("P")
R = TypeVar("R", bound=BaseModel)
Body = Callable[Concatenate[Work, P], R]

Routine = Callable[[Settings, Case], bool]

log = logging.getLogger("layanan.activity")

ROOT = Path(__file__).parents[2]
RETRY_DELAYS = [2.0, 10.0, 30.0, 60.0]
"""Seconds between tries of an activity; a system that is away longer than that is a person's matter."""
SOON = timedelta(minutes=15)
"""A system that is left alone no longer than that, all in all, is no person's matter yet: the run goes on then."""
SPREAD = 3.0
"""Seconds over which runs go on that have waited for the same moment."""
LONGEST_SAID = 300
"""Characters of a system's own words that a form shows."""
TIMEOUT = 120
"""Seconds that one try of an activity may take."""
KEEPS_HOURS = "Di luar jam kantor / Outside office hours"


def _never(_settings: Settings, _case: Case) -> bool:
    return False


def activity(number: int, *, routine: Routine = _never) -> Callable[[Body[P, R]], "Activity[P, R]"]:
    """Make a function the SOP's activity ``number``; its name must be the one that `models/sop.py` gives.

    Where it is ``routine`` for a case, its letter keeps office hours: while the site is closed, it waits for the
    opening and is done then.
    """

    def decorate(body: Body[P, R]) -> "Activity[P, R]":
        known = BY_TASK[body.__name__]
        if known.number != number:
            raise ValueError(f"{body.__name__} is activity {known.number} of the SOP, not {number}")
        return Activity(body, number, f"{number} · {known.label}", known.performers[0], routine)

    return decorate


def step(clause: str) -> Callable[[Body[P, R]], "Activity[P, R]"]:
    """Make a function a recorded step that section 7 does not number but ``clause`` asks for."""

    def decorate(body: Body[P, R]) -> "Activity[P, R]":
        known = STEPS_BY_TASK[body.__name__]
        if known.clause != clause:
            raise ValueError(f"{body.__name__} belongs to {known.clause} of the SOP, not {clause}")
        return Activity(body, None, f"{clause} · {known.label}", known.performer)

    return decorate


class _NoThreadWarning(logging.Filter):
    """Drops the engine's remark, at every activity, that a time-out cannot cut a blocking call: ours all end."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith("Timeout of")


logging.getLogger("prefect.task_runs").addFilter(_NoThreadWarning())


class Activity(Generic[P, R]):
    """A decorated activity; call it with the case's run in the place of :class:`Work`."""

    def __init__(
        self, body: Body[P, R], number: int | None, label: str, performer: str, routine: Routine = _never
    ) -> None:
        self.body = body
        self.routine = routine
        self.number = number
        self.name = body.__name__
        self.label = label
        self.performer = performer
        self.output: type[R] = get_type_hints(body)["return"]
        self.__doc__ = body.__doc__
        self.task: Task[..., Any] = Task(
            self._perform,
            name=label,
            task_run_name=label,
            retries=len(RETRY_DELAYS),
            retry_delay_seconds=RETRY_DELAYS,
            retry_jitter_factor=0.3,
            retry_condition_fn=_helps,
            timeout_seconds=TIMEOUT,
            cache_policy=NO_CACHE,
            persist_result=False,
        )

    def __call__(self, case: CaseRun, *args: P.args, **kwargs: P.kwargs) -> R:
        """Do it, or return what was done."""
        occurrence = case.next_occurrence(self.name)
        given: dict[str, str] = {}
        by_hand = ""
        for attempt in count(1):
            record = case.record(self.name, occurrence, attempt)
            if record is None:
                doing = _Doing(self, case, occurrence, attempt, given, by_hand, args, kwargs)
                record = (doing.held() if attempt == 1 else None) or self._run(doing)
                case.remember(record)
            if record.state == RecordState.DONE:
                return self.output.model_validate(record.output)
            if record.state == RecordState.HELD:
                key = WaitKey.of_opening(self.name, occurrence)
                decide(case, OfficeOpens, key=key, about=f"{KEEPS_HOURS}: **{self.label}**")
                continue
            fix = self._fix(case, WaitKey.of_fix(self.name, occurrence, attempt), record.output)
            by_hand = fix.by if fix.choice is FixChoice.BY_HAND else ""
            if (fact := record.output.get("fact")) and fix.value:
                given[fact] = fix.value
        raise AssertionError("unreachable")

    def _fix(self, case: CaseRun, key: WaitKey, output: dict[str, Any]) -> FixActivity:
        """A person helps: the agent, or the team leader if the agent hands it on."""
        fact = output.get("fact")
        about = f"**{self.label}** tidak dapat diselesaikan / could not be done: {output['error']}"
        about += f"\n\nFakta yang kurang / missing fact: **{fact}**" if fact else ""
        if said := output.get("said"):
            about += f"\n\nKata sistem / the system says: “{escaped(said, LONGEST_SAID)}”"
        useless = set() if fact else {"value"}
        if self.name not in list(LetterKind):
            useless.add(FixChoice.BY_HAND.name)
        fix = decide(case, FixActivity, key=key, about=about, hidden=useless)
        if fix.choice is FixChoice.TEAM_LEADER:
            fix = decide(case, FixActivityByLeader, key=key.for_leader, about=about, hidden=useless)
        return fix

    def do_within(self, session: Session, case: CaseRun, messages: Sequence[Message] = ()) -> list[Letter]:
        """Do it without a task run, in a transaction that goes on, in which the case may have been opened.

        Flushes nothing. What fails is recorded as failed; the case goes on without it.

        Args:
            messages: All of the case's, where they are known.

        Raises:
            AlreadyRecorded: when the transaction is committed, if somebody else has recorded it first.
        """
        occurrence = case.next_occurrence(self.name)
        if case.record(self.name, occurrence) is not None:
            return []
        record, letters = _Doing(self, case, occurrence, 1, {}, "", (), {}).perform_within(session, messages)
        case.remember(record)
        return letters

    def do_beneath(
        self, session: Session, case: CaseRun, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[ActivityRecord, list[Letter]]:
        """Do it once more while the case's run waits for somebody, in a transaction that goes on.

        The run itself never does such an activity, so its own counting stays as it is. What fails is recorded as
        failed.

        Raises:
            AlreadyRecorded: when the transaction is committed, if somebody else has recorded it first.
        """
        doing = _Doing(self, case, case.times(self.name) + 1, 1, {}, "", args, kwargs)
        return doing.perform_within(session, ())

    def _run(self, doing: "_Doing[P, R]") -> ActivityRecord:
        drain.stop_if_asked()
        try:
            record, letters = cast(tuple[ActivityRecord, list[int]], self.task(doing))
        except AskedToWait as error:
            if _soon(error, doing.run.systems.machine_clock.now()):
                # not all of those who wait at the same moment
                drain.go_on_at(error.until + timedelta(seconds=random.uniform(0, SPREAD)), str(error))
            return doing.failed(error)
        except LayananError as error:
            return doing.failed(error)
        except TimeoutError:
            return doing.failed(Unavailable(self.name, f"took longer than {TIMEOUT} s"))
        for letter_id in letters:
            send_letter(letter_id)
        return record

    @staticmethod
    def _perform(doing: "_Doing[P, R]") -> "tuple[ActivityRecord, list[int]]":
        return doing.perform()


class _Doing(Generic[P, R]):
    """One attempt at an activity. A plain class, so that Prefect passes it on without looking inside."""

    def __init__(
        self,
        activity: Activity[P, R],
        case: CaseRun,
        occurrence: int,
        attempt: int,
        given: dict[str, str],
        by_hand: str,
        args: Any,
        kwargs: Any,
    ) -> None:
        self.activity = activity
        self.run = case
        self.occurrence = occurrence
        self.attempt = attempt
        self.given = given
        self.by_hand = by_hand
        self.args = args
        self.kwargs = kwargs
        self.started = case.systems.clock.now()
        self.tries = 1

    def perform(self) -> tuple[ActivityRecord, list[int]]:
        """Run the body and record it; a try before this one may have got that far already.

        Raises:
            Defect: anything that is no error of ours; a person must have it fixed.
        """
        with self._defects():
            return self._perform()

    @contextmanager
    def _defects(self) -> Iterator[None]:
        try:
            yield
        except (LayananError, TimeoutError):
            raise
        except Exception as error:
            log.exception("a defect in %s", self.activity.name)
            raise Defect(f"defect: {type(error).__name__} in {place(error)}") from None

    def _perform(self) -> tuple[ActivityRecord, list[int]]:
        self.tries = task_run.run_count or 1
        if (already := self._recorded()) is not None:
            return already, []
        with self.run.store.read() as session:
            case = session.exec(select(Case).where(Case.id == self.run.case_id)).one()
        work = Work(self.run.systems, case, self.activity.name, self.occurrence, self.given, self.by_hand)
        record = self._do(work)
        try:
            with self.run.store.write() as session:
                letters = self._write(session, record, work)
        except AlreadyRecorded:
            already = self._recorded()
            if already is None:
                raise
            return already, []
        return record, [letter.id for letter in letters if letter.id is not None]

    def perform_within(self, session: Session, messages: Sequence[Message]) -> tuple[ActivityRecord, list[Letter]]:
        """Run the body and record it, be it as failed, in this transaction."""
        known: dict[str, Any] = {"session": session, "messages": messages}
        work = Work(self.run.systems, self.run.row, self.activity.name, self.occurrence, **known)
        try:
            with self._defects():
                record = self._do(work)
        except LayananError as error:
            if not error.permanent:
                raise
            record = self._failure(error)
            session.add(record)
            return record, []
        return record, self._write(session, record, work)

    def _do(self, work: Work) -> ActivityRecord:
        output = self.activity.body(work, *self.args, **self.kwargs)
        return self._new(RecordState.DONE, output.model_dump(mode="json"), work.performer or self.activity.performer)

    def _write(self, session: Session, record: ActivityRecord, work: Work) -> list[Letter]:
        session.add(record)
        for effect in work.effects:
            known_now = effect(session)
            if isinstance(known_now, self.activity.output):
                record.output = known_now.model_dump(mode="json")
        return work.letters

    def held(self) -> ActivityRecord | None:
        """Record that it waits for the office to open; None where it does not."""
        run, settings = self.run, self.run.systems.settings
        opens = settings.office_of(run.row.mailbox).next_open(self.started)
        if opens <= self.started:
            return None
        with run.store.read() as session:
            case = session.get_one(Case, run.case_id)
        if not self.activity.routine(settings, case):
            return None
        record = self._new(RecordState.HELD, {"until": opens.isoformat()}, self.activity.performer)
        with run.store.write() as session:
            session.add(record)
            session.add(Deadline(case_id=run.case_id, kind=OfficeOpens.ends, due_at=opens))
        return record

    def failed(self, error: LayananError) -> ActivityRecord:
        """Record that a person must help."""
        record = self._failure(error)
        with self.run.store.write() as session:
            session.add(record)
        return record

    def _failure(self, error: LayananError) -> ActivityRecord:
        output = {"error": str(error)} | ({"fact": error.fact} if isinstance(error, MissingFact) else {})
        if isinstance(error, Refused) and error.said:
            output["said"] = error.said
        return self._new(RecordState.FAILED, output, self.activity.performer)

    def _new(self, state: RecordState, output: dict[str, Any], performer: str) -> ActivityRecord:
        ended: datetime = self.run.systems.clock.now()
        return ActivityRecord(
            case_id=self.run.case_id,
            number=self.activity.number,
            name=self.activity.name,
            occurrence=self.occurrence,
            attempt=self.attempt,
            state=state,
            output=output,
            performer=performer,
            started_at=self.started,
            ended_at=ended,
            tries=self.tries,
            run_id=self.run.run_id,
            sop_revision=REVISION,
        )

    def _recorded(self) -> ActivityRecord | None:
        with self.run.store.read() as session:
            return session.exec(
                select(ActivityRecord).where(
                    ActivityRecord.case_id == self.run.case_id,
                    ActivityRecord.name == self.activity.name,
                    ActivityRecord.occurrence == self.occurrence,
                    ActivityRecord.attempt == self.attempt,
                )
            ).first()


def place(error: Exception) -> str:
    """Where in our code an error was met: file and line."""
    met = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [(path, line) for path, line in met if path.is_relative_to(ROOT) and "site-packages" not in path.parts]
    path, line = ours[-1]
    return f"{path.relative_to(ROOT)}:{line}"


def _soon(error: AskedToWait, now: datetime) -> bool:
    return error.until - min(error.since, now) <= SOON


def _helps(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether trying again helps: our errors say so, a time-out may pass, anything else is a defect."""
    error = state.result(raise_on_failure=False)
    if isinstance(error, AskedToWait):
        return False  # before that moment it does not help, and a worker's thread need not wait for it
    if isinstance(error, LayananError):
        return not error.permanent
    return isinstance(error, TimeoutError)
