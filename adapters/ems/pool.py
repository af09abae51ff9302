"""A pool of connections to one server, and the retry policy for calls on them."""

import imaplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Full, LifoQueue
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
"""Most idle connections that are kept for one server."""
BROKEN = (OSError, ValueError, imaplib.IMAP4.error, ImapToolsError)
"""Exceptions that a session may raise; smtplib's are subclasses of OSError."""

C = TypeVar("C")

again = retry(
    retry=retry_if_exception_type(Unavailable) & retry_if_not_exception_type((NotLetIn, UsOrRecipient)),
    stop=stop_after_attempt(3),
    wait=wait_random_exponential(multiplier=0.3, max=2),
    reraise=True,
)


class Pool(Generic[C]):
    """Connections to one server. Each is used by one thread at a time; the most recently used idle one comes first."""

    def __init__(self, lives: Callable[[C], bool], end: Callable[[C], object], drop: Callable[[C], object]) -> None:
        self._lives, self._end, self._drop = lives, end, drop
        self._idle: LifoQueue[C] = LifoQueue(KEPT)

    @contextmanager
    def use(self, connect: Callable[[], C]) -> Iterator[C]:
        """Lend a connection. Any error closes it, because its state is unknown then."""
        connection = self._living() or connect()
        try:
            yield connection
        except BaseException:
            quietly(self._drop, connection)
            raise
        try:
            self._idle.put_nowait(connection)
        except Full:
            quietly(self._end, connection)

    def close(self) -> None:
        """Close the idle connections."""
        with suppress(Empty):
            while True:
                quietly(self._end, self._idle.get_nowait())

    def _living(self) -> C | None:
        with suppress(Empty):
            while True:
                connection = self._idle.get_nowait()
                with suppress(*BROKEN):
                    if self._lives(connection):
                        return connection
                quietly(self._drop, connection)
        return None


def quietly(act: Callable[[C], object], connection: C) -> None:
    """Log out of or drop a connection that may be broken already."""
    with suppress(*BROKEN):
        act(connection)
