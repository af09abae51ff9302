"""EMBASSY over its wire, real and simulated (SOP 11.1 EMBASSY)."""

from typing import Any

import pytest

from adapters.systems import embassy
from adapters.systems.embassy import Embassy, copper_quality
from models.errors import Unavailable
from models.facts import LineQuality, LineTest
from tests.adapters.systems.back_office import BackOffice, scripted


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embassy, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(embassy, "POLLS", 2)


def measured(office: BackOffice, number: str) -> LineTest:
    """Start a measurement, let its time pass, and fetch it."""
    embassy = Embassy(office.settings("embassy"))
    with pytest.raises(Unavailable, match="not ended"):
        embassy.measure(number, "CASE-1")
    office.clock.advance(0.01)
    found = embassy.measure(number, "CASE-1")
    assert embassy.measure(number, "CASE-1") == found
    assert office.requests("embassy").count("POST") == 1
    return found


def test_copper(office: BackOffice) -> None:
    test = measured(office, "122345678901")
    assert (test.state, test.snr_db, test.attenuation_db) == ("completed", 28, 20)
    assert test.quality is LineQuality.GOOD
    assert test.measured_at is not None


def test_fibre(office: BackOffice) -> None:
    test = measured(office, "122345678903")
    assert test.quality is LineQuality.NOT_APPLICABLE
    assert (test.snr_db, test.attenuation_db) == (None, None)


def test_what_is_no_line_is_not_measured(office: BackOffice) -> None:
    test = Embassy(office.settings("embassy")).measure("4700001-0021497479", "CASE-1")
    assert (test.state, test.quality, test.measured_at) == ("rejected", LineQuality.UNKNOWN, None)


def test_another_external_id_and_another_line_are_other_measurements(office: BackOffice) -> None:
    embassy = Embassy(office.settings("embassy"))
    ids = {embassy.measure(number, case).test_id for number in ("nr-1", "nr-2") for case in ("CASE-1", "CASE-2")}
    assert len(ids) == 4


def test_a_lost_answer_starts_no_second_measurement(office: BackOffice) -> None:
    office.arm("embassy", "lose_answer")
    first = Embassy(office.settings("embassy")).measure("nr-1", "CASE-1")
    assert first.test_id == "TEST-000001"
    assert office.requests("embassy") == ["GET", "POST", "GET", "GET"]


@pytest.mark.parametrize(
    ("snr", "attenuation", "quality"),
    [
        (25, 50, LineQuality.GOOD),
        (24.9, 50, LineQuality.FAIR),
        (13.1, 50, LineQuality.FAIR),
        (13, 10, LineQuality.BAD),
        (30, 50.1, LineQuality.BAD),
        (None, 50.1, LineQuality.BAD),
        (13, None, LineQuality.BAD),
        (30, None, LineQuality.UNKNOWN),
        (None, 20, LineQuality.UNKNOWN),
        (None, None, LineQuality.UNKNOWN),
    ],
)
def test_thresholds(snr: float | None, attenuation: float | None, quality: LineQuality) -> None:
    assert copper_quality(snr, attenuation) is quality


def ended(**more: Any) -> LineTest:
    """A measurement that a server which ignores filters lists between others."""
    theirs = {"id": "T-2", "name": "CASE-1", "state": "completed", "relatedService": {"id": "1"}, **more}
    others = [theirs | {"id": "T-1", "name": "CASE-11"}, theirs | {"id": "T-3", "relatedService": {"id": "2"}}]
    with scripted(lambda _: (200, {"X-Total-Count": "3"}, [*others, theirs])) as server:
        return Embassy(server.settings).measure("1", "CASE-1")


def measure(name: str, unit: str, value: object, time: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    return {
        "metricName": name,
        "unitOfMeasure": unit,
        "captureDateTime": time,
        "value": {"name": name, "value": value},
    }


def test_a_server_that_ignores_filters() -> None:
    later = "2026-01-01T09:00:00+07:00"
    test = ended(testMeasure=[measure("snr", "dB", "20"), measure("attenuation", "dB", 30, later)])
    assert (test.test_id, test.snr_db, test.quality) == ("T-2", 20, LineQuality.FAIR)
    assert test.measured_at is not None
    assert test.measured_at.isoformat() == "2026-01-01T02:00:00+00:00"


def test_a_failed_measurement_says_nothing_about_the_line() -> None:
    test = ended(state="failed", endDateTime="2026-01-01T00:00:00Z")
    assert (test.state, test.quality) == ("failed", LineQuality.UNKNOWN)
    assert test.measured_at is not None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (measure("snr", "mW", 1), "snr: unexpected unit"),
        (measure("snr", "dB", "much"), "testMeasure.value.value: float_parsing"),
        (measure("snr", "dB", None), "testMeasure.value.value: missing"),
    ],
)
def test_a_broken_measure_says_nothing_and_is_told(
    wrong: dict[str, Any], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    test = ended(testMeasure=[wrong, measure("attenuation", "dB", 20)])
    assert (test.snr_db, test.attenuation_db, test.quality) == (None, 20, LineQuality.UNKNOWN)
    assert says in caplog.text


def test_a_measure_without_a_unit_is_in_the_contracts() -> None:
    without = [{"metricName": "snr", "unitOfMeasure": None, "value": {"value": 26}}, measure("attenuation", "dB", 20)]
    assert ended(testMeasure=without).quality is LineQuality.GOOD


def test_an_end_tells_that_it_has_ended_whatever_its_state_is_called() -> None:
    assert ended(state=None, endDateTime="2026-01-01T00:00:00Z").state == "unknown"
    assert ended(state="Completed").state == "Completed"
