"""Makes the documentation's pictures from a real run, in Chromium: `python -m docs.screenshots`."""

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from tests import needs
from tests.browser import DESK, PATIENCE, Person, chromium
from tests.demo.people import PASSWORD, hire
from tests.flows.desk.conftest import serving
from tests.stack import Stack, running, until

IMAGES = Path(__file__).with_name("images")
EKA, NIA = "eka@pelanggan.example", "nia@pelanggan.example"
WAITING = "/runs?type=span&seconds=-31536000&state=Suspended&tag=menunggu%20Agent%20Email"
"""The page that agents open; `docs/id/agent.md` gives the same address."""
SEED = {
    "mailboxes": [{"address": "layanan@telkom.example", "password": "pw", "site": "JKT"}],
    "customers": [
        {
            "customer_id": "C-1",
            "name": "Eka Putri",
            "addresses": [EKA],
            "tier": "HVC_DIAMOND",
            "service_no": "122408771905",
            "line": {"snr_db": 9, "attenuation_db": 55},
            "repairs": {"Access Network": {"hours": None}},
        },
        {"customer_id": "C-2", "name": "Nia Kurnia", "addresses": [NIA], "service_no": "122408771906"},
    ],
}
COMPLAINT = """Selamat pagi,

internet kami mati total sejak tadi malam, lampu LOS merah. Modem sudah dua kali dinyalakan ulang, tetap tidak bisa.
Tolong segera diperbaiki, anak saya ujian online besok pagi.
"""
UNCLEAR = "Halo, ada yang mau saya bicarakan soal layanan di rumah, mohon bantuannya ya."


def main() -> None:
    """Bring one case to its agent and one to the team leader, and take the pages that they open."""
    needs.install()
    with TemporaryDirectory() as home, running(Path(home), SEED) as stack, chromium() as browser:
        stack.write(f"Eka Putri <{EKA}>", "Internet mati total", COMPLAINT)
        stack.waiting(1, "UnitProgress")
        stack.clock.advance(3.5)
        stack.waiting(1, "Escalation")
        stack.write(f"Nia Kurnia <{NIA}>", "Mohon bantuan", UNCLEAR)
        stack.waiting(2, "ConfirmAnalysis")
        stack.run("report-service")
        take_desk(stack, browser)
        take_case(stack, browser)
        take_lists(stack, browser)


def take_desk(stack: Stack, browser: Browser) -> None:
    """The queue and a case, as an agent sees them."""
    hire(stack.systems)
    with serving(stack.systems) as url:
        page = browser.new_page(viewport={"width": 1280, "height": 560})
        page.set_default_timeout(PATIENCE)
        page.goto(url)
        page.fill("#email", "sari@telkom.example")
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Semua").click()
        page.get_by_text("JKT-0000002").wait_for()
        page.screenshot(path=IMAGES / "desk-queue.png")
        page.set_viewport_size({"width": 1280, "height": 900})
        page.get_by_role("link", name="Nia Kurnia").click()
        page.get_by_text("mohon bantuannya").first.wait_for()
        page.screenshot(path=IMAGES / "desk-case.png")


def take_case(stack: Stack, browser: Browser) -> None:
    """A case's run and the two forms."""
    leader = Person(browser, stack.settings.ui_url, "v1", DESK, IMAGES)
    leader.page.set_viewport_size({"width": 1280, "height": 760})
    leader.page.wait_for_timeout(40_000)  # the times above a shorter history run into each other
    leader.open_run(_run(stack, 1))
    leader.page.wait_for_timeout(5000)  # the history moves into its place
    leader.page.screenshot(path=IMAGES / "run.png")
    for person, number, height in (("leader", 1, 1340), ("agent", 2, 1000)):
        leader.open_run(_run(stack, number))
        leader.page.set_viewport_size({"width": 1280, "height": height})
        leader.open_form()
        leader.page.wait_for_timeout(1000)
        leader.page.screenshot(path=IMAGES / f"{person}-form.png")


def take_lists(stack: Stack, browser: Browser) -> None:
    """What waits for agents, a team leader's correction, and the report."""
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    page.set_default_timeout(2 * PATIENCE)
    page.goto(f"{stack.settings.ui_url}{WAITING}")
    page.get_by_text("JKT-0000002").wait_for()
    page.wait_for_timeout(3000)
    page.screenshot(path=IMAGES / "waiting.png")
    page.goto(f"{stack.settings.ui_url}/deployments")
    page.get_by_text("merge-cases", exact=True).first.click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("Custom run").click()
    page.get_by_text("Kasus yang berakhir").wait_for()
    page.get_by_role("button", name="Submit", exact=True).wait_for()
    page.wait_for_timeout(1000)
    page.screenshot(path=IMAGES / "correction.png")
    page.goto(f"{stack.settings.ui_url}/artifacts/key/laporan-layanan")
    page.locator("a[href*='/artifacts/artifact/']").first.click()
    page.get_by_text("Aktivitas / Activities").wait_for()
    page.wait_for_timeout(1000)
    page.screenshot(path=IMAGES / "report.png")


def _run(stack: Stack, number: int) -> str:
    case = until(lambda: stack.case(number), f"case {number}")
    return str(case and case.run_id)


if __name__ == "__main__":
    main()
