"""SOP 5.3 as an agent decided; the other case may have ended meanwhile."""

from sqlalchemy import update

from adapters.wiring import Systems
from models.tables import Case
from tasks.join_case import Joined, join_case
from tests.cases import BUDI, PRICE, done, latest, opened, snapshot


def test_the_case_ends_as_merged(systems: Systems) -> None:
    old, new = opened(systems), opened(systems, BUDI, PRICE, "Harga")
    assert done(join_case, new, old.case_id, "Sari") == Joined(joined=True)
    assert (snapshot(new).status, snapshot(new).merged_into) == ("merged", old.case_id)
    assert latest(new, "join_case").performer == "Agent Email: Sari"
    assert latest(old, "took-over").output == {"case": new.reference}


def test_a_case_that_has_ended_meanwhile_takes_no_other(systems: Systems) -> None:
    old, new = opened(systems), opened(systems, BUDI, PRICE, "Harga")
    with systems.store.write() as session:
        session.execute(update(Case).where(Case.id == old.case_id).values(status="closed"))  # type: ignore[arg-type]
    assert done(join_case, new, old.case_id, "Sari") == Joined(joined=False)
    assert snapshot(new).status == "open"
