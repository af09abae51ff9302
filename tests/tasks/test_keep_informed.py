from adapters.wiring import Systems
from models.tables import Outbox
from tasks.keep_informed import keep_informed
from tests.cases import at_office, deadlines, done, letter, opened, pending, rows, text, ticket


def test_without_a_ticket_it_tells_when_the_next_news_comes(systems: Systems) -> None:
    clock = at_office(systems, "2026-11-24 08:00")
    case = opened(systems)
    clock.advance(6)
    informed = done(keep_informed, case, "ConfirmAnalysis")
    assert (informed.form, informed.letter) == ("ConfirmAnalysis", letter(case, "keep_informed")["Message-ID"])
    words = text(case, "keep_informed")
    assert "pada 24 November 2026 pukul 08.00 WIB" in words
    assert "masih dalam proses dan menunggu tindak lanjut petugas kami" in words
    # at 20:00 the office is closed, so it is promised for the morning
    assert "Kabar berikutnya: 25 November 2026 pukul 08.00 WIB" in words
    assert "Nomor tiket" not in words
    assert deadlines(case) == {"update": 18}


def test_it_tells_the_ticket_and_keeps_office_hours(systems: Systems) -> None:
    at_office(systems, "2026-11-24 08:00")
    case = opened(systems)
    handled = ticket(case)
    done(keep_informed, case, "FixActivity")
    assert handled.ticket_id in text(case, "keep_informed")
    assert handled.unit in text(case, "keep_informed")
    assert [row.routine for row in rows(systems, Outbox)] == [False, True]
    assert pending(case) == []
