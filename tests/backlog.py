"""What a night without a worker leaves behind: polls and sweeps that nobody has taken up."""

from datetime import timedelta
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State
from prefect.states import Scheduled

from adapters.clock import SystemClock
from adapters.engine.deployments import STANDING


def make_late(client: SyncPrefectClient, count: int) -> None:
    """Runs of polls and sweeps that were due in the last hours."""
    deployments = [client.read_deployment_by_name(f"{name}/{name}").id for name in STANDING]
    begun = SystemClock().now() - timedelta(hours=8)
    for number in range(count):
        state: State[Any] = Scheduled(scheduled_time=begun + timedelta(seconds=number * 20))
        client.create_flow_run_from_deployment(deployments[number % len(deployments)], state=state)


def late(client: SyncPrefectClient) -> int:
    """How many of them are still to be taken up."""
    before = (SystemClock().now() - timedelta(minutes=1)).isoformat()
    due = {"state": {"type": {"any_": ["SCHEDULED"]}}, "next_scheduled_start_time": {"before_": before}}
    standing = {"name": {"any_": list(STANDING)}}
    path: Any = "/flow_runs/count"
    return int(client.request("POST", path, json={"flow_runs": due, "deployments": standing}).json())
