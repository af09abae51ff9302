"""Our deploying makes of `prefect.yaml` what `prefect deploy --all` makes of it, at a fifth of its CPU."""

import subprocess
import sys
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient

from adapters.engine.deployments import DEPLOYMENTS, STANDING
from flows.deploy import deploy_all
from flows.processes import ROOT
from models.errors import Unavailable
from models.settings import Settings
from tests.ports import free_port
from tests.stack import Stack

CHANGES = {"id", "created", "updated", "deployment_id", "anchor_date", "last_polled", "status"}
"""What is another one after each deploying, or changes by itself."""


def deployed(stack: Stack) -> dict[str, Any]:
    with SyncPrefectClient(api=stack.settings.prefect_api_url) as client:
        found = {one.name: without_changes(one.model_dump(mode="json")) for one in client.read_deployments()}
    return {name: found[name] for name in DEPLOYMENTS}


def without_changes(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_changes(one) for name, one in value.items() if name not in CHANGES}
    return [without_changes(one) for one in value] if isinstance(value, list) else value


@pytest.mark.slow
def test_ours_are_those_of_prefects_own_command_and_repeating_changes_nothing(stack: Stack) -> None:
    ours = deployed(stack)
    assert {name for name, one in ours.items() if one["schedules"]} == {*STANDING, "report-service"}
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    subprocess.run(command, cwd=ROOT, env=stack.service.environment, capture_output=True, check=True)
    assert deployed(stack) == ours
    deploy_all(stack.settings)
    assert deployed(stack) == ours


def test_a_server_that_has_gone_is_named() -> None:
    with pytest.raises(Unavailable, match="Prefect: "):
        deploy_all(Settings(prefect_api_url=f"http://127.0.0.1:{free_port()}/api"))
