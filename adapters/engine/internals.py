"""All that the service uses of Prefect beyond its documented API, but for the server's part (`server_internals.py`).

Each of these may change with any release. `tests/adapters/engine/test_internals.py` names each with its signature, and
what to look at where it has changed.
"""

import json
import logging
import re
from abc import ABC
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from prefect import Flow
from prefect._flow_run_suspension import (
    FlowRunSuspensionRequest,
    is_suspended_flow_run_state,
    mark_flow_run_suspension_requested,
    register_flow_run_suspension_request,
)
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import SyncClientContext
from prefect.exceptions import Abort, Pause
from prefect.flow_engine import FlowRunEngine
from prefect.input.run_input import keyset_from_base_key
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult

log = logging.getLogger("layanan.worker")

BULK_DELETE: Any = "/flow_runs/bulk_delete"
"""Path of the API for which the client has no method."""


class _Engine(FlowRunEngine[..., Any]):
    """The engine without its thread, event loop and web socket beside each run, a sixth of the worker's CPU.

    They wait for somebody who suspends the run from outside. The worker looks for that itself (`suspend`).
    """

    @contextmanager
    def setup_flow_run_suspension_request(self) -> Iterator[FlowRunSuspensionRequest]:
        """Register the run, so that ``suspend`` finds it."""
        assert self.flow_run is not None
        request = self._get_flow_run_suspension_request()
        with register_flow_run_suspension_request(self.flow_run.id, request):
            request.raise_if_requested()
            yield request


def carry(flow: "Flow[..., Any]", flow_run: FlowRun) -> None:
    """Run a flow's body from the top, in this thread, until it ends or waits.

    The context keeps its API client for the runs that come after it: making one for each run is a tenth of the worker's
    CPU (certificates, a connection, a CSRF token).
    """
    if SyncClientContext.get() is None:
        SyncClientContext().__enter__()
    engine = _Engine(flow=flow, flow_run=flow_run, parameters=flow_run.parameters)
    with suppress(Abort, Pause), engine.start():
        while engine.is_running():
            with engine.run_context():
                engine.call_flow_fn()


def suspend(flow_run: FlowRun, state: State[Any]) -> None:
    """Stop a run of this process at its next task, if ``state`` says that somebody has suspended it from outside."""
    if is_suspended_flow_run_state(state):
        mark_flow_run_suspension_requested(flow_run.id, state)


class ThreadWorker(BaseWorker[BaseJobConfiguration, BaseVariables, BaseWorkerResult], ABC):
    """A worker whose ``run`` returns when the run has ended or waits.

    It leaves out what only runs in other processes need (labels, an environment, a state "Submitting", copied
    settings): 5 of 23 calls to the server, and a fifth of the worker's CPU.
    """

    job_configuration = BaseJobConfiguration

    @property
    def pool_name(self) -> str:
        """The work pool that it takes runs from."""
        return self._work_pool_name

    def in_background(self, work: Any) -> None:
        """Do this until the worker ends."""
        assert self._runs_task_group is not None
        self._runs_task_group.start_soon(work)

    async def _submit_run(self, flow_run: FlowRun) -> None:
        """Carry a run that is due, and report it where that fails.

        Until its thread has ended it counts as being submitted: a run that is resumed at once may be due again before.
        """
        try:
            if await self._propose_pending_state(flow_run) and not await self.run(flow_run, BaseJobConfiguration()):
                await self._propose_crashed_state(flow_run, "its thread broke or hangs; see the worker's log")
        except Exception as error:
            log.exception("run %s could not be carried", flow_run.name)
            await self._propose_crashed_state(flow_run, f"could not be carried: {type(error).__name__}")
        finally:
            self._submitting_flow_run_ids.discard(flow_run.id)
            self._release_limit_slot(flow_run.id)
            if self._cancelling_observer is not None:
                self._cancelling_observer.remove_in_flight_flow_run_id(flow_run.id)


def input_keys(wait_key: str) -> dict[str, str]:
    """Under which keys a suspended run's "description", "schema" and "response" are stored."""
    return {str(part): key for part, key in keyset_from_base_key(f"suspended-{wait_key}").items()}


def stored_schema(schema: dict[str, Any]) -> str:
    """A form's JSON schema as the engine stores it for its UI, which looks for definitions in draft 4's place."""
    return json.dumps(schema | {"definitions": schema.get("$defs", {})}).replace("#/$defs/", "#/definitions/")


def lacks_form(reason: str) -> bool:
    """Whether a resume was refused since the run's form is not stored."""
    return "schema not found" in reason


def refusal(reason: str) -> str:
    """Why a form's answers were refused, without the engine's preamble: the field, and what is wrong with it."""
    return re.sub(r"^(?:Reason: )?Validation failed for field '([^']*)'\. Failure reason: ", r"\1: ", reason)
