"""EMBASSY's measurements (TMF653). Each takes one second of the clock; they are in memory only.

Held by `tests/adapters/simulator/test_tmf.py`.
"""

from datetime import datetime, timedelta

from fastapi import HTTPException

from adapters.clock import Clock
from adapters.simulator.records import Resource, stamp
from adapters.simulator.seed import Seed, SeededLine

DURATION = timedelta(seconds=1)


class LineTests:
    """All measurements since the simulator's start."""

    def __init__(self, seed: Seed, clock: Clock) -> None:
        self._lines = {customer.service_no: customer.line for customer in seed.customers}
        self._clock = clock
        self._started: list[tuple[datetime, Resource]] = []

    def create(self, body: Resource) -> Resource:
        """Start a measurement; on anything but an IndiHome line its state is ``rejected`` at once."""
        missing = {"name", "relatedService", "testSpecification"} - set(body)
        if missing:
            raise HTTPException(400, f"missing: {', '.join(sorted(missing))}")
        service = body["relatedService"]
        if not isinstance(service, dict) or not isinstance(service.get("id"), str):
            raise HTTPException(400, "relatedService.id: a string is required")
        now = self._clock.now()
        test = {**body, "id": f"TEST-{len(self._started) + 1:06d}", "startDateTime": stamp(now)}
        self._started.append((now, test))
        return self._view(now, test)

    def all(self) -> list[Resource]:
        """All measurements in their current state."""
        return [self._view(*one) for one in self._started]

    def _view(self, started: datetime, test: Resource) -> Resource:
        line = self._lines.get(test["relatedService"]["id"])
        end = started + DURATION
        if line is None:
            return {**test, "state": "rejected"}
        if self._clock.now() < end:
            return {**test, "state": "inProgress"}
        return {
            **test,
            "state": "completed",
            "endDateTime": stamp(end),
            "characteristic": [{"name": "technology", "value": line.technology}],
            "testMeasure": [
                {
                    "metricName": name,
                    "unitOfMeasure": unit,
                    "captureDateTime": stamp(end),
                    "value": {"name": name, "value": value},
                }
                for name, unit, value in _metrics(line)
            ],
        }


def _metrics(line: SeededLine) -> list[tuple[str, str, float]]:
    rate = ("attainableRate", "kbit/s", line.attainable_kbps)
    if line.technology == "fibre":
        return [rate]
    return [("snr", "dB", line.snr_db), ("attenuation", "dB", line.attenuation_db), rate]
