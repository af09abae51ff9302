"""The signals that end a command, however it was started: once in good order, twice at once.

They are set anew, since a job in the background inherits that some are ignored. A command that calls ``pause`` where it
waits is not torn out of an import or a transaction: Python drops what a handler raises within some of its own calls.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)
LOOK_SECONDS = 0.1


class _Heard:
    """What this process has been told."""

    def __init__(self) -> None:
        self.times = 0
        self.ending = 0


_heard = _Heard()


def times_asked() -> int:
    """How often this process was asked to end."""
    return _heard.times


def pause(seconds: float = 0) -> None:
    """Sleep.

    Raises:
        KeyboardInterrupt: a signal has asked this process to end, before or meanwhile.
    """
    end = time.monotonic() + seconds
    while not _heard.times and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, LOOK_SECONDS))
    if _heard.times and not _heard.ending:
        raise KeyboardInterrupt


@contextmanager
def stopping_on_signals(*, at_once: bool = True) -> Iterator[None]:
    """Let SIGTERM, Ctrl-C and the terminal's end stop a command; not the latter where `nohup` keeps it from that.

    Args:
        at_once: KeyboardInterrupt is raised wherever the command is; else in ``pause`` only.
    """

    def hear(_number: int, _frame: object) -> None:
        _heard.times += 1
        if at_once and not _heard.ending:
            raise KeyboardInterrupt

    kept = {number for number in ENDING if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN}
    before = {number: signal.signal(number, hear) for number in ENDING if number not in kept}
    try:
        yield
    finally:
        if not _heard.times:  # else all that is left to do is to end
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def ending() -> Iterator[None]:
    """What is done meanwhile no signal breaks off; ``times_asked`` tells that there was one more."""
    _heard.ending += 1
    try:
        yield
    finally:
        _heard.ending -= 1
