"""The proxy itself: what it passes on, and what it changes."""

from typing import Any

import httpx
import pytest

from models.settings import HttpSystem, Settings
from tests.field.proxy import (
    Asynchronous,
    Change,
    Proxy,
    broken_record,
    moved,
    no_filter,
    no_offset,
    nulls,
    said,
    status,
    totals,
    wants,
    without,
)

CUSTOMERS = "siska/tmf-api/customerManagement/v4/customer"
BILLS = "epayment/tmf-api/customerBillManagement/v4/customerBill"
TICKETS = "mycx/tmf-api/troubleTicket/v4/troubleTicket"
NEW = {"externalId": "X/1", "description": "d", "severity": "Minor", "ticketType": "complain"}


def ask(between: Proxy, path: str, method: str = "GET", **more: Any) -> httpx.Response:
    key = {"Authorization": f"Bearer simulated-{path.partition('/')[0]}"}
    return httpx.request(method, f"{between.url}/{path}", headers=key | more.pop("headers", {}), **more)


def test_it_passes_on_what_nothing_changes_and_keeps_what_came(between: Proxy) -> None:
    answer = ask(between, CUSTOMERS, params={"id": "C-1"})
    assert [one["id"] for one in answer.json()] == ["C-1"]
    assert answer.headers["x-total-count"] == "1"
    assert answer.json()[0]["href"].startswith(between.url)
    assert ask(between, TICKETS, "POST", json=NEW).status_code == 201
    assert (between.count("siska"), between.count("mycx", "POST"), between.count()) == (1, 1, 2)
    behind = between.before(Settings(siska=HttpSystem(timeout=7))).siska
    assert (behind.url, behind.timeout) == (f"{between.url}/siska", 7)
    assert between.environment()["LAYANAN_TELKOM_CENTER__URL"] == f"{between.url}/telkom_center"


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (nulls("contactMedium.characteristic"), lambda one: one["contactMedium"][0]["characteristic"] is None),
        (without("engagedParty.@referredType"), lambda one: set(one["engagedParty"]) == {"id", "name"}),
        (said("name", str.upper), lambda one: one["name"] == "BUDI SANTOSO"),
        (broken_record(), lambda one: one["id"] == 42),
        (broken_record(0, None), lambda one: one["id"] == 42),
    ],
)
def test_members(between: Proxy, change: Change, seen: Any) -> None:
    between.change(change, system="siska", method="GET", times=1)
    assert seen(ask(between, CUSTOMERS).json()[0])
    assert not seen(ask(between, CUSTOMERS).json()[0])


def test_lists(between: Proxy) -> None:
    between.change(totals("3", content_range="items 0-49/3"), path="customerBill$")
    between.change(no_filter(7), path="customerBill$")
    answer = ask(between, BILLS, params={"relatedParty.id": "C-1", "offset": "14"})
    assert len(answer.json()) == 7
    assert (answer.headers["x-total-count"], answer.headers["content-range"]) == ("3", "items 0-49/3")
    assert "x-result-count" not in answer.headers
    first = ask(between, BILLS).json()
    between.change(no_offset())
    assert ask(between, BILLS, params={"offset": "14"}).json() == first


def test_status_login_and_paths(between: Proxy) -> None:
    between.change(status(429, retry_after=300, message="slow down"), system="nossa", times=1)
    answer = ask(between, "nossa/x")
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["message"]) == (429, "300", "slow down")
    between.change(wants("X-Key", "k", {"Authorization": "Bearer simulated-siska"}), system="siska")
    assert ask(between, CUSTOMERS).status_code == 401
    assert ask(between, CUSTOMERS, headers={"X-Key": "k"}).status_code == 200
    between.change(moved("/troubleTicketManagement/v4", "/tmf-api/troubleTicket/v4"), system="mycx")
    assert ask(between, TICKETS).status_code == 404
    assert ask(between, "mycx/troubleTicketManagement/v4/troubleTicket").json() == []


@pytest.mark.parametrize("told", ["Location", "href", ""])
def test_creates_that_take_their_time(between: Proxy, told: str) -> None:
    later = Asynchronous(after=2, monitor=told)
    between.change(later, system="mycx")
    answer = ask(between, TICKETS, "POST", json=NEW)
    assert (answer.status_code, later.accepted) == (202, 1)
    monitor = answer.headers.get("location") or answer.json().get("href")
    for state, there in (("InProgress", 0), ("Completed", 1)):
        if monitor:
            assert ask(between, monitor.removeprefix("/")).json()["state"] == state
        assert len(ask(between, TICKETS).json()) == there
