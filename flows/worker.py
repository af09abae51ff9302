"""The worker type ``layanan``: runs flows in threads of its own process.

A process for each run costs about fifty times the CPU of a thread (`bench/engine.py`). The worker reports the outcome
of its runs: a run that breaks or hangs as crashed, a run that a person cancels as cancelled. On SIGTERM it lets running
activities end and hands the rest of each run back to the server. After a crash, its next start takes over its runs.

    prefect worker start --pool layanan --type layanan
"""

import asyncio
import importlib
import logging
import os
import signal
import socket
import threading
import uuid
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any, TextIO

import anyio
import anyio.abc
import httpx
from prefect import Flow
from prefect.client.schemas.filters import FlowRunFilter, WorkPoolFilter, WorkPoolFilterName
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, PREFECT_WORKER_QUERY_SECONDS, temporary_settings
from prefect.states import Scheduled
from prefect.workers.base import BaseJobConfiguration, BaseWorkerResult

from adapters.console import logs
from adapters.engine import internals
from adapters.engine.carrier import Carrier
from adapters.engine.forms import SHOWN_WITHIN
from adapters.engine.states import CARRIED_TYPES, cancelled_by_a_person, one_of
from adapters.wiring import load_systems
from flows.listen import listen_to_mailboxes
from flows.only_worker import hold_name
from flows.run_thread import RunThread
from models.errors import LayananError, SettingsError
from models.settings import Settings, load_settings
from tasks.run import drain
from tasks.run.resume import offer_lost_forms

log = logging.getLogger("layanan.worker")

LOOK_SECONDS = 2.0
"""Interval at which the worker checks whether somebody has cancelled or suspended a run, or whether it hangs."""
DRAIN_SECONDS, END_SECONDS = 5.5, 7.5
"""How long a stopping worker waits for running activities, and when it ends at the latest (`flows/service.py`)."""


class InProcessWorker(internals.ThreadWorker):
    """See the module."""

    type = "layanan"
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
        self._carrier = Carrier(self.name, uuid.uuid4().hex[:12])
        self._flows: dict[uuid.UUID, Flow[..., Any]] = {}
        self._runs: dict[uuid.UUID, RunThread] = {}
        self._contexts: list[Context] = []
        self._lock_file: TextIO | None = None

    async def start(self, *args: Any, **kwargs: Any) -> None:
        """Poll the server as often as the settings say, and send no heartbeats for runs.

        Prefect's own interval of ten seconds would keep people waiting. A heartbeat's thread delays each run's end by a
        second; runs whose worker has died are found by its next start and by the monitor instead.
        """
        ours = {
            PREFECT_WORKER_QUERY_SECONDS: self._service.poll_seconds,
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        }
        with temporary_settings(ours):
            await super().start(*args, **kwargs)

    async def setup(self) -> None:
        """Be the only worker of this name, take over the runs of its predecessor, listen to mailboxes and signals."""
        self._lock_file = hold_name(self._service.home, self.name)
        drain.reset()
        await super().setup()
        await self._adopt_orphans()
        self.in_background(self._show_lost_forms)
        listen_to_mailboxes(load_systems())
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stop, task)

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """Take no new run while stopping."""
        return [] if drain.asked() else await super().get_and_submit_flow_runs()

    async def run(
        self,
        flow_run: FlowRun,
        configuration: BaseJobConfiguration,
        task_status: anyio.abc.TaskStatus[Any] | None = None,
    ) -> BaseWorkerResult:
        """Execute one run up to its end or its next wait."""
        mark = self._carrier.mark(flow_run)
        if flow_run.infrastructure_pid != mark:
            # before the thread starts, so that after a kill at any moment the run is recognised as ours
            await self.client.update_flow_run(flow_run.id, infrastructure_pid=mark)
        flow = await self._flow(flow_run)
        running = RunThread(flow_run, flow, self._contexts.pop() if self._contexts else copy_context())
        self._runs[flow_run.id] = running
        running.start()
        if task_status is not None:
            task_status.started(mark)
        try:
            well = await self._watch(running)
        finally:
            self._runs.pop(flow_run.id, None)
        return BaseWorkerResult(identifier=mark, status_code=0 if well else 1)

    async def _watch(self, running: RunThread) -> bool:
        """Wait for a run's end, up to the limit; returns whether it ended properly."""
        deadline = anyio.current_time() + self._service.run_minutes * 60
        while not running.done.is_set() and anyio.current_time() < deadline:
            with anyio.move_on_after(LOOK_SECONDS):
                await running.done.wait()
            if not running.done.is_set():
                await self._look(running)
        hangs = not running.done.is_set()
        if not hangs:
            running.join()
            self._contexts.append(running.context)
        if running.stopping:
            await self.client.set_flow_run_state(running.flow_run.id, cancelled_by_a_person(), force=True)
            return True
        if hangs:
            # a thread cannot be killed; what it still does is recorded once, and checked before it acts outside
            log.error("run %s hangs", running.flow_run.name)
        return not (hangs or running.broke)

    async def _look(self, running: RunThread) -> None:
        """Check whether somebody has cancelled or suspended the run."""
        try:
            state = (await self.client.read_flow_run(running.flow_run.id)).state
        except (httpx.HTTPError, ObjectNotFound) as error:
            log.warning("run %s continues unchecked: %s", running.flow_run.name, type(error).__name__)
            return
        if state is None:
            return
        internals.suspend(running.flow_run, state)
        if state.type is StateType.CANCELLING and not running.stopping:
            # the activity that it has begun is not interrupted
            log.info("run %s stops at its next activity: somebody has cancelled it", running.flow_run.name)
            running.stop()

    async def _flow(self, flow_run: FlowRun) -> "Flow[..., Any]":
        """The run's flow, loaded once in this process."""
        if flow_run.deployment_id is None:
            raise SettingsError(f"run {flow_run.name} has no deployment")
        if flow_run.deployment_id not in self._flows:
            deployment = await self.client.read_deployment(flow_run.deployment_id)
            module, _, name = (deployment.entrypoint or "").rpartition(":")
            dotted = module.removesuffix(".py").replace("/", ".")
            self._flows[flow_run.deployment_id] = getattr(importlib.import_module(dotted), name)
        return self._flows[flow_run.deployment_id]

    async def _show_lost_forms(self) -> None:
        """Show the forms of runs that a worker suspended before it died without showing them."""
        await asyncio.sleep(2 * SHOWN_WITHIN.total_seconds())
        most = 2 * self._service.worker_threads
        # a server that does not answer must not end the worker; its next start looks again, and so do submissions
        with suppress(LayananError):
            if shown := await asyncio.to_thread(offer_lost_forms, load_systems(), most):
                log.warning("%s forms were not shown before a crash; they are now", shown)

    async def _adopt_orphans(self) -> None:
        """Restart the runs that an earlier worker of this name had when it died; end those that a person cancelled."""
        runs = await self.client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=one_of(*CARRIED_TYPES)),
            work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[self.pool_name])),
        )
        for run in runs:
            before = Carrier.of(run)
            if before is None or before.name not in {"", self.name} or before == self._carrier:
                continue
            log.warning("run %s lost its worker", run.name)
            cancelling = run.state is not None and run.state.type is StateType.CANCELLING
            then = cancelled_by_a_person() if cancelling else Scheduled(name="Restarted", message="its worker had died")
            await self.client.set_flow_run_state(run.id, then, force=True)

    def _stop(self, task: "asyncio.Task[Any] | None") -> None:
        if drain.asked():
            log.warning("asked twice: ending at once")
            os._exit(0)
        log.info("stopping: running activities end; the next start does the rest")
        drain.begin()
        # Prefect tries for minutes to report runs and events to a server that has gone
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
            log.warning("run %s is in the middle of an activity; the next start takes it over", running.flow_run.name)
        task.cancel()
