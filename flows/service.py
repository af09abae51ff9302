"""The service on this machine: Prefect's server, the deployments and a worker, each a process of its own.

Used by `layanan up`, the demo and the tests. A server that already answers at the settings' address is used as it is.
"""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NoReturn
from urllib.parse import urlsplit

import psutil
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from adapters.case_store import schema
from adapters.case_store.store import Store
from adapters.clock import SystemClock
from adapters.engine.environment import engine_environment
from adapters.engine.launch import launched
from adapters.engine.runs import PrefectEngine
from adapters.folder import private
from adapters.wiring import systems
from flows.signals import begin, ending, pause, times_asked
from models.errors import LayananError, Unavailable
from models.settings import Settings
from tasks.upkeep.monitor import LATE

log = logging.getLogger("layanan.service")

ROOT = Path(__file__).parents[1]
START_SECONDS = 120
WORKER_SECONDS, SERVER_SECONDS = 8.0, 3.5
"""Within which they end; else they are killed: in less than 15 seconds, on an overloaded machine, too."""
LONGEST_PAUSE = 60.0
LOOK_SECONDS = 60.0
"""How often `layanan up` looks whether the deployments are still there."""
WORKER = "layanan"
OURS = "<!-- layanan-email -->"
STYLE = (
    "<style>.p-modal__body > .markdown-renderer { flex-shrink: 0 }"
    " .p-modal textarea { field-sizing: content }"
    " .p-select-button__control { pointer-events: none }</style>"
)
"""Mends Prefect's V1 UI, where a long form squeezes the case's facts above it to nothing, a text area shows one line of
a long text, and a select takes each click twice (itself and the box around it), so that it opens and closes at once."""
BANNER = (
    '<div style="position:fixed;z-index:9999;bottom:0;right:0;padding:2px 12px;background:#b45309;color:#fff;'
    'font:bold 14px sans-serif;pointer-events:none">JAM SIMULASI / SIMULATED CLOCK</div>'
)
"""On every page of the Prefect UI of a rehearsal. Prefect has no setting for a notice."""


class _Kept:
    """A process that is started again when it ends."""

    def __init__(self, name: str, start: Callable[[], None]) -> None:
        self._name = name
        self._start = start
        self._pause = 1.0
        self._started = time.monotonic()

    def start_again(self, status: int) -> None:
        """After a pause, which grows where it cannot stay up."""
        short = time.monotonic() - self._started < LONGEST_PAUSE
        self._pause = min(2 * self._pause, LONGEST_PAUSE) if short else 1.0
        log.error("the %s ended with %s; starting it again in %.0f s", self._name, status, self._pause)
        pause(self._pause)
        try:
            self._start()
        except Unavailable as error:
            log.error("%s", error)  # noqa: TRY400 - said by a system, no defect
        self._started = time.monotonic()


class Service:
    """Server and worker of one set of settings; a context manager that stops what it has started.

    Args:
        environment: of the processes, beside ours.
        outlives_us: they go on when this process ends, however that happens; else they end with it.
    """

    def __init__(
        self, settings: Settings, environment: dict[str, str] | None = None, *, outlives_us: bool = False
    ) -> None:
        self.settings = settings
        self.environment = {**os.environ, **engine_environment(settings), **(environment or {})}
        self.logs = settings.home / "logs"
        self._engine = PrefectEngine(settings)
        self._outlives_us = outlives_us
        self._server: subprocess.Popen[bytes] | None = None
        self._worker: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Service":
        try:
            self.start_server()
            self.deploy()
            self.start_working()
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
        self._server = self._process("server", ["python", "-m", "flows.server", *place])
        self._wait_for_server(self._server)
        self._mend_pages(Path(self.environment["PREFECT_SERVER_UI_STATIC_DIRECTORY"]))

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
        with tempfile.TemporaryFile("w+", errors="replace") as said:
            process = self._popen(["prefect", "--no-prompt", "deploy", "--all"], said)
            deadline = time.monotonic() + START_SECONDS
            try:
                while process.poll() is None and time.monotonic() < deadline:
                    pause(0.1)
            finally:
                process.kill()
                process.wait()
            said.seek(0)
            if process.returncode != 0:
                raise Unavailable("Prefect", f"deploying failed: {said.read().strip()[-1000:]}")

    def start_worker(self) -> None:
        """Start the worker of the settings' type."""
        with suppress(LayananError):  # the monitor tries again
            self._engine.drop_late_passes(SystemClock().now() - LATE)
        kind, at_once = self.settings.worker_type, str(self.settings.worker_threads)
        command = ["prefect", "worker", "start", "--pool", self.settings.pool_name, "--type", kind, "--name", WORKER]
        command += ["--limit", at_once]
        self._worker = self._process("worker", command)

    def start_working(self) -> None:
        """Start the worker, and see it at work.

        Raises:
            Unavailable: it does not come up.
        """
        before = self._engine.live_workers().get(WORKER)  # one that ended lately still counts as live
        log = self.logs / "worker.log"
        said = log.stat().st_size if log.exists() else 0
        self.start_worker()
        deadline = time.monotonic() + START_SECONDS
        while self._engine.live_workers().get(WORKER) in (None, before):
            if time.monotonic() > deadline or (self._worker and self._worker.poll() is not None):
                raise Unavailable("worker", f"could not start: {_last_line(log, said)}")
            pause(0.2)

    def stop_worker(self, name: signal.Signals = signal.SIGTERM) -> None:
        """End the worker: in good order, or, with SIGKILL, as a crash does."""
        if self._worker is not None:
            if name is not signal.SIGTERM:
                self._worker.send_signal(name)
                self._worker.wait()
            _end("worker", self._worker, WORKER_SECONDS)
            self._worker = None

    def watch(self) -> NoReturn:
        """Keep the service up: a server or worker that ends by itself is started again."""
        if self.settings.worker_type == "process":
            from flows.listen import listen_to_mailboxes

            listen_to_mailboxes(systems())  # as our own worker does itself
        kept = (_Kept("server", self.start_server), _Kept("worker", self.start_worker))
        look = time.monotonic()
        while True:
            pause(1)
            if time.monotonic() > look:
                look = time.monotonic() + LOOK_SECONDS
                self._mend_deployments()
            for one, process in zip(kept, (self._server, self._worker), strict=True):
                if process is not None and process.poll() is not None:
                    one.start_again(process.returncode)

    def _mend_deployments(self) -> None:
        """Deploy anew what somebody has deleted; the monitor goes on with the cases that were under way in it."""
        try:
            if missing := self._engine.missing():
                log.error("gone from Prefect, and deployed anew: %s", ", ".join(missing))
                self.deploy()
        except LayananError as error:
            log.error("%s", error)  # noqa: TRY400 - said by a system, no defect

    def stop(self) -> None:
        """Stop everything that was started, the worker first; a second signal kills what is left."""
        with ending():
            for name, process, seconds in (
                ("worker", self._worker, WORKER_SECONDS),
                ("server", self._server, SERVER_SECONDS),
            ):
                if process is not None:
                    _end(name, process, seconds)
        self._worker = self._server = None

    def _mend_pages(self, pages: Path) -> None:
        """Put what is ours at the end of the UI's pages, in the place of what an earlier start put there."""
        ours = OURS + STYLE + (BANNER if self.settings.clock == "simulated" else "")
        for page in pages.glob("v*/index.html"):
            html = page.read_text("utf-8").partition(OURS)[0].partition("</body>")[0]
            page.write_text(f"{html}{ours}</body></html>", "utf-8")

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

    def _process(self, name: str, command: list[str]) -> "subprocess.Popen[bytes]":
        private(self.logs)
        with (self.logs / f"{name}.log").open("ab") as log:
            return self._popen(command, log)

    def _popen(self, command: list[str], log: IO[Any]) -> "subprocess.Popen[bytes]":
        begin()
        return subprocess.Popen(  # noqa: S603
            launched([_program(command[0]), *command[1:]], outlives_us=self._outlives_us),
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl-C is ours to pass on, in the right order
            start_new_session=True,
        )

    def _wait_for_server(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._engine.answers():
                return
            if process.poll() is not None:
                break
            pause(0.2)
        raise Unavailable("Prefect server", f"did not come up; see {self.logs}")


def _end(name: str, process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Ask a process to end, and kill it and its children where they have not in time, or somebody is in a hurry."""
    children: set[psutil.Process] = set()
    process.terminate()
    asked, deadline = times_asked(), time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline and times_asked() == asked:
        with suppress(psutil.Error):
            children |= set(psutil.Process(process.pid).children(recursive=True))
        time.sleep(0.05)
    if process.poll() is None:
        log.error("the %s, process %s, had not ended after %.0f s; it is killed", name, process.pid, seconds)
        process.kill()
        process.wait()
    # of Prefect's process worker each run is one, in a session of its own
    for left in psutil.wait_procs(children, 0.1)[1]:
        log.error("process %s of the %s has not ended with it; it is killed", left.pid, name)
        with suppress(psutil.Error):
            left.kill()


def _last_line(log: Path, since: int) -> str:
    """What a process said last; as it ends that has no time before it, and another's lines may follow."""
    lines = [line for line in log.read_bytes()[since:].decode("utf-8", "replace").splitlines() if line.strip()]
    return ([line for line in lines if not line.startswith("20")] or lines or [f"see {log}"])[-1]


def _program(name: str) -> str:
    """A program of this environment."""
    return str(Path(sys.executable).with_name(name))
