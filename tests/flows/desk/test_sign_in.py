"""Signing in, out, and one's own account, by a browser's requests to a desk that listens."""

import re
from datetime import timedelta

import httpx
import pytest

from models.staff import StaffRole
from tests.flows.desk.conftest import HASH, PASSWORD, SECRET, Desk


def text(answer: httpx.Response) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", answer.text))


def test_an_agent_signs_in_by_password(both: Desk) -> None:
    sari = both.add("Sari")
    browser = both.browser()
    assert browser.get("/").headers["location"] == "/sign-in"
    answer = browser.post("/sign-in", data={"email": " Sari@Telkom.example ", "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "Sari" in browser.get("/").text
    assert both.staff(sari).failures == 0
    browser.post("/sign-out")
    assert browser.get("/").status_code == 303


def test_a_leader_needs_a_code_that_was_not_used(both: Desk) -> None:
    tono = both.add("Tono", StaffRole.TEAM_LEADER, code_secret=SECRET, code_used=1)
    browser = both.browser()
    browser.post("/sign-in", data={"email": tono.email, "password": PASSWORD})
    assert browser.get("/").headers["location"] == "/sign-in/code"
    code = both.code(tono)
    assert browser.post("/sign-in/code", data={"code": f"{code[:3]} {code[3:]}"}).status_code == 303
    assert browser.get("/").status_code == 200
    other = both.browser()
    other.post("/sign-in", data={"email": tono.email, "password": PASSWORD})
    assert other.post("/sign-in/code", data={"code": code}).status_code == 401
    both.clock.move(seconds=30)
    assert other.post("/sign-in/code", data={"code": both.code(tono)}).status_code == 303


@pytest.mark.parametrize(("seconds", "status"), [(-60, 401), (-30, 303), (30, 303), (60, 401)])
def test_a_phone_whose_clock_is_wrong(both: Desk, seconds: float, status: int) -> None:
    tono = both.add("Tono", StaffRole.TEAM_LEADER, code_secret=SECRET, code_used=1)
    browser = both.browser()
    browser.post("/sign-in", data={"email": tono.email, "password": PASSWORD})
    both.clock.move(seconds=seconds)
    code = both.code(tono)
    both.clock.move(seconds=-seconds)
    assert browser.post("/sign-in/code", data={"code": code}).status_code == status


def test_the_first_sign_in_of_an_administrator(both: Desk) -> None:
    expires = both.clock.now() + timedelta(hours=24)
    admin = both.add("Adi", StaffRole.ADMINISTRATOR, password_expires=expires)
    browser = both.sign_in(admin)
    assert browser.get("/staff").headers["location"] == "/account/password?next=%2Fstaff"
    new = {"password": "sepeda biru di sawah", "repeated_password": "sepeda biru di sawah", "next": "/staff"}
    assert browser.post("/account/password", data=new).headers["location"] == "/staff"
    assert browser.get("/staff").headers["location"] == "/account/code?next=%2Fstaff"
    page = browser.get("/account/code?next=/staff")
    secret = both.staff(admin).code_secret
    assert secret in page.text.replace(" ", "")
    assert f"otpauth://totp/Layanan%20Email:adi%40telkom.example?secret={secret}" in page.text.replace("&amp;", "&")
    assert browser.post("/account/code", data={"code": "000000"}).status_code == 401
    answer = browser.post("/account/code", data={"code": both.code(admin), "next": "/staff"})
    assert answer.headers["location"] == "/staff"
    assert browser.get("/staff").status_code == 200
    # the secret is never shown again
    assert browser.get("/account/code").headers["location"] == "/account"
    assert secret not in browser.get("/account").text


@pytest.mark.parametrize(
    ("password", "repeated", "says"),
    [
        ("kurang", "kurang", "Kata sandi minimal 10 karakter"),
        ("x" * 201, "x" * 201, "Kata sandi maksimal 200 karakter"),
        ("SARI@telkom.example", "SARI@telkom.example", "Jangan pakai nama atau email"),
        (PASSWORD, PASSWORD, "Pilih kata sandi yang baru"),
        ("sepeda biru", "sepeda hijau", "Kedua kata sandi tidak sama"),
    ],
)
def test_weak_passwords(both: Desk, password: str, repeated: str, says: str) -> None:
    sari = both.add("Sari", password_expires=both.clock.now() + timedelta(hours=1))
    browser = both.sign_in(sari)
    answer = browser.post("/account/password", data={"password": password, "repeated_password": repeated})
    assert answer.status_code == 422
    assert says in answer.text
    assert both.staff(sari).password == HASH


def test_a_first_password_expires(both: Desk) -> None:
    sari = both.add("Sari", password_expires=both.clock.now() + timedelta(hours=24))
    both.clock.move(hours=24)
    answer = both.browser().post("/sign-in", data={"email": sari.email, "password": PASSWORD})
    assert answer.status_code == 401


def test_changing_the_password_asks_for_the_old_one_and_ends_other_sessions(both: Desk) -> None:
    sari = both.add("Sari")
    here, there = both.sign_in(sari), both.sign_in(sari)
    new = {"password": "sepeda biru di sawah", "repeated_password": "sepeda biru di sawah"}
    assert here.post("/account/password", data=new | {"old_password": "salah"}).status_code == 422
    assert here.post("/account/password", data=new | {"old_password": PASSWORD}).status_code == 303
    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 303


def test_signing_out_everywhere(both: Desk) -> None:
    sari = both.add("Sari")
    here, there = both.sign_in(sari), both.sign_in(sari)
    here.post("/sign-out-everywhere")
    assert here.get("/").status_code == there.get("/").status_code == 303


@pytest.mark.parametrize(
    "email",
    ["sari\0@telkom.example", "' OR 1=1 --", "\u202esari@telkom.example", "x" * 300_000, "sari@telkom.example\r\nX: y"],
)
def test_odd_addresses_are_nobodys(both: Desk, email: str) -> None:
    both.add("Sari")
    answer = both.browser().post("/sign-in", data={"email": email, "password": PASSWORD})
    assert answer.status_code == 401
    assert "x" not in answer.headers


def test_a_field_of_a_megabyte_is_refused_with_a_page(both: Desk) -> None:
    answer = both.browser().post("/sign-in", data={"email": "x" * 1_100_000, "password": PASSWORD})
    assert answer.status_code == 400
    assert "Ditolak" in answer.text
