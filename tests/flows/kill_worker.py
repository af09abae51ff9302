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

import adapters.ems
import adapters.engine.runs
import adapters.systems.embassy
import adapters.systems.mycx
import flows.handle_case
import flows.monitor_cases
import flows.receive_mail
import tasks.intake.batch
import tasks.run.attempt
import tasks.run.send_letter
import tasks.run.waits
from flows.worker import InProcessWorker

WARM = (flows.handle_case, flows.monitor_cases, flows.receive_mail)
"""Imported before the fork, so that a new worker is there at once."""
TWICE = {"send", "create_ticket", "resume", "_record", "serve_complaint"}
"""Points of each kind (a letter, a ticket, a signal, a wait, an activity) that also kill the worker that recovers."""

PERFORM = ("perform", "perform_within")
"""Points that are named after their activity."""
POINTS: list[tuple[Any, str]] = [
    # every activity boundary: before it begins, and after it is recorded but not yet reported
    (tasks.run.attempt.Attempt, "perform"),
    # the first response, which is done in the transaction of its mail
    (tasks.run.attempt.Attempt, "perform_within"),
    # every effect outside: before the call, and after the call but before the record
    (adapters.ems.ImapSmtp, "send"),
    (adapters.ems.ImapSmtp, "settle"),
    (adapters.systems.mycx.MyCx, "create_ticket"),
    (adapters.systems.mycx.MyCx, "assign"),
    (adapters.systems.mycx.MyCx, "close"),
    (adapters.systems.embassy.Embassy, "measure"),
    (adapters.engine.runs.PrefectEngine, "start_case"),
    (adapters.engine.runs.PrefectEngine, "resume"),
    # every record of ours: before and after its transaction
    (tasks.intake.batch, "_store"),
    (tasks.run.waits.Question, "begin"),
    (tasks.run.waits.Question, "record"),
    (tasks.run.waits, "suspend_for"),
    (tasks.run.send_letter, "take_lease"),
    (tasks.run.send_letter, "sent"),
]


def arm(folder: Path) -> None:
    calls: Counter[str] = Counter()

    def kill_at(point: str) -> None:
        calls[point] += 1
        mark = folder / f"{point}.{calls[point]}"
        # a process counts its own calls: what an earlier one has marked is passed
        earlier = len(list(folder.glob(f"{point}.*")))
        if earlier >= (2 if point.partition(".")[0] in TWICE else 1) or mark.exists():
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
