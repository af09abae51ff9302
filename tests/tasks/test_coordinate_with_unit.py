"""Activity 7: the unit has the ticket, and its time runs."""

from adapters.wiring import Systems
from models.tables import TicketRow
from tasks.coordinate_with_unit import coordinate_with_unit
from tasks.receive_and_analyse import receive_and_analyse
from tests.cases import MAJU, deadlines, done, opened, rows, ticket, tickets


def test_the_ticket_is_the_units_and_its_time_to_repair_runs(wired: Systems) -> None:
    case = opened(wired, MAJU)
    done(receive_and_analyse, case, 0)
    handled = ticket(case)
    assert done(coordinate_with_unit, case, handled, "Core Network").unit == "Core Network"
    (row,) = rows(wired, TicketRow)
    assert (row.unit, row.status) == ("Core Network", "inProgress")
    assert next(party["id"] for party in tickets(wired)[0]["relatedParty"] if party["role"] == "unit") == "Core Network"
    assert [note["text"] for note in tickets(wired)[0]["note"]] == ["Koordinasi 1 dari JKT-0000001"]
    # HVC_DIAMOND has three hours, and the customer hears every six
    assert deadlines(case) == {"repair": 3.0, "update": 6.0}


def test_another_unit_starts_anew_with_its_own_time(wired: Systems) -> None:
    case = opened(wired)
    handled = ticket(case)
    done(coordinate_with_unit, case, handled, "Access Network")
    wired.clock.advance(5)  # type: ignore[attr-defined]
    done(coordinate_with_unit, case, handled, "Core Network", "Pindah unit")
    assert deadlines(case) == {"repair": 24.0, "update": 6.0}
    assert [note["text"] for note in tickets(wired)[0]["note"]][-1] == "Pindah unit"
