"""Office hours: nights, Sundays, Lebaran with joint leave, spans over midnight, zones; the arithmetic agrees."""

from datetime import UTC, date, datetime, timedelta
from threading import Event, Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from holidays.countries.indonesia import Indonesia
from hypothesis import given
from hypothesis import strategies as some

from models.errors import SettingsError
from models.office_hours import WEEKDAYS, OfficeHours, calendar, is_holiday, spans
from models.settings import Office, Settings, load_settings

WIB, WITA = ZoneInfo("Asia/Jakarta"), ZoneInfo("Asia/Makassar")
OFFICE = Office().in_zone(WIB)
H = timedelta(hours=1)


def wib(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WIB).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-11-24 08:00", "2026-11-24 08:00"),
        ("2026-11-24 19:59", "2026-11-24 19:59"),
        ("2026-11-24 20:00", "2026-11-25 08:00"),  # the moment of closing is night
        ("2026-11-24 01:40", "2026-11-24 08:00"),
        ("2026-11-28 17:00", "2026-11-30 08:00"),  # Saturday, then Sunday
        ("2026-03-20 20:00", "2026-03-23 08:00"),  # Eid al-Fitr falls on Saturday and Sunday
        ("2026-12-24 21:00", "2026-12-26 08:00"),  # Christmas
    ],
)
def test_the_office_opens_next(at: str, opens: str) -> None:
    assert OFFICE.next_open(wib(at)) == wib(opens)
    assert OFFICE.is_open(wib(at)) == (at == opens)


def test_joint_leave_is_a_category_of_its_own() -> None:
    """Cuti bersama around Lebaran 2026: 20, 23 and 24 March, a Friday, a Monday and a Tuesday."""
    before = wib("2026-03-19 20:30")  # Nyepi, public
    assert OFFICE.next_open(before) == wib("2026-03-20 08:00")
    with_leave = Office(holidays=("public", "joint_leave")).in_zone(WIB)
    assert with_leave.next_open(before) == wib("2026-03-25 08:00")
    leave_alone = Office(holidays=("joint_leave",)).in_zone(WIB)
    assert leave_alone.next_open(before) == wib("2026-03-21 08:00")
    assert Office(holidays=()).in_zone(WIB).is_open(wib("2026-03-21 09:00"))


def test_whoever_asks_while_a_year_is_filled_gets_the_holiday(monkeypatch: pytest.MonkeyPatch) -> None:
    fill, begun, never = Indonesia._populate, Event(), Event()

    def slowly(self: Any, year: int) -> None:
        begun.set()
        never.wait(0.3)
        fill(self, year)

    monkeypatch.setattr(Indonesia, "_populate", slowly)
    calendar.cache_clear()
    first = Thread(target=is_holiday, args=(("public",), date(2030, 8, 17)))
    first.start()
    assert begun.wait(10)
    assert is_holiday(("public",), date(2030, 8, 17))
    first.join()
    calendar.cache_clear()


def test_a_decree_that_moves_an_estimated_day_is_followed_by_settings() -> None:
    """Eid al-Fitr 2027 is estimated for Wednesday, 10 and Thursday, 11 March."""
    office = Office(also_open=[date(2027, 3, 10)], also_closed=[date(2027, 3, 12)]).in_zone(WIB)
    assert office.is_open(wib("2027-03-10 09:00"))
    assert not office.is_open(wib("2027-03-11 09:00"))
    assert not office.is_open(wib("2027-03-12 09:00"))


def test_a_sunday_that_the_settings_open_has_the_hours_of_saturday() -> None:
    office = Office(also_open=[date(2026, 11, 29)]).in_zone(WIB)
    assert office.next_open(wib("2026-11-28 18:00")) == wib("2026-11-29 08:00")
    assert not office.is_open(wib("2026-11-29 17:00"))
    assert not office.is_open(wib("2026-12-06 09:00"))


def test_office_time_passes_over_night_sunday_and_holiday() -> None:
    assert OFFICE.add(wib("2026-11-24 19:30"), H) == wib("2026-11-25 08:30")
    assert OFFICE.add(wib("2026-11-28 16:30"), H) == wib("2026-11-30 08:30")
    assert OFFICE.add(wib("2026-11-29 12:00"), H) == wib("2026-11-30 09:00")
    assert OFFICE.between(wib("2026-11-28 16:00"), wib("2026-11-30 09:00")) == 2 * H
    assert OFFICE.between(wib("2026-11-30 09:00"), wib("2026-11-28 16:00")) == timedelta()


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    night = Office(hours={"fri": "22:00-06:00"}, also_closed=[date(2026, 11, 27)]).in_zone(WIB)
    assert night.is_open(wib("2026-11-20 23:30"))
    assert night.is_open(wib("2026-11-21 05:59"))
    assert not night.is_open(wib("2026-11-21 06:00"))
    assert not night.is_open(wib("2026-11-28 03:00")), "the Friday was closed"
    assert night.add(wib("2026-11-20 23:00"), 8 * H) == wib("2026-12-04 23:00")


def test_a_day_has_the_sites_midnight() -> None:
    """Makassar is an hour ahead: Sunday ends there an hour before it ends in Jakarta."""
    always = {day: "00:00-24:00" for day in WEEKDAYS if day != "sun"}
    here, there = (Office(hours=always).in_zone(zone) for zone in (WIB, WITA))
    at = wib("2026-11-29 23:30")
    assert (here.is_open(at), there.is_open(at)) == (False, True)
    assert Office().in_zone(WITA).next_open(wib("2026-11-24 07:00")) == wib("2026-11-24 07:00")


def test_sites_have_their_own_hours_and_mailboxes_their_own_zone() -> None:
    box: dict[str, Any] = {"user": "u", "password": "p"}
    settings = Settings(
        mailboxes=[
            {"address": "jkt@telkom.example", "site": "JKT", **box},
            {"address": "bdg@telkom.example", "site": "BDG", "timezone": "Asia/Makassar", **box},
        ],
        offices={"BDG": {"hours": {"sun": "10:00-11:00"}}},
    )
    sunday = datetime(2026, 11, 29, 10, 30, tzinfo=WITA)
    assert settings.office_of("BDG@telkom.example").is_open(sunday)
    assert not settings.office_of("jkt@telkom.example").is_open(sunday)
    assert not settings.office_of("gone@telkom.example").is_open(sunday)


@pytest.mark.parametrize(
    ("hours", "problem"),
    [("8-17", "not a span of hours"), ("08:00-25:00", "not a span of hours"), ("", "never opens")],
)
def test_hours_that_cannot_be_are_refused(hours: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as refused:
        load_settings(office={"hours": {"mon": hours}})
    assert "LAYANAN_OFFICE__HOURS" in str(refused.value)


def test_spans_are_read() -> None:
    assert spans("13:00-17:00, 08:00-12:00") == ((480, 720), (780, 1020))
    assert spans("22:00 - 06:00") == ((1320, 1800),)
    assert spans("00:00-24:00") == ((0, 1440),)
    assert spans("00:00-00:00") == ((0, 1440),)
    assert spans(" ") == ()


def test_an_office_that_never_opens_says_so() -> None:
    with pytest.raises(ValueError, match="LAYANAN_OFFICE"):
        OfficeHours(WIB, lambda _: ()).next_open(wib("2026-11-24 08:00"))


times = some.integers(0, 24 * 60 - 1).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
hours = some.dictionaries(some.sampled_from(WEEKDAYS), some.tuples(times, times).map("-".join), min_size=1)
offices = some.builds(
    lambda hours, kinds, zone: Office(hours=hours, holidays=kinds).in_zone(ZoneInfo(zone)),
    hours,
    some.sampled_from([(), ("public",), ("public", "joint_leave")]),
    # one whose clocks are put forward and back
    some.sampled_from(["Asia/Jakarta", "Asia/Makassar", "Europe/Berlin"]),
)
moments = some.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=some.just(UTC))  # noqa: DTZ001
amounts = some.timedeltas(timedelta(), timedelta(days=4))


@given(offices, moments, amounts)
def test_what_is_added_has_passed(office: OfficeHours, at: datetime, amount: timedelta) -> None:
    due = office.add(at, amount)
    assert due >= at
    assert office.between(at, due) == amount
    # it falls into office hours, or on the moment of closing
    assert office.is_open(due) or office.is_open(due - timedelta(microseconds=1))


@given(offices, moments)
def test_the_next_opening_is_the_first_open_moment(office: OfficeHours, at: datetime) -> None:
    opens = office.next_open(at)
    assert opens >= at
    assert office.is_open(opens)
    assert office.next_open(opens) == opens
    assert office.between(at, opens) == timedelta()
    assert office.is_open(at) == (opens == at)


@given(offices, moments, amounts, amounts)
def test_later_is_never_due_earlier(office: OfficeHours, at: datetime, first: timedelta, more: timedelta) -> None:
    assert office.add(at, first) <= office.add(at, first + more)
    assert office.add(at, first) <= office.add(at + more, first)
