"""Who decides, in the Prefect UI and on the command line. At the desk: `tests/tasks/desk/test_decide.py`."""

from datetime import UTC, datetime
from typing import Any

import pyotp
import pytest
from prefect import flow

from adapters.wiring import Systems
from models.forms.complaint import Escalation
from models.rights import Denied
from models.staff import SignedIn, StaffRole
from models.tables import ActivityRecord, Decision
from tasks.desk.decide import answer
from tasks.run.authors import AT_THE_DESK, NO_CODE, UNKNOWN, WRONG_CODE, NotAllowed, author_by_name
from tasks.run.case_run import CaseRun
from tasks.run.waits import decide
from tests.cases import BUDI, opened, rows
from tests.desk import asks, member
from tests.runs import Runs

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
BACK = {"choice": "BACK_TO_AGENT", "note": "Cek ulang di lapangan"}


@flow(persist_result=False)
def ask_leader(case_id: int) -> str:
    """One wait for the team leader."""
    answered = decide(CaseRun.open(case_id), Escalation, about="Terlambat")
    return f"{answered.choice.name} by {answered.by}"


class Escalated:
    """A case that waits for the team leader in a real run, and a staff list."""

    def __init__(self, runs: Runs) -> None:
        self.runs, self.case = runs, opened(runs.systems, BUDI)
        self.rina = member(runs.systems, "Rina", StaffRole.TEAM_LEADER, code_secret=SECRET, code_used=1)
        member(runs.systems, "Sari", StaffRole.AGENT_1, code_secret=SECRET, code_used=1)
        self.run = runs.start(ask_leader, self.case)
        runs.go(ask_leader, self.run)

    def submit(self, by: str, code: str | None = None) -> Any:
        """Submit the form as the Prefect UI does; the run's state after it."""
        given: dict[str, Any] = dict(BACK) if code is None else {**BACK, "code": code}
        assert self.runs.submit(self.run, "Escalation", by=by, **given).state == "accepted"
        return self.runs.go(ask_leader, self.run)

    def problem(self) -> str:
        """Why the last answer was refused."""
        return str(rows(self.runs.systems, ActivityRecord, state="refused")[-1].output["problem"])


def code_now() -> str:
    return pyotp.TOTP(SECRET).at(datetime.now(UTC))


def test_a_name_and_its_code_decide_once(runs: Runs) -> None:
    it = Escalated(runs)
    wrong = "000000" if code_now() != "000000" else "111111"
    member(runs.systems, "Tono", StaffRole.TEAM_LEADER)
    for by, code, why in (
        ("Tono", "123456", NO_CODE),
        ("Rina", wrong, WRONG_CODE),
        ("Rina", "", WRONG_CODE),
        ("Nama Lain", code_now(), UNKNOWN),
        ("Sari", code_now(), Denied.ROLE.value),
    ):
        assert it.submit(by, code).name == "Suspended"
        assert it.problem() == why
        wait = runs.wait(it.case)
        assert wait is not None
        assert wait.description.startswith(f"⚠ **{why}**"), "the reason stands at the top"
        assert wait.json_schema["properties"]["note"]["default"] == "Cek ulang di lapangan", "what was typed stays"
    assert it.submit("rina", code_now()).result() == "BACK_TO_AGENT by rina"
    (decision,) = rows(runs.systems, Decision)
    assert (decision.by, decision.staff_id, decision.signed_in) == ("Rina", it.rina.id, "prefect_code")
    assert "code" not in decision.answers
    assert "code" not in str(rows(runs.systems, ActivityRecord)[-1].output)


def test_without_a_staff_list_a_name_is_taken_as_it_is_typed(runs: Runs) -> None:
    case = opened(runs.systems, BUDI)
    run = runs.start(ask_leader, case)
    runs.go(ask_leader, run)
    wait = runs.wait(case)
    assert wait is not None
    assert "code" not in wait.json_schema["properties"]
    assert runs.submit(run, "Escalation", by="Siapa", **BACK).state == "accepted"
    runs.go(ask_leader, run)
    assert rows(runs.systems, Decision)[0].signed_in == "prefect_name"


def test_a_first_administrator_alone_keeps_nobody_from_deciding(runs: Runs) -> None:
    member(runs.systems, "Admin", StaffRole.ADMINISTRATOR)
    case = opened(runs.systems, BUDI)
    run = runs.start(ask_leader, case)
    runs.go(ask_leader, run)
    assert runs.submit(run, "Escalation", by="Siapa", **BACK).state == "accepted"
    assert runs.go(ask_leader, run).is_completed()


@pytest.mark.parametrize(("mode", "signed"), [("no", ""), ("anyone", "prefect_name")])
def test_a_setting_says_who_may_decide_in_prefect(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, mode: str, signed: str
) -> None:
    monkeypatch.setattr(runs.systems.settings.desk, "decide_in_prefect", mode)
    it = Escalated(runs)
    state = it.submit("Siapa")
    if signed:
        assert state.is_completed()
        assert rows(runs.systems, Decision)[0].signed_in == signed
    else:
        assert it.problem() == AT_THE_DESK


def test_the_command_line_keeps_the_rights_too(systems: Systems) -> None:
    case = opened(systems, BUDI)
    asks(case, Escalation)
    member(systems, "Sari", StaffRole.AGENT_1)
    with systems.store.read() as session, pytest.raises(NotAllowed) as told:
        author_by_name(session, "Siapa", SignedIn.COMMAND_LINE)
    assert str(told.value) == UNKNOWN
    with systems.store.read() as session:
        sari = author_by_name(session, "sari", SignedIn.COMMAND_LINE)
    with pytest.raises(NotAllowed) as told:
        answer(systems, sari, case.case_id, BACK)
    assert str(told.value) == Denied.ROLE.value
