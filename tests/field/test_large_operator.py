"""A large operator's TMF621 4.1, by what it publishes: a contract of our own words, held as a server on loopback.

An API key in a header of their naming; a status ``submitted``; filters are not part of it; create answers 201, or 202
with a monitor that the specification does not describe; PATCH answers 200 or 204; 422 beside 400. Events would come to
callbacks without a signature: we register none, and poll.
"""

import itertools
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from adapters.systems.mycx import MyCx
from adapters.systems.nossa import Nossa
from models.errors import AskedToWait, Refused
from models.facts import TicketStatus
from models.settings import HttpSystem
from tests.adapters.systems.back_office import Answer, Request, scripted

CREATED: dict[str, Any] = {
    "external_id": "JKT-0000001/1",
    "description": "JKT-0000001: putus",
    "severity": "Minor",
    "ticket_type": "complain",
    "unit": "Core Network",
    "service_number": "4700001-0021497479",
    "customer_id": "C-2",
}
STATUSES = ["submitted", "acknowledged", "rejected", "pending", "held", "inProgress", "cancelled", "closed", "resolved"]
SENDABLE = {"description", "severity", "ticketType", "externalId", "relatedParty", "relatedEntity", "note", "status"}
SENDABLE |= {"statusChangeReason"}


class Operator:
    """Their side. ``waits``: looks at the monitor before what is accepted is done; -1: it fails, None: 201 at once."""

    def __init__(self, waits: int | None = None, base: str = "/tmf-api/troubleTicket/v4", patched: int = 200) -> None:
        self.tickets: list[dict[str, Any]] = [
            {"id": f"T{n}", "externalId": f"X/{n}", "status": "held"} for n in range(9)
        ]
        self.posts = 0
        self.hubs = 0
        self._waits = waits
        self._base = base
        self._patched = patched
        self._coming: dict[str, Any] | None = None
        self._ids = itertools.count(100)

    def __call__(self, request: Request) -> Answer:
        if request.headers.get("x-their-key") != "k3y":
            return 401, {}, self._error("401", "Unauthorized")
        if request.path == f"{self._base}/monitor/7":
            return self._monitor()
        if not request.path.startswith(f"{self._base}/troubleTicket"):
            self.hubs += "hub" in request.path
            return 404, {}, self._error("404", "Not Found")
        if request.body is not None and not set(request.body) <= SENDABLE:
            return 422, {}, self._error("422", "unknown member")
        answer: Answer = getattr(self, f"_{request.method.lower()}")(request)
        return answer

    def _get(self, request: Request) -> Answer:
        name = request.path.removeprefix(f"{self._base}/troubleTicket").strip("/")
        if name:
            found = next((one for one in self.tickets if one["id"] == name), None)
            return (200, {}, found) if found else (404, {}, self._error("404", "Not Found"))
        page = self.tickets[int(request.query.get("offset", 0)) :][:5]
        return 200, {"X-Total-Count": str(len(self.tickets)), "X-Result-Count": str(len(page))}, page

    def _post(self, request: Request) -> Answer:
        self.posts += 1
        if request.body["severity"] == "Catastrophic":
            return 422, {}, self._error("60", "severity is not one of ours")
        made = {
            **request.body,
            "id": f"T{next(self._ids)}",
            "status": "submitted",
            "@type": "TheirTicket",
            "href": None,
        }
        if self._waits is None:
            self.tickets.append(made)
            return 201, {}, made
        self._coming = made
        return 202, {"Location": f"{self._base}/monitor/7"}, b""

    def _patch(self, request: Request) -> Answer:
        ticket = next(one for one in self.tickets if request.path.endswith(f"/{one['id']}"))
        ticket |= request.body
        return (self._patched, {}, b"") if self._patched == 204 else (200, {}, ticket)

    def _monitor(self) -> Answer:
        assert self._waits is not None
        if self._waits < 0:
            return 200, {}, {"id": "7", "state": "Failed", "error": self._error("7", "no such line: budi@example.com")}
        self._waits -= 1
        if self._waits <= 0 and self._coming:
            self.tickets.append(self._coming)
            self._coming = None
        return 200, {}, {"id": "7", "state": "InProgress" if self._coming else "Done by us"}

    @staticmethod
    def _error(code: str, reason: str) -> dict[str, str]:
        return {"code": code, "reason": reason, "@type": "TheirError"}


def at(url: str, **more: Any) -> HttpSystem:
    return HttpSystem(url=url, api_key=SecretStr("k3y"), api_key_header="X-Their-Key", timeout=30, **more)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.systems.tmf.FOLLOW_SECONDS", 0.0)


@pytest.mark.parametrize("waits", [None, 1, 3])
@pytest.mark.parametrize("patched", [200, 204])
def test_a_ticket_from_its_create_to_its_end(waits: int | None, patched: int) -> None:
    theirs = Operator(waits, patched=patched)
    with scripted(theirs) as server:
        mycx = MyCx(at(server.settings.url))
        made = mycx.create_ticket(**CREATED)
        assert (made.status, made.unit) == (TicketStatus.SUBMITTED, "Core Network")
        assert mycx.create_ticket(**CREATED) == made
        assert Nossa(at(server.settings.url)).progress(CREATED["external_id"]) == made
        assert mycx.assign(made.ticket_id, "Billing", "Koordinasi 1").unit == "Billing"
        assert mycx.add_note(made.ticket_id, "Mohon segera").status is TicketStatus.IN_PROGRESS
        assert mycx.close(made.ticket_id, "selesai").status is TicketStatus.CLOSED
    assert (theirs.posts, theirs.hubs) == (1, 0)


@pytest.mark.parametrize("word", STATUSES)
def test_each_of_their_statuses_is_known(word: str) -> None:
    theirs = Operator()
    theirs.tickets[3]["status"] = word
    with scripted(theirs) as server:
        assert MyCx(at(server.settings.url)).ticket("T3").status.value == word


def test_a_create_that_is_not_done_yet_is_never_sent_again() -> None:
    theirs = Operator(waits=20)
    with scripted(theirs) as server:
        mycx = MyCx(at(server.settings.url))
        for _ in range(2):
            with pytest.raises(AskedToWait, match=r"JKT-0000001/1 is accepted \(202\) and not there yet"):
                mycx.create_ticket(**CREATED)
        assert mycx.create_ticket(**CREATED).status is TicketStatus.SUBMITTED
    assert theirs.posts == 1


def test_what_they_refuse_is_said_to_a_person_and_no_log() -> None:
    with scripted(Operator()) as server, pytest.raises(Refused, match=r"POST .*: 422$") as at_once:
        MyCx(at(server.settings.url)).create_ticket(**{**CREATED, "severity": "Catastrophic"})
    assert at_once.value.words == "60: severity is not one of ours"
    with (
        scripted(Operator(waits=-1)) as server,
        pytest.raises(Refused, match=r"accepted \(202\), and then failed$") as late,
    ):
        MyCx(at(server.settings.url)).create_ticket(**CREATED)
    assert late.value.words == "7: no such line: budi@example.com"


def test_another_base_path() -> None:
    theirs = Operator(waits=1, base="/troubleTicketManagement/v4")
    with scripted(theirs) as server:
        with pytest.raises(Refused, match="404"):
            MyCx(at(server.settings.url)).find("X/1")
        moved = at(server.settings.url, base_paths={"troubleTicket": "/troubleTicketManagement/v4/"})
        assert MyCx(moved).create_ticket(**CREATED).status is TicketStatus.SUBMITTED


def test_no_login_goes_to_a_monitor_elsewhere() -> None:
    theirs, elsewhere = Operator(), Operator()

    def answer(request: Request) -> Answer:
        found = theirs(request)
        return (202, {"Location": f"{other.settings.url}/monitor/7"}, b"") if request.method == "POST" else found

    with scripted(elsewhere) as other, scripted(answer) as server:
        MyCx(at(server.settings.url)).create_ticket(**CREATED)
    assert other.requests == []


def test_a_token_that_has_run_out_is_read_again_once(tmp_path: Path) -> None:
    file, good = tmp_path / "token", ["one"]
    file.write_text("one\n")

    def answer(request: Request) -> Answer:
        given = request.headers.get("authorization")
        return (200, {}, {"id": "T1"}) if given == f"Bearer {good[0]}" else (401, {}, {})

    with scripted(answer) as server:
        by_file = MyCx(HttpSystem(url=server.settings.url, token_file=file))
        by_file.ticket("T1")
        good[0] = "two"
        with pytest.raises(Refused, match="401"):
            by_file.ticket("T1")
        assert len(server.requests) == 2, "the file says the same"
        file.write_text("two")
        by_file.ticket("T1")
        assert [one.headers["authorization"] for one in server.requests[2:]] == ["Bearer one", "Bearer two"]
        code = f"print(open({str(file)!r}).read())"
        MyCx(HttpSystem(url=server.settings.url, token_command=(sys.executable, "-c", code))).ticket("T1")
