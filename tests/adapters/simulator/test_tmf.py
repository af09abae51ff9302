import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.systems.mycx import MyCx
from adapters.systems.nossa import Nossa
from models.facts import TicketStatus
from tests.adapters.systems import tmf_specs
from tests.adapters.systems.back_office import SEED, BackOffice, back_office
from tests.contracts import Private

needs_specs = pytest.mark.skipif(not tmf_specs.SPECS.is_dir(), reason=tmf_specs.MISSING)
COLLECTIONS = {
    "mycx": ["troubleTicket/v4/troubleTicket"],
    "nossa": ["troubleTicket/v4/troubleTicket", "serviceProblemManagement/v4/serviceProblem"],
    "siska": [
        "customerManagement/v4/customer",
        "party/v4/individual",
        "party/v4/organization",
        "productInventory/v4/product",
    ],
    "epayment": ["customerBillManagement/v4/customerBill"],
    "tenoss": ["serviceInventory/v4/service"],
    "telkom_center": ["resourceInventoryManagement/v4/resource"],
    "embassy": ["serviceTestManagement/v4/serviceTest"],
}
TICKET = {"description": "d", "severity": "Major", "ticketType": "incident"}


def call(office: BackOffice, method: str, system: str, path: str, body: Any = None) -> httpx.Response:
    token = office.settings(system).token.get_secret_value()
    return httpx.request(
        method,
        f"{office.root}/{system}/tmf-api/{path}",
        json=body,
        headers={"Authorization": f"Bearer {token}"},
    )


@needs_specs
def test_every_resource_keeps_to_the_standard_at_every_time(office: BackOffice) -> None:
    MyCx(office.settings("mycx")).create_ticket(
        external_id="CASE-1",
        description="d",
        severity="Major",
        ticket_type="incident",
        unit="Access Network",
        service_number=None,
        customer_id="C-2",
    )
    for number in ("122345678901", "122345678903", "unknown"):
        test = {"name": number, "relatedService": {"id": number}, "testSpecification": {"id": "line-quality"}}
        assert call(office, "POST", "embassy", COLLECTIONS["embassy"][0], test).status_code == 201
    for hours in (0, 1, 2, 4):
        office.clock.advance(hours)
        for system, paths in COLLECTIONS.items():
            for path in paths:
                listed = call(office, "GET", system, path).json()
                assert listed
                one = call(office, "GET", system, f"{path}/{listed[0]['id']}").json()
                # within the first seconds a line test may end between the two calls
                assert one == listed[0] or (hours == 0 and one["id"] == listed[0]["id"])
    assert office.problems() == []


@needs_specs
def test_refusals_keep_to_the_standard(office: BackOffice) -> None:
    tickets = COLLECTIONS["mycx"][0]
    made = call(office, "POST", "mycx", tickets, TICKET).json()["id"]
    refused = [
        call(office, "GET", "mycx", f"{tickets}/1-9999999"),
        call(office, "GET", "mycx", f"{tickets}?offset=x"),
        call(office, "POST", "nossa", tickets, TICKET),
        call(office, "PATCH", "nossa", f"{tickets}/INC00000001", {}),
        call(office, "PATCH", "mycx", f"{tickets}/1-9999999", {}),
        httpx.get(f"{office.root}/mycx/tmf-api/{tickets}"),
    ]
    assert [one.status_code for one in refused] == [404, 400, 405, 405, 404, 401]
    assert office.problems() == []
    # these requests break the standard themselves
    wrong = [
        call(office, "POST", "mycx", tickets, {"description": "d"}),
        call(office, "POST", "mycx", tickets, []),
        call(office, "PATCH", "mycx", f"{tickets}/{made}", {"creationDate": "2026-01-01T00:00:00Z"}),
        call(office, "POST", "embassy", COLLECTIONS["embassy"][0], {}),
    ]
    assert [one.status_code for one in wrong] == [400] * 4
    assert all(one.json()["code"] == "400" for one in wrong)
    assert {problem.partition(":")[0] for problem in office.problems()} == {"request"}
    office.exchanges.clear()


@needs_specs
@pytest.mark.parametrize(
    ("body", "says"),
    [
        (TICKET, ""),
        (TICKET | {"externalid": "x"}, "externalid"),
        (TICKET | {"note": [{"txt": "x"}]}, "txt"),
        (TICKET | {"creationDate": "yesterday"}, "date-time"),
        ({"description": "d"}, "severity"),
    ],
)
def test_the_check_against_the_standard_can_fail(body: dict[str, Any], says: str) -> None:
    path = "/mycx/tmf-api/troubleTicket/v4/troubleTicket"
    found = tmf_specs.problems("POST", path, 201, json.dumps(body).encode(), b"{}")
    assert bool(found) is bool(says)
    assert says in "".join(found)
    assert tmf_specs.problems("GET", path, 200, b"", b'[{"status": "asleep"}]')
    assert tmf_specs.problems("GET", path, 404, b"", b'{"code": 404}')


@pytest.mark.parametrize("service", [{}, "122345678901", {"id": 7}, {"id": None}])
def test_a_line_test_without_a_service_is_refused_and_spoils_no_list(office: BackOffice, service: Any) -> None:
    path = COLLECTIONS["embassy"][0]
    test = {"name": "x", "relatedService": service, "testSpecification": {"id": "line-quality"}}
    refused = call(office, "POST", "embassy", path, test)
    assert (refused.status_code, refused.json()["reason"]) == (400, "relatedService.id: a string is required")
    assert call(office, "GET", "embassy", path).status_code == 200
    office.exchanges.clear()  # the request breaks the standard itself


def test_filters_and_pages(office: BackOffice) -> None:
    bills = COLLECTIONS["epayment"][0]
    first = call(office, "GET", "epayment", f"{bills}?relatedParty.id=C-4")
    assert (first.status_code, len(first.json())) == (206, 50)
    assert (first.headers["X-Total-Count"], first.headers["X-Result-Count"]) == ("120", "50")
    last = call(office, "GET", "epayment", f"{bills}?relatedParty.id=C-4&offset=110&limit=20")
    assert last.headers["X-Result-Count"] == "10"
    some = call(office, "GET", "epayment", f"{bills}?relatedParty.id=C-4,C-1&state=settled,new")
    assert (some.status_code, [bill["billNo"] for bill in some.json()]) == (200, ["B-2"])
    assert call(office, "GET", "epayment", f"{bills}?nothing.here=1").json() == []


def test_a_system_has_only_its_own_resources(office: BackOffice) -> None:
    assert call(office, "GET", "siska", COLLECTIONS["epayment"][0]).status_code == 404


def test_doubles_are_accepted_so_that_they_are_noticed(office: BackOffice) -> None:
    for _ in range(2):
        call(office, "POST", "mycx", COLLECTIONS["mycx"][0], TICKET | {"externalId": "CASE-1"})
    assert [one["externalId"] for one in office.tickets()] == ["CASE-1", "CASE-1"]


def test_a_restart_keeps_tickets_plans_and_the_port(tmp_path: Path) -> None:
    with back_office(SEED, tmp_path) as office:
        root, bills = office.root, call(office, "GET", "epayment", COLLECTIONS["epayment"][0]).json()
        ticket = MyCx(office.settings("mycx")).create_ticket(
            external_id="CASE-1",
            description="d",
            severity="Major",
            ticket_type="incident",
            unit="Access Network",
            service_number="122345678901",
            customer_id=None,
        )
        office.clock.advance(2)
    with back_office(SEED, tmp_path) as office:
        assert office.root == root
        assert call(office, "GET", "epayment", COLLECTIONS["epayment"][0]).json() == bills
        mycx = MyCx(office.settings("mycx"))
        assert mycx.ticket(ticket.ticket_id).status is TicketStatus.IN_PROGRESS
        office.clock.advance(2)
        assert mycx.ticket(ticket.ticket_id).cause == "Kabel putus"
        progress = Nossa(office.settings("nossa")).progress("CASE-1")
        assert progress is not None
        assert progress.ticket_id == "INC00000001"
        assert len(office.tickets()) == 1


def test_an_unknown_fault_is_refused(office: BackOffice) -> None:
    for wrong in ({"system": "mcx", "kind": "down"}, {"system": "mycx", "kind": "sleepy"}):
        assert httpx.post(f"{office.root}/simulator/faults", json=wrong).status_code == 400


def test_faults_hit_their_system_alone_and_pass(office: BackOffice) -> None:
    office.arm("mycx", "down")
    tickets = COLLECTIONS["mycx"][0]
    assert call(office, "GET", "nossa", tickets).status_code == 200
    assert call(office, "GET", "mycx", tickets).status_code == 503
    assert call(office, "GET", "mycx", tickets).status_code == 200
    office.arm("mycx", "lose_answer")
    assert call(office, "GET", "mycx", tickets).json() == []
    with pytest.raises(httpx.RemoteProtocolError):
        call(office, "POST", "mycx", tickets, TICKET)
    assert len(office.tickets()) == 1


def test_uvicorn_leaves_signals_to_us() -> None:
    """Without this, a Ctrl-C would end uvicorn alone and leave the simulator's other servers running."""
    Private(
        "uvicorn",
        "Server.capture_signals",
        "adapters/simulator/tmf.py replaces it; see test_main.py.",
        "(self) -> 'Generator[None, None, None]'",
    ).hold()
    Private(
        "uvicorn", "Server.serve", "It must call what we replace.", mentions=("with self.capture_signals():",)
    ).hold()
