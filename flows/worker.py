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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context
from typing import Any, TextIO

import anyio
import anyio.abc
import httpx
from prefect import Flow
from prefect._flow_run_suspension import (
    FlowRunSuspensionRequest,
    is_suspended_flow_run_state,
    mark_flow_run_suspension_requested,
    register_flow_run_suspension_request,
)
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.context import SyncClientContext
from prefect.exceptions import Abort, ObjectNotFound, Pause
from prefect.flow_engine import FlowRunEngine
from prefect.settings import PREFECT_WORKER_QUERY_SECONDS, temporary_settings
from prefect.states import Scheduled
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult

from adapters.console import logs
from adapters.engine.runs import CARRIED, SHOWN_WITHIN, cancelled_by_a_person
from adapters.folder import private
from adapters.wiring import systems
from flows.listen import listen_to_mailboxes
from models.errors import LayananError, SettingsError
from models.settings import Settings, load_settings
from tasks.run import drain
from tasks.run.waits import offer_lost_forms

log = logging.getLogger("layanan.worker")

LOOK_SECONDS = 2.0
"""How often the worker looks for runs to cancel and for runs that hang."""
DRAIN_SECONDS, END_SECONDS = 5.5, 7.5
"""After which a worker that stops waits for no activity any longer, and ends whatever it is at (`flows/service.py`)."""


class InProcessResult(BaseWorkerResult):
    """How a run's thread ended: 0, or 1 when it broke outside of the engine."""


class _Engine(FlowRunEngine[..., Any]):
    """The engine without the two threads that it has beside each run; the worker does what they do.

    One sends heartbeats, and holds each run's end up for a second. The other, with an event loop, a web socket and an
    API client of its own, waits for somebody who suspends the run.
    """

    @property
    def heartbeat_seconds(self) -> None:
        """No heartbeats."""
        return

    @contextmanager
    def setup_flow_run_suspension_request(self) -> Iterator[FlowRunSuspensionRequest]:
        """Let the worker's look suspend the run."""
        assert self.flow_run is not None
        request = self._get_flow_run_suspension_request()
        with register_flow_run_suspension_request(self.flow_run.id, request):
            request.raise_if_requested()
            yield request


class _Run:
    """One run in its thread; ``context`` keeps the API client for the runs that come after it."""

    def __init__(self, flow_run: FlowRun, flow: "Flow[..., Any]", context: Context) -> None:
        self.flow_run = flow_run
        self.context = context
        self.status = 0
        self.cancelled = False
        self.done = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._engine = _Engine(flow=flow, flow_run=flow_run, parameters=flow_run.parameters)
        # it got its name in its first pass
        self._engine._flow_run_name_set = flow_run.run_count > 0
        self.thread = threading.Thread(target=context.run, args=[self._go], name=f"run-{flow_run.name}", daemon=True)

    def _go(self) -> None:
        try:
            if SyncClientContext.get() is None:
                SyncClientContext().__enter__()
            with self._engine.start():
                while self._engine.is_running():
                    with self._engine.run_context():
                        self._engine.call_flow_fn()
        except (Abort, Pause):
            pass
        except BaseException:
            log.exception("run %s broke", self.flow_run.name)
            self.status = 1
        finally:
            with suppress(RuntimeError):  # the worker has ended before
                self._loop.call_soon_threadsafe(self.done.set)


class InProcessWorker(BaseWorker[BaseJobConfiguration, BaseVariables, InProcessResult]):
    """See the module."""

    type = "layanan"
    job_configuration = BaseJobConfiguration
    _display_name = "Layanan in-process"
    _description = "Runs layanan-email's flows in threads of the worker's own process."

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["name"] = kwargs.get("name") or f"layanan-{socket.gethostname()}"
        try:
            self._service: Settings = load_settings()
        except SettingsError as error:
            raise SystemExit(str(error)) from None
        logs.configure(self._service)
        kwargs["prefetch_seconds"] = 0  # a run taken early would hold a thread while it waits for its time
        kwargs["limit"] = kwargs.get("limit") or self._service.worker_threads
        super().__init__(*args, **kwargs)
        self._instance = uuid.uuid4().hex[:12]
        self._flows: dict[uuid.UUID, Flow[..., Any]] = {}
        self._runs: dict[uuid.UUID, _Run] = {}
        self._contexts: list[Context] = []
        self._lock_file: TextIO | None = None

    async def start(self, *args: Any, **kwargs: Any) -> None:
        """Poll as often as the service's settings say; the engine's own ten seconds would keep people waiting."""
        with temporary_settings({PREFECT_WORKER_QUERY_SECONDS: self._service.poll_seconds}):
            await super().start(*args, **kwargs)

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """Take no new run while stopping."""
        return [] if drain.asked() else await super().get_and_submit_flow_runs()

    async def setup(self) -> None:
        """Be the only worker of this name, take back the orphans of the one before, and mind SIGTERM."""
        self._lock_file = _only_one(self._service, self.name)
        drain.reset()
        await super().setup()
        await self._adopt_orphans()
        if self._runs_task_group is not None:
            self._runs_task_group.start_soon(self._show_lost_forms)
        listen_to_mailboxes(systems())
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stop, task)

    async def _submit_run(self, flow_run: FlowRun) -> None:
        """Carry a run that is due to its end here, and report it where that fails.

        The base class would also gather labels and an environment, and report that a process starts. Until its thread
        has ended a run counts as being submitted: one that is resumed at once may be due again before.
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

    async def run(
        self,
        flow_run: FlowRun,
        configuration: BaseJobConfiguration,
        task_status: anyio.abc.TaskStatus[Any] | None = None,
    ) -> InProcessResult:
        """Carry one run to its end or its next wait."""
        identifier = f"{self.name}:{self._instance}:{flow_run.id}"
        if flow_run.infrastructure_pid != identifier:
            # before the thread starts, so that a kill at any moment leaves the run recognisable as ours
            await self.client.update_flow_run(flow_run.id, infrastructure_pid=identifier)
        flow = await self._flow(flow_run)
        running = _Run(flow_run, flow, self._contexts.pop() if self._contexts else Context())
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
        while not running.done.is_set() and anyio.current_time() < deadline:
            with anyio.move_on_after(LOOK_SECONDS):
                await running.done.wait()
            if not running.done.is_set():
                await self._look(running)
        if running.cancelled:
            await self.client.set_flow_run_state(running.flow_run.id, cancelled_by_a_person(), force=True)
        elif not running.done.is_set():
            # a thread cannot be killed; what it still does is recorded once, and looked for before it is done outside
            running.status = 1
            log.error("run %s hangs", running.flow_run.name)
        if running.done.is_set():
            running.thread.join()  # to tell that it is done is the last thing it does
            self._contexts.append(running.context)

    async def _look(self, running: _Run) -> None:
        """See whether somebody has cancelled or suspended the run."""
        try:
            state = (await self.client.read_flow_run(running.flow_run.id)).state
        except (httpx.HTTPError, ObjectNotFound) as error:
            log.warning("run %s goes on unseen: %s", running.flow_run.name, type(error).__name__)
            return
        if state is not None and state.type is StateType.CANCELLING:
            # nothing that it has begun is torn apart
            drain.stop_run(str(running.flow_run.id))
            if not running.cancelled:
                log.info("run %s stops at its next activity: somebody has cancelled it", running.flow_run.name)
            running.cancelled = True
        elif state is not None and is_suspended_flow_run_state(state):
            mark_flow_run_suspension_requested(running.flow_run.id, state)

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

    async def _show_lost_forms(self) -> None:
        """Show the forms of runs that the worker before had suspended, and died before it showed them."""
        await asyncio.sleep(2 * SHOWN_WITHIN.total_seconds())
        most = 2 * self._service.worker_threads
        # a server that is away must not end the worker; the next start looks again, and so does who submits the form
        with suppress(LayananError):
            if shown := await asyncio.to_thread(offer_lost_forms, systems(), most):
                log.warning("%s forms were not shown before a crash; they are now", shown)

    async def _adopt_orphans(self) -> None:
        """Set runs going again that an earlier worker of this name had when it died, or end them as a person wished."""
        runs = await self.client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=CARRIED)),
            work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[self._work_pool_name])),
        )
        for run in _orphans(runs, self.name, self._instance):
            log.warning("run %s lost its worker", run.name)
            wished = run.state is not None and run.state.type is StateType.CANCELLING
            then = cancelled_by_a_person() if wished else Scheduled(name="Restarted", message="its worker had died")
            await self.client.set_flow_run_state(run.id, then, force=True)

    def _stop(self, task: "asyncio.Task[Any] | None") -> None:
        if drain.asked():
            log.warning("asked twice: ending at once")
            os._exit(0)
        log.info("stopping: running activities end, the rest is left to the next start")
        drain.begin()
        # the engine tries for minutes to tell a server that has gone what becomes of a run, and to send its last events
        end = threading.Timer(END_SECONDS, os._exit, [0])
        end.daemon = True
        end.start()
        if task is not None:
            asyncio.get_running_loop().create_task(self._stop_when_drained(task))

    async def _stop_when_drained(self, task: "asyncio.Task[Any]") -> None:
        with anyio.move_on_after(DRAIN_SECONDS):
            while self._runs:
                await asyncio.sleep(0.05)
        for running in self._runs.values():
            log.warning("run %s is amid an activity; the next start takes it up", running.flow_run.name)
        task.cancel()


def _orphans(runs: Iterable[FlowRun], name: str, instance: str) -> list[FlowRun]:
    orphans = []
    for run in runs:
        owner, _, rest = (run.infrastructure_pid or f"{name}:").partition(":")
        if owner == name and not rest.startswith(instance):
            orphans.append(run)
    return orphans


def _only_one(settings: Settings, name: str) -> TextIO:
    private(settings.home)
    file = (settings.home / f"worker-{name}.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        other = file.read().strip() or "?"
        raise SystemExit(
            f"a worker named {name} runs here already, process {other}: end it (kill {other}), or give another --name"
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file
