"""Cases whose deployment was deleted go on in another run, with what was answered; doctor names them."""

from uuid import UUID

import pytest
from prefect import flow
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Cancelling, Crashed, Pending, Running
from sqlalchemy import update
from sqlmodel import col

from adapters.engine.polls import FORGOTTEN_AT_ONCE
from models.errors import LayananError, NothingDone
from models.forms.complaint import UnitProgress
from models.tables import Case, Decision, Wait
from tasks.run.case_run import CaseRun
from tasks.run.start_case import replace_run
from tasks.run.waits import decide
from tasks.upkeep.doctor.check import Check, Probe, Warn
from tasks.upkeep.doctor.engine import deployments, lost_runs
from tasks.upkeep.monitor import deliver_signals, recover_runs, tidy_up
from tasks.upkeep.recover_runs import cases_of_lost_runs
from tests.backlog import late, make_late
from tests.cases import keep_signal, opened, rows, snapshot
from tests.fakes import fake
from tests.runs import Runs
from tests.stack import Stack


@flow(persist_result=False)
def follow(case_id: int, reference: str) -> str:
    """A wait that wakes can answer."""
    answers = decide(CaseRun.open(case_id), UnitProgress, about=reference)
    return f"{answers.choice.name} {answers.note}"


class Lost:
    """A case that waits in a run whose deployment is deleted."""

    def __init__(self, runs: Runs) -> None:
        self.runs, self.client, self.case = runs, runs.client, opened(runs.systems)
        flow_id = self.client.create_flow(follow)
        parameters = {"case_id": self.case.case_id, "reference": self.case.reference}
        pool = runs.systems.settings.pool_name
        self.deployment = self.client.create_deployment(flow_id, f"gone-{self.case.case_id}", work_pool_name=pool)
        self.run = str(self.client.create_flow_run_from_deployment(self.deployment, parameters=parameters).id)
        with runs.systems.store.write() as session:
            session.execute(update(Case).where(col(Case.id) == self.case.case_id).values(run_id=self.run))
        assert runs.go(follow, self.run).name == "Suspended"

    def is_deleted(self) -> None:
        self.client.delete_deployment(self.deployment)

    def answers(self) -> None:
        assert self.runs.submit(self.run, "UnitProgress", choice="UPDATE", note="kabel dipesan").state == "accepted"

    def other(self) -> str:
        """The run that has taken its place."""
        run = snapshot(self.case).run_id
        assert run not in (None, self.run)
        return str(run)


@pytest.fixture
def lost(runs: Runs, stack: Stack) -> Lost:
    return Lost(runs)


def doctor(lost: Lost) -> Check:
    return Probe("lost runs", lost_runs, "").check(lost.runs.systems)


def decisions(lost: Lost) -> list[tuple[str, object, object]]:
    found = rows(lost.runs.systems, Decision, case_id=lost.case.case_id)
    return [(one.by, one.answers["choice"], one.answers["note"]) for one in found]


def test_before_anybody_answers_the_form_is_offered_anew_in_another_run(lost: Lost) -> None:
    assert (doctor(lost).state, recover_runs.fn()) == ("ok", 0)
    before = lost.runs.wait(lost.case)
    lost.is_deleted()
    check = doctor(lost)
    assert check.state == "warn"
    assert lost.case.reference in check.found
    recover_runs.fn()
    assert doctor(lost).state == "ok"
    assert lost.runs.submit(lost.run, "UnitProgress", choice="UPDATE").state == "not_waiting", "there is one form"
    assert lost.runs.go(follow, lost.other()).name == "Suspended"
    assert lost.runs.wait(lost.case) == before, "it waits since it did"
    assert lost.runs.submit(lost.other(), "UnitProgress", choice="UPDATE", note="ok").state == "accepted"
    assert lost.runs.go(follow, lost.other()).result() == "UPDATE ok"
    assert len(decisions(lost)) == 1


@pytest.mark.parametrize("worker", ["none", "cancels", "crashes"])
def test_an_answer_that_was_accepted_is_kept(worker: str, lost: Lost) -> None:
    """Prefect's process worker cancels such a run; in ours it crashes; or neither has seen it."""
    lost.is_deleted()
    lost.answers()
    if worker == "cancels":
        lost.client.set_flow_run_state(UUID(lost.run), Cancelled(), force=True)
    elif worker == "crashes":
        lost.client.set_flow_run_state(UUID(lost.run), Pending(), force=True)
        lost.client.set_flow_run_state(UUID(lost.run), Crashed(), force=True)
    assert doctor(lost).state == "warn"
    recover_runs.fn()
    assert snapshot(lost.case).status == "open", "nobody has cancelled it"
    assert lost.runs.go(follow, lost.other()).result() == "UPDATE kabel dipesan"
    assert decisions(lost) == [("Sari", "UPDATE", "kabel dipesan")]
    assert rows(lost.runs.systems, Wait) == []


def test_an_answer_that_is_refused_is_asked_for_again_with_what_was_typed(lost: Lost) -> None:
    lost.is_deleted()
    assert lost.runs.submit(lost.run, "UnitProgress", choice="REPAIRED", note="sudah").state == "accepted"
    recover_runs.fn()
    assert lost.runs.go(follow, lost.other()).name == "Suspended"
    wait = lost.runs.wait(lost.case)
    assert wait is not None
    assert (wait.wait_key, wait.given) == ("unit-progress-1-r2", {})
    assert wait.json_schema["properties"]["note"]["default"] == "sudah"


def test_a_wake_that_was_submitted_is_taken_once(lost: Lost) -> None:
    lost.is_deleted()
    keep_signal(lost.runs.systems, lost.case.case_id, "unit", "ticket:1", {"choice": "UPDATE", "note": "dari unit"})
    deliver_signals.fn()
    assert lost.runs.state(lost.run).name == "Resuming"
    recover_runs.fn()
    assert lost.runs.go(follow, lost.other()).result() == "UPDATE dari unit"
    assert decisions(lost) == [("system", "UPDATE", "dari unit")]


@pytest.mark.parametrize("cut", ["answer", "start_case"])
def test_where_replacing_is_cut_off_the_next_sweep_ends_it(cut: str, lost: Lost) -> None:
    lost.is_deleted()
    lost.answers()

    def dies(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with fake(lost.runs.systems, "engine", **{cut: dies}), pytest.raises(ZeroDivisionError):
        replace_run(lost.runs.systems, lost.case.case_id)
    assert lost.runs.state(lost.run).name == "Replaced"
    recover_runs.fn()
    assert snapshot(lost.case).status == "open"
    assert lost.runs.go(follow, lost.other()).result() == "UPDATE kabel dipesan"
    assert len(decisions(lost)) == 1


@pytest.mark.parametrize("first", ["deleted", "cancelled"])
def test_what_a_person_cancels_ends_all_the_same(first: str, lost: Lost) -> None:
    if first == "deleted":
        lost.is_deleted()
    lost.client.set_flow_run_state(UUID(lost.run), Cancelling())
    assert lost.runs.state(lost.run).type is StateType.CANCELLED
    if first == "cancelled":
        lost.is_deleted()
    recover_runs.fn()
    assert snapshot(lost.case).status == "cancelled"


def test_who_carries_a_run_ends_it_first(lost: Lost) -> None:
    """A worker that runs has its code."""
    lost.is_deleted()
    lost.answers()
    lost.client.set_flow_run_state(UUID(lost.run), Running(), force=True)
    assert cases_of_lost_runs(lost.runs.systems) == []


def test_while_the_flow_is_not_deployed_at_all_the_old_run_still_takes_an_answer(
    lost: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost.is_deleted()
    monkeypatch.setattr("adapters.engine.deployments.CASES", "not-there")
    with pytest.raises(NothingDone):
        recover_runs.fn()
    assert lost.runs.state(lost.run).name == "Suspended"
    lost.answers()
    monkeypatch.undo()
    recover_runs.fn()
    assert lost.runs.go(follow, lost.other()).result() == "UPDATE kabel dipesan"


def test_the_run_itself_deleted_is_asked_anew(lost: Lost) -> None:
    lost.client.delete_flow_run(UUID(lost.run))
    assert doctor(lost).state == "warn"
    recover_runs.fn()
    assert lost.runs.go(follow, lost.other()).name == "Suspended"


def test_the_flow_deleted_takes_its_runs_with_it_and_the_case_goes_on(lost: Lost) -> None:
    run = lost.client.read_flow_run(UUID(lost.run))
    lost.client.delete_flow(run.flow_id)
    with pytest.raises(ObjectNotFound):
        lost.client.read_flow_run(UUID(lost.run))
    recover_runs.fn()
    assert lost.runs.go(follow, lost.other()).name == "Suspended"


def test_doctor_names_what_is_paused_switched_off_or_without_a_queue(lost: Lost, stack: Stack) -> None:
    client, systems = lost.client, lost.runs.systems
    pool = systems.settings.pool_name
    standing = client.read_work_queue_by_name("standing", work_pool_name=pool)
    intake = client.read_deployment_by_name("receive-mail/receive-mail")
    schedule = intake.schedules[0]
    assert deployments(systems)
    assert standing.priority > client.read_work_queue_by_name("default", work_pool_name=pool).priority
    try:
        client.update_work_pool(pool, WorkPoolUpdate(is_paused=True))
        client.update_work_queue(standing.id, is_paused=True)
        client.update_deployment_schedule(intake.id, schedule.id, active=False)
        client.pause_deployment(client.read_deployment_by_name("monitor-cases/monitor-cases").id)
        with pytest.raises(Warn) as said:
            deployments(systems)
        named = ("monitor-cases, receive-mail's schedule", f"work pool {pool}", "work queue standing")
        assert all(name in str(said.value) for name in named), str(said.value)
        client.delete_work_queue_by_id(standing.id)
        with pytest.raises(LayananError, match="in no work pool: monitor-cases, receive-mail, report-service"):
            deployments(systems)
    finally:
        client.update_work_pool(pool, WorkPoolUpdate(is_paused=False))
        client.resume_deployment(client.read_deployment_by_name("monitor-cases/monitor-cases").id)
        stack.service.deploy()
    assert deployments(systems)


def test_late_passes_are_dropped_and_cases_go_first(lost: Lost) -> None:
    """After a night without a worker."""
    client, systems = lost.client, lost.runs.systems
    make_late(client, FORGOTTEN_AT_ONCE + 10)
    lost.answers()
    fresh = client.read_deployment_by_name("receive-mail/receive-mail").id
    fresh_run = client.create_flow_run_from_deployment(fresh).id
    path = f"/work_pools/{systems.settings.pool_name}/get_scheduled_flow_runs"
    due = [one["flow_run"] for one in client.request("POST", path, json={"limit": 200}).json()]  # type: ignore[arg-type]
    order = [run["id"] for run in due if run["id"] == lost.run or run["deployment_id"] == str(fresh)]
    assert order[0] == lost.run, "it is due after them, and is carried first"
    assert len(order) > FORGOTTEN_AT_ONCE / 2
    assert late(client) >= FORGOTTEN_AT_ONCE + 10
    tidy_up.fn()
    assert late(client) < 5, "but for those that became late only now"
    assert client.read_flow_run(fresh_run).state_name == "Scheduled", "the next one does their work"
    assert lost.runs.state(lost.run).name == "Resuming"
