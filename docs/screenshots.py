"""Makes the README's pictures from a real run, in Chromium: `python -m docs.screenshots`."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests import needs
from tests.browser import DESK, Person, chromium
from tests.stack import running, until

IMAGES = Path(__file__).with_name("images")
ADDRESS = "eka@pelanggan.example"
SEED = {
    "mailboxes": [{"address": "layanan@telkom.example", "password": "pw", "site": "JKT"}],
    "customers": [
        {
            "customer_id": "C-1",
            "name": "Eka Putri",
            "addresses": [ADDRESS],
            "tier": "HVC_DIAMOND",
            "service_no": "122408771905",
            "line": {"snr_db": 9, "attenuation_db": 55},
            "repairs": {"Access Network": {"hours": None}},
        }
    ],
}
MAIL = """Selamat pagi,

internet kami mati total sejak tadi malam, lampu LOS merah. Modem sudah dua kali dinyalakan ulang, tetap tidak bisa.
Tolong segera diperbaiki, anak saya ujian online besok pagi.
"""


def main() -> None:
    """Walk a complaint to its escalation, and take the run's page and the team leader's form."""
    needs.install()
    with TemporaryDirectory() as home, running(Path(home), SEED) as stack, chromium() as browser:
        stack.write(f"Eka Putri <{ADDRESS}>", "Internet mati total", MAIL)
        stack.waiting(1, "UnitProgress")
        stack.clock.advance(3.5)
        stack.waiting(1, "Escalation")
        case = until(lambda: stack.case(1), "the case")
        leader = Person(browser, stack.settings.ui_url, "v1", DESK, IMAGES)
        leader.page.set_viewport_size({"width": 1280, "height": 760})
        leader.page.wait_for_timeout(40_000)  # the times above a shorter history run into each other
        leader.open_run(str(case and case.run_id))
        leader.page.wait_for_timeout(5000)  # the history moves into its place
        leader.page.screenshot(path=IMAGES / "run.png")
        leader.page.set_viewport_size({"width": 1280, "height": 1180})
        leader.open_form()
        leader.page.wait_for_timeout(1000)
        leader.page.screenshot(path=IMAGES / "form.png")


if __name__ == "__main__":
    main()
