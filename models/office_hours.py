"""Office hours of a site: when it is open, when it opens next, and how much office time has passed.

Pure arithmetic on aware times; nothing here reads a clock. A day is a day in the site's own time zone.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Literal, get_args
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from holidays import HolidayBase

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
HolidayKind = Literal["public", "joint_leave"]
CATEGORIES: dict[HolidayKind, str] = {"public": "public", "joint_leave": "government"}
"""The library's category of each kind of holiday."""
Span = tuple[int, int]
"""Minutes from the midnight that begins the day; a span that ends beyond 24 hours ends on the next day."""
DAY_MINUTES = 24 * 60
LONGEST_CLOSURE = 366
"""Days without opening after which an office counts as never opening."""
_FILLING = Lock()
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")


def spans(text: str) -> tuple[Span, ...]:
    """Read one day's hours, ``08:00-12:00, 13:00-17:00``; ``22:00-06:00`` ends on the next day, empty is closed.

    Raises:
        ValueError: a part is not a span of hours.
    """
    found: list[Span] = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        match = _SPAN.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is not a span of hours; an example: 08:00-17:00")
        start = int(match[1]) * 60 + int(match[2])
        end = DAY_MINUTES if match[3] is None else int(match[3]) * 60 + int(match[4])
        found.append((start, end if end > start else end + DAY_MINUTES))
    return tuple(sorted(found))


@lru_cache(maxsize=8)
def calendar(kinds: tuple[HolidayKind, ...], *, marked: bool = True) -> "HolidayBase":
    """Indonesia's holidays of these kinds, by day. With ``marked``, the name of an estimated one says so."""
    # imported late: it is by far the slowest import of the settings, and only a running service needs it
    from holidays.countries.indonesia import Indonesia

    return Indonesia(categories=tuple(CATEGORIES[kind] for kind in kinds), islamic_show_estimated=marked)


def is_holiday(kinds: tuple[HolidayKind, ...], day: date) -> bool:
    """Whether the day is a holiday of these kinds."""
    # the library fills in a year at the first question about it, and answers other threads "no" meanwhile
    with _FILLING:
        return day in calendar(kinds)


def is_estimated(kinds: tuple[HolidayKind, ...], day: date) -> bool:
    """Whether the day is a holiday only by the library's estimate of the lunar calendar, before a decree."""
    with _FILLING:
        return day in calendar(kinds) and calendar(kinds)[day] != calendar(kinds, marked=False)[day]


@dataclass(frozen=True)
class OfficeHours:
    """The office hours of one site.

    ``hours_on`` gives the spans that begin on a day; none on a day on which the site is closed. A span that began the
    day before runs to its end: a holiday closes only the spans that begin on it.
    """

    zone: ZoneInfo
    hours_on: Callable[[date], tuple[Span, ...]]

    def is_open(self, at: datetime) -> bool:
        """Whether the site is open at this moment. At the moment of closing it is closed."""
        return self.next_open(at) == at

    def next_open(self, at: datetime) -> datetime:
        """This moment, if the site is open, else the moment at which it opens next."""
        return next(self._open_from(at))[0]

    def add(self, at: datetime, amount: timedelta) -> datetime:
        """The moment at which ``amount`` of office time has passed since ``at``."""
        left = amount
        for start, end in self._open_from(at):
            if left <= end - start:
                return start + left
            left -= end - start
        raise AssertionError("unreachable")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Office time from ``start`` to ``end``; zero where ``end`` is earlier."""
        total = timedelta()
        for opens, closes in self._open_from(start):
            if opens >= end:
                break
            total += min(closes, end) - opens
        return total

    def _open_from(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The rest of the spans from ``at`` on, in order and without overlap."""
        day, idle, reached = at.astimezone(self.zone).date() - timedelta(days=1), 0, at
        while idle <= LONGEST_CLOSURE:
            idle += 1
            for start, end in self.hours_on(day):
                opens, closes = self._moment(day, start), self._moment(day, end)
                if closes > reached:
                    yield max(opens, reached), closes
                    idle, reached = 0, closes
            day += timedelta(days=1)
        raise ValueError(f"the office does not open within {LONGEST_CLOSURE} days; see LAYANAN_OFFICE")

    def _moment(self, day: date, minutes: int) -> datetime:
        days, rest = divmod(minutes, DAY_MINUTES)
        return datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), self.zone).astimezone(UTC)
