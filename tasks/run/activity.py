"""`@activity(number)` (SOP 10.2): an SOP activity as a recorded, retried, once-only Prefect task.

Calling a decorated function inside a case's flow first looks in the ledger. What is recorded is returned without a task
run, so each activity appears once in the run's history, however often the run resumes. Otherwise the body runs as a
Prefect task: retried while that helps, with a timeout for each try. An activity that cannot be done, even because of a
defect of ours, is recorded as failed, and a person is asked.
"""

import logging
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any, cast

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from sqlmodel import Session

from models.errors import AskedToWait, LayananError, Unavailable
from models.forms.trouble import FixActivity, FixActivityByLeader, FixChoice, OfficeOpens
from models.letter import LetterKind
from models.settings import Settings
from models.sop import BY_TASK, STEPS_BY_TASK
from models.states import RecordState
from models.tables import ActivityRecord, Case, Letter, Message
from tasks.run import drain
from tasks.run.attempt import Attempt, Body, Definition, Help, P, R, Routine
from tasks.run.briefing import escaped
from tasks.run.case_run import CaseRun
from tasks.run.send_letter import send_letter
from tasks.run.wait_key import WaitKey
from tasks.run.waits import decide

RETRY_DELAYS = [2.0, 10.0, 30.0, 60.0]
"""Seconds between tries of an activity; a system that is away longer than that is a person's matter."""
SOON = timedelta(minutes=15)
"""Time for which a system may be held back in all before a person is asked; until then the run waits by itself."""
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

    Args:
        routine: Whether the activity's letter keeps office hours, by settings and case. If so, the activity waits for
            the office to open.
    """

    def decorate(body: Body[P, R]) -> "Activity[P, R]":
        known = BY_TASK[body.__name__]
        if known.number != number:
            raise ValueError(f"{body.__name__} is activity {known.number} of the SOP, not {number}")
        return Activity(body, number, f"{number} · {known.label}", known.performers[0], routine)

    return decorate


def step(clause: str) -> Callable[[Body[P, R]], "Activity[P, R]"]:
    """Make a function a recorded step, for which the SOP's ``clause`` asks, and which section 7 does not number."""

    def decorate(body: Body[P, R]) -> "Activity[P, R]":
        known = STEPS_BY_TASK[body.__name__]
        if known.clause != clause:
            raise ValueError(f"{body.__name__} belongs to {known.clause} of the SOP, not {clause}")
        return Activity(body, None, f"{clause} · {known.label}", known.performer, _never)

    return decorate


class _NoThreadWarning(logging.Filter):
    """Drops Prefect's warning at every activity that a timeout cannot interrupt a blocking call: ours all end."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith("Timeout of")


logging.getLogger("prefect.task_runs").addFilter(_NoThreadWarning())


class Activity(Definition[P, R]):
    """A decorated activity; call it with the case's run in the place of :class:`Work`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.task: Task[..., Any] = Task(
            self._perform,
            name=self.label,
            task_run_name=self.label,
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
        facts: dict[str, str] = {}
        given = Help(facts)
        for number in count(1):
            record = case.record(self.name, occurrence, number)
            if record is None:
                attempt = Attempt(self, case, occurrence, args, kwargs, number=number, given=given)
                record = (attempt.held() if number == 1 else None) or self._run(attempt)
                case.remember(record)
            if record.state == RecordState.DONE:
                return self.output.model_validate(record.output)
            if record.state == RecordState.HELD:
                key = WaitKey.of_opening(self.name, occurrence)
                decide(case, OfficeOpens, key=key, about=f"{KEEPS_HOURS}: **{self.label}**")
                continue
            fix = self._fix(case, WaitKey.of_fix(self.name, occurrence, number), record.output)
            if (fact := record.output.get("fact")) and fix.value:
                facts[fact] = fix.value
            given = Help(facts, fix.by if fix.choice is FixChoice.BY_HAND else "")
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
        """Do it without a task run, inside the caller's transaction, which may have opened the case.

        Flushes nothing. A failure is recorded, and the case continues without the activity.

        Args:
            messages: All mails of the case, if the caller knows them.

        Raises:
            AlreadyRecorded: at the commit, if another transaction has recorded it first.
        """
        occurrence = case.next_occurrence(self.name)
        if case.record(self.name, occurrence) is not None:
            return []
        record, letters = Attempt(self, case, occurrence).perform_within(session, messages)
        case.remember(record)
        return letters

    def do_beneath(
        self, session: Session, case: CaseRun, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[ActivityRecord, list[Letter]]:
        """Do it once more while the case's run waits for somebody, inside the caller's transaction.

        The run itself never does such an activity, so its own counting stays as it is. A failure is recorded.

        Raises:
            AlreadyRecorded: at the commit, if another transaction has recorded it first.
        """
        return Attempt(self, case, case.times(self.name) + 1, args, kwargs).perform_within(session, ())

    def _run(self, attempt: Attempt[P, R]) -> ActivityRecord:
        drain.stop_if_asked()
        try:
            record, letters = cast(tuple[ActivityRecord, list[int]], self.task(attempt))
        except AskedToWait as error:
            if _soon(error, attempt.run.systems.machine_clock.now()):
                # spread, because many runs may wait for the same moment
                drain.go_on_at(error.until + timedelta(seconds=random.uniform(0, SPREAD)), str(error))
            return attempt.failed(error)
        except LayananError as error:
            return attempt.failed(error)
        except TimeoutError:
            return attempt.failed(Unavailable(self.name, f"took longer than {TIMEOUT} s"))
        for letter_id in letters:
            send_letter(letter_id)
        return record

    @staticmethod
    def _perform(attempt: Attempt[P, R]) -> tuple[ActivityRecord, list[int]]:
        return attempt.perform()


def _soon(error: AskedToWait, now: datetime) -> bool:
    return error.until - min(error.since, now) <= SOON


def _helps(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether trying again helps: our errors say so, a timeout may pass, anything else is a defect."""
    error = state.result(raise_on_failure=False)
    if isinstance(error, AskedToWait):
        return False  # it does not help before that moment, and need not keep a worker's thread until then
    if isinstance(error, LayananError):
        return not error.permanent
    return isinstance(error, TimeoutError)
