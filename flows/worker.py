"""The worker type ``layanan``: runs flows in threads of its own process.

A process for each run costs about fifty times the CPU of the run itself (`bench/engine.py`). Here a run costs a
thread. The worker reports what becomes of its runs: one that crashes or hangs is reported as crashed, one that a
person cancels as cancelled. On SIGTERM it lets running activities end and hands the rest of each run back to
the server; after a crash it finds its own orphans at the next start.

    prefect worker start --pool layanan --type layanan
"""

import asyncio
import fcntl
import importlib
import logging
import os
import signal
import socket
import threading
import uuid
from collections.abc import Iterable
from typing import Any, TextIO

import anyio
import anyio.abc
from prefect import Flow
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import WorkerFlowRunResponse
from prefect.exceptions import Abort, Pause
from prefect.flow_engine import run_flow
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, PREFECT_WORKER_QUERY_SECONDS, temporary_settings
from prefect.states import Cancelled, Scheduled
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult

from adapters import logs
from models.errors import SettingsError
from models.settings import Settings, load_settings
from tasks import drain

log = logging.getLogger("layanan.worker")

LOOK_SECONDS = 2.0
"""How often the worker looks for runs to cancel and for runs that hang."""


class InProcessResult(BaseWorkerResult):
    """How a run's thread ended: 0, or 1 when it broke outside of the engine."""


class _Run:
    """One run in its thread."""

    def __init__(self, flow_run: FlowRun, flow: "Flow[..., Any]") -> None:
        self.flow_run = flow_run
        self.flow = flow
        self.status = 0
        self.cancelled = False
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._go, name=f"run-{flow_run.name}", daemon=True)

    def _go(self) -> None:
        try:
            # our own recovery replaces heartbeats, whose thread would hold each run's end up for a second
            with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
                run_flow(self.flow, flow_run=self.flow_run, return_type="state")
        except (Abort, Pause):
            pass
        except BaseException:
            log.exception("run %s broke", self.flow_run.name)
            self.status = 1
        finally:
            self.done.set()


class InProcessWorker(BaseWorker[BaseJobConfiguration, BaseVariables, InProcessResult]):
    """See the module."""

    type = "layanan"
    job_configuration = BaseJobConfiguration
    _display_name = "Layanan in-process"
    _description = "Runs layanan-email's flows in threads of the worker's own process."

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["name"] = kwargs.get("name") or f"layanan-{socket.gethostname()}"
        self._service: Settings = load_settings()
        logs.configure(self._service)
        kwargs["prefetch_seconds"] = 0  # a run taken early would hold a thread while it waits for its time
        kwargs["limit"] = kwargs.get("limit") or self._service.worker_threads
        super().__init__(*args, **kwargs)
        self._instance = uuid.uuid4().hex[:12]
        self._flows: dict[uuid.UUID, Flow[..., Any]] = {}
        self._runs: dict[uuid.UUID, _Run] = {}
        self._lock_file: TextIO | None = None

    async def start(self, *args: Any, **kwargs: Any) -> None:
        """Poll as often as the service's settings say; the engine's own ten seconds would keep people waiting."""
        with temporary_settings({PREFECT_WORKER_QUERY_SECONDS: self._service.poll_seconds}):
            await super().start(*args, **kwargs)

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """Take no new run while stopping."""
        return [] if drain.asked() else await super().get_and_submit_flow_runs()

    async def _get_scheduled_flow_runs(self) -> list[WorkerFlowRunResponse]:
        # a run that is resumed at once may be due again before its thread has ended; it still holds its slot, and
        # the base class would ask for a second one and end the worker with the error
        return [due for due in await super()._get_scheduled_flow_runs() if due.flow_run.id not in self._runs]

    async def setup(self) -> None:
        """Be the only worker of this name, take back the orphans of the one before, and mind SIGTERM."""
        self._lock_file = _only_one(self._service, self.name)
        drain.reset()
        await super().setup()
        await self._adopt_orphans()
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stop, task)

    async def run(
        self,
        flow_run: FlowRun,
        configuration: BaseJobConfiguration,
        task_status: anyio.abc.TaskStatus[Any] | None = None,
    ) -> InProcessResult:
        """Carry one run to its end or its next wait."""
        identifier = f"{self.name}:{self._instance}:{flow_run.id}"
        # before the thread starts, so that a kill at any moment leaves the run recognisable as ours
        await self.client.update_flow_run(flow_run.id, infrastructure_pid=identifier)
        running = _Run(flow_run, await self._flow(flow_run))
        self._runs[flow_run.id] = running
        running.thread.start()
        if task_status is not None:
            task_status.started(identifier)
        try:
            await self._watch(running)
        finally:
            self._runs.pop(flow_run.id, None)
        return InProcessResult(identifier=identifier, status_code=running.status)

    async def _watch(self, running: _Run) -> None:
        deadline = anyio.current_time() + self._service.run_minutes * 60
        next_look = anyio.current_time() + LOOK_SECONDS
        while not running.done.is_set() and anyio.current_time() < deadline:
            await asyncio.sleep(0.02)
            if anyio.current_time() > next_look:
                next_look = anyio.current_time() + LOOK_SECONDS
                await self._look_for_cancel(running)
        if running.cancelled:
            await self.client.set_flow_run_state(
                running.flow_run.id, Cancelled(message="Cancelled by a person"), force=True
            )
        elif not running.done.is_set():
            # a thread cannot be killed; what it still does is harmless, because effects are recorded once
            running.status = 1
            log.error("run %s hangs", running.flow_run.name)

    async def _look_for_cancel(self, running: _Run) -> None:
        flow_run = await self.client.read_flow_run(running.flow_run.id)
        if flow_run.state is not None and flow_run.state.type is StateType.CANCELLING:
            running.cancelled = True
            # the run stops at its next activity; nothing that it has begun is torn apart
            drain.stop_run(str(flow_run.id))

    async def _flow(self, flow_run: FlowRun) -> "Flow[..., Any]":
        """The run's flow, loaded once for the process's life."""
        if flow_run.deployment_id is None:
            raise SettingsError(f"run {flow_run.name} has no deployment")
        if flow_run.deployment_id not in self._flows:
            deployment = await self.client.read_deployment(flow_run.deployment_id)
            module, _, name = (deployment.entrypoint or "").rpartition(":")
            dotted = module.removesuffix(".py").replace("/", ".")
            self._flows[flow_run.deployment_id] = getattr(importlib.import_module(dotted), name)
        return self._flows[flow_run.deployment_id]

    async def _adopt_orphans(self) -> None:
        """Set runs going again that an earlier worker of this name had when it died."""
        state = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING]))
        runs = await self.client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=state),
            work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[self._work_pool_name])),
        )
        for run in _orphans(runs, self.name, self._instance):
            log.warning("run %s lost its worker; it goes on", run.name)
            await self.client.set_flow_run_state(
                run.id, Scheduled(name="Restarted", message="its worker had died"), force=True
            )

    def _stop(self, task: "asyncio.Task[Any] | None") -> None:
        log.info("stopping: running activities end, the rest is left to the next start")
        drain.begin()
        if task is not None:
            asyncio.get_running_loop().create_task(self._stop_when_drained(task))

    async def _stop_when_drained(self, task: "asyncio.Task[Any]") -> None:
        while self._runs:
            await asyncio.sleep(0.05)
        task.cancel()


def _orphans(runs: Iterable[FlowRun], name: str, instance: str) -> list[FlowRun]:
    orphans = []
    for run in runs:
        owner, _, rest = (run.infrastructure_pid or f"{name}:").partition(":")
        if owner == name and not rest.startswith(instance):
            orphans.append(run)
    return orphans


def _only_one(settings: Settings, name: str) -> TextIO:
    settings.home.mkdir(parents=True, exist_ok=True)
    file = (settings.home / f"worker-{name}.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SettingsError(f"a worker named {name} runs here already; give this one another --name") from None
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file
