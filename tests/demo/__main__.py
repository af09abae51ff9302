"""`python -m tests.demo`: see the package. Settings: ``LAYANAN_HOME`` (default ``.layanan/demo``) and ``KEEP=1``."""

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from json import loads
from pathlib import Path

import psutil
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from flows.service import stopping_on_signals
from models.settings import load_settings
from tests.demo.player import Player
from tests.demo.scenarios import SCENARIOS
from tests.demo.table import Results
from tests.stack import Stack

SEED = Path(__file__).with_name("seed.json")
KEPT = "demo.pids"
"""Marks a folder as the demo's own; holds the processes that KEEP left running."""


def fresh(home: Path) -> None:
    """Empty the demo's folder, and end what an earlier demo left running in it.

    Raises:
        SystemExit: the folder is somebody else's.
    """
    kept = home / KEPT
    if home.exists() and any(home.iterdir()) and not kept.exists():
        sys.exit(f"{home} is not empty and not the demo's; set LAYANAN_HOME to another folder")
    settings_file = str(home / "simulator" / "layanan.toml")
    for number in kept.read_text().split() if kept.exists() else ():
        with suppress(psutil.Error):
            process = psutil.Process(int(number))
            if process.environ().get("LAYANAN_SETTINGS") == settings_file:
                process.terminate()
                process.wait(60)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    kept.touch()


def play(stack: Stack, console: Console, keep: bool) -> Results:
    """Start everything, play, and look at what came of it."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("starting", total=sum(len(one.path) for one in SCENARIOS))
        stack.start()
        if stack.settings != load_settings(_env_file=None):
            raise SystemExit("a .env file changes the demo's settings; move it away")
        progress.update(task, description="activities")
        player = Player(stack, SCENARIOS, progress.console.print, lambda n: progress.update(task, completed=n), keep)
        player.play()
    return Results(player)


def main() -> int:
    """Run the demo; 0 only if everything is as expected."""
    started, console = time.monotonic(), Console()
    keep = os.environ.get("KEEP", "") not in ("", "0")
    home = Path(os.environ.get("LAYANAN_HOME", ".layanan/demo")).absolute()
    for name in [name for name in os.environ if name.startswith("LAYANAN_")]:
        del os.environ[name]
    fresh(home)
    stack = Stack(home, loads(SEED.read_text("utf-8")))
    os.environ |= stack.environment
    stays = False
    try:
        with stopping_on_signals():
            results = play(stack, console, keep)
            problems = list(results.differences())
            console.print(results.table())
            for problem in problems:
                console.print(f"[red]✗[/] {problem}")
            verdict = "[red]not as it must be[/]" if problems else "[green]all as the SOP and the scenarios say[/]"
            console.print(f"{len(results.cases)} cases, {time.monotonic() - started:.0f} s: {verdict}")
            stays = keep
    except KeyboardInterrupt:
        return 130
    finally:
        if not stays:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            stack.stop()
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
