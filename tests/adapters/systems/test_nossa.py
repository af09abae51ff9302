"""NOSSA over its wire, real and simulated (SOP 11.1 NOSSA)."""

import re
from datetime import timedelta
from typing import Any

import pytest

from adapters.systems.mycx import MyCx
from adapters.systems.nossa import STATUS_WORDS, Nossa
from models.facts import MassDisturbance, Ticket, TicketStatus
from tests.adapters.systems.back_office import BackOffice, scripted


@pytest.fixture
def nossa(office: BackOffice) -> Nossa:
    return Nossa(office.settings("nossa"))


def create(office: BackOffice, unit: str) -> str:
    return (
        MyCx(office.settings("mycx"))
        .create_ticket(
            external_id="CASE-1",
            description="Link mati",
            severity="Critical",
            ticket_type="complain",
            unit=unit,
            service_number="4700001-0021497479",
            customer_id="C-2",
        )
        .ticket_id
    )


def progress(nossa: Nossa) -> Ticket:
    found = nossa.progress("CASE-1")
    assert found is not None
    return found


def test_follows_a_unit_that_holds_and_another_that_repairs(office: BackOffice, nossa: Nossa) -> None:
    assert nossa.progress("CASE-1") is None
    ticket_id = create(office, "Access Network")
    new = progress(nossa)
    assert re.fullmatch(r"INC\d{8}", new.ticket_id)
    assert (new.external_id, new.status, new.status_reason) == ("CASE-1", TicketStatus.ACKNOWLEDGED, "NEW")
    office.clock.advance(1)
    started = progress(nossa)
    assert (started.status, started.status_reason) == (TicketStatus.IN_PROGRESS, "ANALYSIS")
    office.clock.advance(2)
    held = progress(nossa)
    assert (held.status, held.status_reason, held.unit) == (TicketStatus.HELD, "SLAHOLD", "Access Network")
    office.clock.advance(1000)
    assert progress(nossa) == held

    MyCx(office.settings("mycx")).assign(ticket_id, "Core Network", "please")
    assert progress(nossa).status is TicketStatus.IN_PROGRESS
    office.clock.advance(0.5)
    done = progress(nossa)
    assert (done.status, done.status_reason) == (TicketStatus.RESOLVED, "MEDIACARE")
    assert (done.unit, done.cause, done.repair) == ("Core Network", "Modul rusak", "Modul diganti")
    assert done.created_at is not None
    assert done.changed_at is not None
    assert done.changed_at - done.created_at >= timedelta(hours=1003.5)

    MyCx(office.settings("mycx")).close(ticket_id, "done")
    assert progress(nossa).status_reason == "CLOSED"


def ticket(**more: str) -> Ticket:
    wire = {"id": "INC00000001", "externalId": "CASE-1", "status": "pending", **more}
    with scripted(lambda _: (200, {"X-Total-Count": "1"}, [wire])) as server:
        return progress(Nossa(server.settings))


def test_changed_means_the_status_not_a_later_note(office: BackOffice, nossa: Nossa) -> None:
    ticket_id = create(office, "Access Network")
    office.clock.advance(3)
    held = progress(nossa)
    office.clock.advance(1)
    MyCx(office.settings("mycx")).add_note(ticket_id, "please hurry")
    assert progress(nossa) == held


@pytest.mark.parametrize(("word", "status"), STATUS_WORDS.items())
def test_the_systems_own_word_decides(word: str, status: TicketStatus) -> None:
    found = ticket(statusChangeReason=word)
    assert (found.status, found.status_reason) == (status, word)


def test_without_a_word_the_standards_status_holds() -> None:
    assert ticket().status is TicketStatus.PENDING


def test_an_unknown_word_is_shown_and_not_guessed() -> None:
    found = ticket(statusChangeReason="LUNCH")
    assert (found.status, found.status_reason) == (TicketStatus.PENDING, "LUNCH"), "the standard's status holds"
    found = ticket(status="LUNCH")
    assert (found.status, found.status_reason) == (TicketStatus.UNKNOWN, "LUNCH")
    assert ticket(status="MEDIACARE").status is TicketStatus.RESOLVED, "its own word in the standard's place"


def test_a_mass_disturbance_until_it_ends(office: BackOffice, nossa: Nossa) -> None:
    found = nossa.open_disturbance("4700001-0021497479")
    assert found is not None
    assert found.status_word == ""
    assert nossa.open_disturbance("122345678901") is None
    office.clock.advance(6)
    assert nossa.open_disturbance("4700001-0021497479") is None


def problem(identifier: str, **more: Any) -> dict[str, Any]:
    return {"id": identifier, "status": "inProgress", "description": "?", "affectedService": [{"id": "1"}], **more}


def test_disturbances_from_a_server_that_ignores_filters() -> None:
    listed = [
        problem("other", affectedService=[{"id": "12"}]),
        problem("over", status="closed"),
        problem("undated"),
        problem("new", creationDate="2026-01-02T00:00:00Z"),
        problem("old", creationDate="2026-01-01T00:00:00Z"),
    ]
    with scripted(lambda _: (200, {"X-Total-Count": "5"}, listed)) as server:
        nossa = Nossa(server.settings)
        assert nossa.open_disturbance("1") == MassDisturbance(ticket_id="old")
        assert nossa.open_disturbance("2") is None


def test_a_disturbance_of_an_unknown_status_is_shown_with_it() -> None:
    listed = [problem("x", status="asleep"), problem("over", resolutionDate="2026-01-01T00:00:00Z", status=None)]
    with scripted(lambda _: (200, {}, listed)) as server:
        found = Nossa(server.settings).open_disturbance("1")
    assert found == MassDisturbance(ticket_id="x", status_word="asleep")
