"""Signals that end a command: in good order, torn out of what does not end, and twice at once."""

import logging
import signal
import subprocess
import sys
import time

import psutil
import pytest

from flows.processes import ROOT, end
from flows.stop_signals import ending, pause, stopping_on_signals, times_asked
from tests.adapters.engine.test_launch import BACKGROUND

COMMAND = """
import time
from flows import stop_signals
with stop_signals.stopping_on_signals(at_once={at_once}):
    try:
        {before}
        print("begun", flush=True)
        {work}
    except KeyboardInterrupt:
        with stop_signals.ending():
            print("stopping", flush=True)
            {stop}
        print("stopped", stop_signals.times_asked(), flush=True)
"""
ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT]


def command(
    work: str, *, at_once: bool = False, before: str = "stop_signals.begin()", stop: str = ""
) -> "subprocess.Popen[str]":
    """It, in the background, as soon as it has begun."""
    code = COMMAND.format(at_once=at_once, before=before, work=work, stop=stop)
    line = [*BACKGROUND, sys.executable, "-c", code]
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


@pytest.mark.parametrize("number", ENDING)
@pytest.mark.parametrize(
    ("work", "at_once"), [("stop_signals.pause(60)", False), ("time.sleep(60)", False), ("time.sleep(60)", True)]
)
def test_a_command_in_the_background_stops(number: signal.Signals, work: str, at_once: bool) -> None:
    """Where it waits, where a call does not come back, and where it is torn out at once."""
    with command(work, at_once=at_once) as process:
        process.send_signal(number)
        assert process.communicate(timeout=50)[0] == "stopping\nstopped 1\n"
        assert process.returncode == 0


def test_where_nothing_was_begun_it_just_ends() -> None:
    with command("time.sleep(60)", before="pass") as process:
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=50)[0] == ""
        assert process.returncode == 0


def test_a_closed_terminal_ends_nothing_that_nohup_has_started() -> None:
    with command("stop_signals.pause(60)") as process:
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=50)[0] == "stopping\nstopped 1\n"


def test_a_second_signal_breaks_nothing_off_and_is_counted() -> None:
    with command("stop_signals.pause(60)", stop="time.sleep(1)") as process:
        assert process.stdout is not None
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "stopping\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=50)[0] == "stopped 2\n"
        assert process.returncode == 0


def test_handlers_are_as_before_where_nothing_was_heard() -> None:
    before = [signal.getsignal(number) for number in (*ENDING, signal.SIGHUP, signal.SIGALRM)]
    with stopping_on_signals(), ending():
        pause(0.01)
    assert [signal.getsignal(number) for number in (*ENDING, signal.SIGHUP, signal.SIGALRM)] == before
    assert times_asked() == 0


STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


def test_what_does_not_end_is_named_and_killed_with_what_it_has_started(caplog: pytest.LogCaptureFixture) -> None:
    process = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE)
    assert process.stdout is not None
    child = psutil.Process(int(process.stdout.readline()))
    with process, caplog.at_level(logging.ERROR, "layanan.service"):
        began = time.monotonic()
        end("worker", process, 1)
        assert time.monotonic() - began < 30, "it sleeps for 60"
    assert psutil.wait_procs([child], 30)[1] == []
    assert f"the worker, process {process.pid}, had not ended after 1 s; it is killed" in caplog.text
    assert f"process {child.pid} of the worker has not ended with it; it is killed" in caplog.text
