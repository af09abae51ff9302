"""The clocks."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.clock import SimulatedClock, SystemClock


def near(one: datetime, other: datetime) -> bool:
    return abs(one - other) < timedelta(seconds=2)


def test_the_systems_clock_is_aware_utc() -> None:
    now = SystemClock().now()
    assert now.utcoffset() == timedelta()
    assert near(now, datetime.now(UTC))


def test_a_simulated_clock_starts_now_and_is_moved_for_every_process(tmp_path: Path) -> None:
    mine, others = SimulatedClock(tmp_path / "home" / "clock"), SimulatedClock(tmp_path / "home" / "clock")
    start = datetime.now(UTC)
    assert near(others.now(), start)
    assert near(mine.advance(6), start + timedelta(hours=6))
    assert near(others.now(), start + timedelta(hours=6))
    others.advance(0.5)
    assert near(mine.now(), start + timedelta(hours=6.5))
    assert mine.now().utcoffset() == timedelta()
    assert [file.name for file in (tmp_path / "home").iterdir()] == ["clock"]


def test_it_runs_on(tmp_path: Path) -> None:
    clock = SimulatedClock(tmp_path / "clock")
    clock.advance(1)
    first = clock.now()
    assert clock.now() > first


@pytest.mark.parametrize("hours", [-1, 1e9, float("nan")])
def test_time_does_not_run_back_nor_out_of_the_calendar(hours: float, tmp_path: Path) -> None:
    clock = SimulatedClock(tmp_path / "clock")
    with pytest.raises(ValueError, match="run back"):
        clock.advance(hours)
    assert near(clock.now(), datetime.now(UTC))
