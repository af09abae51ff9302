"""The service's deployments and workers on the server. Held by `tests/tasks/upkeep/test_lost_deployments.py`."""

from collections.abc import Collection
from uuid import UUID

from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId, DeploymentFilterName
from prefect.client.schemas.objects import WorkerStatus
from prefect.client.schemas.responses import DeploymentResponse

from adapters.engine.api import PAGE, SYSTEM, Api, api_errors
from models.errors import Refused
from models.settings import Settings

CASES = "handle-case"
"""Flow and deployment of the cases' runs."""
STANDING = ("receive-mail", "monitor-cases")
"""Flows and deployments of the poll and the sweep, which run again and again."""
DEPLOYMENTS = {CASES, *STANDING, "report-service", "merge-cases", "unmerge-case", "split-case"}
DEPLOYMENTS |= {"add-party", "remove-party"}


class Deployments(Api):
    """The service's deployments."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.deployment_ids: dict[str, UUID] = {}

    def deployment_id(self, name: str) -> UUID:
        """Asked for once: polls and cases that start need it all the time."""
        if name not in self.deployment_ids:
            self.deployment_ids[name] = self.client.read_deployment_by_name(f"{name}/{name}").id
        return self.deployment_ids[name]

    def forget_deployments(self) -> None:
        """Ask for the ids again: something may have been deployed anew."""
        self.deployment_ids.clear()

    def ready_for_cases(self) -> None:
        """See that a case's run which is started now will be carried.

        Raises:
            Unavailable: the server does not answer.
            Refused: the flow is not deployed, or its work pool was deleted.
        """
        self.forget_deployments()
        with api_errors():
            found = self.client.read_deployment_by_name(f"{CASES}/{CASES}")
        if found.work_pool_name is None:
            raise Refused(SYSTEM, f"{CASES} lies in no work pool: deploy again (layanan deploy)")
        self.deployment_ids[CASES] = found.id

    def missing(self) -> list[str]:
        """Names of our deployments that are not on the server, or whose work pool or queue was deleted."""
        there = {found.name for found in self.deployed(DEPLOYMENTS) if found.work_pool_name is not None}
        return sorted(DEPLOYMENTS - there)

    def halted(self) -> list[str]:
        """What somebody has paused or switched off: nothing of it is carried."""
        with api_errors():
            pool = self.client.read_work_pool(self.settings.pool_name)
            queues = self.client.read_work_queues(work_pool_name=pool.name)
        found = [f"work pool {pool.name}"] * pool.is_paused
        found += [f"work queue {queue.name}" for queue in queues if queue.is_paused]
        for one in self.deployed(DEPLOYMENTS):
            if one.paused:
                found.append(one.name)
            elif one.name in STANDING and not any(schedule.active for schedule in one.schedules):
                found.append(f"{one.name}'s schedule")
        return sorted(found)

    def live_workers(self) -> dict[str, str]:
        """Names of the workers whose heartbeat the server has seen lately, each with the time of the last one."""
        with api_errors():
            workers = self.client.read_workers_for_work_pool(self.settings.pool_name)
        return {one.name: str(one.last_heartbeat_time) for one in workers if one.status is WorkerStatus.ONLINE}

    def deployed(self, names: Collection[str]) -> list[DeploymentResponse]:
        """Those of these names."""
        with api_errors():
            named = DeploymentFilter(name=DeploymentFilterName(any_=sorted(names)))
            return self.client.read_deployments(deployment_filter=named)

    def those_there(self, deployment_ids: set[UUID]) -> set[UUID]:
        """Which of these deployments the server still has."""
        if not deployment_ids:
            return set()
        these = DeploymentFilter(id=DeploymentFilterId(any_=list(deployment_ids)))
        with api_errors():
            return {found.id for found in self.client.read_deployments(deployment_filter=these, limit=PAGE)}
