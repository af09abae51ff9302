"""What every request and answer passes: another site's form, another host's name, size, headers."""

import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from adapters.case_store.store import Store
from flows.desk.guard import HEADERS, LARGEST
from tests.flows.desk.conftest import PASSWORD, Desk, listening


@pytest.fixture
def desk(sqlite: Store, tmp_path: Path) -> object:
    with listening(sqlite, tmp_path / "home", public_url="https://layanan.telkom.example") as desk:
        yield desk


def asked(desk: Desk, head: bytes) -> bytes:
    """The status of an answer to what no client library would send."""
    with socket.create_connection(("127.0.0.1", urlsplit(desk.url).port or 0), 30) as connection:
        connection.sendall(head + b"\r\n\r\n")
        return connection.recv(100).split()[1]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://layanan.telkom.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "https://layanan.telkom.example.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://layanan.telkom.example"}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://layanan.telkom.example"}, 303),
        ({}, 303),
    ],
)
def test_a_form_of_another_site_is_refused(desk: Desk, headers: dict[str, str], status: int) -> None:
    sari = desk.add("Sari")
    data = {"email": sari.email, "password": PASSWORD}
    with desk.browser(headers={"Host": "layanan.telkom.example"} | headers) as browser:
        assert browser.post("/sign-in", data=data).status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("layanan.telkom.example", 200),
        ("LAYANAN.telkom.example", 200),
        ("localhost", 200),
        ("[::1]:4280", 200),
        ("evil.example", 421),
        ("layanan.telkom.example.evil.example", 421),
        ("layanan.telkom.example:8443", 421),
        ("127.0.0.1.evil.example", 421),
        ("[", 421),
    ],
)
def test_another_hosts_name_is_refused(desk: Desk, host: str, status: int) -> None:
    """A page of another site whose name leads to this machine (DNS rebinding) sends its own name."""
    assert desk.browser().get("/sign-in", headers={"Host": host}).status_code == status


@pytest.mark.parametrize("path", ["/sign-in", "/", "/static/desk.css", "/static/../app.py", "/nothing"])
def test_every_answer_has_the_headers(desk: Desk, path: str) -> None:
    answer = desk.browser().get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_a_request_that_is_too_large(desk: Desk) -> None:
    for length in (b"41943041", b"9" * 30, b"-1"):
        assert asked(desk, b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length) in (
            b"400",
            b"413",
        )

    chunks = (b"a=" + b"x" * 2**19 + b"&" for _ in range(LARGEST // 2**19 + 1))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    browser = desk.browser()
    with suppress(httpx.TransportError):  # the server hangs up before all is sent
        assert browser.post("/sign-in", content=chunks, headers=headers).status_code == 413
    assert browser.get("/sign-in").status_code == 200


def test_a_fault_of_ours_quotes_nobody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise ValueError("Budi writes: masih mati")

    monkeypatch.setattr("flows.desk.sign_in.whoever", fails)
    answer = desk.browser().get("/sign-in")
    assert answer.status_code == 500
    assert "Budi" not in answer.text
    assert "masih mati" not in caplog.messages


def test_two_hosts_in_one_request(desk: Desk) -> None:
    assert asked(desk, b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\nHost: evil.example") in (b"400", b"421")
