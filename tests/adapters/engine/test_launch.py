"""A program that is started for us: its signals work, however we were started, and it ends with us."""

import subprocess
import sys
from contextlib import suppress

import psutil

from adapters.engine.launch import launched

BACKGROUND = ["/bin/sh", "-c", 'trap "" INT QUIT HUP; exec "$@"', "sh"]
"""As a shell starts a job in the background, with `nohup`."""
TELL = """
import signal
for name in ("SIGINT", "SIGQUIT", "SIGHUP", "SIGTERM"):
    print(name, signal.getsignal(getattr(signal, name)) is signal.SIG_IGN)
print(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
"""
START = """
import signal, subprocess, sys
from adapters.engine.launch import launched
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
command = launched(sys.argv[2:], outlives_us=sys.argv[1] == "1")
# a pipe of ours that it kept would hold up who reads it, until it ends by itself
child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
child.stdout.readline()
print(child.pid)
"""


def test_signals_that_a_shell_ignores_work_and_nohup_stays() -> None:
    tell = launched([sys.executable, "-c", TELL], outlives_us=True)
    said = subprocess.run([*BACKGROUND, *tell], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == ["SIGINT False", "SIGQUIT False", "SIGHUP True", "SIGTERM False", "set()"]


def started(outlives: str) -> psutil.Process:
    """A program whose starter has ended; SIGTERM was blocked in that."""
    sleep = ["/bin/sh", "-c", "echo; exec sleep 60"]
    command = [sys.executable, "-c", START, outlives, *sleep]
    return psutil.Process(int(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def test_it_ends_with_who_started_it_unless_it_is_to_outlive_that() -> None:
    with suppress(psutil.NoSuchProcess):
        started("0").wait(50)
    left = started("1")
    try:
        assert psutil.wait_procs([left], 1)[1] == [left]
    finally:
        left.kill()
