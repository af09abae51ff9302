"""Connections that are kept, and calls that are tried again within seconds."""

import imaplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Full, LifoQueue
from time import monotonic
from typing import Generic, TypeVar

from imap_tools.errors import ImapToolsError
from tenacity import (
    retry,
    retry_if_exception_type,
    retry_if_not_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from adapters.ems.protocol import NotLetIn, UsOrRecipient
from models.errors import Unavailable

KEPT = 4
"""Idle connections to one server that are kept."""
SURE = 1.0
"""Seconds after its last use in which a connection is not asked whether it lives."""
BROKEN = (OSError, ValueError, imaplib.IMAP4.error, ImapToolsError)
"""What a session may raise; smtplib's errors are among the first."""

C = TypeVar("C")

again = retry(
    retry=retry_if_exception_type(Unavailable) & retry_if_not_exception_type((NotLetIn, UsOrRecipient)),
    stop=stop_after_attempt(3),
    wait=wait_random_exponential(multiplier=0.3, max=2),
    reraise=True,
)


class Pool(Generic[C]):
    """Connections to one server. One thread has one at a time; the latest idle one that lives is used again."""

    def __init__(self, lives: Callable[[C], bool], end: Callable[[C], object], drop: Callable[[C], object]) -> None:
        self._lives, self._end, self._drop = lives, end, drop
        self._idle: LifoQueue[tuple[C, float]] = LifoQueue(KEPT)

    @contextmanager
    def use(self, connect: Callable[[], C]) -> Iterator[C]:
        """A connection of one's own; any error ends it, because nobody knows its state then."""
        connection = self._living() or connect()
        try:
            yield connection
        except BaseException:
            quietly(self._drop, connection)
            raise
        try:
            self._idle.put_nowait((connection, monotonic()))
        except Full:
            quietly(self._end, connection)

    def close(self) -> None:
        """End the connections that nobody uses."""
        with suppress(Empty):
            while True:
                quietly(self._end, self._idle.get_nowait()[0])

    def _living(self) -> C | None:
        with suppress(Empty):
            while True:
                connection, used = self._idle.get_nowait()
                with suppress(*BROKEN):
                    if monotonic() < used + SURE or self._lives(connection):
                        return connection
                quietly(self._drop, connection)
        return None


def quietly(act: Callable[[C], object], connection: C) -> None:
    """Do something to a connection whose end is near; it may have ended already."""
    with suppress(*BROKEN):
        act(connection)
