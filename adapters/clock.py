"""The clock: the machine's, or a simulated one that rehearsals move forward.

The simulated clock adds an offset, kept in one small file, to the machine's time, so that intake, monitor, worker and
simulator, each a process of its own, read the same time. Everything that depends on time takes a :class:`Clock`; no
other module calls ``datetime.now``.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from adapters.folder import private
from models.settings import Settings


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Now, timezone-aware, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Now, UTC."""
        return datetime.now(UTC)


MOST_HOURS = 10 * 365.25 * 24


class SimulatedClock:
    """The machine's clock plus an offset kept in ``file`` (a decimal number of seconds)."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def now(self) -> datetime:
        """Now, UTC, plus the offset."""
        return datetime.now(UTC) + self._offset()

    def advance(self, hours: float) -> datetime:
        """Move the time forward by ``hours`` and return the new time.

        Raises:
            ValueError: ``hours`` is negative or more than ten years.
        """
        if not 0 <= hours <= MOST_HOURS:
            raise ValueError(f"from 0 to {MOST_HOURS:.0f}; time does not run back")
        private(self.file.parent)
        seconds = (self._offset() + timedelta(hours=hours)).total_seconds()
        part = self.file.with_suffix(".part")
        part.write_text(f"{seconds}\n")
        part.replace(self.file)
        return self.now()

    def _offset(self) -> timedelta:
        try:
            return timedelta(seconds=float(self.file.read_text()))
        except FileNotFoundError:
            return timedelta()


def clock_of(settings: Settings) -> Clock:
    """The business clock that the settings choose."""
    return SimulatedClock(settings.home / "clock") if settings.clock == "simulated" else SystemClock()
