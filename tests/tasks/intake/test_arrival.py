"""When a mail came: to the server, which may be long before the service takes it in."""

from datetime import timedelta
from typing import Any

import pytest

from adapters.ems import Received
from adapters.wiring import Systems
from models.tables import Case, Message
from tasks.intake.accept_mail import accept_mail
from tasks.intake.batch import TakenIn
from tasks.run.case_run import CaseRun
from tasks.run.send_letter import deliver
from tasks.serve_complaint import serve_complaint
from tasks.upkeep.report import service_report
from tests.cases import BUDI, LINE, OURS, PRICE, done, mail, need, rows, take_in, text
from tests.conftest import BOTH

HOUR = timedelta(hours=1)


def came(systems: Systems, before: timedelta | None, *words: str, sender: str = BUDI, clock: Any = "system") -> TakenIn:
    """Intake of a mail that the server has had for so long."""
    systems.settings.clock = clock
    arrived_at = None if before is None else (systems.clock.now() - before).replace(microsecond=0)
    return take_in(
        systems, Received(OURS, "JKT", 1, len(rows(systems, Message)) + 1, mail(sender, *words), arrived_at=arrived_at)
    )


def test_a_mail_of_an_outage_is_answered_and_counted_from_its_arrival(systems: Systems) -> None:
    moment = (systems.clock.now() - 8 * HOUR).replace(microsecond=0)
    (letter_id,) = came(systems, 8 * HOUR).letters
    (message,) = rows(systems, Message)
    assert message.arrived_at is not None
    assert abs(message.arrived_at - moment) < timedelta(minutes=1)
    assert message.received_at - message.arrived_at > 7 * HOUR, "the moment of intake is kept, too"
    case = CaseRun.open(1, systems)
    assert rows(systems, Case)[0].opened_at == message.arrived_at
    local = message.arrived_at.astimezone(systems.settings.zone)
    assert f"{local:%H.%M}" in text(case, "first_response")
    assert f"diterima {local:%d-%m-%Y %H:%M}" in done(serve_complaint, case, need()).description
    deliver(systems, letter_id)
    (line,) = [line for line in service_report(systems).splitlines() if line.startswith("| baru / new |")]
    assert "| 8:00:" in line


@pytest.mark.parametrize(
    ("before", "clock"), [(None, "system"), (-2 * HOUR, "system"), (31 * 24 * HOUR, "system"), (HOUR, "simulated")]
)
def test_where_the_servers_word_cannot_be_believed_the_moment_of_intake_stands(
    before: timedelta | None, clock: str, systems: Systems
) -> None:
    started = systems.clock.now()
    came(systems, before, clock=clock)
    (message,) = rows(systems, Message)
    assert message.arrived_at is None
    assert rows(systems, Case)[0].opened_at >= started


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_the_same_words_days_later_are_news_though_both_are_taken_in_together(systems: Systems) -> None:
    came(systems, 48 * HOUR)
    assert came(systems, 30 * HOUR).outcome == "duplicate"
    assert came(systems, HOUR).outcome == "joined"


def test_cases_of_a_long_outage_are_joined_as_without_it(systems: Systems) -> None:
    came(systems, 20 * 24 * HOUR)
    assert came(systems, 19 * 24 * HOUR, f"Nomor {LINE} masih belum bisa dipakai juga.", "Lagi").outcome == "joined"
    assert came(systems, HOUR, f"Nomor {LINE} mati lagi.", "Mati").outcome == "opened"


def test_what_a_person_takes_in_began_when_it_came(systems: Systems) -> None:
    systems.settings.limits.mails_an_hour = 1
    came(systems, 2 * HOUR)
    assert came(systems, HOUR, PRICE, "Harga").outcome == "quarantined"
    accept_mail(systems, 2, "Sari")
    assert rows(systems, Case)[-1].opened_at == rows(systems, Message)[-1].arrived_at
