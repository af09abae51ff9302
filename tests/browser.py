"""A person at Prefect's UI, in a real Chromium: V1 or V2, at a desk or with a phone."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, sync_playwright

from tests.servers import eventually

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ROOTS = {"v1": "", "v2": "/v2"}
DESK, PHONE = 1440, 390
PATIENCE = 60_000
"""Milliseconds that anything may take to appear."""

ON_TOP = """element => {
    const {x, y, width, height} = element.getClientRects()[0]
    return element.contains(document.elementFromPoint(x + width / 2, y + height / 2))
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium; `tests.needs` installs it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


class Person:
    """Somebody who looks at one window: ``width`` is a desk's or a phone's, which has no mouse.

    Args:
        address: the UI's, without a path.
        pictures: folder for a picture of each step, ``<ui>-<width>-<number>-<name>.png``.
    """

    def __init__(self, browser: Browser, address: str, ui: str, width: int, pictures: Path) -> None:
        phone = width == PHONE
        self.page = browser.new_page(
            viewport={"width": width, "height": 844 if phone else 900}, is_mobile=phone, has_touch=phone
        )
        self.page.set_default_timeout(PATIENCE)
        self.ui = ui
        self.form = self.page.get_by_role("dialog")
        self._phone = phone
        self._root = address + ROOTS[ui]
        self._pictures = pictures
        self._name = f"{ui}-{width}"
        self._taken = 0

    def picture(self, name: str) -> Path:
        """What the window shows now, when its motions have ended."""
        self._taken += 1
        self.page.wait_for_timeout(500)
        path = self._pictures / f"{self._name}-{self._taken}-{name}.png"
        self.page.screenshot(path=path)
        return path

    def open_run(self, run_id: str) -> None:
        """The page of a run that waits."""
        self.page.goto(f"{self._root}/runs/flow-run/{run_id}")
        self.page.get_by_text("Suspended", exact=True).first.wait_for()

    def open_form(self) -> None:
        """*Resume*: a button at a desk in V1, else in the ⋮ menu."""
        if self.ui == "v2":
            self.page.get_by_role("button", name="Open menu").click()
            self.page.get_by_role("menuitem", name="Resume").click()
        elif self._phone:
            self.page.locator(".p-icon-button-menu button").first.click()
            self.page.get_by_text("Resume", exact=True).click()
        else:
            self.page.get_by_role("button", name="Resume").click()
        self._field("Nama Anda / Your name").wait_for()

    def write(self, field: str, text: str) -> None:
        """Fill a text area."""
        self._field(field).locator("textarea").fill(text)

    def choose(self, field: str, label: str) -> None:
        """Pick from a select, by what it shows. V1 draws the device's own where there is no mouse."""
        if self.ui == "v1" and self._phone:
            self._field(field).locator("select:visible").select_option(label=label)
            return
        self._field(field).locator(".p-select-button, [aria-haspopup=listbox]").click()
        self.page.get_by_role("option", name=label, exact=True).click()

    def submit(self, refusal: str = "") -> None:
        """Send the form: it closes when the server takes it, and stays, with the reason, when it does not."""
        self.form.get_by_role("button", name="Submit" if self.ui == "v1" else "Resume", exact=True).click()
        if refusal:
            self.page.get_by_text(refusal).wait_for()
        else:
            self.form.wait_for(state="hidden")

    def sees(self, text: Locator) -> bool:
        """Whether it can be read, once it is scrolled to and nothing moves: nothing clips or covers it."""
        text.scroll_into_view_if_needed()
        return eventually(lambda: bool(text.evaluate(ON_TOP)), PATIENCE / 1000)

    def _field(self, title: str) -> Locator:
        """A field of the form; the UI says of some that they are optional."""
        labels = self.page.get_by_text(title, exact=True).or_(self.page.get_by_text(f"{title} (Optional)", exact=True))
        return self.form.locator(".schema-form-property, .group").filter(has=labels)
