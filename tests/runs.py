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

from adapters.engine import Resumed
from adapters.wiring import Systems
from models.forms import FORMS, Choice
from models.tables import Case, Wait
from tasks.case_run import CaseRun
from tests.cases import rows


class Runs:
    """Starts case runs and carries them from one wait to the next, in this thread."""

    def __init__(self, wired: Systems, client: SyncPrefectClient) -> None:
        self.wired = wired
        self.client = client

    def start(self, flow: "Flow[..., Any]", case: CaseRun, **parameters: Any) -> str:
        """A run of ``flow`` for the case, not begun yet; its id."""
        deployment = self.client.create_deployment(self.client.create_flow(flow), "test")
        run = self.client.create_flow_run_from_deployment(
            deployment, parameters={"case_id": case.case_id, **parameters}, name=case.reference
        )
        with self.wired.store.write() as session:
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
        return next(iter(rows(self.wired, Wait, case_id=case.case_id)), None)

    def submit(self, run_id: str, form: str, **answers: Any) -> Resumed:
        """Fill a form in as the Prefect UI does; choices by their codes."""
        for name, value in answers.items():
            kind = FORMS[form].model_fields[name].annotation
            if isinstance(kind, type) and issubclass(kind, Choice) and value in kind.__members__:
                answers[name] = kind[value].value
        return self.wired.engine.resume(run_id, {"by": "Sari", **answers})
