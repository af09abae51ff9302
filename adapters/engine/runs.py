"""The workflow engine (Prefect's API) as the service uses it: start, resume, look, restart.

Repeating any of these is harmless: a case has one run, by its idempotency key; a run that is not suspended says so
instead of being resumed twice.

Held by `tests/flows/test_handle_case.py` and `tests/tasks/upkeep/test_lost_deployments.py`.
"""

from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.states import Scheduled

from adapters.engine.api import PAGE, api_errors
from adapters.engine.deployments import CASES
from adapters.engine.forms import Forms
from adapters.engine.polls import Polls
from adapters.engine.states import CARRIED_TYPES, REPLACED, cancelled_by_a_person, one_of, replaced


class PrefectEngine(Forms, Polls):
    """Prefect 3 over its HTTP API."""

    def start_case(self, case_id: int, reference: str, after: str = "") -> str:
        """Start the case's one run, or find it; returns the run's id.

        Args:
            after: a run of the case that can no longer go on, and that this one takes the place of.

        Raises:
            Unavailable: the server does not answer.
            Refused: there is no such deployment.
        """
        run = self._start(
            CASES,
            parameters={"case_id": case_id, "reference": reference},
            name=reference,
            idempotency_key=f"case-{reference}-{self.settings.store_id}" + f"-after-{after}" * bool(after),
        )
        return str(run.id)

    def start_poll(self, deployment: str) -> None:
        """Run a standing flow now; one that is going on cancels it (`prefect.yaml`).

        Raises:
            Unavailable, Refused: as for ``start_case``.
        """
        self._start(deployment)

    def _start(self, deployment: str, **run: Any) -> FlowRun:
        with api_errors():
            try:
                return self.client.create_flow_run_from_deployment(self.deployment_id(deployment), **run)
            except PrefectHTTPStatusError:
                self.forget_deployments()  # it may have been deployed anew, and the next call finds it
                raise

    def restart(self, run_id: str, why: str) -> None:
        """Have a run that crashed, failed or lost its worker go on from where its ledger stands."""
        with api_errors():
            self.client.set_flow_run_state(UUID(run_id), Scheduled(name="Restarted", message=why), force=True)

    def retire(self, run_id: str) -> None:
        """End a run whose place another one takes, so that no worker carries it and nobody answers its form any more.

        One that has ended, or was deleted, is left alone.
        """
        with api_errors(), suppress(ObjectNotFound):
            self._end(run_id, replaced())

    def cancel(self, run_id: str) -> None:
        """End a run whose worker died before it could cancel the run; a run that has ended stays as it is."""
        with api_errors():
            self._end(run_id, cancelled_by_a_person())

    def _end(self, run_id: str, state: Any) -> None:
        now = self.client.read_flow_run(UUID(run_id)).state
        if now is None or not now.is_final():
            self.client.set_flow_run_state(UUID(run_id), state, force=True)

    def called_off(self, run_id: str) -> bool:
        """Whether a person has cancelled the run.

        Prefect's process worker cancels runs that it is to take up and whose deployment is gone; those were due, and
        a person's were suspended or carried. Where a person cancels one that was due, the case goes on: in doubt
        nobody's case is ended.
        """
        with api_errors():
            states = sorted(self.client.read_flow_run_states(UUID(run_id)), key=lambda state: state.timestamp)
        if not states or not states[-1].is_cancelled() or states[-1].name == REPLACED:
            return False
        return not states[:-1] or not states[-2].is_scheduled()

    def reachable_runs(self, run_ids: list[str], since: datetime) -> set[str]:
        """Which runs the server still has, and a worker of ours will carry, or somebody carries elsewhere.

        Runs that have completed, or were replaced, are not among them: nothing goes on in them. Nor are those that
        wait, were cancelled or broke while their deployment is gone: no worker takes them up again.

        Args:
            since: who began to carry a run before then, outside of our pool, has died over it.
        """
        ids = [UUID(run_id) for run_id in run_ids]
        # pages of what is asked: in pages of the answer a run that is deleted meanwhile would hide another
        asked = [FlowRunFilterId(any_=ids[first : first + PAGE]) for first in range(0, len(ids), PAGE)]
        with api_errors():
            pages = [self.client.read_flow_runs(flow_run_filter=FlowRunFilter(id=some), limit=PAGE) for some in asked]
        runs = [run for page in pages for run in page]
        there = self.those_there({run.deployment_id for run in runs if run.deployment_id})
        return {str(run.id) for run in runs if self._goes_on(run, there) or _carried(run, since)}

    def _goes_on(self, run: FlowRun, deployments: set[UUID]) -> bool:
        if run.work_pool_name != self.settings.pool_name:
            return False
        if run.state is not None and (run.state.is_completed() or run.state.name == REPLACED):
            return False
        # who carries it has its code
        return run.deployment_id in deployments or (run.state is not None and run.state.type in CARRIED_TYPES)

    def broken_runs(self) -> list[FlowRun]:
        """Case runs that crashed or failed, latest first."""
        return self._runs(one_of(StateType.CRASHED, StateType.FAILED))

    def cancelled_runs(self) -> list[FlowRun]:
        """Case runs that a person cancelled in the UI, latest first."""
        return self._runs(one_of(StateType.CANCELLED, but_named=REPLACED))

    def last_polls(self, deployment: str) -> list[FlowRun]:
        """The five latest runs of a standing flow that have ended, latest first; cancelled ones gave way to another."""
        return self._runs(one_of(StateType.COMPLETED, StateType.FAILED, StateType.CRASHED), deployment, 5)

    def running_runs(self) -> list[FlowRun]:
        """Runs of the service that some worker is said to carry."""
        ours = WorkPoolFilter(name=WorkPoolFilterName(any_=[self.settings.pool_name]))
        carried = FlowRunFilter(state=one_of(*CARRIED_TYPES, but_named="Paused"))
        with api_errors():
            return self.client.read_flow_runs(flow_run_filter=carried, work_pool_filter=ours, limit=PAGE)

    def _runs(self, state: FlowRunFilterState, deployment: str = CASES, limit: int = PAGE) -> list[FlowRun]:
        with api_errors():
            return self.client.read_flow_runs(
                flow_run_filter=FlowRunFilter(state=state),
                deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[deployment])),
                sort=FlowRunSort.END_TIME_DESC,
                limit=limit,
            )


def _carried(run: FlowRun, since: datetime) -> bool:
    return run.state is not None and run.state.is_running() and run.state.timestamp > since
