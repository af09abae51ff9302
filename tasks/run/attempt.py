"""One attempt at an activity: its body is run, and its outcome recorded in one transaction with its local effects.

Held by `tests/tasks/run/test_activity.py`.
"""

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, get_type_hints

from prefect.runtime import task_run
from pydantic import BaseModel
from sqlmodel import Session

from adapters.case_store.store import AlreadyRecorded
from models.errors import Defect, LayananError, MissingFact, Refused
from models.forms.trouble import OfficeOpens
from models.settings import Settings
from models.states import RecordState
from models.tables import ActivityRecord, Case, Deadline, Letter, Message
from tasks.run.case_run import CaseRun
from tasks.run.ledger import entry, recorded
from tasks.run.work import Work

P = ParamSpec("P")
R = TypeVar("R", bound=BaseModel)
Body = Callable[Concatenate[Work, P], R]
Routine = Callable[[Settings, Case], bool]

log = logging.getLogger("layanan.activity")

ROOT = Path(__file__).parents[2]


@dataclass(eq=False)
class Definition(Generic[P, R]):
    """What an activity or step does, and who does it."""

    body: Body[P, R]
    number: int | None
    label: str
    performer: str
    routine: Routine
    """Whether its letter keeps office hours, by settings and case."""

    def __post_init__(self) -> None:
        self.name = self.body.__name__
        self.output: type[R] = get_type_hints(self.body)["return"]
        self.__doc__ = self.body.__doc__


@dataclass(frozen=True)
class Help:
    """What a person gave after an earlier attempt had failed."""

    facts: dict[str, str] = field(default_factory=dict)
    by_hand: str = ""
    """Who has sent the activity's letter by hand."""


class Attempt(Generic[P, R]):
    """One attempt. No dataclass: Prefect copies those that a task is called with, field by field."""

    def __init__(
        self,
        activity: Definition[P, R],
        run: CaseRun,
        occurrence: int,
        args: Any = (),
        kwargs: Any = None,
        *,
        number: int = 1,
        given: Help | None = None,
    ) -> None:
        self.activity = activity
        self.run = run
        self.occurrence = occurrence
        self.args = args
        self.kwargs = kwargs or {}
        self.number = number
        self.given = given or Help()
        self.started = run.systems.clock.now()
        self.tries = 1

    def perform(self) -> tuple[ActivityRecord, list[int]]:
        """Run the body and record it, unless an earlier try has; returns the record and the letters to send.

        Raises:
            Defect: any other exception than our own errors; somebody must fix it.
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
            raise Defect(f"defect: {type(error).__name__} in {code_line(error)}") from None

    def _perform(self) -> tuple[ActivityRecord, list[int]]:
        self.tries = task_run.run_count or 1
        if (already := self._recorded()) is not None:
            return already, []
        with self.run.store.read() as session:
            case = session.get_one(Case, self.run.case_id)
        given = self.given
        work = Work(self.run.systems, case, self.activity.name, self.occurrence, given.facts, given.by_hand)
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
        """Run the body in this transaction and record it, even if it fails."""
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
        return self._entry(RecordState.DONE, output.model_dump(mode="json"), work.performer)

    def _write(self, session: Session, record: ActivityRecord, work: Work) -> list[Letter]:
        session.add(record)
        for effect in work.effects:
            known_now = effect(session)
            if isinstance(known_now, self.activity.output):
                record.output = known_now.model_dump(mode="json")
        return work.letters

    def held(self) -> ActivityRecord | None:
        """Record that the activity waits for the office to open; None if it need not wait."""
        run, settings = self.run, self.run.systems.settings
        opens = settings.office_of(run.row.mailbox).next_open(self.started)
        if opens <= self.started:
            return None
        with run.store.read() as session:
            case = session.get_one(Case, run.case_id)
        if not self.activity.routine(settings, case):
            return None
        record = self._entry(RecordState.HELD, {"until": opens.isoformat()})
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
        if isinstance(error, Refused) and error.words:
            output["said"] = error.words
        return self._entry(RecordState.FAILED, output)

    def _entry(self, state: RecordState, output: dict[str, Any], performer: str = "") -> ActivityRecord:
        return entry(
            self.run.case_id,
            self.activity.name,
            output,
            performer or self.activity.performer,
            ended_at=self.run.systems.clock.now(),
            state=state,
            occurrence=self.occurrence,
            attempt=self.number,
            number=self.activity.number,
            started_at=self.started,
            tries=self.tries,
            run_id=self.run.run_id,
        )

    def _recorded(self) -> ActivityRecord | None:
        with self.run.store.read() as session:
            return recorded(session, self.run.case_id, self.activity.name, self.occurrence, self.number)


def code_line(error: Exception) -> str:
    """File and line of our code in which an error arose."""
    met = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [(path, line) for path, line in met if path.is_relative_to(ROOT) and "site-packages" not in path.parts]
    path, line = ours[-1]
    return f"{path.relative_to(ROOT)}:{line}"
