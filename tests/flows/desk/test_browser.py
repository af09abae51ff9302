"""A new administrator's first sign-in in a real Chromium, at a desk and on a phone, by keyboard alone."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from models.staff import StaffRole
from tests.browser import DESK, PHONE, chromium
from tests.flows.desk.conftest import PASSWORD, Desk

NEW = "sepeda biru di sawah"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def picture(page: Page, folder: Path, name: str) -> None:
    """Nothing is wider than the window."""
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name


def type_and_enter(page: Page, *words: str) -> None:
    """What somebody without a mouse does in a form: type, Tab, …, Enter."""
    for number, word in enumerate(words):
        if number:
            page.keyboard.press("Tab")
        page.keyboard.type(word)
    with page.expect_navigation():
        page.keyboard.press("Enter")


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_first_sign_in(desk: Desk, browser: Browser, tmp_path: Path, width: int, colours: str) -> None:
    admin = desk.add(
        "Adi Nugroho", StaffRole.ADMINISTRATOR, email="adi@telkom.example",
        password_expires=desk.clock.now() + timedelta(hours=1),
    )  # fmt: skip
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=colours)  # type: ignore[arg-type]
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text))
    page.goto(f"{desk.url}/staff")
    picture(page, tmp_path, "1-sign-in")
    type_and_enter(page, admin.email, "salah-sekali")
    assert "Email atau kata sandi salah" in page.get_by_role("alert").inner_text()
    picture(page, tmp_path, "2-refused")
    type_and_enter(page, admin.email, PASSWORD)
    page.get_by_label("Kata sandi baru").focus()
    picture(page, tmp_path, "3-password")
    type_and_enter(page, NEW, NEW)
    secret = page.locator("#secret").inner_text().replace(" ", "")
    assert secret == desk.staff(admin).code_secret
    picture(page, tmp_path, "4-code")
    page.get_by_label("Kode").focus()
    type_and_enter(page, desk.code(admin))
    assert page.url == f"{desk.url}/staff"
    assert page.get_by_role("row", name="Adi Nugroho").is_visible()
    picture(page, tmp_path, "5-staff")
    page.get_by_role("link", name="Adi Nugroho").last.click()
    picture(page, tmp_path, "6-person")
    page.get_by_role("button", name="Keluar Sign out").click()
    assert page.url == f"{desk.url}/sign-in"
    # the sign-in that was refused is the console's only complaint: nothing breaks the pages' own policy
    assert [line for line in said if "401" not in line] == []
    page.close()
