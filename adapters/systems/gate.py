"""What the service knows together of one back-office system: whether it may be called now, and what is under way there.

Each task, process and machine that calls a system asks its gate before; what one of them learns keeps all of them: a
system that said ``Retry-After``, or that has failed several times in a row, gets no call until then, and the first one
after it goes alone, to see. :class:`adapters.systems.system_gate.SystemGate` keeps that in the case store.

Held by `tests/adapters/systems/test_system_gate.py`.
"""

from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from adapters.clock import Clock, SystemClock


class UnderWay(NamedTuple):
    """A create that a system has accepted (202), and not done yet."""

    monitor: str
    """Where it tells how far it is; empty: nowhere."""
    since: datetime


class Gate(Protocol):
    """Of one system."""

    def enter(self) -> None:
        """Called before each call.

        Raises:
            AskedToWait: the system is left alone until then.
        """
        ...

    def answered(self) -> None:
        """The system answered, with whatever it was."""
        ...

    def failed(self, why: str, wait: timedelta | None) -> None:
        """It did not, or said "later".

        Args:
            why: Such as ``503`` or ``ConnectError``; no more.
            wait: What it asked for (``Retry-After``).

        Raises:
            AskedToWait: it asked for a time.
        """
        ...

    def left_out(self, what: str) -> bool:
        """Note what was broken in an answer, for a person; returns whether that is news."""
        ...

    def under_way(self, key: str) -> UnderWay | None:
        """What was accepted under this key, and is not done yet."""
        ...

    def accepted(self, key: str, monitor: str) -> UnderWay:
        """Keep that it was."""
        ...

    def forget(self, key: str) -> None:
        """It is done, or never will be."""
        ...

    def now(self) -> datetime:
        """The machine's time."""
        ...


class OpenGate:
    """Lets everything pass, and remembers for this process alone: for one call, and for tests."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._under_way: dict[str, UnderWay] = {}

    def enter(self) -> None:
        """See :class:`Gate`."""

    def answered(self) -> None:
        """See :class:`Gate`."""

    def failed(self, why: str, wait: timedelta | None) -> None:
        """See :class:`Gate`."""

    def left_out(self, what: str) -> bool:
        """See :class:`Gate`."""
        return True

    def under_way(self, key: str) -> UnderWay | None:
        """See :class:`Gate`."""
        return self._under_way.get(key)

    def accepted(self, key: str, monitor: str) -> UnderWay:
        """See :class:`Gate`."""
        return self._under_way.setdefault(key, UnderWay(monitor, self.now()))

    def forget(self, key: str) -> None:
        """See :class:`Gate`."""
        self._under_way.pop(key, None)

    def now(self) -> datetime:
        """See :class:`Gate`."""
        return self._clock.now()
