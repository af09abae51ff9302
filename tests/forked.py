"""Processes of ours that begin at once: forked from one that has imported everything, in the place of 5 CPU seconds.

What is tested there is what such a process does, and what becomes of its work when it is killed. How programs start is
tested elsewhere (`tests/flows/test_service.py`, `tests/flows/test_stops.py`).
"""

import asyncio
import multiprocessing
import os
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["layanan", "flows.worker", "flows.handle_case", "flows.monitor_cases"])


def command_line(environment: Mapping[str, str], *arguments: str) -> BaseProcess:
    """`layanan` with these arguments."""
    return _started(_command_line, dict(environment), arguments)


def worker(environment: Mapping[str, str], pool: str, name: str, log: Path) -> BaseProcess:
    """`prefect worker start`, which says to ``log`` what it says."""
    return _started(_worker, dict(environment), pool, name, log)


def _started(target: object, *arguments: object) -> BaseProcess:
    process = _context.Process(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
    process.start()
    return process


def _begin(environment: dict[str, str], log: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.setsid()
    for number in (1, 2):
        os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT), number)


def _command_line(environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    _begin(environment, Path(os.devnull))
    import layanan

    raise SystemExit(layanan.main(arguments))


def _worker(environment: dict[str, str], pool: str, name: str, log: Path) -> None:
    _begin(environment, log)
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows.worker import InProcessWorker

    with temporary_settings({PREFECT_API_URL: environment["PREFECT_API_URL"]}):
        work = InProcessWorker(name=name, work_pool_name=pool)
        try:
            asyncio.run(work.start())
        except asyncio.CancelledError:
            os._exit(0)
