"""A decision that was changed in the case store, past the audit log, is found by its hash there."""

from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlmodel import Session, col

import layanan
from adapters.wiring import Systems
from models.audit import AuditSalt
from models.author import Author
from models.forms.complaint import Escalation
from models.states import RecordState
from models.tables import Decision
from tasks.run.wait_key import WaitKey
from tasks.run.waits import Question
from tasks.upkeep import check_decisions
from tasks.upkeep.check_decisions import changed_decisions
from tests.cases import BUDI, STRANGER, opened
from tests.conftest import BOTH
from tests.desk import asks

ANSWERS = {"by": "Rina", "choice": "TAKE_OVER", "cause": "Kabel putus", "repair": "Disambung – \u2028 ok"}


@pytest.fixture
def decided(systems: Systems) -> Systems:
    """Two cases; the first is decided upon thrice, the last time at the second attempt."""
    for sender, numbers in ((BUDI, (1, 2, 3)), (STRANGER, (1,))):
        case = opened(systems, sender)
        for number in numbers:
            asks(case, Escalation, number)
            key = WaitKey(WaitKey.of_form(Escalation, number).name, 2 if number == 3 else 1)
            Question(case, Escalation, key, Escalation).record(
                RecordState.DONE, ANSWERS | {"unit": number}, Author("Rina")
            )
    return systems


def changed(systems: Systems) -> list[int]:
    with systems.store.read() as session:
        return list(changed_decisions(session))


def third(session: Session, **values: Any) -> None:
    session.execute(update(Decision).where(col(Decision.id) == 3).values(**values))


@pytest.mark.parametrize("systems", BOTH, indirect=True)
@pytest.mark.parametrize("most", [2, 500])
def test_a_changed_decision_is_found(decided: Systems, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_decisions, "MOST", most)
    assert changed(decided) == []
    with decided.store.write() as session:
        third(session, answers=ANSWERS | {"unit": 3, "cause": "Pelanggan salah"})
    assert changed(decided) == [3]
    with decided.store.write() as session:
        third(session, answers=ANSWERS | {"unit": 3})
        session.execute(delete(Decision).where(col(Decision.id) == 4))
    assert changed(decided) == [4], "one that was deleted"


def test_where_the_salt_was_erased_there_is_nothing_to_compare(decided: Systems) -> None:
    with decided.store.write() as session:
        third(session, answers={})
        session.execute(delete(AuditSalt).where(col(AuditSalt.number) == 3))
    assert changed(decided) == []


def test_another_salt_hides_nothing(decided: Systems) -> None:
    with decided.store.write() as session:
        third(session, answers={})
        session.execute(update(AuditSalt).values(salt="0" * 32))
    assert changed(decided) == [1, 2, 3, 4]


def test_the_command_names_it(decided: Systems, capsys: pytest.CaptureFixture[str]) -> None:
    assert layanan.main(["audit", "verify", "--decisions"]) == 0
    with decided.store.write() as session:
        third(session, answers={})
    assert layanan.main(["audit", "verify"]) == 0
    assert layanan.main(["audit", "verify", "--decisions"]) == 1
    assert "row 3: the case's decision is another one now, or missing" in capsys.readouterr().err
