"""Queue and case as people use them, in a real Chromium and by plain requests."""

import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from adapters.wiring import Systems
from models.audit import AuditRow, AuditSalt, content_hash
from models.forms.analysis import ConfirmAnalysis
from models.forms.complaint import ApproveSolution, Escalation
from models.staff import Claim, Note, SignedIn, Staff, StaffRole
from models.tables import Wait
from tasks.desk.claims import claim
from tasks.run.case_run import CaseRun
from tests.browser import DESK, PHONE, chromium
from tests.cases import BUDI, LINE, MAJU, OURS, arrives, opened, received, rows, take_in
from tests.desk import asks, member
from tests.flows.desk.conftest import HASH, PASSWORD, serving


@pytest.fixture
def desk(systems: Systems) -> Iterator[str]:
    """The address of a desk over the simulated systems."""
    with serving(systems) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def signed_in(desk: str, person: Staff) -> httpx.Client:
    client = httpx.Client(base_url=desk, timeout=60)
    answer = client.post("/sign-in", data={"email": person.email, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return client


def window(browser: Browser, desk: str, person: Staff, width: int = DESK) -> Page:
    """Somebody who has signed in, and stands before the queue."""
    page = browser.new_page(viewport={"width": width, "height": 844})
    page.goto(desk)
    page.fill("#email", person.email)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Antrean")
    return page


def agent(systems: Systems, name: str = "Sari", *roles: StaffRole, **more: Any) -> Staff:
    return member(systems, name, *roles, password=HASH, **more)


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_an_analysis_is_confirmed_by_one_click(
    systems: Systems, desk: str, browser: Browser, tmp_path: Path, width: int
) -> None:
    case = opened(systems, BUDI)
    asks(case, ConfirmAnalysis, need="COMPLAINT", topic="no_service", service_number=LINE)
    page = window(browser, desk, agent(systems), width)
    page.screenshot(path=tmp_path / f"queue-{width}.png", full_page=True)
    page.get_by_role("link", name=re.compile("Kasus berikutnya")).click()
    expect(page.get_by_text("Internet saya", exact=False).first).to_be_visible()
    page.screenshot(path=tmp_path / f"case-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "nothing scrolls sideways"
    page.get_by_role("button", name=re.compile("Setuju")).click()
    expect(page.get_by_role("status").first).to_contain_text(f"tercatat: Decision recorded: {case.reference}")
    (wait,) = rows(systems, Wait)
    assert (wait.given["by"], wait.given["topic"]) == ("Sari", "Layanan mati / No service")
    page.close()


def test_what_was_typed_stays_when_the_customer_writes(systems: Systems, desk: str, browser: Browser) -> None:
    case = opened(systems, BUDI)
    asks(case, ApproveSolution)
    page = window(browser, desk, agent(systems))
    page.get_by_role("link", name="Budi").or_(page.get_by_role("link", name=BUDI)).first.click()
    page.fill("#f-cause", "Kabel putus di tiang 12")
    page.fill("#f-repair", "Disambung kembali")
    arrives(systems, BUDI, f"Internet {LINE} masih mati, lampu LOS hijau", "Re: Internet mati")
    page.get_by_role("button", name=re.compile("Setujui")).click()
    expect(page.get_by_role("alert")).to_contain_text("masih mati, lampu LOS hijau")
    assert page.input_value("#f-cause") == "Kabel putus di tiang 12"
    assert rows(systems, Wait)[0].given == {}, "nothing was recorded"
    page.get_by_role("button", name=re.compile("Setujui")).click()
    expect(page.get_by_role("status").first).to_contain_text("tercatat")
    assert rows(systems, Wait)[0].given["cause"] == "Kabel putus di tiang 12"
    page.close()


def test_news_comes_to_the_open_page(systems: Systems, desk: str, browser: Browser) -> None:
    case = opened(systems, BUDI)
    asks(case, ApproveSolution)
    page = window(browser, desk, agent(systems))
    page.goto(f"{desk}/cases/{case.case_id}")
    expect(page.locator("#news")).to_be_hidden()
    arrives(systems, BUDI, f"Internet {LINE} masih mati sekali", "Re: Internet mati")
    expect(page.locator("#news")).to_contain_text("masih mati sekali")
    page.close()


def test_by_keyboard_alone(systems: Systems, desk: str, browser: Browser) -> None:
    case = opened(systems, BUDI)
    asks(case, ConfirmAnalysis, need="COMPLAINT", topic="no_service")
    page = window(browser, desk, agent(systems))

    def tab_to(name: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if name in (page.evaluate("document.activeElement.innerText") or ""):
                return
        raise AssertionError(f"{name} is not reached by Tab")

    tab_to("Kasus berikutnya")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/*")
    tab_to("Setuju")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("tercatat")
    page.close()


def test_two_agents_on_one_case(systems: Systems, desk: str) -> None:
    case = opened(systems, BUDI)
    asks(case, ConfirmAnalysis, need="COMPLAINT", topic="no_service")
    sari, dewi = signed_in(desk, agent(systems)), signed_in(desk, agent(systems, "Dewi"))
    page = f"/cases/{case.case_id}"
    assert sari.get(page).status_code == 200
    assert [claim.staff_id for claim in rows(systems, Claim)] == [1]
    other = dewi.get(page)
    assert "Sedang dibuka oleh" in other.text
    assert "Sari" in other.text
    form = {"seen": _seen(other.text), "need": "COMPLAINT", "topic": "no_service", "service_number": ""}
    assert sari.post(f"{page}/answer", data=form).status_code == 303
    late = dewi.post(f"{page}/answer", data=form | {"topic": "slow"})
    assert late.status_code == 409
    assert "Sari sudah memutuskan" in late.text
    assert rows(systems, Wait)[0].given["by"] == "Sari"


def test_who_may_not_decide_sees_why_and_cannot(systems: Systems, desk: str) -> None:
    case = opened(systems, BUDI)
    asks(case, Escalation)
    sari = signed_in(desk, agent(systems))
    page = sari.get(f"/cases/{case.case_id}")
    assert "Peran Anda tidak boleh memutuskan ini" in page.text
    assert '<button name="choice"' not in page.text
    answer = {"seen": _seen(page.text), "choice": "BACK_TO_AGENT"}
    assert sari.post(f"/cases/{case.case_id}/answer", data=answer).status_code == 403
    assert sari.post(f"/cases/{case.case_id}/claim").status_code == 403
    assert rows(systems, Wait)[0].given == {}


@pytest.mark.parametrize("typed", ["<script>alert(1)</script>", "=1+1", "\u202eabc", "x" * 1_000_000])
def test_odd_text_is_kept_or_refused_with_a_reason(systems: Systems, desk: str, typed: str) -> None:
    case = opened(systems, BUDI)
    asks(case, ApproveSolution)
    sari = signed_in(desk, agent(systems))
    seen = _seen(sari.get(f"/cases/{case.case_id}").text)
    answer = {"seen": seen, "choice": "SEND", "cause": typed, "repair": "Disambung"}
    got = sari.post(f"/cases/{case.case_id}/answer", data=answer)
    if len(typed) > 4000:
        assert got.status_code in (413, 422), got.text[:300]
        assert rows(systems, Wait)[0].given == {}
    else:
        assert got.status_code == 303
        assert rows(systems, Wait)[0].given["cause"] == typed
    assert sari.post(f"/cases/{case.case_id}/notes", data={"text": typed[:300]}).status_code == 303
    assert rows(systems, Note)[0].text == typed[:300].strip()
    assert "<script>alert" not in sari.get(f"/cases/{case.case_id}").text


def test_a_page_made_elsewhere_or_long_ago(systems: Systems, desk: str) -> None:
    case = opened(systems, BUDI)
    asks(case, ConfirmAnalysis)
    sari = signed_in(desk, agent(systems))
    for seen in ("", "{}", "nonsense", '{"wait": 1}'):
        answer = {"seen": seen, "need": "COMPLAINT", "topic": "slow"}
        assert sari.post(f"/cases/{case.case_id}/answer", data=answer).status_code in (409, 422)
    assert rows(systems, Wait)[0].given == {}


def test_attachments_and_mails_are_the_cases_own(systems: Systems, desk: str) -> None:
    mine, other = opened(systems, BUDI), opened(systems, MAJU, "Link mati 4700001-0021497479", "Link mati")
    far = signed_in(desk, agent(systems, "Jauh", site="BDG"))
    sari = signed_in(desk, agent(systems))
    assert far.get(f"/cases/{mine.case_id}").status_code == 404
    for path, data in (("notes", {"text": "x"}), ("claim", {}), ("answer", {"seen": "{}"})):
        assert far.post(f"/cases/{mine.case_id}/{path}", data=data).status_code in (403, 404), path
    assert far.get(f"/cases/{mine.case_id}/news", params={"seen": "{}"}).status_code == 404
    assert rows(systems, Note) == []
    assert sari.get(f"/cases/{mine.case_id}/mails/1/attachments/0").status_code == 404
    assert sari.get(f"/cases/{other.case_id}/mails/1/html").status_code == 404
    assert sari.get("/cases/999").status_code == 404
    assert httpx.get(f"{desk}/cases/{mine.case_id}").status_code == 303


def test_who_read_claimed_noted_and_was_refused_stands_in_the_audit_log(systems: Systems, desk: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = BUDI, OURS, "Modem", "<1@pelanggan.example>"
    mail.set_content("Modem saya mati.")
    mail.add_alternative("<p>Modem saya <b>mati</b>.</p>", subtype="html")
    mail.add_attachment(b"\x89PNG", "image", "png", filename="ktp.png")
    case = CaseRun.open(take_in(systems, received(mail.as_bytes())).case_id or 0, systems)
    asks(case, ConfirmAnalysis)
    sari, rina = agent(systems), agent(systems, "Rina", StaffRole.TEAM_LEADER)
    page, client = f"/cases/{case.case_id}", signed_in(desk, sari)
    client.get(page)
    client.get(f"{page}/mails/1/html")
    client.get(f"{page}/mails/1/attachments/0")
    client.post(f"{page}/notes", data={"text": "Sudah ditelepon"})
    assert claim(systems, rina, case.case_id, take=True, how=SignedIn.PASSWORD) == rina
    asks(case, Escalation)
    client.post(f"{page}/answer", data={"seen": _seen(client.get(page).text), "choice": "BACK_TO_AGENT"})
    assert client.get("/cases/999").status_code == 404
    found = [row for row in rows(systems, AuditRow) if row.action not in ("signed_in", "staff_changed")]
    assert [(row.action, row.actor, row.subject) for row in found] == [
        ("read_case", "Sari", ""),
        ("claimed", "Sari", "confirm-analysis-1"),
        ("read_case", "Sari", "mail 1"),
        ("opened_attachment", "Sari", "mail 1, attachment 1"),
        ("noted", "Sari", "note 1"),
        ("claim_taken", "Rina", "confirm-analysis-1"),
        ("read_case", "Sari", ""),
        ("decision_refused", "Sari", "escalation-1"),
        ("read_case", "Sari", ""),
    ]
    assert {(row.reference, row.signed_in) for row in found} == {("JKT-0000001", "password")}
    assert {row.staff_id for row in found} == {sari.id, rina.id}
    (kept,) = rows(systems, AuditSalt, number=found[4].number)
    assert found[4].after == content_hash(kept.salt, "Sudah ditelepon")


def _seen(page: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', page)
    shown = re.search(r'data-news="[^"]*seen=([^"]*)"', page)
    if found:
        return found[1].replace("&#34;", '"').replace("&quot;", '"')
    assert shown
    return str(httpx.QueryParams(f"seen={shown[1]}")["seen"])
