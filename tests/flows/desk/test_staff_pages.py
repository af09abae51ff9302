"""The administrator's pages of the staff, by a browser's requests."""

import re

import httpx
import pytest

from models.staff import StaffRole
from tests.flows.desk.conftest import SECRET, Desk


@pytest.fixture
def desk(both: Desk) -> Desk:
    return both


@pytest.fixture
def admin(desk: Desk) -> httpx.Client:
    return desk.sign_in(desk.add("Adi", StaffRole.ADMINISTRATOR, code_secret=SECRET, code_used=1))


def first_password(page: httpx.Response) -> str:
    found = re.search(r'class="secret">([^<]+)<', page.text)
    assert found, page.text
    return found[1]


def test_an_administrator_adds_somebody_who_then_signs_in(desk: Desk, admin: httpx.Client) -> None:
    entered = {"name": "Rina", "email": "rina@telkom.example", "roles": ["AGENT_0", "AGENT_1"], "site": "JKT"}
    page = admin.post("/staff", data=entered)
    assert page.status_code == 200
    password = first_password(page)
    assert "agent_0 agent_1" in admin.get("/staff").text
    assert password not in admin.get("/staff").text
    browser = desk.browser()
    assert browser.post("/sign-in", data={"email": "rina@telkom.example", "password": password}).status_code == 303
    assert browser.get("/").headers["location"] == "/account/password"


def test_what_is_entered_wrong_is_said_and_kept(admin: httpx.Client) -> None:
    page = admin.post("/staff", data={"name": '"><b>R', "email": "rina", "roles": ["AGENT_1"], "site": "BDG"})
    assert page.status_code == 422
    assert "email: " in page.text
    assert 'value="&#34;&gt;&lt;b&gt;R"' in page.text
    assert 'value="AGENT_1" checked' in page.text
    assert "<option selected>BDG" in page.text


def test_absence_deputy_reset_and_removal(desk: Desk, admin: httpx.Client) -> None:
    sari, tono = desk.add("Sari"), desk.add("Tono")
    page = f"/staff/{sari.key}"
    assert admin.post(f"{page}/deputy", data={"deputy": tono.email}).headers["location"] == page
    refused = admin.post(f"/staff/{tono.key}/deputy", data={"deputy": sari.email})
    assert refused.status_code == 422
    assert "a circle" in refused.text
    assert admin.post(f"{page}/absence", data={"since": "2020-01-01"}).status_code == 303
    assert f"→ {tono.email}" in admin.get("/staff").text
    assert "1 Jan 2020 00.00 WIB" in admin.get(page).text
    wrong = admin.post(f"{page}/absence", data={"since": "2020-01-01", "until": "2019-12-01"})
    assert wrong.status_code == 422
    assert admin.post(f"{page}/absence").status_code == 303
    assert not desk.staff(sari).absent_from
    browser = desk.sign_in(sari)
    assert first_password(admin.post(f"{page}/reset"))
    assert browser.get("/").status_code == 303
    assert admin.post(f"{page}/remove").headers["location"] == "/staff"
    assert admin.get(page).status_code == 404
    assert "Sari" not in admin.get("/staff").text


@pytest.mark.parametrize("number", ["0", "99", "-1", "9" * 30, "1.5", "%00", "1/../2", "x"])
def test_nobody_has_an_odd_number(admin: httpx.Client, number: str) -> None:
    assert admin.get(f"/staff/{number}").status_code in (404, 422)


def test_an_odd_deputy_is_nobody(admin: httpx.Client) -> None:
    assert admin.post("/staff/1/deputy", data={"deputy": "sari\0@telkom.example"}).status_code == 422


def test_the_last_administrator_stays(desk: Desk, admin: httpx.Client) -> None:
    page = admin.post("/staff/1/remove")
    assert page.status_code == 422
    assert "the last administrator stays" in page.text


@pytest.mark.parametrize("role", [role for role in StaffRole if role is not StaffRole.ADMINISTRATOR])
def test_nobody_else_changes_the_staff(desk: Desk, role: StaffRole) -> None:
    browser = desk.sign_in(desk.add("Sari", role, code_secret=SECRET, code_used=1))
    for act in ("", "/1/absence", "/1/deputy", "/1/reset", "/1/remove"):
        assert browser.post(f"/staff{act}", data={"name": "X"}).status_code == 403
        assert desk.browser().post(f"/staff{act}", data={"name": "X"}).status_code == 401
