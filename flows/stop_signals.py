"""The Unix signals that end a command, however it was started: the first one gracefully, the second one at once.

The handlers are always set, because a background job inherits ignored signals. A command waits with ``pause``, which
raises KeyboardInterrupt. A handler that raised it anywhere would be unsafe, because Python drops exceptions of handlers
inside some of its own calls (an import, for example). Only if the command does not reach ``pause`` in time, for example
because a server does not answer, the handler raises it where the command is, repeatedly.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)
LOOK_SECONDS = 0.1
TEAR_SECONDS, LEAVE_SECONDS = 2.0, 1.0
"""Seconds after which a handler raises where the command is, and after which Python's own shutdown is cut short."""


class _Heard:
    """Signals that this process has received."""

    def __init__(self) -> None:
        self.times = 0
        self.ending = 0
        self.begun = False


_heard = _Heard()


def times_asked() -> int:
    """How often this process was asked to end."""
    return _heard.times


def begin() -> None:
    """Note that there is a child process to end gracefully."""
    _heard.begun = True


def pause(seconds: float = 0) -> None:
    """Sleep.

    Raises:
        KeyboardInterrupt: a signal has asked this process to end.
    """
    end = time.monotonic() + seconds
    while not _heard.times and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, LOOK_SECONDS))
    if _heard.times and not _heard.ending:
        raise KeyboardInterrupt


@contextmanager
def stopping_on_signals(*, at_once: bool = True) -> Iterator[None]:
    """Let SIGTERM, Ctrl-C and a closed terminal stop a command. Under `nohup` a closed terminal does not.

    Args:
        at_once: raise KeyboardInterrupt wherever the command is; otherwise in ``pause``, or exit before ``begin``.
    """

    def hear(_number: int, _frame: object) -> None:
        _heard.times += 1
        if _heard.ending:
            return
        if at_once:
            raise KeyboardInterrupt
        if not _heard.begun:
            os._exit(0)
        signal.setitimer(signal.ITIMER_REAL, TEAR_SECONDS, TEAR_SECONDS)

    def tear(_number: int, _frame: object) -> None:
        if not _heard.ending:
            raise KeyboardInterrupt

    kept = {number for number in ENDING if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN}
    before = {number: signal.signal(number, hear) for number in ENDING if number not in kept}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, tear)
    try:
        yield
    finally:
        with ending():
            signal.setitimer(signal.ITIMER_REAL, 0)
            if not _heard.times:  # otherwise the process ends anyway
                for number, handler in before.items():
                    signal.signal(number, handler)
            elif not at_once:
                end = threading.Timer(LEAVE_SECONDS, os._exit, [0])
                end.daemon = True
                end.start()


@contextmanager
def ending() -> Iterator[None]:
    """Let no signal interrupt the block; ``times_asked`` says whether another one came."""
    _heard.ending += 1
    try:
        yield
    finally:
        _heard.ending -= 1
