"""A worker that is killed with SIGKILL at every point where a crash could hurt, once at each.

    python -m tests.flows.kill_worker FOLDER

The process imports everything once and forks a worker; each time that the worker has killed itself it forks the
next, as a supervisor would. A point is named after what is called and how often, and marks itself in FOLDER before
it kills, so that the next worker passes it. SIGTERM ends it in good order.
"""

import asyncio
import functools
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import adapters.embassy
import adapters.ems
import adapters.engine
import adapters.mycx
import flows.handle_case
import flows.monitor_cases
import flows.receive_mail
import tasks.activity
import tasks.intake
import tasks.send_letter
import tasks.waits
from flows.worker import InProcessWorker

WARM = (flows.handle_case, flows.monitor_cases, flows.receive_mail)
"""Imported before the fork, so that a new worker is there at once."""
TIMES = 2
"""Calls of each point that kill, within one case's life."""

PERFORM = ("perform", "perform_within")
"""Points that are named after their activity."""
POINTS: list[tuple[Any, str]] = [
    # every activity boundary: before it begins, and after it is recorded but not yet reported
    (tasks.activity._Doing, "perform"),
    # the first response, which is done in the transaction of its mail
    (tasks.activity._Doing, "perform_within"),
    # every effect outside: before the call, and after the call but before the record
    (adapters.ems.ImapSmtp, "send"),
    (adapters.ems.ImapSmtp, "settle"),
    (adapters.mycx.MyCx, "create_ticket"),
    (adapters.mycx.MyCx, "assign"),
    (adapters.mycx.MyCx, "close"),
    (adapters.embassy.Embassy, "measure"),
    (adapters.engine.PrefectEngine, "start_case"),
    (adapters.engine.PrefectEngine, "resume"),
    # every record of ours: before and after its transaction
    (tasks.intake, "_store"),
    (tasks.waits, "_begin"),
    (tasks.waits, "_record"),
    (tasks.waits, "suspend_flow_run"),
    (tasks.send_letter, "_claim"),
    (tasks.send_letter, "_sent"),
]


def arm(folder: Path) -> None:
    calls: Counter[str] = Counter()

    def kill_at(point: str) -> None:
        calls[point] += 1
        mark = folder / f"{point}.{calls[point]}"
        # a process counts its own calls: what an earlier one has marked is passed
        earlier = len(list(folder.glob(f"{point}.*")))
        if earlier >= TIMES or mark.exists():
            return
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)

    for owner, name in POINTS:
        real = getattr(owner, name)

        @functools.wraps(real)
        def armed(*args: Any, _real: Any = real, _name: str = name, **kwargs: Any) -> Any:
            label = args[0].activity.name if _name in PERFORM else _name
            kill_at(f"{label}.before")
            try:
                return _real(*args, **kwargs)
            finally:
                kill_at(f"{label}.after")

        setattr(owner, name, armed)


def work() -> None:
    worker = InProcessWorker(name="layanan", work_pool_name="layanan")
    try:
        asyncio.run(worker.start())
    except asyncio.CancelledError:
        os._exit(0)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    stopping = False
    while not stopping:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            arm(folder)
            work()
            os._exit(0)

        def stop(_signal: int, _frame: object, child: int = child) -> None:
            nonlocal stopping
            stopping = True
            os.kill(child, signal.SIGTERM)

        signal.signal(signal.SIGTERM, stop)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
