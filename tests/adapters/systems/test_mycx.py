"""My CX over its wire, real and simulated (SOP 11.1 My CX)."""

import re
from typing import Any

import httpx
import pytest

from adapters.systems.mycx import MyCx
from models.errors import BrokenAnswer, Refused, Unavailable
from models.facts import Ticket, TicketStatus
from tests.adapters.systems.back_office import BackOffice, Request, scripted


@pytest.fixture
def mycx(office: BackOffice) -> MyCx:
    return MyCx(office.settings("mycx"))


def create(mycx: MyCx, external_id: str = "CASE-1", unit: str = "Access Network", customer: str = "C-1") -> Ticket:
    return mycx.create_ticket(
        external_id=external_id,
        description="Internet mati",
        severity="Major",
        ticket_type="complain",
        unit=unit,
        service_number="122345678901",
        customer_id=customer,
    )


def test_creates_once(office: BackOffice, mycx: MyCx) -> None:
    ticket = create(mycx)
    assert re.fullmatch(r"1-[0-9A-Z]{6,10}", ticket.ticket_id)
    assert (ticket.external_id, ticket.status, ticket.unit) == (
        "CASE-1",
        TicketStatus.ACKNOWLEDGED,
        "Access Network",
    )
    assert (ticket.cause, ticket.repair) == (None, None)
    assert create(mycx) == mycx.find("CASE-1") == mycx.ticket(ticket.ticket_id) == ticket
    (stored,) = office.tickets()
    assert stored["description"] == "Internet mati"
    assert [party["role"] for party in stored["relatedParty"]] == ["unit", "customer"]
    assert stored["relatedEntity"][0]["id"] == "122345678901"


def test_a_customer_and_a_line_that_nobody_knows(office: BackOffice, mycx: MyCx) -> None:
    mycx.create_ticket(
        external_id="CASE-1",
        description="Tagihan",
        severity="Minor",
        ticket_type="complain",
        unit="Billing",
        service_number=None,
        customer_id=None,
    )
    (stored,) = office.tickets()
    assert [party["id"] for party in stored["relatedParty"]] == ["Billing"]
    assert "relatedEntity" not in stored


def test_a_lost_answer_makes_no_second_ticket(office: BackOffice, mycx: MyCx) -> None:
    office.arm("mycx", "lose_answer")
    ticket = create(mycx)
    assert office.requests("mycx") == ["GET", "POST", "GET", "GET"]
    assert [one["externalId"] for one in office.tickets()] == ["CASE-1"]
    assert mycx.find("CASE-1") == ticket


def test_down_for_a_moment(office: BackOffice, mycx: MyCx) -> None:
    office.arm("mycx", "down", times=2)
    create(mycx)
    assert len(office.tickets()) == 1


def test_down_for_longer(office: BackOffice, mycx: MyCx) -> None:
    office.arm("mycx", "down", times=3)
    with pytest.raises(Unavailable, match=r"My CX: GET .*: 503"):
        create(mycx)
    assert office.tickets() == []
    create(mycx)
    assert len(office.tickets()) == 1


def test_a_broken_answer(office: BackOffice, mycx: MyCx) -> None:
    create(mycx)
    office.arm("mycx", "broken")
    with pytest.raises(BrokenAnswer, match="id: string_type"):
        mycx.find("CASE-1")
    assert mycx.find("CASE-1") is not None


def test_a_wrong_token(office: BackOffice) -> None:
    settings = office.settings("mycx").model_copy(update={"token": office.settings("nossa").token})
    with pytest.raises(Refused, match="401"):
        MyCx(settings).find("CASE-1")


def test_not_there(mycx: MyCx) -> None:
    assert mycx.find("CASE-1") is None
    with pytest.raises(Refused, match="404"):
        mycx.ticket("1-9999999")


def notes(office: BackOffice) -> list[str]:
    return [note["text"] for note in office.tickets()[0]["note"]]


def test_notes_are_added_once_and_keep_those_before(office: BackOffice, mycx: MyCx) -> None:
    ticket = create(mycx)
    for text in ("one", "two", "one", "two"):
        mycx.add_note(ticket.ticket_id, text)
    assert notes(office) == ["one", "two"]


def test_the_units_notes_survive_ours(office: BackOffice, mycx: MyCx) -> None:
    ticket = create(mycx)
    office.clock.advance(4)
    mycx.add_note(ticket.ticket_id, "thanks")
    after = mycx.ticket(ticket.ticket_id)
    assert (after.cause, after.repair) == ("Kabel putus", "Kabel disambung")
    first, *_ = office.tickets()[0]["note"]
    assert first["author"] == "Access Network"
    assert first["date"]


def test_assigns_once_and_keeps_the_customer(office: BackOffice, mycx: MyCx) -> None:
    ticket = create(mycx)
    for _ in range(2):
        assert mycx.assign(ticket.ticket_id, "Core Network", "please").unit == "Core Network"
    assert office.requests("mycx").count("PATCH") == 1
    assert notes(office) == ["please"]
    assert [party["id"] for party in office.tickets()[0]["relatedParty"]] == ["C-1", "Core Network"]


def test_the_same_unit_may_be_asked_again_with_another_note(office: BackOffice, mycx: MyCx) -> None:
    ticket = create(mycx)
    office.clock.advance(4)
    assert mycx.ticket(ticket.ticket_id).status is TicketStatus.RESOLVED
    again = mycx.assign(ticket.ticket_id, "Access Network", "still dead")
    assert again.status is TicketStatus.IN_PROGRESS
    office.clock.advance(3.9)
    assert mycx.ticket(ticket.ticket_id).status is TicketStatus.IN_PROGRESS
    office.clock.advance(0.2)
    assert mycx.ticket(ticket.ticket_id).status is TicketStatus.RESOLVED


def test_closes_once(office: BackOffice, mycx: MyCx) -> None:
    ticket = create(mycx)
    closed = mycx.close(ticket.ticket_id, "done")
    assert (closed.status, closed.status_reason) == (TicketStatus.CLOSED, "done")
    assert mycx.close(ticket.ticket_id, "done again") == closed
    assert office.requests("mycx").count("PATCH") == 1
    with pytest.raises(Refused, match="409"):
        mycx.assign(ticket.ticket_id, "Core Network", "too late")
    office.clock.advance(100)
    assert mycx.ticket(ticket.ticket_id).status is TicketStatus.CLOSED


def test_an_ended_ticket_takes_no_note_and_is_renewed_once(office: BackOffice, mycx: MyCx) -> None:
    ended = mycx.close(create(mycx).ticket_id, "done")
    assert mycx.add_note(ended.ticket_id, "too late") == ended
    office.arm("mycx", "lose_answer")
    new = mycx.renew(ended.ticket_id, "CASE-1.2", "Core Network")
    assert mycx.renew(ended.ticket_id, "CASE-1.2", "Core Network") == new
    assert (new.external_id, new.unit, new.status) == ("CASE-1.2", "Core Network", TicketStatus.ACKNOWLEDGED)
    before, after = office.tickets()
    for name in ("description", "severity", "ticketType", "relatedEntity"):
        assert after[name] == before[name]
    assert {party["id"] for party in after["relatedParty"]} == {"C-1", "Core Network"}


def test_a_lost_answer_assigns_once(office: BackOffice, mycx: MyCx) -> None:
    ticket = create(mycx)
    office.arm("mycx", "lose_answer")
    assert mycx.assign(ticket.ticket_id, "Core Network", "text").unit == "Core Network"
    assert notes(office) == ["text"]


def test_a_lost_answer_adds_one_note(office: BackOffice, mycx: MyCx) -> None:
    ticket = create(mycx)
    office.arm("mycx", "lose_answer")
    mycx.add_note(ticket.ticket_id, "text")
    assert notes(office) == ["text"]


def test_a_lost_answer_closes_once(office: BackOffice, mycx: MyCx) -> None:
    ticket = create(mycx)
    office.arm("mycx", "lose_answer")
    closed = mycx.close(ticket.ticket_id, "text")
    assert (closed.status, closed.status_reason) == (TicketStatus.CLOSED, "text")


def test_a_close_that_is_refused_while_the_ticket_is_open_is_an_error() -> None:
    def answer(request: Request) -> tuple[int, dict[str, str], Any]:
        return (409 if request.method == "PATCH" else 200), {}, {"id": "1-1", "status": "held"}

    with scripted(answer) as server, pytest.raises(Refused, match="409"):
        MyCx(server.settings).close("1-1", "done")


def test_doubles_and_tickets_of_others_from_a_server_that_ignores_filters(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def ticket(identifier: str, external_id: str | None, day: int) -> dict[str, Any]:
        created = f"2026-01-{day:02d}T00:00:00Z"
        return {"id": identifier, "externalId": external_id, "status": "held", "creationDate": created}

    listed = [ticket("1-C", "CASE-1", 3), ticket("1-A", "CASE-10", 1), ticket("1-B", "CASE-1", 2)]
    with scripted(lambda _: (200, {"X-Total-Count": "3"}, listed)) as server:
        found = MyCx(server.settings).find("CASE-1")
    assert found is not None
    assert found.ticket_id == "1-B"
    assert caplog.messages == ["My CX: duplicates of 1-B: 1-C"]


def test_a_conflict_means_look_again() -> None:
    made: list[str] = []

    def answer(request: Request) -> tuple[int, dict[str, str], Any]:
        if request.method == "POST":
            made.append("1-000001")
            return 409, {}, {"code": "409", "reason": "double"}
        return 200, {}, [{"id": one, "externalId": "CASE-1", "status": "acknowledged"} for one in made]

    with scripted(answer) as server:
        assert create(MyCx(server.settings)).ticket_id == "1-000001"


def test_fields_that_we_do_not_know_go_back_as_they_came() -> None:
    note = {"id": "n", "text": "unit's", "@baseType": "Note", "new": {"a": [1]}}
    party = {"id": "x", "@referredType": "Individual", "href": "http://x", "role": "reporter"}
    ticket = {"id": "1-1", "status": "held", "note": [note], "relatedParty": [party]}
    with scripted(lambda _: (200, {}, ticket)) as server:
        MyCx(server.settings).assign("1-1", "Core Network", "mine")
    assert server.requests[-1].body == {
        "status": "inProgress",
        "note": [note, {"author": "Layanan", "text": "mine"}],
        "relatedParty": [
            party,
            {"id": "Core Network", "name": "Core Network", "role": "unit", "@referredType": "Organization"},
        ],
    }


@pytest.mark.parametrize(
    ("wire", "status", "reason"),
    [
        ({"status": "asleep"}, TicketStatus.UNKNOWN, "asleep"),
        ({"status": "asleep", "statusChangeReason": "night"}, TicketStatus.UNKNOWN, "asleep: night"),
        ({"status": None}, TicketStatus.UNKNOWN, None),
        ({"status": 7}, TicketStatus.UNKNOWN, None),
        ({}, TicketStatus.UNKNOWN, None),
        ({"status": "In Progress"}, TicketStatus.IN_PROGRESS, None),
        ({"status": "submitted"}, TicketStatus.SUBMITTED, None),
    ],
)
def test_a_status_word_is_shown_and_never_fatal(wire: dict[str, Any], status: TicketStatus, reason: str | None) -> None:
    with scripted(lambda _: (200, {}, {"id": "1-1", **wire})) as server:
        found = MyCx(server.settings).ticket("1-1")
    assert (found.status, found.status_reason) == (status, reason)


def test_nothing_connects_before_the_first_call(office: BackOffice) -> None:
    MyCx(office.settings("mycx"))
    assert office.requests("mycx") == []
    assert httpx.get(f"{office.root}/mycx/").status_code == 404
