"""The queue: whose waits, in which order, found by which words."""

from datetime import timedelta

import pytest
from sqlalchemy import event, update
from sqlmodel import col

from adapters.wiring import Systems
from models.forms.analysis import ConfirmAnalysis
from models.forms.answers import CustomerAnswer
from models.forms.complaint import Escalation
from models.staff import Claim, Staff, StaffRole
from models.tables import Case, Decision, TicketRow, Wait
from tasks.desk.claims import claim
from tasks.desk.queue import Due, Whose, next_for, queue
from tests.cases import BUDI, LINE, MAJU, PRICE, TOKO, opened
from tests.conftest import BOTH
from tests.desk import asks, member

pytestmark = pytest.mark.parametrize("systems", BOTH, indirect=True)


def found(systems: Systems, staff: Staff, whose: Whose = Whose.MINE, search: str = "") -> list[str]:
    return [row.reference for row in queue(systems, staff, whose, search).rows]


def test_what_is_due_first_stands_on_top_with_its_urgency_in_words(systems: Systems) -> None:
    now, first = systems.clock.now(), {}
    for sender, minutes in ((BUDI, 120), (MAJU, -5), (TOKO, 10)):
        case = opened(systems, sender, f"Internet mati {sender}", f"Mati {sender}")
        asks(case, ConfirmAnalysis)
        first[case.reference] = now + timedelta(minutes=minutes)
        with systems.store.write() as session:
            due = update(Wait).where(col(Wait.case_id) == case.case_id)
            session.execute(due.values(due_at=first[case.reference]))
    asks(opened(systems, "asing@example.com", PRICE, "Tanya"), CustomerAnswer)
    sari = member(systems, "Sari")
    rows = queue(systems, sari, Whose.ALL).rows
    assert [row.due for row in rows] == [Due.LATE, Due.SOON, Due.LATER, Due.NONE]
    assert [row.due_at for row in rows[:3]] == sorted(first.values())
    assert rows[0].customer
    assert rows[0].asked == ConfirmAnalysis.title
    assert len(queue(systems, sari, Whose.MINE).rows) == 3, "the customer answers the fourth"
    assert next_for(systems, sari) == rows[0].case_id
    assert next_for(systems, sari, but=rows[0].case_id) == rows[1].case_id


def test_a_claim_and_the_last_decision_say_who_has_it(systems: Systems) -> None:
    sari, case = member(systems, "Sari"), opened(systems)
    dewi = member(systems, "Dewi", deputy_id=sari.id)
    asks(case, ConfirmAnalysis)
    claim(systems, dewi, case.case_id)
    assert found(systems, sari) == []
    assert [(row.holder, row.claimed) for row in queue(systems, sari, Whose.ALL).rows] == [("Dewi", True)]
    with systems.store.write() as session:
        session.execute(update(Claim).values(until=systems.machine_clock.now()))
    assert found(systems, sari) == [case.reference], "the claim has ended"
    with systems.store.write() as session:
        session.add(
            Decision(
                case_id=case.case_id,
                wait_key="k",
                form="X",
                role="Agent Email",
                by="Dewi",
                staff_id=dewi.id,
                decided_at=systems.clock.now(),
            )
        )
    assert found(systems, sari) == [], "Dewi keeps the case"
    with systems.store.write() as session:
        session.execute(update(Staff).where(col(Staff.id) == dewi.id).values(absent_from=systems.clock.now()))
    assert found(systems, sari) == [case.reference], "her deputy has it while she is away"


def test_what_was_handed_up_is_for_those_who_lead(systems: Systems) -> None:
    case = opened(systems)
    asks(case, Escalation)
    sari, rina = member(systems, "Sari"), member(systems, "Rina", StaffRole.TEAM_LEADER)
    assert (found(systems, sari), found(systems, rina)) == ([], [case.reference])
    assert found(systems, member(systems, "Jauh", StaffRole.TEAM_LEADER, site="BDG"), Whose.ALL) == []


def test_a_team_sees_what_its_people_have(systems: Systems) -> None:
    rina = member(systems, "Rina", StaffRole.TEAM_LEADER)
    hers, other = member(systems, "Sari", leader_id=rina.id), member(systems, "Asing")
    cases = [opened(systems, sender, f"Internet mati {sender}", sender) for sender in (BUDI, MAJU)]
    for case, who in zip(cases, (hers, other), strict=True):
        asks(case, ConfirmAnalysis)
        claim(systems, who, case.case_id)
    assert found(systems, rina, Whose.TEAM) == [cases[0].reference]


@pytest.mark.parametrize("words", ["budi", BUDI, LINE, "JKT-0000001", "T-77", "lampu los", "mati"])
def test_a_case_is_found_by(systems: Systems, words: str) -> None:
    case = opened(systems, BUDI, f"Internet {LINE} mati, lampu LOS merah", "Internet mati")
    asks(case, ConfirmAnalysis)
    with systems.store.write() as session:
        session.add(
            TicketRow(
                external_id="x",
                case_id=case.case_id,
                ticket_id="T-77",
                unit="U",
                status="s",
                status_since=systems.clock.now(),
            )
        )
        session.execute(update(Case).values(service_number=LINE))
    asks(opened(systems, TOKO, PRICE, "Harga"), ConfirmAnalysis)
    assert found(systems, member(systems, "Sari"), Whose.ALL, words) == [case.reference]


def test_a_page_is_one_query(systems: Systems) -> None:
    asks(opened(systems), ConfirmAnalysis)
    sari, asked = member(systems, "Sari"), list[str]()
    event.listen(systems.store.engine, "before_cursor_execute", lambda *known: asked.append(known[2]))
    queue(systems, sari, Whose.MINE, "mati")
    assert len([one for one in asked if one.startswith("SELECT")]) == 1
