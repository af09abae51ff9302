"""Runs of the poll and the sweep, which are thousands a day. Held by `tests/tasks/upkeep/test_monitor.py`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterEndTime,
    FlowRunFilterNextScheduledStartTime,
)
from prefect.client.schemas.objects import StateType

from adapters.engine.api import api_errors
from adapters.engine.deployments import STANDING, Deployments
from adapters.engine.internals import BULK_DELETE
from adapters.engine.states import one_of

FORGOTTEN_AT_ONCE = 50
ENDED_WELL, ENDED_BADLY = (StateType.COMPLETED, StateType.CANCELLED), (StateType.FAILED, StateType.CRASHED)


class Polls(Deployments):
    """Runs of the standing flows."""

    def tidy_polls(self, late: datetime, ended: datetime, failed: datetime) -> tuple[int, int]:
        """Delete runs that were due before ``late`` and never begun, and some that ended before a time.

        What they did stands in the case store. Those that failed are looked at for longer. Returns how many were late,
        and how many had ended.
        """
        ids = self._standing()
        times = ((ENDED_WELL, ended), (ENDED_BADLY, failed))
        forgotten = sum(
            self._delete(ids, state=one_of(*states), end_time=FlowRunFilterEndTime(before_=before))
            for states, before in times
        )
        return self._drop_late(ids, late), forgotten

    def drop_late_polls(self, before: datetime) -> int:
        """Delete runs that were due before then and that no worker has taken up; returns how many.

        A night without a worker leaves thousands of them, and the next run does all their work.
        """
        return self._drop_late(self._standing(), before)

    def _drop_late(self, ids: list[UUID], before: datetime) -> int:
        due = FlowRunFilterNextScheduledStartTime(before_=before)
        dropped = 0
        while some := self._delete(ids, state=one_of(StateType.SCHEDULED), next_scheduled_start_time=due):
            dropped += some
        return dropped

    def _standing(self) -> list[UUID]:
        """Asked for anew: they may have been deployed again under other ids."""
        return [found.id for found in self.deployed(STANDING)]

    def _delete(self, deployment_ids: list[UUID], **which: Any) -> int:
        """Delete some runs; there may be more."""
        if not deployment_ids:
            return 0
        runs = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=deployment_ids), **which)
        body = {"flow_runs": runs.model_dump(mode="json", exclude_none=True), "limit": FORGOTTEN_AT_ONCE}
        with api_errors():
            return len(self.client.request("POST", BULK_DELETE, json=body).json()["deleted"])
