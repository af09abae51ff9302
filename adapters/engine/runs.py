"""The workflow engine (Prefect's API) as the service uses it: start, resume, look, set going again.

Repeating any of these is harmless: a case has one run, by its idempotency key; a run that is not suspended says
so instead of being resumed twice.

Held by `tests/flows/test_handle_case.py` and `tests/tasks/upkeep/test_lost_deployments.py`.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterEndTime,
    FlowRunFilterId,
    FlowRunFilterNextScheduledStartTime,
    FlowRunFilterState,
    FlowRunFilterStateName,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, State, StateType, WorkerStatus
from prefect.client.schemas.responses import DeploymentResponse, SetStateStatus
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.input.run_input import keyset_from_base_key
from prefect.states import Cancelled, Scheduled

from models.errors import Refused, Unavailable
from models.settings import Settings

SYSTEM = "Prefect"
SHOWN_WITHIN = timedelta(seconds=5)
"""Time within which a living worker has shown the form of a run that it suspended."""
PAGE = 200
"""Runs that the server gives at a time."""
FORGOTTEN_AT_ONCE = 50
CASES = "handle-case"
"""Flow and deployment of the cases' runs."""
STANDING = ("receive-mail", "monitor-cases")
"""Flows and deployments that pass again and again."""
DEPLOYMENTS = {CASES, *STANDING, "report-service", "merge-cases", "unmerge-case", "split-case"}
DEPLOYMENTS |= {"add-party", "remove-party"}
REPLACED = "Replaced"
"""Name of the state of a run whose place another one has taken: nobody has cancelled it."""
CARRIED_TYPES = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
CARRIED = FlowRunFilterStateType(any_=CARRIED_TYPES)
"""States of runs that some worker is said to carry."""


@dataclass(frozen=True)
class Resumed:
    """What became of a resume: ``accepted``, ``refused`` (the form's answers), ``not_waiting`` or ``no_form``."""

    state: str
    reason: str = ""


class PrefectEngine:
    """Prefect 3 over its HTTP API."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._deployment_ids: dict[str, UUID] = {}

    @cached_property
    def _client(self) -> SyncPrefectClient:
        return SyncPrefectClient(api=self._settings.prefect_api_url)

    def _deployment(self, name: str) -> UUID:
        """Asked for once: passes and cases that start need it all the time."""
        if name not in self._deployment_ids:
            self._deployment_ids[name] = self._client.read_deployment_by_name(f"{name}/{name}").id
        return self._deployment_ids[name]

    def answers(self) -> bool:
        """Whether the server does, asked once."""
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self._settings.prefect_api_url}/health", timeout=2).is_success
        return False

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
            idempotency_key=f"case-{reference}-{self._settings.store_id}" + f"-after-{after}" * bool(after),
        )
        return str(run.id)

    def start_pass(self, deployment: str) -> None:
        """Start a pass of a standing flow now; one that is going on cancels it (`prefect.yaml`).

        Raises:
            Unavailable, Refused: as for ``start_case``.
        """
        self._start(deployment)

    def _start(self, deployment: str, **run: Any) -> FlowRun:
        with _errors():
            try:
                return self._client.create_flow_run_from_deployment(self._deployment(deployment), **run)
            except PrefectHTTPStatusError:
                self._deployment_ids.clear()  # it may have been deployed anew, and the next one finds it
                raise

    def resume(self, run_id: str, answers: dict[str, Any]) -> Resumed:
        """Submit a form to a suspended run, exactly as the Prefect UI does.

        Raises:
            Unavailable: the server does not answer.
        """
        with _errors():
            result = self._client.resume_flow_run(UUID(run_id), run_input=answers)
        said = getattr(result.details, "reason", None) or ""
        reason = re.sub(r"^(?:Reason: )?Validation failed for field '([^']*)'\. Failure reason: ", r"\1: ", said)
        if result.status is SetStateStatus.ACCEPT:
            return Resumed("accepted")
        if result.status is SetStateStatus.ABORT:
            return Resumed("not_waiting", reason)
        return Resumed("no_form" if "schema not found" in reason else "refused", reason)

    def offer_form(self, run_id: str, wait_key: str, schema: dict[str, Any], description: str) -> bool:
        """Put a form before a suspended run whose worker died before it had shown all of it.

        Without it nobody could resume the run. One that was suspended only now is left alone: its worker is about to do
        it. So is one that was deleted. Returns whether anything was missing.
        """
        with _errors():
            try:
                state = self._client.read_flow_run(UUID(run_id)).state
            except ObjectNotFound:
                return False
            if state is None or state.name != "Suspended" or state.state_details.pause_key != wait_key:
                return False
            if datetime.now(UTC) - state.timestamp < SHOWN_WITHIN:
                return False
            keys = keyset_from_base_key(f"suspended-{wait_key}")
            shown = json.dumps(schema | {"definitions": schema.get("$defs", {})}).replace("#/$defs/", "#/definitions/")
            # the schema last: with it the form can be answered
            parts = {keys["description"]: json.dumps(description), keys["schema"]: shown}
            there = {key for key in parts if self._client.filter_flow_run_input(UUID(run_id), key, 1, set())}
            for key in (key for key in parts if key not in there):
                self._client.create_flow_run_input(UUID(run_id), key, parts[key])
        return len(there) < len(parts)

    def describe(self, run_id: str, wait_key: str, description: str) -> bool:
        """Replace what stands above a suspended run's form; returns whether that was shown already."""
        key = keyset_from_base_key(f"suspended-{wait_key}")["description"]
        with _errors():
            if not self._client.filter_flow_run_input(UUID(run_id), key, 1, set()):
                return False
            self._client.delete_flow_run_input(UUID(run_id), key)
            self._client.create_flow_run_input(UUID(run_id), key, json.dumps(description))
        return True

    def restart(self, run_id: str, why: str) -> None:
        """Set a run that crashed, failed or lost its worker going again, from where its ledger stands."""
        with _errors():
            self._client.set_flow_run_state(UUID(run_id), Scheduled(name="Restarted", message=why), force=True)

    def ready_for_cases(self) -> None:
        """See that a case's run which is started now will be carried.

        Raises:
            Unavailable: the server does not answer.
            Refused: the flow is not deployed, or its work pool was deleted.
        """
        self._deployment_ids.clear()
        with _errors():
            found = self._client.read_deployment_by_name(f"{CASES}/{CASES}")
        if found.work_pool_name is None:
            raise Refused(SYSTEM, f"{CASES} lies in no work pool: deploy again (layanan deploy)")
        self._deployment_ids[CASES] = found.id

    def retire(self, run_id: str) -> None:
        """End a run whose place another one takes, so that no worker carries it and nobody answers its form any more.

        One that has ended, or was deleted, is left alone.
        """
        replaced: State[Any] = Cancelled(name=REPLACED, message="another run has taken its place")
        with _errors(), suppress(ObjectNotFound):
            state = self._client.read_flow_run(UUID(run_id)).state
            if state is None or not state.is_final():
                self._client.set_flow_run_state(UUID(run_id), replaced, force=True)

    def answer(self, run_id: str, wait_key: str) -> dict[str, Any]:
        """What was submitted to a run that waited so; empty where nothing was, or the run is deleted."""
        key = keyset_from_base_key(f"suspended-{wait_key}")["response"]
        with _errors():
            found = self._client.filter_flow_run_input(UUID(run_id), key, 1, set())
        return dict(found[0].decoded_value) if found else {}

    def called_off(self, run_id: str) -> bool:
        """Whether a person has cancelled the run.

        Prefect's process worker cancels those that it is to take up and whose deployment is gone; theirs were due, and
        a person's were suspended or carried. Where a person cancels one that was due, the case goes on: in doubt
        nobody's case is ended.
        """
        with _errors():
            states = sorted(self._client.read_flow_run_states(UUID(run_id)), key=lambda state: state.timestamp)
        if not states or not states[-1].is_cancelled() or states[-1].name == REPLACED:
            return False
        return not states[:-1] or not states[-2].is_scheduled()

    def cancel(self, run_id: str) -> None:
        """End a run whose cancelling its dead worker can no longer carry out; one that has ended is left alone."""
        with _errors():
            state = self._client.read_flow_run(UUID(run_id)).state
            if state is None or not state.is_final():
                self._client.set_flow_run_state(UUID(run_id), cancelled_by_a_person(), force=True)

    def reachable_runs(self, run_ids: list[str], since: datetime) -> set[str]:
        """Those that the server still has, and that a worker of ours will carry, or somebody carries elsewhere.

        Those that have completed, or were replaced, are not among them: nothing goes on in them. Nor are those that
        wait, were cancelled or broke while their deployment is gone: no worker takes them up again.

        Args:
            since: who began to carry a run before then, outside of our pool, has died over it.
        """
        ids = [UUID(run_id) for run_id in run_ids]
        # pages of what is asked: in pages of the answer a run that is deleted meanwhile would hide another
        asked = [FlowRunFilterId(any_=ids[first : first + PAGE]) for first in range(0, len(ids), PAGE)]
        with _errors():
            pages = [self._client.read_flow_runs(flow_run_filter=FlowRunFilter(id=some), limit=PAGE) for some in asked]
        runs = [run for page in pages for run in page]
        there = self._those_there({run.deployment_id for run in runs if run.deployment_id})
        return {str(run.id) for run in runs if self._goes_on(run, there) or _carried(run, since)}

    def _those_there(self, deployment_ids: set[UUID]) -> set[UUID]:
        if not deployment_ids:
            return set()
        these = DeploymentFilter(id=DeploymentFilterId(any_=list(deployment_ids)))
        with _errors():
            return {found.id for found in self._client.read_deployments(deployment_filter=these, limit=PAGE)}

    def _goes_on(self, run: FlowRun, deployments: set[UUID]) -> bool:
        if run.work_pool_name != self._settings.pool_name:
            return False
        if run.state is not None and (run.state.is_completed() or run.state.name == REPLACED):
            return False
        # who carries it has its code
        return run.deployment_id in deployments or (run.state is not None and run.state.type in CARRIED_TYPES)

    def broken_runs(self) -> list[FlowRun]:
        """Case runs that crashed or failed, latest first."""
        return self._runs(_in(StateType.CRASHED, StateType.FAILED))

    def cancelled_runs(self) -> list[FlowRun]:
        """Case runs that a person cancelled in the UI, latest first."""
        by_a_person = FlowRunFilterStateName(not_any_=[REPLACED])
        return self._runs(FlowRunFilterState(type=_in(StateType.CANCELLED).type, name=by_a_person))

    def running_runs(self) -> list[FlowRun]:
        """Runs of the service that some worker is said to carry."""
        state = FlowRunFilterState(type=CARRIED, name=FlowRunFilterStateName(not_any_=["Paused"]))
        with _errors():
            return self._client.read_flow_runs(
                flow_run_filter=FlowRunFilter(state=state),
                work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[self._settings.pool_name])),
                limit=PAGE,
            )

    def label(self, run_id: str, *tags: str) -> None:
        """Tag a run with what it waits for, so that people find theirs in the list of runs."""
        with _errors():
            self._client.update_flow_run(UUID(run_id), tags=list(tags))

    def last_passes(self, deployment: str) -> list[FlowRun]:
        """The five latest passes of a standing flow that have ended, latest first; cancelled ones gave way to one."""
        return self._runs(_in(StateType.COMPLETED, StateType.FAILED, StateType.CRASHED), deployment, 5)

    def forget_passes(self, before: datetime, failed_before: datetime) -> int:
        """Delete passes of standing flows that ended before then, some at a time; returns how many.

        There are thousands a day, and what they did stands in the case store. Those that failed are looked at for
        longer; an outage of a back-office system leaves thousands of them, too.
        """
        well, badly = (StateType.COMPLETED, StateType.CANCELLED), (StateType.FAILED, StateType.CRASHED)
        return sum(
            self._forget(state=_in(*states), end_time=FlowRunFilterEndTime(before_=ended))
            for states, ended in ((well, before), (badly, failed_before))
        )

    def drop_late_passes(self, before: datetime) -> int:
        """Delete the passes of standing flows that were due before then and that no worker has taken up.

        A night without a worker leaves thousands of them. One pass does all their work. Returns how many there were.
        """
        due = FlowRunFilterNextScheduledStartTime(before_=before)
        dropped = 0
        while some := self._forget(state=_in(StateType.SCHEDULED), next_scheduled_start_time=due):
            dropped += some
        return dropped

    def _forget(self, **which: Any) -> int:
        """Delete some passes; there may be more."""
        path: Any = "/flow_runs/bulk_delete"  # which the client has no method for
        with _errors():
            standing = DeploymentFilter(name=DeploymentFilterName(any_=list(STANDING)))
            # not by the ids known to us: they may have been deployed anew
            ids = [found.id for found in self._client.read_deployments(deployment_filter=standing)]
            if not ids:
                return 0
            runs = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=ids), **which)
            body = {"flow_runs": runs.model_dump(mode="json", exclude_none=True), "limit": FORGOTTEN_AT_ONCE}
            return len(self._client.request("POST", path, json=body).json()["deleted"])

    def missing(self) -> list[str]:
        """Names of our deployments that are not on the server, or whose work pool or queue was deleted."""
        there = {found.name for found in self._deployed() if found.work_pool_name is not None}
        return sorted(DEPLOYMENTS - there)

    def halted(self) -> list[str]:
        """What somebody has paused or switched off: nothing of it is carried."""
        with _errors():
            pool = self._client.read_work_pool(self._settings.pool_name)
            queues = self._client.read_work_queues(work_pool_name=pool.name)
        found = [f"work pool {pool.name}"] * pool.is_paused
        found += [f"work queue {queue.name}" for queue in queues if queue.is_paused]
        for one in self._deployed():
            if one.paused:
                found.append(one.name)
            elif one.name in STANDING and not any(schedule.active for schedule in one.schedules):
                found.append(f"{one.name}'s schedule")
        return sorted(found)

    def _deployed(self) -> list[DeploymentResponse]:
        with _errors():
            ours = DeploymentFilter(name=DeploymentFilterName(any_=sorted(DEPLOYMENTS)))
            return self._client.read_deployments(deployment_filter=ours)

    def live_workers(self) -> dict[str, str]:
        """Names of the workers whose heartbeat the server has seen lately, each with the time of the last one."""
        with _errors():
            workers = self._client.request(
                "POST",
                "/work_pools/{work_pool_name}/workers/filter",
                path_params={"work_pool_name": self._settings.pool_name},
                json={},
            ).json()
        live = [worker for worker in workers if worker["status"] == WorkerStatus.ONLINE.value]
        return {worker["name"]: str(worker["last_heartbeat_time"]) for worker in live}

    def run_url(self, run_id: str) -> str:
        """Where people open the run."""
        return f"{self._settings.ui_url}/runs/flow-run/{run_id}"

    def _runs(self, state: FlowRunFilterState, deployment: str = CASES, limit: int = PAGE) -> list[FlowRun]:
        with _errors():
            return self._client.read_flow_runs(
                flow_run_filter=FlowRunFilter(state=state),
                deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[deployment])),
                sort=FlowRunSort.END_TIME_DESC,
                limit=limit,
            )


def _carried(run: FlowRun, since: datetime) -> bool:
    return run.state is not None and run.state.is_running() and run.state.timestamp > since


def _in(*types: StateType) -> FlowRunFilterState:
    return FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types)))


def cancelled_by_a_person() -> State[Any]:
    """The state of a run that ends because somebody wished it."""
    return Cancelled(message="Cancelled by a person")


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except ObjectNotFound as error:
        raise Refused(SYSTEM, "not found; are the flows deployed? (layanan deploy)") from error
    except PrefectHTTPStatusError as error:
        status = error.response.status_code
        if status in {408, 429} or status >= 500:
            raise Unavailable(SYSTEM, f"answered {status}") from error
        raise Refused(SYSTEM, f"answered {status}") from error
    except httpx.TransportError as error:
        raise Unavailable(SYSTEM, type(error).__name__) from error
