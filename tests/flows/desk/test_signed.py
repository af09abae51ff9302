"""Sessions: their end, their key, a planted one, where they lead, and a trusted proxy's header."""

import base64
import json
import stat
from pathlib import Path

import pytest
from itsdangerous import TimestampSigner

from adapters.case_store.store import Store
from adapters.folder import secret_key
from flows.desk.signed import local
from models.errors import SettingsError
from models.staff import StaffRole
from tests.flows.desk.conftest import PASSWORD, Desk, listening

COOKIE = "layanan-desk"


def test_a_session_ends_when_nothing_happens(desk: Desk) -> None:
    browser = desk.sign_in(desk.add("Sari"))
    for _ in range(3):
        desk.clock.move(minutes=59)
        assert browser.get("/").status_code == 200
    desk.clock.move(minutes=61)
    assert browser.get("/").status_code == 303


def test_a_session_ends_after_a_shift(desk: Desk) -> None:
    browser = desk.sign_in(desk.add("Sari"))
    for _ in range(12):
        desk.clock.move(minutes=59)
        assert browser.get("/").status_code == 200
    desk.clock.move(minutes=13)
    assert browser.get("/").status_code == 303


def test_whoever_is_removed_is_out_at_once(desk: Desk) -> None:
    sari = desk.add("Sari")
    browser = desk.sign_in(sari)
    with desk.store.write() as session:
        sari.active = False
        session.add(sari)
    assert browser.get("/").status_code == 303


def test_a_planted_session_does_not_become_somebody_elses(desk: Desk) -> None:
    """An attacker plants the cookie of a session of their own, and waits until the victim signs in."""
    attacker, victim = desk.sign_in(desk.add("Joko")), desk.browser()
    planted = attacker.cookies[COOKIE]
    victim.cookies.set(COOKIE, planted, domain="127.0.0.1")
    victim.post("/sign-out")
    victim.cookies.set(COOKIE, planted, domain="127.0.0.1")
    sari = desk.add("Sari")
    answer = victim.post("/sign-in", data={"email": sari.email, "password": PASSWORD})
    assert answer.cookies[COOKIE] != planted
    assert "Joko" in attacker.get("/").text
    assert "Sari" not in attacker.get("/").text


def test_the_cookie_is_for_requests_of_ours_alone_and_holds_no_secret(desk: Desk) -> None:
    browser = desk.browser()
    answer = browser.post("/sign-in", data={"email": desk.add("Sari").email, "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    content = json.loads(base64.b64decode(browser.cookies[COOKIE].split(".")[0]))
    assert sorted(content) == ["at", "code", "seen", "sessions", "staff"]


def test_behind_tls_the_cookie_is_secure_and_this_hosts_alone(sqlite: Store, tmp_path: Path) -> None:
    with listening(sqlite, tmp_path / "home", public_url="https://layanan.telkom.example") as desk:
        data = {"email": desk.add("Sari").email, "password": PASSWORD}
        cookie = desk.browser().post("/sign-in", data=data).headers["set-cookie"]
    assert cookie.startswith("__Host-layanan-desk=")
    assert "secure" in cookie.lower()


@pytest.mark.parametrize("content", ["e30=", base64.b64encode(b'{"staff": 1}').decode()])
def test_a_forged_or_foreign_cookie_is_no_session(desk: Desk, content: str) -> None:
    desk.add("Sari")
    for key in ("guessed", secret_key(desk.systems.settings.home / "desk.key")):
        browser = desk.browser()
        browser.cookies.set(COOKIE, TimestampSigner(key).sign(content).decode(), domain="127.0.0.1")
        assert browser.get("/").headers["location"] == "/sign-in"


def test_the_key_is_the_services_alone(tmp_path: Path) -> None:
    file = tmp_path / "home" / "desk.key"
    key = secret_key(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secret_key(file) == key
    assert [one.name for one in file.parent.iterdir()] == ["desk.key"]
    file.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        secret_key(file)
    file.chmod(0o600)
    file.write_text("short")
    with pytest.raises(SettingsError, match="cut off"):
        secret_key(file)


@pytest.mark.parametrize(
    ("wanted", "page"),
    [
        ("/case/7?tab=mail", "/case/7?tab=mail"),
        ("/", "/"),
        ("", "/"),
        ("case", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        (" //evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/kasus\u202e", "/"),
        ("///evil.example", "/"),
    ],
)
def test_one_goes_on_to_pages_of_ours_alone(wanted: str, page: str) -> None:
    assert local(wanted) == page


def test_signing_in_leads_to_the_page_that_was_wanted(desk: Desk) -> None:
    sari = desk.add("Sari", StaffRole.ADMINISTRATOR)
    browser = desk.browser()
    assert browser.get("/staff?site=JKT").headers["location"] == "/sign-in?next=%2Fstaff%3Fsite%3DJKT"
    assert 'value="/staff?site=JKT"' in browser.get("/sign-in?next=%2Fstaff%3Fsite%3DJKT").text
    assert "evil" not in browser.get("/sign-in?next=//evil.example").text
    data = {"email": sari.email, "password": PASSWORD, "next": "//evil.example"}
    assert browser.post("/sign-in", data=data).headers["location"] == "/"


def test_a_proxys_header_counts_only_where_the_setting_names_it(sqlite: Store, tmp_path: Path) -> None:
    name = "X-Forwarded-Email"
    with listening(sqlite, tmp_path / "home") as desk:
        sari = desk.add("Sari", StaffRole.TEAM_LEADER)
        assert desk.browser(headers={name: sari.email}).get("/").status_code == 303
    with listening(sqlite, tmp_path / "home", proxy_header=name) as desk:
        assert "Sari" in desk.browser(headers={name: sari.email.upper()}).get("/").text
        assert desk.browser(headers={name: "budi@telkom.example"}).get("/").status_code == 303
        assert desk.browser(headers=[(name, sari.email), (name, "budi@telkom.example")]).get("/").status_code == 303
        # the proxy's own client is somebody else: what it forwards about them does not make them local, nor foreign
        assert desk.browser(headers={name: sari.email, "X-Forwarded-For": "203.0.113.7"}).get("/").status_code == 200
