"""`python -m tests.demo`: see the package. Environment: ``LAYANAN_HOME`` (its folder) and ``KEEP=1``."""

import json
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from adapters.engine.environment import without_proxy
from flows.stop_signals import stopping_on_signals
from models.settings import load_settings
from tests.demo.people import PASSWORD, hire
from tests.demo.player import Player
from tests.demo.scenarios import SCENARIOS
from tests.demo.table import Results
from tests.stack import Stack

SEED = Path(__file__).with_name("seed.json")
PROCESSES = "demo.pids"
"""Marks a folder as the demo's own; names the processes that KEEP left running."""


def empty(home: Path) -> None:
    """Empty the demo's folder, and end what an earlier demo left running in it.

    Raises:
        SystemExit: the folder is somebody else's.
    """
    marker = home / PROCESSES
    if home.exists() and any(home.iterdir()) and not marker.exists():
        sys.exit(f"{home} is neither empty nor the demo's; set LAYANAN_HOME to another folder")
    for number in marker.read_text().split() if marker.exists() else ():
        with suppress(psutil.Error):
            process = psutil.Process(int(number))
            # the number may be another program's by now
            if process.environ().get("LAYANAN_HOME") == str(home):
                process.terminate()
                process.wait(60)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    marker.touch()


def play(stack: Stack, console: Console, keep: bool) -> Results:
    """Start everything, play, and look at what came of it."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("starting", total=sum(len(one.path) for one in SCENARIOS))
        stack.start(outlives_us=keep)
        if stack.settings != load_settings(_env_file=None):
            sys.exit("a .env file changes the demo's settings; move it away")
        for line in hire(stack.systems):
            progress.console.print(line, markup=False, highlight=False)
        stack.service.start_desk()
        progress.update(task, description="activities")

        def say(line: str) -> None:
            progress.console.print(line, markup=False, highlight=False)

        player = Player(stack, SCENARIOS, say, lambda done: progress.update(task, completed=done), keep)
        player.play()
    return Results(player)


def show(results: Results, console: Console) -> bool:
    """Print the table and what is wrong; returns whether all is right."""
    console.print(results.table())
    problems = list(results.differences())
    for problem in problems:
        console.print(f"✗ {problem}", style="red", markup=False)
    return not problems


def leave_running(stack: Stack, results: Results, console: Console) -> None:
    """Have the report written, say what to open, and how to stop it."""
    stack.run("report-service")
    running = [process.pid for process in reversed(psutil.Process().children())]
    (stack.home / PROCESSES).write_text(" ".join(map(str, running)))
    settings = " ".join(f"{name}={value}" for name, value in stack.environment.items() if name.startswith("LAYANAN_"))
    console.print(f"\nThe desk: {stack.settings.desk.url}, as sari@telkom.example with the password {PASSWORD}.")
    console.print("It goes on running. These cases wait for you at the desk; their runs:")
    for name, result in results.waiting():
        url = stack.systems.engine.run_url(result.case.run_id or "")
        console.print(f"  {result.case.reference} · {name}\n    {url}", soft_wrap=True)
    console.print(
        f"On the command line: {settings} {Path(sys.executable).with_name('layanan')} waiting", soft_wrap=True
    )
    console.print(f"Stop it: kill {' '.join(map(str, running))}")


def main() -> int:
    """Run the demo; 0 only if everything is as expected."""
    started = time.monotonic()
    console = Console() if sys.stdout.isatty() else Console(width=170)
    keep = os.environ.get("KEEP", "") not in ("", "0")
    home = Path(os.environ.get("LAYANAN_HOME", ".layanan/demo")).absolute()
    for name in [name for name in os.environ if name.startswith("LAYANAN_")]:
        del os.environ[name]
    empty(home)
    without_proxy()
    stack = Stack(
        home, json.loads(SEED.read_text("utf-8")), LAYANAN_SMTP__PROBE_SECONDS="2", LAYANAN_DESK__CODE="nobody"
    )
    os.environ |= stack.environment
    left = False
    try:
        with stopping_on_signals():
            results = play(stack, console, keep)
            right = show(results, console)
            verdict = "all as the SOP and the scenarios say" if right else "NOT as it must be"
            seconds = time.monotonic() - started
            console.print(f"{len(results.cases)} cases in {seconds:.0f} s: {verdict}. UI: {stack.settings.ui_url}")
            if keep:
                leave_running(stack, results, console)
                left = True
    except KeyboardInterrupt:
        return 130
    finally:
        if not left:
            # whoever presses Ctrl-C twice gets no leftovers either
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            stack.stop()
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
