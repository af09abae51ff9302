"""Runs of the engine, pass by pass: a real Prefect server, and the test itself in the worker's place."""

from typing import Any
from uuid import UUID

from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State
from prefect.exceptions import Abort, Pause
from prefect.flow_engine import run_flow
from sqlalchemy import update
from sqlmodel import col

from adapters.engine.forms import Resumed
from adapters.wiring import Systems
from flows.handle_case import handle_case
from models.forms import FORMS
from models.forms.base import Choice
from models.tables import ActivityRecord, Case, Wait
from tasks.intake.batch import TakenIn
from tasks.run.case_run import CaseRun
from tasks.upkeep.monitor import deliver_signals, follow_tickets, pass_deadlines
from tests.cases import arrives, rows, snapshot


class Runs:
    """Starts case runs and carries them from one wait to the next, in this thread."""

    def __init__(self, systems: Systems, client: SyncPrefectClient) -> None:
        self.systems = systems
        self.client = client

    def start(self, flow: "Flow[..., Any]", case: CaseRun, **parameters: Any) -> str:
        """A run of ``flow`` for the case, not begun yet; its id."""
        deployment = self.client.create_deployment(self.client.create_flow(flow), "test")
        run = self.client.create_flow_run_from_deployment(
            deployment, parameters={"case_id": case.case_id, **parameters}, name=case.reference
        )
        with self.systems.store.write() as session:
            session.execute(update(Case).where(col(Case.id) == case.case_id).values(run_id=str(run.id)))
        return str(run.id)

    def go(self, flow: "Flow[..., Any]", run_id: str) -> State[Any]:
        """One pass of the body, as the worker does it; the run's state after it, with its result where it ended."""
        try:
            return run_flow(flow, flow_run=self.client.read_flow_run(UUID(run_id)), return_type="state")  # type: ignore[return-value]
        except (Abort, Pause):
            return self.state(run_id)

    def state(self, run_id: str) -> State[Any]:
        state = self.client.read_flow_run(UUID(run_id)).state
        assert state is not None
        return state

    def wait(self, case: CaseRun) -> Wait | None:
        """What the case waits for."""
        return next(iter(rows(self.systems, Wait, case_id=case.case_id)), None)

    def submit(self, run_id: str, form: str, **answers: Any) -> Resumed:
        """Fill a form in as the Prefect UI does; choices by their codes."""
        for name, value in answers.items():
            kind = FORMS[form].model_fields[name].annotation
            if isinstance(kind, type) and issubclass(kind, Choice) and value in kind.__members__:
                answers[name] = kind[value].value
        return self.systems.engine.resume(run_id, {"by": "Sari", **answers})


class Played:
    """A case whose run the test carries from wait to wait."""

    def __init__(self, runs: Runs, sender: str, text: str, subject: str, **headers: str) -> None:
        self._start(runs, arrives(runs.systems, sender, text, subject, **headers))

    @classmethod
    def of(cls, runs: Runs, taken: TakenIn) -> "Played":
        """The case that a mail has opened."""
        played = cls.__new__(cls)
        played._start(runs, taken)
        return played

    def _start(self, runs: Runs, taken: TakenIn) -> None:
        self.runs = runs
        assert taken.outcome == "opened"
        self.case = CaseRun.open(taken.case_id or 0, runs.systems)
        self.run = runs.start(handle_case, self.case, reference=self.case.reference)

    def comes_to(self, form: str) -> str:
        """Carry on to this form; returns its description."""
        self.runs.go(handle_case, self.run)
        wait = self.runs.wait(self.case)
        assert wait is not None
        assert wait.form == form, wait.description
        return wait.description

    def goes_on(self) -> str | None:
        """Carry on; the state's name after it."""
        return self.runs.go(handle_case, self.run).name

    def decides(self, form: str, **answers: Any) -> None:
        assert self.runs.submit(self.run, form, **answers).state == "accepted"

    def time_passes(self, hours: float) -> None:
        """And the monitor sees it."""
        self.runs.systems.clock.advance(hours)  # type: ignore[attr-defined]
        pass_deadlines.fn()
        deliver_signals.fn()

    def mail(self, text: str) -> None:
        sender = snapshot(self.case).address
        assert arrives(self.runs.systems, sender, text, f"Re: [{self.case.reference}]").outcome == "joined"
        deliver_signals.fn()

    def units_work(self, hours: float = 0) -> None:
        """And the monitor sees it, and wakes the case in the same pass."""
        self.runs.systems.clock.advance(hours)  # type: ignore[attr-defined]
        follow_tickets.fn()

    @property
    def path(self) -> list[int]:
        records = rows(self.runs.systems, ActivityRecord, case_id=self.case.case_id)
        return [record.number for record in records if record.number is not None]
