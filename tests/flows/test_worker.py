"""The worker as a process, on a real server: how it stops, and what becomes of its runs."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions, State
from prefect.exceptions import ObjectAlreadyExists
from prefect.states import Cancelling, Scheduled
from sqlalchemy import update
from sqlmodel import col

from adapters.clock import SystemClock
from adapters.engine.launch import launched
from adapters.engine.runs import PrefectEngine
from adapters.wiring import Systems
from flows.receive_mail import take_batches
from flows.service import Service
from flows.worker import InProcessWorker
from models.settings import load_settings
from models.tables import Case
from tasks.run.lease import due_letters
from tasks.run.send_letter import deliver
from tasks.run.start_case import replace_run, start_case
from tasks.upkeep.recover_runs import cases_of_lost_runs
from tests import forked
from tests.cases import BUDI, PRICE, opened
from tests.flows.worker_flows import hang, two_activities
from tests.models.test_tables import new_case, stored
from tests.order import disallowed
from tests.stack import Stack, until

pytestmark = pytest.mark.slow
POOL = "worker-tests"
ONE_AT_A_TIME = ConcurrencyOptions(collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW, grace_period_seconds=60)
"""As `prefect.yaml` has it for the standing flows."""


class Bench:
    """Runs of the test flows, in a pool of their own."""

    def __init__(self, stack: Stack, client: SyncPrefectClient, folder: Path) -> None:
        self.stack = stack
        self.client = client
        self.folder = folder

    @contextmanager
    def worker(self, name: str = "one", **environment: str) -> Iterator[BaseProcess]:
        """A worker, at once."""
        environment = dict(self.stack.service.environment) | environment
        process = forked.worker(environment, POOL, name, self.folder / f"{name}.log")
        try:
            yield process
        finally:
            self.let_all_go()
            process.terminate()
            process.join(90)

    @contextmanager
    def command(self, name: str = "one") -> Iterator["subprocess.Popen[bytes]"]:
        """A worker, started as the service starts its own."""
        log = self.folder / f"{name}.log"
        command = [sys.executable, "-m", "prefect", "worker", "start"]
        command += ["--pool", POOL, "--type", "layanan", "--name", name]
        with log.open("ab") as file:
            process = subprocess.Popen(
                launched(command),
                env=self.stack.service.environment,
                cwd=self.stack.root,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            self.let_all_go()
            if process.poll() is None:
                process.terminate()
                process.wait(90)

    def start(self, flow: "Flow[..., Any]", folder: Path | None = None, *, name: str = "test") -> tuple[Case, str]:
        """A run of ``flow`` for a case of its own; those of the deployment "limited" go one at a time."""
        case = new_case()
        stored(self.stack.systems.store, case)
        deployment = self.client.create_deployment(
            self.client.create_flow(flow),
            name,
            entrypoint=f"tests/flows/worker_flows.py:{flow.fn.__name__}",
            work_pool_name=POOL,
            concurrency_limit=1 if name == "limited" else None,
            concurrency_options=ONE_AT_A_TIME if name == "limited" else None,
        )
        parameters = {"case_id": case.key, "folder": str(folder or self.folder)}
        run = str(self.client.create_flow_run_from_deployment(deployment, parameters=parameters).id)
        with self.stack.systems.store.write() as session:
            session.execute(update(Case).where(col(Case.id) == case.id).values(run_id=run))
        return case, run

    def begun(self, name: str) -> bool:
        return (self.folder / f"{name}.begun").exists()

    def let_all_go(self) -> None:
        for name in ("first", "second"):
            self.let_go(name)

    def let_go(self, name: str) -> None:
        (self.folder / f"{name}.go").touch()

    def state(self, run: str) -> State[Any]:
        state = self.client.read_flow_run(UUID(run)).state
        assert state is not None
        return state

    def becomes(self, run: str, name: str) -> None:
        until(lambda: self.state(run).name == name, f"the run is {name}, and not {self.state(run)}")

    def done(self, case: Case) -> list[str]:
        """The case's recorded activities."""
        return [record.name for record in self.stack.records(case.key)]


@pytest.fixture
def bench(stack: Stack, tmp_path: Path) -> Iterator[Bench]:
    template = InProcessWorker.get_default_base_job_template()
    with SyncPrefectClient(api=stack.settings.prefect_api_url) as client:
        with suppress(ObjectAlreadyExists):
            client.create_work_pool(WorkPoolCreate(name=POOL, type="layanan", base_job_template=template))
        yield Bench(stack, client, tmp_path)


def test_sigterm_lets_the_activity_end_and_hands_the_run_back(bench: Bench) -> None:
    case, run = bench.start(two_activities)
    with bench.command() as worker:
        until(lambda: bench.begun("first"), "the first activity has begun")
        worker.terminate()
        with pytest.raises(subprocess.TimeoutExpired):
            worker.wait(1)
        assert bench.done(case) == []
        bench.let_go("first")
        assert worker.wait(90) == 0
    assert bench.done(case) == ["solve_need"]
    assert bench.state(run).name == "Restarted"
    assert not bench.begun("second")

    with bench.worker():
        until(lambda: bench.begun("second"), "the next worker goes on")
        bench.becomes(run, "Completed")
    assert bench.done(case) == ["solve_need", "closing"]


def test_a_run_that_a_person_cancels_stops_at_its_next_activity_and_may_go_on_later(bench: Bench) -> None:
    case, run = bench.start(two_activities)
    with bench.worker():
        until(lambda: bench.begun("first"), "the first activity has begun")
        bench.client.set_flow_run_state(UUID(run), Cancelling())
        until(lambda: "has cancelled it" in (bench.folder / "one.log").read_text(), "the worker has seen it")
        bench.let_go("first")
        bench.becomes(run, "Cancelled")
        assert bench.done(case) == ["solve_need"]
        assert not bench.begun("second")
        bench.let_go("second")
        bench.client.set_flow_run_state(UUID(run), Scheduled())
        bench.becomes(run, "Completed")
    assert bench.done(case) == ["solve_need", "closing"]


def test_a_run_that_hangs_is_reported_and_holds_no_other_up(bench: Bench) -> None:
    _, run = bench.start(hang)
    with bench.worker(LAYANAN_RUN_MINUTES="0.1", LAYANAN_WORKER_THREADS="1"):
        bench.becomes(run, "Crashed")
        elsewhere = bench.folder / "elsewhere"
        elsewhere.mkdir()
        for name in ("first", "second"):
            (elsewhere / f"{name}.go").touch()
        _, other = bench.start(two_activities, elsewhere)
        bench.becomes(other, "Completed")


def test_a_worker_that_was_killed_leaves_its_runs_to_the_next(bench: Bench) -> None:
    """They go on, but for those that a person has cancelled since."""
    case, run = bench.start(two_activities)
    _, cancelled = bench.start(two_activities, bench.folder)
    with bench.worker() as worker:
        for one in (run, cancelled):
            bench.becomes(one, "Running")
        until(lambda: bench.begun("first"), "the first activity has begun")
        worker.kill()
        worker.join()
    bench.client.set_flow_run_state(UUID(cancelled), Cancelling())
    assert (bench.state(run).name, bench.state(cancelled).name) == ("Running", "Cancelling")
    with bench.worker():
        bench.becomes(run, "Completed")
        bench.becomes(cancelled, "Cancelled")
    assert bench.done(case) == ["solve_need", "closing"]


def test_a_pass_whose_worker_was_killed_keeps_no_later_pass_from_its_turn(bench: Bench) -> None:
    """Its slot is taken back with it."""
    _, first = bench.start(two_activities, name="limited")
    with bench.worker() as worker:
        until(lambda: bench.begun("first"), "the pass has begun")
        _, meanwhile = bench.start(two_activities, name="limited")
        bench.becomes(meanwhile, "Cancelled")
        worker.kill()
        worker.join()
    with bench.worker():
        bench.becomes(first, "Completed")
        _, later = bench.start(two_activities, name="limited")
        bench.becomes(later, "Completed")


def test_a_second_worker_of_the_name_is_refused_and_harms_nothing(bench: Bench) -> None:
    case, run = bench.start(two_activities)
    with bench.command() as first:
        until(lambda: bench.begun("first"), "the first worker works")
        with bench.command() as second:
            assert second.wait(90) != 0
        said = (bench.folder / "one.log").read_text()
        assert f"a worker named one runs here already, process {first.pid}: end it (kill {first.pid})" in said
        assert "Traceback" not in said
        bench.becomes(run, "Completed")
    assert bench.done(case) == ["solve_need", "closing"]


def test_a_worker_hears_of_new_mail(bench: Bench, stack: Stack) -> None:
    """And starts a pass beside those of the schedule."""
    only = FlowRunFilterDeploymentId(any_=[bench.client.read_deployment_by_name("receive-mail/receive-mail").id])

    def heard() -> set[UUID]:
        runs = bench.client.read_flow_runs(flow_run_filter=FlowRunFilter(deployment_id=only))
        return {run.id for run in runs if not run.auto_scheduled}

    # other services share the server
    before = heard()
    with bench.worker():
        stack.write(BUDI, "Otomatis", "Saya sedang cuti.", Auto_Submitted="auto-replied")
        runs = until(lambda: heard() - before, "a poll is due")
    for run in runs:
        bench.client.delete_flow_run(run)
    assert list(take_batches(stack.systems, stack.settings.mailboxes[0])) == [{"automatic": 1}]


def test_the_process_worker_takes_over_and_completes_the_same_deployment(bench: Bench, stack: Stack) -> None:
    """Cases go on when the setting is changed: a run that lies in the other worker's pool is replaced."""
    number = opened(stack.systems, BUDI, PRICE, "Harga paket").case_id
    start_case(stack.systems, number)
    with stack.systems.store.read() as session:
        old = session.get_one(Case, number).run_id or ""
    assert number not in cases_of_lost_runs(stack.systems)
    environment = stack.environment | {"LAYANAN_WORKER_TYPE": "process"}
    with mock.patch.dict("os.environ", environment):
        service = Service(load_settings(), environment)
    assert service.settings.pool_name == "layanan-process"
    standing: list[UUID] = []
    try:
        service.deploy()
        # each of their passes would be a process
        standing += [one.id for one in bench.client.read_deployments() if one.schedules]
        for deployment in standing:
            bench.client.pause_deployment(deployment)
        # pausing leaves those that are scheduled already
        PrefectEngine(service.settings).drop_late_polls(SystemClock().now() + timedelta(days=1))
        service.start_worker()
        for letter_id in due_letters(stack.systems):
            deliver(stack.systems, letter_id)  # the first response, as the paused pass would
        moved = Systems(service.settings)
        assert number in cases_of_lost_runs(moved)
        replace_run(moved, number)
        assert number not in cases_of_lost_runs(moved)
        assert stack.run_state(old) == "Replaced"
        until(lambda: stack.path(number) == [1, 3, 11, 12], "the case is served", 120)
        stack.decide(number, "ClosingPeriod", choice="SILENCE")
        case = stack.ended(number)
    finally:
        service.stop()
        stack.service.deploy()
        for deployment in standing:
            bench.client.resume_deployment(deployment)
    assert case.outcome == "information"
    assert disallowed(stack.path(case.key)) == []
    lines = [line for line in (service.logs / "worker.log").read_text().splitlines() if case.reference in line]
    assert any("Finished in state Completed" in line for line in lines)
    assert all("SIMULATED CLOCK" in line for line in lines if "Finished in state" in line), lines
