"""The engine as it is pinned: its client's calls work (see pyproject.toml for the versions that break them)."""

from importlib.metadata import version

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowFilter, FlowFilterName


@pytest.fixture
def client(prefect_server: str) -> SyncPrefectClient:
    return SyncPrefectClient(api=prefect_server)


def test_a_null_in_a_body_of_several_parts_is_taken(client: SyncPrefectClient) -> None:
    """fastapi 0.151 to 0.154 answer 422: every filter that is not given is a JSON null."""
    client.create_flow_from_name("null")
    only = FlowFilter(name=FlowFilterName(any_=["null"]))
    assert [flow.name for flow in client.read_flows(flow_filter=only, limit=5)] == ["null"]
    assert client.read_flow_runs(flow_filter=only, limit=5) == []
    assert client.read_task_runs(flow_filter=only, limit=5) == []
    assert client.read_deployments(flow_filter=only, limit=5) == []


def test_server_and_client_are_of_one_version(client: SyncPrefectClient) -> None:
    assert client.api_version() == version("prefect")
