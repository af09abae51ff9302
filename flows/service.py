"""The service on this machine: Prefect's server, the deployments, a worker and the desk, each a process of its own.

Used by `layanan up`, the demo and the tests. If a server already answers at the address in the settings, it is used.
"""

import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NoReturn
from urllib.parse import urlsplit

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from adapters.case_store import schema
from adapters.case_store.store import Store
from adapters.clock import SystemClock
from adapters.engine.environment import engine_environment
from adapters.engine.pages import fix_pages
from adapters.engine.runs import PrefectEngine
from adapters.wiring import load_systems
from flows.deploy import deploy_all
from flows.processes import Process, Restarter, Starter, end, last_line
from flows.stop_signals import ending, pause
from models.errors import LayananError, Unavailable
from models.settings import Settings
from tasks.upkeep.monitor import LATE

log = logging.getLogger("layanan.service")

START_SECONDS = 120
WORKER_SECONDS, SERVER_SECONDS, DESK_SECONDS = 8.0, 3.5, 2.5
"""Seconds that they get to end before they are killed: less than 15 in all, even on an overloaded machine."""
LOOK_SECONDS = 60.0
"""How often `layanan up` looks whether the deployments are still there."""
WORKER = "layanan"


class Service:
    """Server, worker and desk of one set of settings; a context manager that stops what it has started.

    Args:
        environment: of the processes, in addition to ours.
        outlives_us: whether they continue when this process ends, however it ends.
    """

    def __init__(
        self, settings: Settings, environment: dict[str, str] | None = None, *, outlives_us: bool = False
    ) -> None:
        self.settings = settings
        self.environment = {**os.environ, **engine_environment(settings), **(environment or {})}
        self.logs = settings.home / "logs"
        self._engine = PrefectEngine(settings)
        self._starter = Starter(self.environment, self.logs, outlives_us=outlives_us)
        self._server: Process | None = None
        self._worker: Process | None = None
        self._desk: Process | None = None

    def __enter__(self) -> "Service":
        try:
            self.start_server()
            self.deploy()
            self.start_desk()
            self.start_working()
            self._see_desk()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start_server(self) -> None:
        """Bring the case store to its revision and start Prefect's server, unless one answers.

        Raises:
            Unavailable: case store or server do not come up.
        """
        store = Store.of(self.settings)
        schema.upgrade(store)
        store.close()
        if self._engine.answers():
            return
        address = urlsplit(self.settings.prefect_api_url)
        place = ["--host", address.hostname or "127.0.0.1", "--port", str(address.port or 80)]
        self._server = server = self._starter.start_logged("server", ["python", "-m", "flows.server", *place])
        _until(lambda: server.poll() is not None or self._engine.answers())
        if not self._engine.answers():
            raise Unavailable("Prefect server", f"did not come up; see {self.logs}")
        pages = Path(self.environment["PREFECT_SERVER_UI_STATIC_DIRECTORY"])
        fix_pages(pages, rehearsal=self.settings.clock == "simulated")

    def deploy(self) -> None:
        """Bring the work pool and the deployments of ``prefect.yaml`` to the server.

        Raises:
            Unavailable: the server does not answer, or what it answered.
        """
        if not self._engine.answers():
            raise Unavailable("Prefect", f"no server at {self.settings.prefect_api_url}; `layanan up` starts one")
        with SyncPrefectClient(api=self.settings.prefect_api_url) as client:
            try:
                client.read_work_pool(self.settings.pool_name)
            except ObjectNotFound:
                with suppress(ObjectAlreadyExists):
                    client.create_work_pool(self._new_pool())
        deploy_all(self.settings)

    def start_worker(self) -> None:
        """Start the worker of the settings' type."""
        with suppress(LayananError):  # the monitor tries again
            self._engine.drop_late_polls(SystemClock().now() - LATE)
        kind, at_once = self.settings.worker_type, str(self.settings.worker_threads)
        command = ["prefect", "worker", "start", "--pool", self.settings.pool_name, "--type", kind, "--name", WORKER]
        self._worker = self._starter.start_logged("worker", [*command, "--limit", at_once])

    def start_working(self) -> None:
        """Start the worker, and wait until it is at work.

        Raises:
            Unavailable: it does not come up.
        """
        before = self._engine.live_workers().get(WORKER)  # one that has just ended still counts as live
        file = self.logs / "worker.log"
        said = file.stat().st_size if file.exists() else 0
        self.start_worker()

        def works() -> bool:
            return self._engine.live_workers().get(WORKER) not in (None, before)

        _until(lambda: works() or (self._worker is not None and self._worker.poll() is not None))
        if not works():
            raise Unavailable("worker", f"could not start: {last_line(file, said)}")

    def start_desk(self) -> None:
        """Start the desk, the pages on which people decide."""
        self._desk = self._starter.start_logged("desk", ["python", "-m", "flows.desk.serve"])

    def _see_desk(self) -> None:
        desk, port = self._desk, self.settings.desk.port

        def listens() -> bool:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
            return False

        _until(lambda: listens() or desk is None or desk.poll() is not None)
        if desk is None or desk.poll() is not None:
            raise Unavailable("desk", f"could not start on port {port}; see {self.logs / 'desk.log'}")

    def stop_worker(self, name: signal.Signals = signal.SIGTERM) -> None:
        """End the worker: gracefully, or, with SIGKILL, as a crash does."""
        if self._worker is not None:
            if name is not signal.SIGTERM:
                self._worker.send_signal(name)
                self._worker.wait()
            end("worker", self._worker, WORKER_SECONDS)
            self._worker = None

    def watch(self) -> NoReturn:
        """Keep the service up: start a server, worker or desk again that ends by itself."""
        if self.settings.worker_type == "process":
            from flows.listen import listen_to_mailboxes

            listen_to_mailboxes(load_systems())  # as our own worker does itself
        starts = {"server": self.start_server, "worker": self.start_worker, "desk": self.start_desk}
        restarters = [Restarter(name, start) for name, start in starts.items()]
        look = time.monotonic()
        while True:
            pause(1)
            if time.monotonic() > look:
                look = time.monotonic() + LOOK_SECONDS
                self._deploy_what_is_missing()
            for one, process in zip(restarters, (self._server, self._worker, self._desk), strict=True):
                if process is not None and process.poll() is not None:
                    one.start_again(process.returncode)

    def _deploy_what_is_missing(self) -> None:
        """Deploy again what somebody has deleted; the monitor continues the cases that ran there."""
        try:
            if missing := self._engine.missing():
                log.error("gone from Prefect, and deployed again: %s", ", ".join(missing))
                self.deploy()
        except LayananError as error:
            log.error("%s", error)  # noqa: TRY400 - said by a system, no defect

    def stop(self) -> None:
        """Stop everything that was started, the worker first; a second signal kills what is left."""
        with ending():
            if self._desk is not None:
                end("desk", self._desk, DESK_SECONDS)
            if self._worker is not None:
                end("worker", self._worker, WORKER_SECONDS)
            if self._server is not None:
                end("server", self._server, SERVER_SECONDS)
        self._worker = self._server = self._desk = None

    def _new_pool(self) -> WorkPoolCreate:
        if self.settings.worker_type == "process":
            from prefect.workers.process import ProcessWorker as Worker
        else:
            from flows.worker import InProcessWorker as Worker  # type: ignore[assignment]
        return WorkPoolCreate(
            name=self.settings.pool_name,
            type=Worker.type,
            base_job_template=Worker.get_default_base_job_template(),
            description="layanan-email",
        )


def _until(reached: Callable[[], bool]) -> None:
    """Wait until the condition is true, but no longer than a start may take."""
    deadline = time.monotonic() + START_SECONDS
    while not reached() and time.monotonic() < deadline:
        pause(0.2)
