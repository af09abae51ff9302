"""Waits on a real Prefect server, one pass of the run at a time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from prefect import flow
from sqlalchemy import update
from sqlmodel import select

import tasks.run.waits
from adapters.engine.runs import PrefectEngine
from adapters.engine.suspend import suspend_for
from adapters.wiring import Systems
from flows.handle_case import handle_case
from models.audit import AuditRow, AuditSalt, content_hash
from models.errors import Unavailable
from models.forms.analysis import ConfirmAnalysis
from models.forms.base import SYSTEM
from models.forms.complaint import Escalation, UnitProgress
from models.tables import ActivityRecord, Case, Decision, Signal
from tasks.run.case_run import CaseRun
from tasks.run.resume import offer_lost_forms, resume_waiting_case, show_news
from tasks.run.start_case import cases_without_run
from tasks.run.wait_key import WaitKey
from tasks.run.waits import Question, decide
from tasks.upkeep.monitor import deliver_signals
from tests.cases import BUDI, LINE, MAJU, arrives, keep_signal, opened, pending, rows, snapshot
from tests.fakes import fake
from tests.runs import Runs

REPAIRED = {"choice": "REPAIRED", "cause": "Kabel putus", "repair": "Disambung"}


@flow(persist_result=False)
def ask_leader(case_id: int) -> str:
    """One wait for the team leader."""
    answer = decide(CaseRun.open(case_id), Escalation, about="Terlambat", unit="Core Network")
    return f"{answer.choice.name} {answer.unit} by {answer.by}"


@flow(persist_result=False)
def ask_twice(case_id: int) -> list[str]:
    """Two waits that wakes can answer."""
    case = CaseRun.open(case_id)
    first = decide(case, UnitProgress, about="Pertama")
    second = decide(case, UnitProgress, about="Kedua")
    return [f"{answer.choice.name}:{answer.message}:{answer.cause}" for answer in (first, second)]


@flow(persist_result=False)
def ask_agent(case_id: int) -> str:
    """A wait that no mail can answer."""
    return decide(CaseRun.open(case_id), ConfirmAnalysis, about="Kurang yakin\n\nSungguh", need="COMPLAINT").by


def test_a_mail_that_comes_meanwhile_is_shown_to_who_decides(runs: Runs) -> None:
    case = opened(runs.systems, BUDI)
    run = runs.start(ask_agent, case)
    show_news(runs.systems, case.case_id, "mail")  # nobody decides yet
    assert runs.go(ask_agent, run).name == "Suspended"
    assert arrives(runs.systems, BUDI, f"Sekarang lampu LOS hijau, {LINE} masih mati", "Re: Internet mati").case_id == 1
    assert not resume_waiting_case(runs.systems, case.case_id)
    show_news(runs.systems, case.case_id, "mail")
    wait = runs.wait(case)
    assert wait is not None
    assert wait.description.startswith("Kurang yakin\n\nSungguh\n\n- **JKT-0000001**")
    assert "lampu LOS hijau" in wait.description
    (shown,) = runs.client.filter_flow_run_input(UUID(run), "suspended-confirm-analysis-1-description", 5, set())
    assert shown.decoded_value == wait.description
    assert runs.submit(run, "ConfirmAnalysis", need="COMPLAINT", topic="no_service").state == "accepted"
    assert runs.go(ask_agent, run).result() == "Sari"
    assert pending(case) == ["mail"], "the next wait for mail reads it"


def test_what_the_engine_did_not_take_is_shown_later(runs: Runs) -> None:
    case = opened(runs.systems, BUDI)
    run = runs.start(ask_agent, case)
    runs.go(ask_agent, run)
    assert arrives(runs.systems, BUDI, f"Sekarang lampu LOS hijau, {LINE} masih mati", "Re: Internet mati").case_id == 1

    def away(*_: object) -> None:
        raise Unavailable("Prefect", "ConnectError")

    with fake(runs.systems, "engine", describe=away), pytest.raises(Unavailable):
        show_news(runs.systems, case.case_id, "mail")
    show_news(runs.systems, case.case_id, "mail")
    (shown,) = runs.client.filter_flow_run_input(UUID(run), "suspended-confirm-analysis-1-description", 5, set())
    assert "lampu LOS hijau" in shown.decoded_value


def test_news_that_two_processes_show_at_once_is_shown_by_one_of_them(runs: Runs) -> None:
    """Intake and a sweep may come to the same form in the same moment."""
    run = runs.start(ask_agent, opened(runs.systems, BUDI))
    runs.go(ask_agent, run)

    def show(text: str) -> None:
        for _ in range(20):
            PrefectEngine(runs.systems.settings).describe(run, "confirm-analysis-1", text)

    with ThreadPoolExecutor() as pool:
        list(pool.map(show, ["one", "two", "three"]))
    (shown,) = runs.client.filter_flow_run_input(UUID(run), "suspended-confirm-analysis-1-description", 5, set())
    assert shown.decoded_value in {"one", "two", "three"}


def test_a_form_that_its_worker_shows_in_the_moment_of_an_offer_stays(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.start(ask_agent, opened(runs.systems, BUDI))
    runs.go(ask_agent, run)
    engine = PrefectEngine(runs.systems.settings)
    engine.shown_within = timedelta(0)
    monkeypatch.setattr(engine, "_stored", lambda *_: [])  # as it looked a moment ago
    engine.offer_form(run, "confirm-analysis-1", {}, "offered")
    monkeypatch.undo()
    assert runs.submit(run, "ConfirmAnalysis", need="COMPLAINT", topic="no_service").state == "accepted"


def test_a_run_that_begins_before_its_id_is_kept_keeps_it_itself(runs: Runs) -> None:
    """Intake keeps the ids of the runs that it starts together; the first of them may wait already by then."""
    case = opened(runs.systems)
    other, run = runs.start(ask_leader, case), runs.start(handle_case, case, reference=case.reference)
    with runs.systems.store.write() as session:
        session.execute(update(Case).values(run_id=None))
    runs.go(ask_leader, other)
    assert snapshot(case).run_id is None, "what looks at a case from a run of another kind is not its run"
    runs.go(handle_case, run)
    assert snapshot(case).run_id == run
    assert cases_without_run(runs.systems) == []


def test_a_wake_that_goes_to_another_case_in_this_moment_is_taken_there(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the other one's mail: its merger is being undone."""
    case, other = opened(systems), opened(systems, MAJU)
    keep_signal(systems, case.case_id, "mail", "mail:99", {"message": 99})
    record = Question.record

    def moved_before(*known: Any, **more: Any) -> ActivityRecord:
        with systems.store.write() as session:
            session.execute(update(Signal).values(case_id=other.case_id))
        return record(*known, **more)

    monkeypatch.setattr(Question, "record", moved_before)
    assert Question(case, UnitProgress, WaitKey("k"), UnitProgress).take_signal() is None
    assert (pending(other), rows(systems, Decision)) == (["mail"], [])


def test_a_person_answers(runs: Runs) -> None:
    case = opened(runs.systems)
    run = runs.start(ask_leader, case)
    assert runs.go(ask_leader, run).name == "Suspended"
    wait = runs.wait(case)
    assert wait is not None
    assert (wait.form, wait.role, wait.wait_key) == ("Escalation", "Team Leader", "escalation-1")
    assert wait.description.startswith("Terlambat\n\n- **JKT-0000001** · Eskalasi / Escalation · **Team Leader**")
    # so that a team leader finds theirs in the list of runs
    assert runs.client.read_flow_run(UUID(run)).tags == ["menunggu Team Leader"]

    assert runs.submit(run, "Escalation", choice="OTHER_UNIT", unit="Billing").state == "accepted"
    assert runs.go(ask_leader, run).result() == "OTHER_UNIT Billing by Sari"
    assert runs.wait(case) is None
    (decision,) = rows(runs.systems, Decision)
    assert (decision.by, decision.role, decision.answers["choice"]) == ("Sari", "Team Leader", "OTHER_UNIT")
    (record,) = rows(runs.systems, ActivityRecord, name="escalation-1")
    assert (record.state, record.performer, record.run_id) == ("done", "Team Leader: Sari", run)
    assert record.started_at == wait.since <= record.ended_at


def test_what_the_schema_does_not_allow_is_refused_by_the_server(runs: Runs) -> None:
    case = opened(runs.systems)
    run = runs.start(ask_leader, case)
    runs.go(ask_leader, run)
    for wrong in (
        {"choice": "Tidak ada"},
        {"choice": "OTHER_UNIT", "unit": "Dapur"},
        {"choice": "OTHER_UNIT", "by": "S"},
        {},
    ):
        resumed = runs.submit(run, "Escalation", **wrong)
        assert resumed.state == "refused", wrong
        assert resumed.reason
    assert runs.submit(run, "Escalation", choice="OTHER_UNIT", by="S").reason == "by: 'S' is too short"
    assert runs.state(run).name == "Suspended"
    assert runs.wait(case) is not None
    assert runs.submit(run, "Escalation", choice="BACK_TO_AGENT").state == "accepted"


def test_what_the_schema_cannot_say_is_asked_again_with_the_reason_first(
    runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    case = opened(runs.systems)
    run = runs.start(ask_leader, case)
    runs.go(ask_leader, run)
    assert runs.submit(run, "Escalation", choice="TAKE_OVER", cause="Kabel putus").state == "accepted"
    assert runs.go(ask_leader, run).name == "Suspended"
    wait = runs.wait(case)
    assert wait is not None
    assert wait.wait_key == "escalation-1-r2"
    assert "Jawaban ditolak / the answer was refused: Isi penyebab" in caplog.text  # as the run's page shows it
    assert wait.description.startswith(
        "⚠ **Isi penyebab dan perbaikan / give the cause and the repair (5.10)**\n\nTerlambat"
    )
    assert rows(runs.systems, Decision) == []
    shown = wait.json_schema["properties"]
    assert {name: shown[name].get("default") for name in ("by", "choice", "cause", "unit")} == {
        "by": None,
        "choice": "Ambil alih / Take over",
        "cause": "Kabel putus",
        "unit": "Core Network",
    }

    assert (
        runs.submit(run, "Escalation", choice="TAKE_OVER", cause="Kabel putus", repair="Disambung").state == "accepted"
    )
    assert runs.go(ask_leader, run).is_completed()
    states = [(record.state, record.performer) for record in rows(runs.systems, ActivityRecord, name="escalation-1")]
    assert states == [("refused", "Team Leader: Sari"), ("done", "Team Leader: Sari")]
    assert len(rows(runs.systems, Decision)) == 1


def test_blanks_are_nobodys_name(runs: Runs) -> None:
    case = opened(runs.systems)
    run = runs.start(ask_leader, case)
    runs.go(ask_leader, run)
    assert runs.submit(run, "Escalation", choice="BACK_TO_AGENT", by="    ").state == "accepted"
    assert runs.go(ask_leader, run).name == "Suspended"
    wait = runs.wait(case)
    assert wait is not None
    assert wait.description.startswith("⚠ **Nama Anda / Your name: ")
    assert runs.submit(run, "Escalation", choice="BACK_TO_AGENT", by=" Sari ").state == "accepted"
    assert runs.go(ask_leader, run).result() == "BACK_TO_AGENT Core Network by Sari"


@pytest.mark.parametrize("form", ["Escalation", "UnitProgress"])
def test_a_person_cannot_sign_as_the_system(runs: Runs, form: str) -> None:
    case = opened(runs.systems)
    body = ask_leader if form == "Escalation" else ask_twice
    run = runs.start(body, case)
    runs.go(body, run)
    choice = "BACK_TO_AGENT" if form == "Escalation" else "UPDATE"
    assert runs.submit(run, form, choice=choice, by=SYSTEM).state == "accepted"
    assert runs.go(body, run).name == "Suspended"
    wait = runs.wait(case)
    assert wait is not None
    assert wait.description.startswith("⚠ **“system” bukan nama orang")
    assert rows(runs.systems, Decision) == []


def test_a_form_that_a_crash_kept_from_being_shown_is_shown_later(runs: Runs) -> None:
    """A case whose run was deleted keeps no other from its form."""
    runs.systems.engine.shown_within = timedelta()
    crashed, deleted = opened(runs.systems), opened(runs.systems, MAJU)
    run, lost = runs.start(ask_leader, crashed), runs.start(ask_leader, deleted)
    for one in (run, lost):
        runs.go(ask_leader, one)
    runs.client.delete_flow_run(UUID(lost))
    assert offer_lost_forms(runs.systems, 10) == 0
    for parts in (["description"], ["schema"], ["schema", "description"]):
        for part in parts:
            runs.client.delete_flow_run_input(UUID(run), f"suspended-escalation-1-{part}")
        said = runs.submit(run, "Escalation", choice="Anything").state
        assert said == ("no_form" if "schema" in parts else "refused")
        assert offer_lost_forms(runs.systems, 10) == 1
        assert offer_lost_forms(runs.systems, 10) == 0
    assert runs.submit(run, "Escalation", choice="Anything").state == "refused"
    assert runs.submit(run, "Escalation", choice="BACK_TO_AGENT").state == "accepted"


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Let ``act`` happen between the last look for wakes and the suspending, once."""
    real, acts = suspend_for, [act]

    def suspend(*args: Any, **kwargs: Any) -> Any:
        if acts:
            acts.pop()()
        return real(*args, **kwargs)

    monkeypatch.setattr(tasks.run.waits, "suspend_for", suspend)


@pytest.mark.parametrize("moment", ["before", "during", "after", "after, by the monitor"])
def test_a_wake_is_taken_exactly_once_whenever_it_comes(
    moment: str, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    systems, case = runs.systems, opened(runs.systems)
    run = runs.start(ask_twice, case)

    def comes() -> None:
        assert arrives(systems, BUDI, "Sudah ada kabar?", f"Re: [{case.reference}]").outcome == "joined"

    if moment == "before":
        comes()
    if moment == "during":
        meanwhile(monkeypatch, comes)
    state = runs.go(ask_twice, run)
    if moment == "during":
        assert state.is_scheduled()
    if moment.startswith("after"):
        assert state.name == "Suspended"
        comes()
        if moment == "after":
            assert resume_waiting_case(systems, case.case_id)
        else:
            assert deliver_signals.fn() == 1
        assert not resume_waiting_case(systems, case.case_id), "the run is on its way already"
    if moment != "before":
        assert runs.go(ask_twice, run).name == "Suspended"

    (decision,) = rows(systems, Decision)
    (wake,) = rows(systems, Signal)
    assert (decision.by, decision.wait_key, decision.signal_id) == (SYSTEM, "unit-progress-1", wake.id)
    assert decision.answers["message"] == wake.answers["message"]
    assert (wake.taken_by, wake.taken_at is not None) == ("unit-progress-1", True)
    wait = runs.wait(case)
    assert wait is not None
    assert wait.wait_key == "unit-progress-2"
    assert deliver_signals.fn() == 0


def test_two_wakes_are_taken_in_order(runs: Runs) -> None:
    case = opened(runs.systems)
    run = runs.start(ask_twice, case)
    keep_signal(runs.systems, case.case_id, "unit", "ticket:1", REPAIRED)
    keep_signal(runs.systems, case.case_id, "mail", "mail:2", {"message": 2})
    keep_signal(runs.systems, case.case_id, "mail", "mail:2", {"message": 2})
    assert runs.go(ask_twice, run).result() == ["REPAIRED:0:Kabel putus", "CUSTOMER_WROTE:2:"]
    assert [wake.taken_by for wake in rows(runs.systems, Signal)] == ["unit-progress-1", "unit-progress-2"]


def test_a_person_and_a_wake_at_once_both_count(runs: Runs) -> None:
    case = opened(runs.systems)
    run = runs.start(ask_twice, case)
    runs.go(ask_twice, run)
    assert runs.submit(run, "UnitProgress", choice="ESCALATE", note="Pelanggan menelepon").state == "accepted"
    keep_signal(runs.systems, case.case_id, "mail", "mail:2", {"message": 2})
    assert not resume_waiting_case(runs.systems, case.case_id)
    assert runs.go(ask_twice, run).result() == ["ESCALATE:0:", "CUSTOMER_WROTE:2:"]


def test_a_wake_that_a_form_does_not_take_is_kept(runs: Runs) -> None:
    case = opened(runs.systems)
    run = runs.start(ask_leader, case)
    keep_signal(runs.systems, case.case_id, "unit", "ticket:1", REPAIRED)
    runs.go(ask_leader, run)
    assert not resume_waiting_case(runs.systems, case.case_id)
    assert runs.state(run).name == "Suspended"
    (wake,) = rows(runs.systems, Signal)
    assert wake.taken_at is None


def test_a_second_submit_finds_nothing_waiting(runs: Runs) -> None:
    case = opened(runs.systems)
    run = runs.start(ask_leader, case)
    assert runs.submit(run, "Escalation", choice="BACK_TO_AGENT").state == "not_waiting"
    runs.go(ask_leader, run)
    assert runs.submit(run, "Escalation", choice="BACK_TO_AGENT").state == "accepted"
    again = runs.submit(run, "Escalation", choice="SUPERVISOR", by="Andi")
    assert again.state == "not_waiting"
    assert again.reason
    assert runs.go(ask_leader, run).result() == "BACK_TO_AGENT Core Network by Sari"
    assert runs.submit(run, "Escalation", choice="SUPERVISOR").state == "not_waiting"


def test_a_field_that_a_form_no_longer_has_breaks_no_sleeping_case(runs: Runs) -> None:
    case = opened(runs.systems)
    run = runs.start(ask_leader, case)
    runs.go(ask_leader, run)
    runs.submit(run, "Escalation", choice="BACK_TO_AGENT")
    runs.go(ask_leader, run)
    with runs.systems.store.write() as session:
        record = session.exec(select(ActivityRecord).where(ActivityRecord.name == "escalation-1")).one()
        record.output = record.output | {"tone": "friendly"}
        session.add(record)
    assert decide(CaseRun.open(case.case_id), Escalation, about="?").by == "Sari"


def test_what_broke_a_run_no_longer_counts_once_it_goes_on(runs: Runs) -> None:
    case = opened(runs.systems)
    with runs.systems.store.write() as session:
        session.execute(update(Case).values(restarts=3))
    run = runs.start(ask_leader, case)
    runs.go(ask_leader, run)
    assert snapshot(case).restarts == 3
    runs.submit(run, "Escalation", choice="BACK_TO_AGENT")
    runs.go(ask_leader, run)
    assert snapshot(case).restarts == 0


def test_a_wait_that_is_over_costs_nothing_and_asks_nobody(runs: Runs) -> None:
    case = opened(runs.systems)
    run = runs.start(ask_leader, case)
    runs.go(ask_leader, run)
    runs.submit(run, "Escalation", choice="BACK_TO_AGENT")
    first = runs.go(ask_leader, run).result()
    later = runs.start(ask_leader, case)
    assert runs.go(ask_leader, later).result() == first
    assert len(rows(runs.systems, Decision)) == 1


def test_a_pass_cut_off_before_suspending_waits_with_the_same_form(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    case = opened(runs.systems)
    run = runs.start(ask_leader, case)

    def dies() -> None:
        raise KeyboardInterrupt

    meanwhile(monkeypatch, dies)
    with pytest.raises(KeyboardInterrupt):
        runs.go(ask_leader, run)
    before = runs.wait(case)
    runs.systems.engine.restart(run, "it had crashed")
    assert runs.go(ask_leader, run).name == "Suspended"
    assert runs.wait(case) == before


def test_a_wake_that_was_dropped_in_the_last_moment_answers_nothing(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = opened(runs.systems)
    keep_signal(runs.systems, case.case_id, "mail", "mail:1", {"message": 1})
    record = Question.record

    def dropped_before(*args: Any, **kwargs: Any) -> ActivityRecord:
        with runs.systems.store.write() as session:
            session.execute(update(Signal).values(taken_at=runs.systems.clock.now(), taken_by="split"))
        return record(*args, **kwargs)

    monkeypatch.setattr(Question, "record", dropped_before)
    run = runs.start(ask_leader, case)
    assert runs.go(ask_leader, run).name == "Suspended"
    assert [wake.taken_by for wake in rows(runs.systems, Signal)] == ["split"]
    assert rows(runs.systems, Decision) == []


def test_what_is_decided_and_what_is_refused_stands_in_the_audit_log(runs: Runs) -> None:
    case = opened(runs.systems)
    run = runs.start(ask_leader, case)
    runs.go(ask_leader, run)
    runs.submit(run, "Escalation", choice="TAKE_OVER", cause="Kabel putus")
    runs.go(ask_leader, run)
    wait = runs.wait(case)
    assert wait is not None
    runs.submit(run, "Escalation", choice="TAKE_OVER", cause="Kabel putus", repair="Disambung")
    assert runs.go(ask_leader, run).is_completed()
    refused, decided = rows(runs.systems, AuditRow)
    assert [(row.action, row.actor, row.subject) for row in (refused, decided)] == [
        ("decision_refused", "Sari", "escalation-1"),
        ("decided", "Sari", "escalation-1-r2"),
    ]
    assert (decided.reference, decided.run_id, decided.signed_in) == ("JKT-0000001", run, "prefect_name")
    _, salt = rows(runs.systems, AuditSalt)
    (decision,) = rows(runs.systems, Decision)
    assert decided.after == content_hash(salt.salt, decision.answers)
    assert decided.before == content_hash(salt.salt, wait.description)


def test_what_the_service_answers_stands_in_the_audit_log_as_the_systems(runs: Runs) -> None:
    case = opened(runs.systems)
    for source in ("one", "two"):
        keep_signal(runs.systems, case.case_id, "unit", source, REPAIRED)
    run = runs.start(ask_twice, case)
    assert runs.go(ask_twice, run).is_completed()
    assert [(row.action, row.actor, row.staff_id) for row in rows(runs.systems, AuditRow)] == [
        ("decided", SYSTEM, None),
        ("decided", SYSTEM, None),
    ]
