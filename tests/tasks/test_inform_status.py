"""Activity 9: the customer hears where the complaint stands, in time (SOP 7.9, 5.8)."""

from adapters.wiring import Systems
from models.tables import Letter
from tasks.coordinate_with_unit import coordinate_with_unit
from tasks.inform_status import inform_status
from tasks.upkeep.monitor import follow_tickets
from tests.cases import BUDI, arrives, deadlines, done, keep_signal, letter, opened, pending, rows, text, ticket


def test_the_letter_tells_ticket_and_unit_and_the_next_update_is_due(systems: Systems) -> None:
    case = opened(systems)
    handled = ticket(case)
    done(coordinate_with_unit, case, handled, "Access Network")
    keep_signal(systems, case.case_id, "update", "deadline:99", {})
    systems.clock.advance(6)  # type: ignore[attr-defined]
    done(inform_status, case, handled)
    assert handled.ticket_id in text(case, "inform_status")
    assert "Access Network" in text(case, "inform_status")
    assert deadlines(case) == {"repair": 18.0, "update": 6.0}
    assert pending(case) == [], "an update that was due is met by this one"


def test_each_update_is_a_letter_of_its_own_and_tells_the_state_then(systems: Systems) -> None:
    case = opened(systems)
    handled = ticket(case)
    done(inform_status, case, handled)
    first = text(case, "inform_status")
    systems.clock.advance(1.5)  # type: ignore[attr-defined]
    assert follow_tickets.fn() == 1
    done(inform_status, case, handled)
    assert text(case, "inform_status") != first
    assert len({row.message_id for row in rows(systems, Letter, kind="inform_status")}) == 2


def test_a_mail_is_answered_in_its_thread_and_its_wish_is_heard(systems: Systems) -> None:
    case = opened(systems)
    handled = ticket(case)
    wish = "Sudah terlalu lama! Saya minta dieskalasi ke atasan, tolong sambungkan dengan supervisor Anda."
    arrives(systems, BUDI, wish, f"Re: [{case.reference}]", Message_ID="<marah@pelanggan.example>")
    assert done(inform_status, case, handled, 2).wants_escalation
    assert letter(case, "inform_status")["In-Reply-To"] == "<marah@pelanggan.example>"
    arrives(systems, BUDI, "Baik, saya tunggu kabarnya.", f"Re: [{case.reference}]")
    assert not done(inform_status, case, handled, 3).wants_escalation


def test_who_writes_that_it_works_again_is_told_that_we_make_sure(systems: Systems) -> None:
    case = opened(systems)
    handled = ticket(case)
    arrives(systems, BUDI, "Sudah normal kembali, terima kasih.", f"Re: [{case.reference}]")
    assert done(inform_status, case, handled, 2).says_solved
    assert "Sudah normal menurut Bapak/Ibu" in text(case, "inform_status")
