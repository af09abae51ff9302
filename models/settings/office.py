"""Settings of office hours. Held by `tests/models/test_office_hours.py`."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from models.office_hours import WEEKDAYS, HolidayKind, OfficeHours, Span, Weekday, is_estimated, is_holiday, spans
from models.settings.base import SettingsGroup


class Office(SettingsGroup):
    """When a site works. Routine letters leave in these hours, and the time for decisions counts only in them."""

    hours: dict[Weekday, str] = Field(
        default={
            "mon": "08:00-20:00",
            "tue": "08:00-20:00",
            "wed": "08:00-20:00",
            "thu": "08:00-20:00",
            "fri": "08:00-20:00",
            "sat": "08:00-17:00",
        },
        description="Office hours of each weekday in the mailbox's time zone, one or more spans. The site is closed on "
        "weekdays without an entry. Default: the hours in which a letter wakes no customer",
        examples=['{"mon": "08:00-12:00, 13:00-17:00", "sat": "22:00-06:00", "sun": "00:00-24:00"}'],
    )
    holidays: tuple[HolidayKind, ...] = Field(
        default=("public",),
        description="Kinds of Indonesian holidays on which the site is closed. `joint_leave` (cuti bersama) is binding "
        "for state offices and optional for companies, so it is not in the default",
    )
    also_closed: tuple[date, ...] = Field(
        default=(), description="More days on which the site is closed", examples=['["2027-03-09"]']
    )
    also_open: tuple[date, ...] = Field(
        default=(),
        description="Days on which the site works in spite of a holiday or of a weekday without hours, for example "
        "because a decree moved an estimated holiday. On a weekday without hours, those of the last weekday before it "
        "apply",
        examples=['["2027-03-10"]'],
    )

    @field_validator("hours")
    @classmethod
    def _opens_some_day(cls, hours: dict[Weekday, str]) -> dict[Weekday, str]:
        if not [span for text in hours.values() for span in spans(text)]:
            raise ValueError("the office never opens: give hours for at least one weekday")
        return hours

    def in_zone(self, zone: ZoneInfo) -> OfficeHours:
        """The office hours in a time zone."""
        week = {day: spans(text) for day, text in self.hours.items()}
        return OfficeHours(zone, partial(self._hours_on, week))

    def estimated(self, days: Iterable[date]) -> list[date]:
        """Those of ``days`` that are holidays by an estimate only, and that neither setting lists."""
        decided = {*self.also_open, *self.also_closed}
        return [day for day in days if day not in decided and self.holidays and is_estimated(self.holidays, day)]

    def _hours_on(self, week: Mapping[Weekday, tuple[Span, ...]], day: date) -> tuple[Span, ...]:
        if day in self.also_closed:
            return ()
        if day in self.also_open:
            before = (WEEKDAYS[(day - timedelta(days=back)).weekday()] for back in range(len(WEEKDAYS)))
            return next(hours for weekday in before if (hours := week.get(weekday, ())))
        return () if self.holidays and is_holiday(self.holidays, day) else week.get(WEEKDAYS[day.weekday()], ())
