"""Activity 7: the unit has the ticket, and its time runs (SOP 7.7, 5.7)."""

import pytest

from adapters.wiring import Systems
from models.tables import TicketRow
from tasks.coordinate_with_unit import coordinate_with_unit
from tasks.escalate_to_team_leader import escalate_to_team_leader
from tasks.receive_and_analyse import receive_and_analyse
from tasks.upkeep.monitor import follow_tickets
from tests.cases import MAJU, change_ticket, deadlines, done, fault, keep_signal, opened, pending, rows, ticket, tickets


def test_the_ticket_is_the_units_and_its_time_to_repair_runs(systems: Systems) -> None:
    case = opened(systems, MAJU)
    done(receive_and_analyse, case, 0)
    handled = ticket(case)
    assert done(coordinate_with_unit, case, handled, "Core Network").unit == "Core Network"
    (row,) = rows(systems, TicketRow)
    assert (row.unit, row.status) == ("Core Network", "inProgress")
    assert (
        next(party["id"] for party in tickets(systems)[0]["relatedParty"] if party["role"] == "unit") == "Core Network"
    )
    assert [note["text"] for note in tickets(systems)[0]["note"]] == ["Koordinasi 1 dari JKT-0000001"]
    # HVC_DIAMOND has three hours, and the customer hears every six
    assert deadlines(case) == {"repair": 3.0, "update": 6.0}


def test_another_unit_starts_anew_with_its_own_time(systems: Systems) -> None:
    case = opened(systems)
    handled = ticket(case)
    done(coordinate_with_unit, case, handled, "Access Network")
    systems.clock.advance(5)  # type: ignore[attr-defined]
    done(coordinate_with_unit, case, handled, "Core Network", "Pindah unit")
    assert deadlines(case) == {"repair": 24.0, "update": 6.0}
    assert [note["text"] for note in tickets(systems)[0]["note"]][-1] == "Koordinasi 2 dari JKT-0000001: Pindah unit"


def test_the_same_words_again_are_a_second_request(systems: Systems) -> None:
    case = opened(systems)
    handled = ticket(case)
    for number in (1, 2, 3):
        done(coordinate_with_unit, case, handled, "Access Network", "Belum selesai")
        assert (tickets(systems)[0]["status"], rows(systems, TicketRow)[0].status) == ("inProgress", "inProgress")
        ours = [note["text"] for note in tickets(systems)[0]["note"] if note["author"] == "Layanan"]
        assert ours[-1] == f"Koordinasi {number} dari JKT-0000001: Belum selesai"
        systems.clock.advance(4.1)  # type: ignore[attr-defined]
        assert tickets(systems)[0]["status"] == "resolved"


def test_a_report_of_the_unit_before_is_dropped(systems: Systems) -> None:
    case = opened(systems)
    handled = ticket(case)
    done(coordinate_with_unit, case, handled, "Access Network")
    systems.clock.advance(4.1)  # type: ignore[attr-defined]
    follow_tickets.fn()
    keep_signal(systems, case.case_id, "mail", "mail:99", {"message": 99})
    assert pending(case) == ["unit", "mail"]
    done(coordinate_with_unit, case, handled, "Core Network")
    assert pending(case) == ["mail"]


@pytest.mark.parametrize("status", ["closed", "cancelled", "rejected"])
def test_an_ended_ticket_is_followed_by_a_new_one(systems: Systems, status: str) -> None:
    case = opened(systems)
    handled = ticket(case)
    assert done(coordinate_with_unit, case, handled, "Access Network").new_ticket is None
    change_ticket(systems, status=status, statusChangeReason="Bukan wilayah kami")
    assert done(escalate_to_team_leader, case, handled, "Ditolak").reason == "Ditolak"
    new = done(coordinate_with_unit, case, handled, "Core Network", "Pindah unit").new_ticket
    assert new is not None
    old, ours = tickets(systems)
    assert (new.external_id, new.ticket_id, new.unit) == ("JKT-0000001/1.2", ours["id"], "Core Network")
    assert (old["status"], ours["status"], ours["externalId"]) == (status, "inProgress", new.external_id)
    for name in ("description", "severity", "ticketType", "relatedEntity"):
        assert ours[name] == old[name], name
    assert [party["id"] for party in ours["relatedParty"] if party["role"] == "unit"] == ["Core Network"]
    assert [note["text"] for note in ours["note"]] == ["Koordinasi 2 dari JKT-0000001: Pindah unit"]
    assert [(row.status, row.unit, row.open) for row in rows(systems, TicketRow)] == [
        (status, "Access Network", False),
        ("inProgress", "Core Network", True),
    ]
    # and the monitor has nothing to say of the one that we know to have ended
    assert follow_tickets.fn() == 1
    assert pending(case) == []


def test_a_new_ticket_is_made_once(systems: Systems) -> None:
    case = opened(systems)
    handled = ticket(case)
    change_ticket(systems, status="rejected")
    fault(systems, "mycx", "lose_answer", 2)
    done(coordinate_with_unit, case, handled, "Core Network")
    # as after a crash before the record: nothing but My CX knows of the new ticket
    done(coordinate_with_unit, case, handled, "Core Network")
    assert [one["externalId"] for one in tickets(systems)] == ["JKT-0000001/1", "JKT-0000001/1.2"]
    change_ticket(systems, status="rejected")
    new = done(coordinate_with_unit, case, handled, "Core Network").new_ticket
    assert new is not None
    assert new.external_id == "JKT-0000001/1.3"
    assert [row.open for row in rows(systems, TicketRow)] == [False, False, True]
