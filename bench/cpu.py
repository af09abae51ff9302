"""CPU time of a service's processes."""

import subprocess
import time
from typing import NamedTuple

import psutil

from flows.service import Service


class Used(NamedTuple):
    """CPU seconds of worker and server, and how long that took."""

    worker: float
    server: float
    seconds: float


class Meter:
    """What a worker and a server have used since this was made, with all their children, ended ones too."""

    def __init__(self, worker: Service, server: Service) -> None:
        self._processes = process_of(worker._worker), process_of(server._server)
        self._before = self._now()

    def used(self) -> Used:
        worker, server, seconds = (after - before for after, before in zip(self._now(), self._before, strict=True))
        return Used(worker, server, seconds)

    def _now(self) -> Used:
        worker, server = self._processes
        return Used(cpu(worker), cpu(server), time.monotonic())


def process_of(started: "subprocess.Popen[bytes] | None") -> psutil.Process:
    """A service's process that has been started."""
    assert started is not None
    return psutil.Process(started.pid)


def cpu(process: psutil.Process) -> float:
    """CPU seconds of a process and of all its children, ended ones too."""
    family = [process, *process.children(recursive=True)]
    return float(sum(sum(one.cpu_times()[:4]) for one in family))
