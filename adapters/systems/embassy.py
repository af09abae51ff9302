"""EMBASSY (SOP 11.1 EMBASSY): line quality of IndiHome (TMF653 v4.2).

Guesses: our external id is the test's ``name`` (the API has no field for it), the metrics have the names and units of
``METRICS``, and the test's characteristic ``technology`` says whether the line is on fibre.
"""

from typing import Any

from adapters.systems.create_once import create_once, only_first
from adapters.systems.gate import Gate
from adapters.systems.records import Characteristic, Entity, Utc, Wire, characteristic
from adapters.systems.retries import until_found
from adapters.systems.tmf import TmfClient
from models.errors import Unavailable
from models.facts import LineQuality, LineTest
from models.settings import HttpSystem

SERVICE_TEST = "serviceTestManagement/v4/serviceTest"
SPECIFICATION = "line-quality"
METRICS = {"snr": "dB", "attenuation": "dB"}
FINAL = frozenset({"completed", "failed", "cancelled", "rejected"})
POLLS, POLL_SECONDS = 8, 0.5


class Value(Wire):
    """A measured number, wrapped in an object."""

    value: float


class Measure(Wire):
    """One metric."""

    metric_name: str
    unit_of_measure: str = ""
    capture_date_time: Utc | None = None
    value: Value


class ServiceTest(Entity):
    """What we read of a test."""

    name: str | None = None
    state: str = "unknown"
    start_date_time: Utc | None = None
    end_date_time: Utc | None = None
    related_service: Entity | None = None
    characteristic: tuple[Characteristic, ...] = ()
    test_measure: tuple[Measure, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether it has ended, by its state or because it has an end date."""
        return self.state.lower() in FINAL or self.end_date_time is not None


class Embassy:
    """Measures lines. Errors are those of :class:`adapters.systems.http.HttpCalls`."""

    def __init__(self, settings: HttpSystem, gate: Gate | None = None) -> None:
        self._client = TmfClient("EMBASSY", settings, gate)

    def measure(self, service_number: str, external_id: str) -> LineTest:
        """The measurement of a line: the one with our ``external_id``, else a new one; waits about four seconds for it.

        Raises:
            Unavailable: it has not ended yet; a later call with the same id finds it.
        """
        body: dict[str, Any] = {
            "name": external_id,
            "mode": "ONDEMAND",
            "relatedService": {"id": service_number},
            "testSpecification": {"id": SPECIFICATION},
        }

        def find() -> ServiceTest | None:
            return self._find(service_number, external_id)

        def create() -> ServiceTest:
            return self._client.create(SERVICE_TEST, body, ServiceTest, f"{external_id} {service_number}", find)

        test = create_once(find, create)
        test = test if test.ended else self._ended(test.id)
        if strange := [f"{one.metric_name}: unexpected unit" for one in test.test_measure if not _in_unit(one)]:
            self._client.report(f"{SERVICE_TEST}: testMeasure", strange)
        return _fact(test)

    def _find(self, service_number: str, external_id: str) -> ServiceTest | None:
        def is_ours(test: ServiceTest) -> bool | None:
            if test.related_service is not None and test.related_service.id != service_number:
                return False
            return None if test.name is None else test.name == external_id

        ours = self._client.search(SERVICE_TEST, ServiceTest, {"name": external_id}, is_ours, complete=True)
        return only_first("EMBASSY", ours, lambda test: test.start_date_time)

    def _ended(self, test_id: str) -> ServiceTest:
        def look() -> ServiceTest | None:
            test = self._client.get(SERVICE_TEST, test_id, ServiceTest)
            return test if test.ended else None

        test = until_found(look, POLLS, POLL_SECONDS)
        if test is None:
            raise Unavailable("EMBASSY", "the measurement has not ended yet")
        return test


def _in_unit(measure: Measure) -> bool:
    """Whether a metric has the agreed unit, or none, which means the agreed one."""
    return measure.unit_of_measure in {"", METRICS.get(measure.metric_name, measure.unit_of_measure)}


def _fact(test: ServiceTest) -> LineTest:
    values = {measure.metric_name: measure.value.value for measure in test.test_measure if _in_unit(measure)}
    times = [measure.capture_date_time for measure in test.test_measure if measure.capture_date_time]
    snr, attenuation = values.get("snr"), values.get("attenuation")
    fibre = characteristic(test.characteristic, "technology") == "fibre"
    return LineTest(
        test_id=test.id,
        state=test.state,
        measured_at=max(times, default=test.end_date_time),
        snr_db=snr,
        attenuation_db=attenuation,
        quality=LineQuality.NOT_APPLICABLE if fibre else copper_quality(snr, attenuation),
    )


def copper_quality(snr_db: float | None, attenuation_db: float | None) -> LineQuality:
    """SNR from 25 dB is good, up to 13 dB bad, between them fair; attenuation above 50 dB is bad."""
    if (snr_db is not None and snr_db <= 13) or (attenuation_db is not None and attenuation_db > 50):
        return LineQuality.BAD
    if snr_db is None or attenuation_db is None:
        return LineQuality.UNKNOWN
    return LineQuality.GOOD if snr_db >= 25 else LineQuality.FAIR
