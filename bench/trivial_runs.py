"""The trivial flow on the in-process and on the process worker, against one server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.workers.base import BaseWorker
from prefect.workers.process import ProcessWorker

from adapters.clock import SystemClock
from bench.cpu import Meter
from flows.processes import ROOT
from flows.service import Service
from flows.worker import InProcessWorker
from models.settings import Settings
from tests.ports import free_port
from tests.stack import until

WORKERS: dict[str, type[BaseWorker[Any, Any, Any]]] = {"layanan": InProcessWorker, "process": ProcessWorker}


@dataclass(frozen=True)
class Cost:
    """A run on one type of worker: CPU seconds, runs a second, seconds from submit to going on."""

    worker: float
    server: float
    per_second: float
    delays: list[float]


class Runs:
    """Runs of the trivial flow on one type of worker."""

    def __init__(self, server: Service, worker_type: str) -> None:
        self._server = server
        settings = server.settings.model_copy(update={"worker_type": worker_type})
        self._service = Service(settings, server.environment)
        self._client = SyncPrefectClient(api=settings.prefect_api_url)

    def measured(self, alone: int, together: int) -> Cost:
        """Some runs one by one, which warms the worker up, then some at once."""
        self._deploy()
        self._service.start_worker()
        try:
            delays = [self._delay(run) for run in self._suspended(alone)]
            meter = Meter(self._service, self._server)
            runs = self._suspended(together)
            for run in runs:
                self._client.resume_flow_run(run)
            self._until_all(runs, "Completed")
            used = meter.used()
            return Cost(used.worker / together, used.server / together, together / used.seconds, delays)
        finally:
            self._service.stop_worker()

    def _deploy(self) -> None:
        settings = self._service.settings
        kind = WORKERS[settings.worker_type]
        template = kind.get_default_base_job_template()
        self._client.create_work_pool(
            WorkPoolCreate(name=settings.pool_name, type=kind.type, base_job_template=template)
        )
        self._deployment = self._client.create_deployment(
            self._client.create_flow_from_name("trivial"),
            name=kind.type,
            work_pool_name=settings.pool_name,
            entrypoint="bench/trivial.py:trivial",
            pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}],
        )

    def _suspended(self, count: int) -> list[UUID]:
        runs = [self._client.create_flow_run_from_deployment(self._deployment).id for _ in range(count)]
        self._until_all(runs, "Suspended")
        return runs

    def _until_all(self, runs: list[UUID], state: str) -> None:
        these = FlowRunFilter(id=FlowRunFilterId(any_=runs))
        until(
            lambda: {run.state_name for run in self._client.read_flow_runs(flow_run_filter=these)} == {state},
            f"trivial runs are {state}",
            120,
        )

    def _delay(self, run: UUID) -> float:
        """Seconds from the answer to a submit until the run was Running again, as its history says."""
        self._client.resume_flow_run(run)
        answered = SystemClock().now()
        self._until_all([run], "Completed")
        going = max(state.timestamp for state in self._client.read_flow_run_states(run) if state.is_running())
        return (going - answered).total_seconds()


@contextmanager
def server(home: Path) -> Iterator[Service]:
    """A Prefect server without any of the service's own flows."""
    url = f"http://127.0.0.1:{free_port()}/api"
    environment = {
        "LAYANAN_HOME": str(home),
        "LAYANAN_PREFECT_API_URL": url,
        "PYTHONPATH": str(ROOT),
        # the process worker looks for runs as often as ours does
        "PREFECT_WORKER_QUERY_SECONDS": "0.5",
    }
    service = Service(Settings(home=home, prefect_api_url=url), environment)
    try:
        service.start_server()
        yield service
    finally:
        service.stop()
