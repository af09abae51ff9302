"""Starts a program with the signal handlers that it would have in a terminal: `python launch.py PARENT PROGRAM […]`.

A script's background job inherits that SIGINT and SIGQUIT are ignored, and so does whatever it starts. Prefect's
process worker ends by sending itself SIGINT, so it would never end. This is a program of its own that resets them and
becomes the other one, since Python code between fork and exec (``preexec_fn``) may hang in a process with threads.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1


def launched(command: Sequence[str], *, outlives_us: bool = False) -> list[str]:
    """The command that starts ``command`` in this way.

    Args:
        outlives_us: it goes on when this process ends, however that happens; else it gets SIGTERM then. Only Linux can
            do that (prctl(2)), for the thread that starts it: use one that ends with the process.
    """
    return [sys.executable, "-I", "-S", str(Path(__file__)), "0" if outlives_us else str(os.getpid()), *command]


def main() -> None:
    """Become the program."""
    parent, *program = sys.argv[1:]
    # SIGHUP stays as it is: `nohup` means all of it
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGHUP}:
        with suppress(OSError):  # the C library's own
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if int(parent) and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(parent):
            sys.exit("who started it has ended")
    os.execv(program[0], program)  # noqa: S606


if __name__ == "__main__":
    main()
