"""The gate of one back-office system: whether it may be called now, and which creates it has accepted and not finished.

Each task, process and machine asks the gate before a call, and all of them share what one learns. A system that said
``Retry-After``, or that failed several times in a row, gets no call for a time; after it one call goes first.
:class:`adapters.systems.system_gate.SystemGate` keeps that in the case store. Held by
`tests/adapters/systems/test_system_gate.py`.
"""

from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from adapters.clock import Clock, SystemClock


class UnderWay(NamedTuple):
    """A create that a system has accepted (202), and not done yet."""

    monitor: str
    """URL that reports its progress; empty: none."""
    since: datetime


class Gate(Protocol):
    """The gate of one system."""

    def enter(self) -> None:
        """Ask before each call.

        Raises:
            AskedToWait: the system is left alone until then.
        """
        ...

    def answered(self) -> None:
        """Record that the system answered, whatever it answered."""
        ...

    def failed(self, why: str, wait: timedelta | None) -> None:
        """Record that it did not answer, or said "later".

        Args:
            why: Such as ``503`` or ``ConnectError``, and nothing else.
            wait: The time that it asked for (``Retry-After``).

        Raises:
            AskedToWait: it asked for a time.
        """
        ...

    def left_out(self, what: str) -> bool:
        """Record, for people, what was dropped from an answer; returns whether that is news."""
        ...

    def under_way(self, key: str) -> UnderWay | None:
        """The create with this key that was accepted and is not finished."""
        ...

    def accepted(self, key: str, monitor: str) -> UnderWay:
        """Record that a create was accepted."""
        ...

    def forget(self, key: str) -> None:
        """Forget a create: it is finished, or never will be."""
        ...

    def now(self) -> datetime:
        """The machine's time."""
        ...


class OpenGate:
    """A gate that is always open and remembers in this process only: for a single call, and for tests."""

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
