"""Stops `layanan up` again and again, at random moments, however it was started, and looks for what that costs.

    python -m tests.flows.stops [--stops 100] [--seed 1] [--minutes 60]

Moments lie in the first 30 seconds, or, one in ten, in the work on mails that came just before. Each stop must
take less than 15 seconds and leave no process; at the end each mail must have had its one case and its letters, once.
"""

import argparse
import os
import pty
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlmodel import select

from models.tables import Case, Letter, Outbox, Wait
from tests.cases import PRICE, SEED
from tests.stack import Stack, until

LONGEST = 15.0
LETTERS = ["sent"] * 3
"""First response, information, closing."""
BUSY, ANEW, BUSY_MAILS = 2, 7, 5
"""Which of ten stops comes amid the work of so many mails, and before which one Prefect's database is lost."""
WAYS = {
    "terminal": ("Ctrl-C", "Ctrl-C twice", "closed", "SIGTERM"),
    "background": ("SIGINT", "SIGTERM"),
    "nohup": ("SIGINT", "SIGTERM"),
}
IN_A_TERMINAL = (
    "import fcntl, os, signal, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    " signal.signal(signal.SIGHUP, signal.SIG_DFL);"  # which `nohup` before this program would have it ignore
    " os.execv(sys.argv[1], sys.argv[1:])"
)
IN_THE_BACKGROUND = {"background": "INT QUIT", "nohup": "INT QUIT HUP"}
"""What a shell has its background jobs ignore."""


@dataclass(frozen=True)
class Stopped:
    """One stop."""

    manner: str
    how: str
    moment: float
    busy: bool
    seconds: float
    status: int
    killed: int
    left: tuple[str, ...]
    wrong: str

    @property
    def right(self) -> bool:
        return self.seconds < LONGEST and not self.left and not self.wrong

    def __str__(self) -> str:
        work = "busy" if self.busy else "start"
        said = f"{self.manner:<10} {self.how:<12} {work:<5} at {self.moment:5.1f} s: ended in {self.seconds:4.1f} s"
        return (
            f"{said}, status {self.status}, killed {self.killed}"
            + "".join(f"; LEFT {one}" for one in self.left)
            + (f"; WRONG {self.wrong}" * bool(self.wrong))
        )


class Stops:
    """Starts and stops the service of one folder."""

    def __init__(self, stack: Stack, seed: int) -> None:
        self.stack = stack
        self.random = random.Random(seed)
        self.written: list[str] = []
        self._out = stack.home / "up.log"

    def stop(self, within: float, *, busy: bool, anew: bool = False) -> Stopped:
        """Start the service, and stop it at some moment within so many seconds of its start, or of its work.

        Args:
            anew: Prefect's data base is lost before.
        """
        if anew:
            shutil.rmtree(self.stack.home / "prefect", ignore_errors=True)
        manner, moment = self.random.choice(list(WAYS)), self.random.uniform(0, within)
        how = self.random.choice(WAYS[manner])
        before = self._out.stat().st_size if self._out.exists() else 0
        process, terminal = self._start(manner)
        try:
            if busy:
                until(lambda: "The service runs" in self._said(before), f"the service runs: {self._said(before)}", 600)
                self._write(BUSY_MAILS)
            time.sleep(moment)
            if manner != "terminal" and how == "SIGINT":
                # what comes before Python runs the command is lost with the shell's blessing
                until(lambda: _heeds(process.pid, signal.SIGINT), "the command has begun", 30)
            began = time.monotonic()
            heeded = _heeds(process.pid, signal.SIGTERM)
            self._send(how, process, terminal)
            with suppress(subprocess.TimeoutExpired):
                process.wait(2 * LONGEST)
            seconds = time.monotonic() - began
            left = self._left()
        finally:
            if terminal is not None:
                with suppress(OSError):
                    os.close(terminal)
            process.kill()
            process.wait()
        said = self._said(before)
        wrong = (
            f"status {process.returncode}: {said[-400:]}"
            if heeded and (process.returncode or "Traceback" in said)
            else ""
        )
        return Stopped(manner, how, moment, busy, seconds, process.returncode, said.count("is killed"), left, wrong)

    def settle(self) -> list[str]:
        """Let the service end its work in peace; returns what is lost or doubled."""
        process, _ = self._start("background")
        try:
            until(self._settled, "every mail's case waits for its closing", 300)
        finally:
            process.terminate()
            process.wait(2 * LONGEST)
        wrong = []
        with self.stack.systems.store.read() as session:
            for address in self.written:
                cases = session.exec(select(Case).where(Case.address == address)).all()
                if len(cases) != 1:
                    wrong.append(f"{address} has {len(cases)} cases")
                    continue
                query = select(Outbox).join(Letter).where(Letter.recipient == address)
                letters = [one.state for one in session.exec(query)]
                arrived = len(self.stack.letters(address))
                if letters != LETTERS or arrived != len(LETTERS):
                    wrong.append(f"{cases[0].reference}: letters {letters}, of which {arrived} arrived")
                names = [record.name for record in self.stack.records(cases[0].key) if record.state == "done"]
                if len(names) != len(set(names)):
                    wrong.append(f"{cases[0].reference}: twice done: {names}")
        return wrong

    def _settled(self) -> bool:
        time.sleep(1)
        with self.stack.systems.store.read() as session:
            waiting = session.exec(select(Wait).where(Wait.form == "ClosingPeriod")).all()
            unsent = session.exec(select(Outbox).where(Outbox.state != "sent")).all()
        return len(waiting) >= len(self.written) and not unsent

    def _start(self, manner: str) -> tuple["subprocess.Popen[bytes]", int | None]:
        command = [sys.executable, "-m", "layanan", "up"]
        terminal = inside = None
        if manner == "terminal":
            terminal, inside = pty.openpty()
            command = [sys.executable, "-c", IN_A_TERMINAL, *command]
        else:
            command = ["/bin/sh", "-c", f'trap "" {IN_THE_BACKGROUND[manner]}; exec "$@"', "sh", *command]
        with self._out.open("ab") as out:
            process = subprocess.Popen(
                command,
                env=os.environ | self.stack.environment,
                cwd=self.stack.root,
                stdin=subprocess.DEVNULL if inside is None else inside,
                stdout=out,
                stderr=out,
                start_new_session=inside is None,
            )
        if inside is not None:
            os.close(inside)
        return process, terminal

    def _send(self, how: str, process: "subprocess.Popen[bytes]", terminal: int | None) -> None:
        if how.startswith("Ctrl-C"):
            assert terminal is not None
            os.write(terminal, b"\x03")
            if how == "Ctrl-C twice":
                time.sleep(self.random.uniform(0, 1))
                os.write(terminal, b"\x03")
        elif how == "closed":
            assert terminal is not None
            os.close(terminal)
        else:
            process.send_signal(signal.Signals[how])

    def _write(self, count: int) -> None:
        for _ in range(count):
            address = _address(len(self.written))
            self.stack.write(f"Pelanggan <{address}>", "Harga paket", PRICE)
            self.written.append(address)

    def _said(self, since: int) -> str:
        return self._out.read_bytes()[since:].decode("utf-8", "replace") if self._out.exists() else ""

    def _left(self) -> tuple[str, ...]:
        """Processes of the service that are still there a second after it has ended."""

        def look() -> list[psutil.Process]:
            return [one for one in psutil.process_iter() if self._is_ours(one)]

        psutil.wait_procs(look(), 1)
        left = look()
        for one in left:
            one.kill()
        return tuple(f"{one.pid} {' '.join(one.cmdline()[-4:])}" for one in left if one.is_running())

    def _is_ours(self, process: psutil.Process) -> bool:
        simulator = self.stack.simulator
        with suppress(psutil.Error):
            ours = process.environ().get("LAYANAN_HOME") == str(self.stack.home)
            return ours and (simulator is None or process.pid != simulator.pid) and process.pid != os.getpid()
        return False


def _address(number: int) -> str:
    return f"p{number}@pelanggan.example"


def _heeds(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for the signal."""
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        caught = next(line for line in lines if line.startswith("SigCgt:")).split()[1]
        return bool(int(caught, 16) >> (number - 1) & 1)
    return False


def stops(
    folder: Path,
    count: int,
    seed: int,
    *,
    within: float = 30,
    minutes: float = 60,
    engine: Path | None = None,
    say: Callable[[str], object] = print,
) -> tuple[list[Stopped], list[str]]:
    """So many stops, as far as there is time; and what work they have lost or doubled.

    Args:
        engine: see :class:`Stack`.
    """
    seed_of_simulator = SEED.model_dump(mode="json")
    # mail to who is no customer bounces
    seed_of_simulator["customers"] += [
        {"customer_id": f"P-{one}", "name": "Pelanggan", "addresses": [_address(one)], "service_no": f"1{one:011}"}
        for one in range(count + BUSY_MAILS)
    ]
    stack = Stack(folder, seed_of_simulator, engine=engine, LAYANAN_CLAIM_SECONDS="15")
    end = time.monotonic() + minutes * 60
    found: list[Stopped] = []
    try:
        stack.start_simulator()
        these = Stops(stack, seed)
        for number in range(count):
            if time.monotonic() > end:
                break
            busy = number % 10 == BUSY
            found.append(these.stop(within / 3 if busy else within, busy=busy, anew=number % 10 == ANEW))
            say(f"{number + 1:3} {found[-1]}")
        return found, these.settle()
    finally:
        stack.stop()


def main() -> int:
    """All stops; 0 if all were right."""
    parser = argparse.ArgumentParser(prog="python -m tests.flows.stops", description=__doc__)
    parser.add_argument("--stops", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60, help="after which no other stop begins")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="layanan-stops-") as folder:
        found, wrong = stops(
            Path(folder), options.stops, options.seed, minutes=options.minutes, say=lambda line: print(line, flush=True)
        )
    seconds = sorted(one.seconds for one in found)
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
    print(
        f"{len(found)} stops: median {statistics.median(seconds):.1f} s, p95 {p95:.1f} s, longest {seconds[-1]:.1f} s;"
        f" {sum(one.killed for one in found)} processes killed, {sum(map(len, (one.left for one in found)))} left;"
        f" work lost or doubled: {wrong or 'none'}"
    )
    return 0 if all(one.right for one in found) and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
