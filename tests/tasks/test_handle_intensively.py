"""Activity 6: one ticket for each round of a case (SOP 7.6)."""

from adapters.wiring import Systems
from models.need import Diagnosis
from models.tables import TicketRow
from tasks.handle_intensively import handle_intensively
from tasks.receive_and_analyse import receive_and_analyse
from tasks.serve_complaint import Complaint
from tests.cases import LINE, change_ticket, done, fault, opened, rows, tickets

COMPLAINT = Complaint(topic="slow", service_number=LINE, severity="Major", description="JKT-0000001: slow")
DIAGNOSIS = Diagnosis(unit="Core Network", evidence=("EMBASSY: bad",))


def test_the_ticket_tells_the_unit_all_and_is_followed(systems: Systems) -> None:
    case = opened(systems)
    done(receive_and_analyse, case, 0)
    handled = done(handle_intensively, case, COMPLAINT, DIAGNOSIS, 1)
    (ticket,) = tickets(systems)
    assert (handled.ticket_id, handled.external_id, handled.unit) == (ticket["id"], "JKT-0000001/1", "Core Network")
    assert ticket["description"] == "JKT-0000001: slow; EMBASSY: bad"
    assert ticket["severity"] == "Major"
    parties = {party["role"]: party["id"] for party in ticket["relatedParty"]}
    assert parties == {"unit": "Core Network", "customer": "C-1"}
    assert [entity["id"] for entity in ticket["relatedEntity"]] == [LINE]
    (row,) = rows(systems, TicketRow)
    assert (row.external_id, row.case_id, row.ticket_id, row.unit) == ("JKT-0000001/1", 1, ticket["id"], "Core Network")
    assert (row.status, row.open) == ("acknowledged", True)


def test_a_repeat_of_the_round_finds_its_ticket_and_a_new_round_makes_one(systems: Systems) -> None:
    case = opened(systems)
    first = done(handle_intensively, case, COMPLAINT, DIAGNOSIS, 1)
    assert done(handle_intensively, case, COMPLAINT, DIAGNOSIS, 1).ticket_id == first.ticket_id
    second = done(handle_intensively, case, COMPLAINT, DIAGNOSIS, 2)
    assert (second.external_id, second.ticket_id == first.ticket_id) == ("JKT-0000001/2", False)
    assert len(tickets(systems)) == len(rows(systems, TicketRow)) == 2


def test_a_ticket_that_the_unit_has_ended_is_not_the_rounds_any_more(systems: Systems) -> None:
    case = opened(systems)
    done(handle_intensively, case, COMPLAINT, DIAGNOSIS, 1)
    change_ticket(systems, status="cancelled")
    for _ in range(2):
        new = done(handle_intensively, case, COMPLAINT, DIAGNOSIS, 1)
        assert (new.external_id, new.unit) == ("JKT-0000001/1.2", "Core Network")
    assert [(row.status, row.open) for row in rows(systems, TicketRow)] == [
        ("cancelled", False),
        ("acknowledged", True),
    ]
    assert [one["description"] for one in tickets(systems)] == ["JKT-0000001: slow; EMBASSY: bad"] * 2


def test_a_lost_answer_makes_no_second_ticket(systems: Systems) -> None:
    fault(systems, "mycx", "lose_answer", 1)
    done(handle_intensively, opened(systems), COMPLAINT, DIAGNOSIS, 1)
    assert len(tickets(systems)) == 1
