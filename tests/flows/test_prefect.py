"""The engine as it is pinned: what releases of it, or of what it stands on, have broken or changed."""

from datetime import timedelta
from importlib.metadata import version
from uuid import UUID

import pytest
from prefect import flow, suspend_flow_run
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import FlowFilter, FlowFilterName, FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.input import RunInput
from prefect.states import Crashed

from tests.runs import Runs
from tests.stack import until


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


def test_what_has_a_schedule_is_scheduled(client: SyncPrefectClient) -> None:
    """SQLAlchemy 2.1 broke the bulk inserts of 3.8's scheduler: nothing scheduled ever ran."""
    often = DeploymentScheduleCreate(schedule=IntervalSchedule(interval=timedelta(hours=1)))
    deployment = client.create_deployment(client.create_flow_from_name("hourly"), "hourly", schedules=[often])
    its = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment]))
    until(lambda: client.read_flow_runs(flow_run_filter=its), "runs are scheduled")
    client.delete_deployment(deployment)


class Word(RunInput):
    """A form."""

    word: str


@flow(name="one-word", persist_result=False)
def one_word() -> str:
    """Asks for a word."""
    return suspend_flow_run(wait_for_input=Word, key="word", timeout=None).word


def test_a_form_takes_no_answer_that_was_stored_before_it_was_shown(runs: Runs) -> None:
    """3.9.1 deletes it when the form's key first fires: what we store for a form is stored after that."""
    run = runs.client.create_flow_run_from_deployment(
        runs.client.create_deployment(runs.client.create_flow(one_word), "test")
    )
    for part in ("description", "schema", "response"):
        runs.client.create_flow_run_input(run.id, f"suspended-word-{part}", '"stale"')
    assert runs.go(one_word, str(run.id)).name == "Suspended"
    assert runs.client.filter_flow_run_input(run.id, "suspended-word-description", 1, set()) == []
    assert runs.systems.engine.answer(str(run.id), "word") == {}
    assert runs.systems.engine.resume(str(run.id), {"word": "fresh"}).state == "accepted"
    assert runs.go(one_word, str(run.id)).result() == "fresh"


def test_an_answer_outlives_a_run_that_broke_before_it_was_read(runs: Runs) -> None:
    """And a restart by the monitor: nobody is asked twice."""
    run = str(
        runs.client.create_flow_run_from_deployment(
            runs.client.create_deployment(runs.client.create_flow(one_word), "test")
        ).id
    )
    assert runs.go(one_word, run).name == "Suspended"
    assert runs.systems.engine.resume(run, {"word": "kept"}).state == "accepted"
    runs.client.set_flow_run_state(UUID(run), Crashed(), force=True)
    runs.systems.engine.restart(run, "it had crashed")
    assert runs.go(one_word, run).result() == "kept"
