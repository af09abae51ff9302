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
        self._processes = _process(worker._worker), _process(server._server)
        self._before = self._now()

    def used(self) -> Used:
        worker, server, seconds = (after - before for after, before in zip(self._now(), self._before, strict=True))
        return Used(worker, server, seconds)

    def _now(self) -> Used:
        worker, server = self._processes
        return Used(_cpu(worker), _cpu(server), time.monotonic())


def _process(started: "subprocess.Popen[bytes] | None") -> psutil.Process:
    assert started is not None
    return psutil.Process(started.pid)


def _cpu(process: psutil.Process) -> float:
    family = [process, *process.children(recursive=True)]
    return float(sum(sum(one.cpu_times()[:4]) for one in family))
