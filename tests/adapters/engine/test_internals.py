"""Prefect's private parts are as `adapters/engine/internals.py` and `server_internals.py` use them."""

import pytest

from tests.contracts import Private

SUSPENSION = "Suspending a running run from outside: internals.suspend; see test_worker.py."
ENGINE = "The loop of run_flow_sync, copied in internals.carry: compare the two, then run tests/flows/test_worker.py."
SUBMIT = (
    "ThreadWorker._submit_run replaces it: read what it does now, and whether ours still does what is needed of it."
)
FORMS = "How a form is stored with a suspended run (adapters/engine/forms.py); see tests/tasks/run/test_waits.py."
SQLITE = "ImmediateSqlite (server_internals.py); without it, forms are answered with 503 while another one writes."
PARTS = [
    Private(
        "prefect._flow_run_suspension", "is_suspended_flow_run_state", SUSPENSION, "(state: 'State | None') -> 'bool'"
    ),
    Private(
        "prefect._flow_run_suspension",
        "mark_flow_run_suspension_requested",
        SUSPENSION,
        "(flow_run_id: 'UUID', state: 'State') -> 'bool'",
    ),
    Private(
        "prefect._flow_run_suspension",
        "register_flow_run_suspension_request",
        SUSPENSION,
        "(flow_run_id: 'UUID', suspension_request: 'FlowRunSuspensionRequest') -> 'Generator[None, None, None]'",
    ),
    Private(
        "prefect._flow_run_suspension", "FlowRunSuspensionRequest.raise_if_requested", SUSPENSION, "(self) -> 'None'"
    ),
    Private(
        "prefect.flow_engine",
        "FlowRunEngine.setup_flow_run_suspension_request",
        f"{SUSPENSION} _Engine replaces it by one without the observer.",
        "(self) -> 'Generator[FlowRunSuspensionRequest, None, None]'",
        ("_get_flow_run_suspension_request()", "raise_if_requested()", "observe_flow_run_suspension("),
    ),
    Private(
        "prefect.flow_engine",
        "FlowRunEngine._get_flow_run_suspension_request",
        SUSPENSION,
        "(self) -> 'FlowRunSuspensionRequest'",
    ),
    Private(
        "prefect.flow_engine",
        "run_flow_sync",
        ENGINE,
        mentions=("engine.start():", "while engine.is_running():", "engine.run_context():", "engine.call_flow_fn()"),
    ),
    Private(
        "prefect.flow_engine",
        "FlowRunEngine.initialize_run",
        "A thread's context keeps the API client for later runs: internals.carry.",
        mentions=("SyncClientContext.get_or_create()",),
    ),
    Private(
        "prefect.flow_engine",
        "_send_heartbeats",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY is None in worker.py: then there must be no thread.",
        mentions=("if heartbeat_seconds is None:",),
    ),
    Private("prefect.workers.base", "BaseWorker._submit_run", SUBMIT, "(self, flow_run: \"'FlowRun'\") -> 'None'"),
    Private(
        "prefect.workers.base",
        "BaseWorker._submit_scheduled_flow_runs",
        SUBMIT,
        mentions=(
            "acquire_on_behalf_of_nowait(flow_run.id)",
            "self._submitting_flow_run_ids.add(flow_run.id)",
            "self._cancelling_observer.add_in_flight_flow_run_id(flow_run.id)",
            "self._submit_run,",
        ),
    ),
    Private(
        "prefect.workers.base",
        "BaseWorker._propose_pending_state",
        SUBMIT,
        "(self, flow_run: \"'FlowRun'\") -> 'bool'",
    ),
    Private(
        "prefect.workers.base",
        "BaseWorker._propose_crashed_state",
        SUBMIT,
        "(self, flow_run: \"'FlowRun'\", message: 'str', client: 'PrefectClient | None' = None) -> 'None'",
    ),
    Private("prefect.workers.base", "BaseWorker._release_limit_slot", SUBMIT, "(self, flow_run_id: 'UUID') -> 'None'"),
    Private(
        "prefect._internal.observers",
        "FlowRunCancellingObserver.remove_in_flight_flow_run_id",
        SUBMIT,
        "(self, flow_run_id: 'uuid.UUID')",
    ),
    Private(
        "prefect.workers.base",
        "BaseWorker",
        "ThreadWorker.pool_name and in_background.",
        mentions=("self._work_pool_name = ", "self._runs_task_group = anyio.create_task_group()"),
    ),
    Private("prefect.input.run_input", "keyset_from_base_key", FORMS, "(base_key: 'str') -> 'Keyset'", ("-response",)),
    Private("prefect.input.run_input", "keyset_from_paused_state", FORMS, mentions=("{state_name.lower()}-{",)),
    Private(
        "prefect._internal.pydantic.v2_schema",
        "create_v2_schema",
        FORMS,
        mentions=("#/definitions/{model}", 'schema["definitions"] = '),
    ),
    Private(
        "prefect.server.api.flow_runs",
        "resume_flow_run",
        f"{FORMS} The sentence is read by internals.lacks_form.",
        mentions=("Run input schema not found.", 'reason=f"Reason: {exc}"'),
    ),
    Private(
        "prefect.utilities.schema_tools.validation",
        "validate",
        f"{FORMS} The sentence is shortened by internals.refusal.",
        mentions=("Validation failed for field ", "Failure reason: "),
    ),
    Private(
        "prefect.server.api.flow_runs",
        "bulk_delete_flow_runs",
        "Old polls and sweeps are deleted by it (adapters/engine/polls.py); the client has no method.",
        mentions=("flow_runs:", "limit:"),
    ),
    Private(
        "prefect.server.database.configurations",
        "AioSqliteConfiguration.begin_transaction",
        SQLITE,
        "(self, session: 'AsyncSession', with_for_update: 'bool' = False)"
        " -> 'AsyncGenerator[AsyncSessionTransaction, None]'",
        ("SQLITE_BEGIN_MODE.set(",),
    ),
    Private("prefect.server.database.configurations", "SQLITE_BEGIN_MODE.reset", SQLITE),
    Private(
        "prefect.server.database.dependencies",
        "provide_database_interface",
        SQLITE,
        mentions=('MODELS_DEPENDENCIES.get("database_config")',),
    ),
    Private("prefect.cli", "app", "server_internals.serve runs `prefect server start` in its own process."),
]


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_the_engine_is_as_we_use_it(part: Private) -> None:
    part.hold()


def test_a_part_that_has_changed_is_named_with_what_to_look_at() -> None:
    gone = Private("prefect", "no_such_thing", "Look there.")
    other = Private("prefect.input.run_input", "keyset_from_base_key", "Look there.", "(key)")
    silent = Private("prefect.input.run_input", "keyset_from_base_key", "Look there.", mentions=("nonsense",))
    for part, said in ((gone, "is gone. Look"), (other, "was .key. and is .* Look"), (silent, "no longer has .* Look")):
        with pytest.raises(AssertionError, match=said):
            part.hold()
