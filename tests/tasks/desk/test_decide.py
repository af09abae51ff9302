"""Decisions at the desk: by whom, on which facts, and what the run makes of them."""

import logging

import pytest
from prefect import flow

from adapters.wiring import Systems
from models.audit import AuditRow
from models.errors import NotWaiting, WrongUse
from models.forms.analysis import ConfirmAnalysis
from models.forms.base import Form
from models.forms.complaint import Escalation, HandlingStuck, UnitProgress
from models.rights import Denied
from models.staff import Claim, StaffRole
from models.states import SignalKind
from models.tables import Decision, TicketRow, Wait
from tasks.desk.claims import claim
from tasks.desk.decide import Outdated, answer
from tasks.desk.facts import Facts
from tasks.desk.queue import next_for
from tasks.run.authors import NotAllowed
from tasks.run.case_run import CaseRun
from tasks.run.resume import answered_waits, go_on
from tasks.run.wait_key import WaitKey
from tasks.run.waits import Question, Rules, decide
from tasks.upkeep.merge_case import merge_rows
from tasks.upkeep.monitor import deliver_signals
from tests.cases import BUDI, LINE, MAJU, arrives, keep_signal, opened, pending, rows
from tests.conftest import BOTH
from tests.desk import asks, author, member
from tests.runs import Runs

RIGHT = {"need": "COMPLAINT", "topic": "no_service", "service_number": LINE}


def seen(case: CaseRun) -> Facts:
    with case.store.read() as session:
        return Facts.now(session, case.case_id)


@flow(persist_result=False)
def ask_agent(case_id: int) -> str:
    """One wait for the agent."""
    answered = decide(CaseRun.open(case_id), ConfirmAnalysis, about="Kurang yakin")
    return f"{answered.need.name} by {answered.by}"


def test_the_run_takes_what_was_decided(runs: Runs) -> None:
    sari, case = member(runs.systems, "Sari"), opened(runs.systems, BUDI)
    run = runs.start(ask_agent, case)
    assert runs.go(ask_agent, run).name == "Suspended"
    claim(runs.systems, sari, case.case_id)
    answer(runs.systems, author(sari), case.case_id, RIGHT, seen(case))
    assert rows(runs.systems, Claim) == [], "who has decided gives the claim back"
    assert runs.go(ask_agent, run).result() == "COMPLAINT by Sari"
    (decision,) = rows(runs.systems, Decision)
    assert (decision.by, decision.staff_id, decision.signed_in) == ("Sari", sari.id, "password")
    assert decision.answers == {"by": "Sari", **RIGHT}


def test_an_engine_that_is_away_loses_no_decision(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    sari, case = member(runs.systems, "Sari"), opened(runs.systems, BUDI)
    run = runs.start(ask_agent, case)
    runs.go(ask_agent, run)
    with monkeypatch.context() as patch:
        patch.setenv("LAYANAN_PREFECT_API_URL", "http://127.0.0.1:9/api")
        answer(Systems(type(runs.systems.settings)()), author(sari), case.case_id, RIGHT, seen(case))
    assert runs.state(run).name == "Suspended"
    deliver_signals.fn()
    assert runs.go(ask_agent, run).result() == "COMPLAINT by Sari"
    assert deliver_signals.fn() == 0, "it goes on once"


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_a_decision_counts_on_the_facts_that_it_saw(systems: Systems) -> None:
    sari, case = member(systems, "Sari"), opened(systems, BUDI)
    asks(case, ConfirmAnalysis)
    before = seen(case)
    arrives(systems, BUDI, f"Sekarang lampu LOS hijau, {LINE} masih mati", "Re: Internet mati")
    with pytest.raises(Outdated) as told:
        answer(systems, author(sari), case.case_id, RIGHT, before)
    (line,) = told.value.news
    assert "menulis / wrote: “Sekarang lampu LOS hijau" in line
    assert rows(systems, Wait)[0].given == {}, "nothing is recorded"
    answer(systems, author(sari), case.case_id, RIGHT, seen(case))


def test_what_a_unit_reports_meanwhile_counts_too(systems: Systems) -> None:
    case = opened(systems)
    asks(case, HandlingStuck)
    with systems.store.write() as session:
        row = TicketRow(
            external_id="x",
            case_id=case.case_id,
            ticket_id="T-1",
            unit="U",
            status="inProgress",
            status_since=systems.clock.now(),
        )
        session.add(row)
    before = seen(case)
    keep_signal(systems, case.case_id, SignalKind.UNIT, "unit:1", {"choice": "REPAIRED"})
    with systems.store.write() as session:
        session.merge(TicketRow(**(rows(systems, TicketRow)[0].model_dump() | {"status": "resolved"})))
    with pytest.raises(Outdated) as told:
        answer(systems, author(member(systems, "Sari")), case.case_id, {"choice": "COORDINATE"}, before)
    assert list(told.value.news) == [
        "Unit melapor / a unit has reported",
        "Status tiket berubah / the ticket has changed: selesai / resolved",
    ]


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_the_second_of_two_reads_that_a_colleague_has_decided(systems: Systems) -> None:
    sari, dewi, case = member(systems, "Sari"), member(systems, "Dewi"), opened(systems)
    asks(case, ConfirmAnalysis)
    both = seen(case)
    answer(systems, author(sari), case.case_id, RIGHT, both)
    with pytest.raises(Outdated, match="changed") as told:
        answer(systems, author(dewi), case.case_id, RIGHT, both)
    assert told.value.news == ["Sari sudah memutuskan / has decided"]
    assert rows(systems, Wait)[0].given["by"] == "Sari"


def test_who_may_not_decide_is_told_why(systems: Systems) -> None:
    case = opened(systems)
    asks(case, Escalation)
    sari = member(systems, "Sari", StaffRole.AGENT_1)
    far = member(systems, "Jauh", StaffRole.TEAM_LEADER, site="BDG")
    for person, why in ((sari, Denied.ROLE), (far, Denied.SITE)):
        with pytest.raises(NotAllowed) as told:
            answer(systems, author(person), case.case_id, {"choice": "BACK_TO_AGENT"}, seen(case))
        assert str(told.value) == why.value


def test_who_escalated_does_not_decide_the_escalation(systems: Systems) -> None:
    case, rina = opened(systems), member(systems, "Rina", StaffRole.AGENT_1, StaffRole.TEAM_LEADER)
    with systems.store.write() as session:
        session.add(
            Decision(
                case_id=case.case_id,
                wait_key="k",
                form="HandlingStuck",
                role="Agent Email",
                by="Rina",
                staff_id=rina.id,
                answers={"choice": "ESCALATE"},
                decided_at=systems.clock.now(),
            )
        )
    asks(case, Escalation)
    with pytest.raises(NotAllowed) as told:
        answer(systems, author(rina), case.case_id, {"choice": "BACK_TO_AGENT"}, seen(case))
    assert str(told.value) == Denied.OWN_ESCALATION.value
    budi = member(systems, "Tono", StaffRole.TEAM_LEADER)
    answer(systems, author(budi), case.case_id, {"choice": "BACK_TO_AGENT"}, seen(case))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"need": "COMPLAINT"}, "Topik / Topic: isi / fill it in"),
        ({"need": "NONSENSE", "topic": "slow"}, "'NONSENSE' is not one of COMPLAINT"),
        ({**RIGHT, "colour": "red"}, "has no field 'colour'"),
        ({**RIGHT, "service_number": "1" * 41}, "maksimal 40 karakter"),
    ],
)
def test_answers_that_cannot_be_taken_change_nothing(systems: Systems, words: dict[str, str], told: str) -> None:
    case = opened(systems)
    asks(case, ConfirmAnalysis)
    with pytest.raises(WrongUse, match=told):
        answer(systems, author(member(systems, "Sari")), case.case_id, words, seen(case))
    assert rows(systems, Wait)[0].given == {}


def test_a_choice_that_needs_a_field_says_which(systems: Systems) -> None:
    case = opened(systems)
    asks(case, UnitProgress)
    with pytest.raises(WrongUse, match="penyebab dan perbaikan"):
        answer(systems, author(member(systems, "Sari")), case.case_id, {"choice": "REPAIRED"}, seen(case))


def test_a_case_that_waits_for_nothing(systems: Systems) -> None:
    case = opened(systems)
    with pytest.raises(NotWaiting, match="waits for nothing now"):
        answer(systems, author(member(systems, "Sari")), case.case_id, RIGHT, seen(case))


# what happens in the same moment


def question(case: CaseRun, form: type[Form], number: int = 1, rules: Rules | None = None) -> Question[Form]:
    shown = form.asking(case.systems.settings.policy.units)
    return Question(case, form, WaitKey.of_form(form, number), shown, rules or Rules())


def test_a_decision_given_while_a_signal_wakes_the_run_is_not_lost(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    rina, case = member(systems, "Rina", StaffRole.TEAM_LEADER), opened(systems)
    asks(case, Escalation)
    keep_signal(systems, case.case_id, SignalKind.UPDATE, "deadline:1", {})

    def woken(shown: type[Form], *_: object) -> Form:
        answer(systems, author(rina), case.case_id, {"choice": "BACK_TO_AGENT"}, seen(case))
        return shown(by="system", choice="Kirim kabar sekarang / Send an update now")  # type: ignore[call-arg]

    monkeypatch.setattr("tasks.run.waits.suspend_for", woken)
    record = question(case, Escalation).answered("x")
    assert (record.state, record.output["choice"]) == ("done", "BACK_TO_AGENT")
    (decision,) = rows(systems, Decision)
    assert (decision.by, decision.staff_id) == ("Rina", rina.id)
    assert pending(case) == ["update"], "the next wait takes it"


def test_an_update_between_does_not_lift_four_eyes(systems: Systems) -> None:
    case, rina = opened(systems), member(systems, "Rina", StaffRole.AGENT_1, StaffRole.TEAM_LEADER)
    asks(case, HandlingStuck)
    answer(systems, author(rina), case.case_id, {"choice": "ESCALATE"}, seen(case))
    question(case, HandlingStuck).answered("x")
    asks(case, Escalation)
    keep_signal(systems, case.case_id, SignalKind.UPDATE, "deadline:1", {})
    assert question(case, Escalation).take_signal() is not None
    asks(case, Escalation, 2)
    with pytest.raises(NotAllowed) as told:
        answer(systems, author(rina), case.case_id, {"choice": "BACK_TO_AGENT"}, seen(case))
    assert str(told.value) == Denied.OWN_ESCALATION.value
    assert next_for(systems, rina) is None, "nor is it offered"


def test_a_decision_that_the_run_has_taken_is_not_submitted_again(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, rina = opened(systems), member(systems, "Rina")
    asks(case, UnitProgress)
    answer(systems, author(rina), case.case_id, {"choice": "UPDATE"}, seen(case))
    (answered,) = answered_waits(systems)
    assert question(case, UnitProgress).answered("x").state == "done"
    asks(case, UnitProgress, 2)
    sent: list[object] = []
    monkeypatch.setattr("tasks.run.resume.resume", lambda *known: sent.append(known))
    go_on(systems, answered)
    assert sent == []


def test_a_case_that_was_just_decided_is_not_merged_over_it(systems: Systems) -> None:
    case, other, rina = opened(systems), opened(systems, MAJU, "Link mati", "Link mati"), member(systems, "Rina")
    asks(case, UnitProgress)
    answer(systems, author(rina), case.case_id, {"choice": "UPDATE"}, seen(case))
    with systems.store.write() as session, pytest.raises(NotWaiting, match="just decided by Rina"):
        merge_rows(session, systems, case.case_id, other.case_id, "Agus")


def test_what_the_run_refuses_keeps_its_author(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    case, rina = opened(systems), member(systems, "Rina")
    asks(case, UnitProgress)
    answer(systems, author(rina), case.case_id, {"choice": "UPDATE"}, seen(case))
    monkeypatch.setattr("tasks.run.waits.get_run_logger", lambda: logging.getLogger("test"))
    record = question(case, UnitProgress, rules=Rules(lambda _: "no")).answered("x")
    assert record.state == "refused"
    audited = rows(systems, AuditRow)[-1]
    assert (audited.action, audited.staff_id, audited.signed_in) == ("decision_refused", rina.id, "password")
