"""The gate of a back-office system: whether it may be called now, and which creates it has accepted and not finished.

Every call asks the gate first. Held by `tests/adapters/systems/test_system_gate.py`.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from adapters.clock import Clock, SystemClock


class UnderWay(NamedTuple):
    """A create that a system has accepted (202) and not finished."""

    monitor: str
    """URL that reports its progress; empty: none."""
    since: datetime


class Gate:
    """A gate that is always open and remembers in this process only: for a single call, and for tests.

    The service's own gate is :class:`adapters.systems.system_gate.SystemGate`.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._under_way: dict[str, UnderWay] = {}

    def enter(self) -> None:
        """Ask before each call.

        Raises:
            AskedToWait: the system gets no call until then.
        """

    def answered(self) -> None:
        """Record that the system answered, whatever it answered."""

    def failed(self, why: str, wait: timedelta | None) -> None:
        """Record that the system did not answer, or said "later".

        Args:
            why: Such as ``503`` or ``ConnectError``, and nothing else.
            wait: The time that it asked for (``Retry-After``).

        Raises:
            AskedToWait: it asked for a time.
        """

    def not_called(self, why: str) -> None:
        """Record that the call failed before it reached the system, so that another call goes first after a pause."""

    def left_out(self, what: str) -> bool:
        """Record, for people, what was dropped from an answer; returns whether that is news."""
        return True

    def under_way(self, key: str) -> UnderWay | None:
        """The create with this key that was accepted and is not finished."""
        return self._under_way.get(key)

    def accepted(self, key: str, monitor: str) -> UnderWay:
        """Record that a create was accepted."""
        return self._under_way.setdefault(key, UnderWay(monitor, self.now()))

    def forget(self, key: str) -> None:
        """Forget a create: it is finished, or never will be."""
        self._under_way.pop(key, None)

    def now(self) -> datetime:
        """The machine's time."""
        return self._clock.now()
