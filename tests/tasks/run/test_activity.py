"""The ledger (SOP 10.2): what is recorded once, tried again, handed to a person, and never done twice."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from sqlalchemy import event, update
from sqlmodel import select

import tasks.run.attempt
from adapters.clock import SystemClock
from adapters.wiring import Systems
from models.errors import Unavailable
from models.facts import Segment
from models.forms.complaint import Escalation
from models.letter import ClosingFacts
from models.need import Diagnosis
from models.sop import REVISION
from models.states import RecordState
from models.tables import ActivityRecord, Case, Deadline, Decision, Letter, Outbox
from tasks.closing import Closed, closing
from tasks.escalate_to_team_leader import Escalated, escalate_to_team_leader
from tasks.find_information import Information
from tasks.give_information import give_information
from tasks.hand_over_segment import hand_over_segment
from tasks.handle_intensively import Handled, handle_intensively
from tasks.inform_status import Informed, inform_status
from tasks.run.activity import Activity, activity, step
from tasks.run.case_run import CaseRun
from tasks.run.lease import due_letters
from tasks.run.waits import decide
from tasks.run.work import Work
from tasks.serve_complaint import Complaint
from tests.cases import BANK, MATI, do_now, fault, latest, letter, need, opened, rows, tickets
from tests.fakes import with_body
from tests.runs import Runs
from tests.stack import until

COMPLAINT = Complaint(topic="slow", service_number="", severity="Minor", description="JKT-0000001: slow")
HANDLED = Handled(ticket_id="1-0000001", external_id="JKT-0000001/1", unit="Access Network")


@flow(persist_result=False)
def close(case_id: int) -> str:
    """One activity that writes a letter."""
    return closing(CaseRun.open(case_id)).letter


@flow(persist_result=False)
def handle(case_id: int) -> str:
    """One activity that calls a system."""
    return handle_intensively(CaseRun.open(case_id), COMPLAINT, Diagnosis(unit="Core Network"), 1).ticket_id


@flow(persist_result=False)
def give_nothing_related(case_id: int) -> str:
    """A letter that misses a list."""
    return give_information(CaseRun.open(case_id), Information(answer="Silakan lihat aplikasi kami.")).letter


@flow(persist_result=False)
def hand_over(case_id: int) -> str:
    """A step whose letter may miss a fact."""
    return hand_over_segment(CaseRun.open(case_id), need(segment=Segment.ENTERPRISE, ours=False)).desk


def without_delays(monkeypatch: pytest.MonkeyPatch, doing: Activity[..., Any], retries: int = 4) -> None:
    monkeypatch.setattr(doing.task, "retries", retries)
    monkeypatch.setattr(doing.task, "retry_delay_seconds", [0.0] * retries)


@contextmanager
def counted(systems: Systems) -> Iterator[list[str]]:
    """The SQL statements that are sent meanwhile."""
    sent: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(systems.store.engine, "before_cursor_execute", count)
    yield sent
    event.remove(systems.store.engine, "before_cursor_execute", count)


def test_it_is_recorded_with_all_its_effects_and_stands_in_the_runs_history(runs: Runs) -> None:
    systems, case = runs.systems, opened(runs.systems)
    run = runs.start(close, case)
    letter_id = runs.go(close, run).result()

    (record,) = rows(systems, ActivityRecord, name="closing")
    assert (record.number, record.occurrence, record.attempt, record.state) == (12, 1, 1, "done")
    assert (record.performer, record.tries, record.run_id, record.sop_revision) == ("Agent Email", 1, run, REVISION)
    assert record.output == {"letter": letter_id}
    assert record.started_at <= record.ended_at
    assert [deadline.kind for deadline in rows(systems, Deadline, over=False)] == ["closing"]
    (letter,) = rows(systems, Letter, kind="closing")
    assert letter.message_id == letter_id
    with systems.store.read() as session:
        assert session.exec(select(Outbox.state).where(Outbox.letter_id == letter.id)).one() == "sent"

    def history() -> list[str]:
        of_run = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(run)]))
        return sorted(task.name for task in runs.client.read_task_runs(flow_run_filter=of_run))

    until(lambda: history() == ["12 · Closing / Closing", "Kirim surat / Send letter"], "the history is written")


def test_what_is_done_is_not_done_again(runs: Runs) -> None:
    case = opened(runs.systems)
    first = runs.go(close, runs.start(close, case)).result()
    again = runs.start(close, case)
    assert runs.go(close, again).result() == first
    assert len(rows(runs.systems, ActivityRecord, name="closing")) == 1
    assert len(rows(runs.systems, Letter, kind="closing")) == 1
    of_run = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(again)]))
    assert runs.client.read_task_runs(flow_run_filter=of_run) == []


def recorded(name: str, occurrence: int = 1, **output: Any) -> ActivityRecord:
    now = SystemClock().now()
    return ActivityRecord(
        case_id=1, name=name, occurrence=occurrence, state=RecordState.DONE, output=output, performer="x",
        started_at=now, ended_at=now, sop_revision="an older one",
    )  # fmt: skip


def test_a_long_ledger_is_read_in_one_query_and_runs_nothing(systems: Systems) -> None:
    """Outside of any run: an activity that was run, or a wait that was begun, would fail."""
    opened(systems)
    answer = {"by": "Sari", "choice": "BACK_TO_AGENT", "unit": "Billing", "cause": "", "repair": "", "note": ""}
    with systems.store.write() as session:
        for number in range(1, 51):
            session.add(recorded("inform_status", number, letter=f"<{number}@a>"))
            session.add(recorded(f"escalation-{number}", 1, **answer))
    with counted(systems) as sent:
        case = CaseRun.open(1)
        letters = [inform_status(case, HANDLED).letter for _ in range(50)]
        units = [decide(case, Escalation, about="?").unit for _ in range(50)]
    assert letters == [f"<{number}@a>" for number in range(1, 51)]
    assert units == ["Billing"] * 50
    assert len(sent) - sent.count("BEGIN") == 1, sent


def test_what_an_older_revision_recorded_is_still_read(systems: Systems) -> None:
    opened(systems)
    with systems.store.write() as session:
        session.add(recorded("inform_status", letter="<1@a>", tone="friendly"))
    assert inform_status(CaseRun.open(1), HANDLED) == Informed(letter="<1@a>", wants_escalation=False)


def test_it_is_tried_again_while_that_helps(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    case = opened(runs.systems)
    without_delays(monkeypatch, handle_intensively)
    fault(runs.systems, "mycx", "down", 3)  # the adapter's own tries, once
    assert runs.go(handle, runs.start(handle, case)).result() == "1-0000001"
    record = latest(case, "handle_intensively")
    assert (record.state, record.tries) == ("done", 2)
    assert len(tickets(runs.systems)) == 1


def test_what_stays_away_is_handed_to_a_person(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    case = opened(runs.systems)
    without_delays(monkeypatch, handle_intensively, 1)
    monkeypatch.setattr("adapters.systems.system_gate.OPENS_AFTER", 7)  # else the run would wait for it by itself
    fault(runs.systems, "mycx", "down", 6)
    run = runs.start(handle, case)
    assert runs.go(handle, run).name == "Suspended"
    record = latest(case, "handle_intensively")
    assert (record.state, record.tries) == ("failed", 2)
    assert record.output == {"error": "My CX: GET troubleTicket/v4/troubleTicket: 503"}
    # no letter to send by hand, no fact to give
    wait = runs.wait(case)
    assert wait is not None
    assert "value" not in wait.json_schema["properties"]
    assert "manual" not in str(wait.json_schema)

    assert runs.submit(run, "FixActivity", choice="RETRY").state == "accepted"
    assert runs.go(handle, run).result() == "1-0000001"
    assert [(one.attempt, one.state) for one in rows(runs.systems, ActivityRecord, name="handle_intensively")] == [
        (1, "failed"),
        (2, "done"),
    ]


def test_a_missing_fact_is_given_by_a_person(runs: Runs) -> None:
    runs.systems.settings.policy.segment_desks = {}
    case = opened(runs.systems, BANK)
    run = runs.start(hand_over, case)
    assert runs.go(hand_over, run).name == "Suspended"
    wait = runs.wait(case)
    assert wait is not None
    assert (wait.form, wait.role, wait.wait_key) == ("FixActivity", "Agent Email", "hand-over-segment-1-fix1")
    assert "**W-89 · Beda segmentasi / Hand over to other segment** tidak dapat" in wait.description
    assert "missing fact: **segment_desk**" in wait.description

    # the agent does not know: the team leader's desk, at once
    assert runs.submit(run, "FixActivity", choice="TEAM_LEADER").state == "accepted"
    assert runs.go(hand_over, run).name == "Suspended"
    wait = runs.wait(case)
    assert wait is not None
    assert (wait.form, wait.role) == ("FixActivityByLeader", "Team Leader")
    assert "missing fact: **segment_desk**" in wait.description

    assert (
        runs.submit(run, "FixActivityByLeader", choice="RETRY", value=" Bank <bank@telkom.example> ").state
        == "accepted"
    )
    assert runs.go(hand_over, run).result() == "Bank"
    states = [one.state for one in rows(runs.systems, ActivityRecord, name="hand_over_segment")]
    assert states == ["failed", "done"]
    assert [decision.by for decision in rows(runs.systems, Decision)] == ["Sari", "Sari"]
    (letter,) = rows(runs.systems, Letter, kind="hand_over_segment")
    assert b"bank@telkom.example" in runs.systems.store.kept(letter.sha256)


def test_a_list_that_a_letter_misses_is_given_with_commas(runs: Runs) -> None:
    case = opened(runs.systems)
    run = runs.start(give_nothing_related, case)
    runs.go(give_nothing_related, run)
    assert runs.submit(run, "FixActivity", choice="RETRY", value="IndiHome TV, WiFi.id ").state == "accepted"
    runs.go(give_nothing_related, run)
    text = letter(case, "give_information").get_body(("plain",))
    assert text is not None
    assert "- IndiHome TV\r\n- WiFi.id\r\n" in text.get_content()


def test_a_letter_that_cannot_be_written_is_sent_by_hand(runs: Runs) -> None:
    """Such as one to an address that no letter of ours can bear; all else that the activity does is done."""
    case = opened(runs.systems)
    with runs.systems.store.write() as session:
        session.execute(update(Case).values(address="büdi@example.com"))
    run = runs.start(close, case)
    runs.go(close, run)
    wait = runs.wait(case)
    assert wait is not None
    assert "missing fact: **recipient**" in wait.description
    assert runs.submit(run, "FixActivity", choice="BY_HAND").state == "accepted"
    assert runs.go(close, run).result() == ""
    record = latest(case, "closing")
    assert (record.state, record.performer) == ("done", "Sari (manual)")
    assert rows(runs.systems, Letter, kind="closing") == []
    assert [deadline.kind for deadline in rows(runs.systems, Deadline, over=False)] == ["closing"]


def test_a_crash_between_the_record_and_its_report_does_nothing_twice(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = opened(runs.systems)
    without_delays(monkeypatch, closing)
    real, crashes = tasks.run.attempt.Attempt.perform, [Unavailable("engine", "the answer was lost")]

    def perform(doing: Any) -> Any:
        result = real(doing)
        if crashes:
            raise crashes.pop()
        return result

    monkeypatch.setattr(tasks.run.attempt.Attempt, "perform", perform)
    letter_id = runs.go(close, runs.start(close, case)).result()
    assert crashes == []
    assert len(rows(runs.systems, ActivityRecord, name="closing")) == 1
    (letter,) = rows(runs.systems, Letter, kind="closing")
    assert letter.message_id == letter_id
    # the letter of the lost try is the monitor's to send
    assert letter.id in due_letters(runs.systems)


def test_two_runs_at_once_record_once(systems: Systems) -> None:
    case, quicker = opened(systems), [CaseRun.open(1)]

    def slow(work: Work) -> Closed:
        if quicker:
            assert len(do_now(closing, quicker.pop())) == 1
        return closing.body(work)

    assert do_now(with_body(closing, slow), case) == []
    assert quicker == []
    assert len(rows(systems, ActivityRecord, name="closing")) == 1
    assert len(rows(systems, Letter, kind="closing")) == 1


def test_a_defect_is_not_tried_again_and_a_person_is_told_where_it_is(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never its words, which may quote a customer."""
    case = opened(runs.systems)
    without_delays(monkeypatch, closing)
    calls: list[Work] = []

    def broken(work: Work) -> Closed:
        calls.append(work)
        raise ValueError(f"cannot read {work.messages[0].text}")

    with monkeypatch.context() as patch:
        patch.setattr(closing, "body", broken)
        run = runs.start(close, case)
        assert runs.go(close, run).name == "Suspended"
    assert len(calls) == 1
    record = latest(case, "closing")
    assert record.state == "failed"
    assert re.fullmatch(r"defect: ValueError in tests/tasks/run/test_activity\.py:\d+", record.output["error"])
    wait = runs.wait(case)
    assert wait is not None
    assert record.output["error"] in wait.description

    of_run = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(run)]))
    (task,) = until(lambda: runs.client.read_task_runs(flow_run_filter=of_run), "the history is written")
    assert MATI not in str(task.state)
    # mended
    assert runs.submit(run, "FixActivity", choice="RETRY").state == "accepted"
    assert runs.go(close, run).result() == rows(runs.systems, Letter, kind="closing")[0].message_id


def test_an_effect_that_fails_undoes_the_record(systems: Systems) -> None:
    opened(systems)

    def closing_badly(work: Work) -> Closed:
        work.letter(ClosingFacts(answer_by=work.now))
        work.effect(lambda session: 1 / 0)
        return Closed(letter="<1@a>")

    closing_badly.__name__ = "closing"
    assert do_now(activity(12)(closing_badly), CaseRun.open(1)) == []
    assert [record.state for record in rows(systems, ActivityRecord, name="closing")] == ["failed"]
    assert rows(systems, Letter, kind="closing") == []


def test_in_a_batch_a_system_that_is_away_is_left_for_later(systems: Systems) -> None:
    opened(systems)
    fault(systems, "mycx", "down", 3)
    with pytest.raises(Unavailable):
        do_now(handle_intensively, CaseRun.open(1), COMPLAINT, Diagnosis(unit="Billing"), 1)
    assert rows(systems, ActivityRecord, name="handle_intensively") == []


def test_in_a_batch_what_is_refused_is_recorded_and_stops_nothing(systems: Systems) -> None:
    opened(systems)
    assert do_now(escalate_to_team_leader, CaseRun.open(1), HANDLED, "late") == []
    record = latest(CaseRun.open(1), "escalate_to_team_leader")
    assert record.state == "failed"
    assert record.output["error"].startswith("My CX: ")


def test_number_and_clause_must_be_the_sops() -> None:
    def closing(work: Work) -> Closed:
        raise NotImplementedError

    def first_response(work: Work) -> Escalated:
        raise NotImplementedError

    with pytest.raises(ValueError, match=r"closing is activity 12 of the SOP, not 11"):
        activity(11)(closing)
    with pytest.raises(ValueError, match=r"first_response belongs to 5\.2 of the SOP, not 5\.3"):
        step("5.3")(first_response)
    with pytest.raises(KeyError):
        step("12")(closing)


def test_an_activity_that_times_out_again_and_again_is_handed_to_a_person(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = opened(runs.systems)
    without_delays(monkeypatch, handle_intensively, 1)
    tries: list[int] = []

    def hangs(*_: Any) -> None:
        tries.append(1)
        raise TimeoutError

    monkeypatch.setattr(handle_intensively, "body", hangs)
    assert runs.go(handle, runs.start(handle, case)).name == "Suspended"
    record = latest(case, "handle_intensively")
    assert (record.state, record.tries, len(tries)) == ("failed", 2, 2)
    assert record.output == {"error": "handle_intensively: took longer than 120 s"}
