"""A claim is one person's for some minutes, and those who lead may take it."""

from datetime import timedelta

from adapters.wiring import Systems
from models.forms.analysis import ConfirmAnalysis
from models.staff import Claim, StaffRole
from tasks.desk.claims import claim, release
from tests.cases import opened, rows
from tests.desk import asks, member


def test_a_claim_is_one_persons_until_it_ends(systems: Systems) -> None:
    sari, dewi = member(systems, "Sari"), member(systems, "Dewi")
    rina = member(systems, "Rina", StaffRole.TEAM_LEADER)
    case = opened(systems)
    assert claim(systems, sari, case.case_id) is None, "nothing is asked"
    wait = asks(case, ConfirmAnalysis)
    assert [claim(systems, one, case.case_id) for one in (sari, dewi)] == [sari, sari]
    taken = claim(systems, rina, case.case_id, take=True)
    assert taken == rina, "who leads may take it"
    with systems.store.write() as session:
        session.merge(
            Claim(
                case_id=case.case_id,
                wait_key=wait.wait_key,
                staff_id=rina.key,
                until=systems.machine_clock.now() - timedelta(seconds=1),
            )
        )
    assert claim(systems, dewi, case.case_id) == dewi, "it has come to its end"
    release(systems, sari, case.case_id)
    assert len(rows(systems, Claim)) == 1, "nobody gives a colleague's back"
    release(systems, dewi, case.case_id)
    assert rows(systems, Claim) == []
