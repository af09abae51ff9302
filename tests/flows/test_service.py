"""`layanan up` as an administrator has it: it runs, keeps running, and leaves nothing behind, however it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest

from flows.processes import ROOT
from tests.adapters.engine.test_launch import BACKGROUND
from tests.stack import Stack, until

SEED = {
    "mailboxes": [{"address": "layanan@telkom.example", "password": "pw", "site": "JKT"}],
    "customers": [
        {"customer_id": "C-1", "name": "Budi", "addresses": ["budi@pelanggan.example"], "service_no": "122408771935"}
    ],
}


@pytest.fixture
def stack(tmp_path: Path, migrated_engine: Path) -> Iterator[Stack]:
    """What is around a service that is not running."""
    stack = Stack(tmp_path, SEED, engine=migrated_engine)
    try:
        stack.start_simulator()
        yield stack
    finally:
        stack.stop()


def up(stack: Stack) -> "subprocess.Popen[str]":
    """`layanan up`, started by a script in the background, as soon as it says that the service runs."""
    process = subprocess.Popen(
        [*BACKGROUND, sys.executable, "-m", "layanan", "up"],
        env=os.environ | stack.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    while "The service runs" not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    assert "Warning" not in said
    return process


def children(process: "subprocess.Popen[str]") -> dict[str, psutil.Process]:
    """Server, worker and desk, where they run."""
    found = {}
    for child in psutil.Process(process.pid).children():
        with suppress(psutil.ZombieProcess):  # has ended, and nobody has looked
            modules = {"flows.server": "server", "flows.desk.serve": "desk"}
            name = next((modules[word] for word in child.cmdline() if word in modules), "worker")
            found[name] = child
    return found


def another(process: "subprocess.Popen[str]", name: str, than: psutil.Process) -> bool:
    return children(process).get(name, than) != than


def gone(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, timeout=30)[1]


@pytest.mark.slow
def test_up_keeps_server_and_worker_running_and_takes_them_with_it(stack: Stack) -> None:
    process = up(stack)
    try:
        assert list(stack.systems.engine.live_workers()) == ["layanan"], "it says that it runs before it does"
        first = children(process)
        for name in ("desk", "worker", "server"):
            first[name].kill()
            until(partial(another, process, name, first[name]), f"a new {name}")
        stack.write("Budi <budi@pelanggan.example>", "anu", "hmm begini lho itu")
        stack.waiting(1, "ConfirmAnalysis")
        second = list(children(process).values())
    finally:
        process.kill()
        process.wait()
    assert len(second) == 3
    assert gone(second), "somebody who kills it must look for what it leaves behind"

    again = up(stack)
    third = list(children(again).values())
    again.send_signal(signal.SIGINT)
    assert again.wait(60) == 0
    assert len(third) == 3
    assert gone(third)


@pytest.mark.slow
def test_what_is_to_outlive_its_starter_does(tmp_path: Path, migrated_engine: Path) -> None:
    """As `KEEP=1 make demo` leaves it."""
    start = f"""
from pathlib import Path
from tests.stack import Stack
Stack(Path({str(tmp_path)!r}), {SEED!r}, engine=Path({str(migrated_engine)!r})).start(outlives_us=True)
"""
    subprocess.run([sys.executable, "-c", start], cwd=ROOT, check=True)
    left = [one for one in psutil.process_iter() if _home(one) == str(tmp_path)]
    try:
        assert len(left) == 3, "simulator, server and worker"
        assert psutil.wait_procs(left, timeout=5)[0] == [], "one has ended"
    finally:
        for one in left:
            one.kill()
        assert gone(left)


def _home(process: psutil.Process) -> str | None:
    with suppress(psutil.Error):
        return process.environ().get("LAYANAN_HOME")
    return None
