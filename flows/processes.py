"""Processes of the service: how they are started, restarted and ended.

Held by `tests/flows/test_service.py` and `tests/flows/test_stop_signals.py`.
"""

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import psutil

from adapters.engine.launch import launched
from adapters.folder import private
from flows.stop_signals import begin, pause, times_asked
from models.errors import Unavailable

log = logging.getLogger("layanan.service")

ROOT = Path(__file__).parents[1]
LONGEST_PAUSE = 60.0

Process = subprocess.Popen[bytes]


class Starter:
    """Starts programs of this Python environment.

    Args:
        logs: folder for their output.
        outlives_us: whether they continue when this process ends, however it ends.
    """

    def __init__(self, environment: Mapping[str, str], logs: Path, *, outlives_us: bool) -> None:
        self.environment = environment
        self.logs = logs
        self._outlives_us = outlives_us

    def start(self, command: list[str], output: IO[Any]) -> Process:
        """Start a program with its output in a file."""
        begin()
        program = str(Path(sys.executable).with_name(command[0]))
        return subprocess.Popen(  # noqa: S603
            launched([program, *command[1:]], outlives_us=self._outlives_us),
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # we pass Ctrl-C on ourselves, in the right order
            start_new_session=True,
        )

    def start_logged(self, name: str, command: list[str]) -> Process:
        """Start a program with a log file of its own."""
        private(self.logs)
        with (self.logs / f"{name}.log").open("ab") as output:
            return self.start(command, output)


class Restarter:
    """Starts a process again when it ends, after a pause that grows if it keeps ending."""

    def __init__(self, name: str, start: Callable[[], None]) -> None:
        self._name = name
        self._start = start
        self._pause = 1.0
        self._started = time.monotonic()

    def start_again(self, status: int) -> None:
        """Start the process, which has ended with this status, again."""
        short = time.monotonic() - self._started < LONGEST_PAUSE
        self._pause = min(2 * self._pause, LONGEST_PAUSE) if short else 1.0
        log.error("the %s ended with %s; starting it again in %.0f s", self._name, status, self._pause)
        pause(self._pause)
        try:
            self._start()
        except Unavailable as error:
            log.error("%s", error)  # noqa: TRY400 - said by a system, no defect
        self._started = time.monotonic()


def end(name: str, process: Process, seconds: float) -> None:
    """Ask a process to end; kill it and its children if they do not in time, or if we are asked to end twice."""
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
    # each run of Prefect's process worker is a process in a session of its own
    for left in psutil.wait_procs(children, 0.1)[1]:
        log.error("process %s of the %s has not ended with it; it is killed", left.pid, name)
        with suppress(psutil.Error):
            left.kill()


def last_line(file: Path, since: int) -> str:
    """The last line of a process in a log, after position ``since``.

    A line about its end has no time in front, and lines of others may follow.
    """
    lines = [line for line in file.read_bytes()[since:].decode("utf-8", "replace").splitlines() if line.strip()]
    return ([line for line in lines if not line.startswith("20")] or lines or [f"see {file}"])[-1]
