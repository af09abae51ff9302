"""A team leader in a real Chromium: opens the run of an escalated case, reads, decides, and the case goes on.

With LAYANAN_SCREENSHOTS=DIR the picture of each step is kept in that folder.
"""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlmodel import select

from models.tables import Case, Decision, Wait
from tests import needs
from tests.browser import DESK, PHONE, Person, chromium
from tests.stack import Stack, running, until

CUSTOMERS = {
    "Eka Putri": "eka@pelanggan.example",
    "Fajar Nugroho": "fajar@pelanggan.example",
    "Gita Anggraini": "gita@pelanggan.example",
    "Hadi Wijaya": "hadi@pelanggan.example",
}
SEED = {
    "mailboxes": [{"address": "layanan@telkom.example", "password": "pw", "site": "JKT"}],
    "customers": [
        {
            "customer_id": f"C-{number}",
            "name": name,
            "addresses": [address],
            "tier": "HVC_DIAMOND",
            "service_no": f"12240877190{number}",
            "line": {"snr_db": 9, "attenuation_db": 55},
            "repairs": {"Access Network": {"hours": None}},
        }
        for number, (name, address) in enumerate(CUSTOMERS.items(), 1)
    ],
}
MAIL = """Selamat pagi,

internet kami mati total sejak tadi malam, lampu LOS merah. Modem sudah dua kali dinyalakan ulang, tetap tidak bisa.
Tolong segera diperbaiki, anak saya ujian online besok pagi.
"""
REPAIR_HOURS = 3
LEADER = "Rina Wati"
SOLUTION = {"Penyebab / Cause": "Kabel drop rusak di ODP", "Perbaikan / Repair": "Kabel drop diganti, redaman normal"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def escalated(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A service where no unit has repaired in time."""
    with running(tmp_path_factory.mktemp("escalated"), SEED, LAYANAN_PREFECT_API_URL=engine) as stack:
        for name, address in CUSTOMERS.items():
            stack.write(f"{name} <{address}>", "Internet mati total", MAIL)
        stack.run("receive-mail")
        for name in CUSTOMERS:
            until(partial(waits, stack, name, "UnitProgress"), f"the unit has {name}'s ticket", 120)
        stack.clock.advance(REPAIR_HOURS + 0.5)
        stack.run("monitor-cases")
        for name in CUSTOMERS:
            until(partial(waits, stack, name, "Escalation"), f"{name}'s case is escalated", 120)
        yield stack


@pytest.fixture
def browser() -> Iterator[Browser]:
    """One for each test: a run's page keeps drawing, and slows the next one down."""
    needs.install()
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("LAYANAN_SCREENSHOTS")
    return Path(named) if named else tmp_path_factory.mktemp("pictures")


def case_of(stack: Stack, name: str) -> Case | None:
    with stack.systems.store.read() as session:
        return session.exec(select(Case).where(Case.address == CUSTOMERS[name])).first()


def waits(stack: Stack, name: str, form: str) -> str:
    """Key of the wait that the customer's case has reached; empty if it waits with another form or not at all."""
    case = case_of(stack, name)
    with stack.systems.store.read() as session:
        wait = session.exec(select(Wait).where(Wait.case_id == case.id, Wait.form == form)).first() if case else None
    return wait.wait_key if wait else ""


def open_case(leader: Person, stack: Stack, name: str) -> int:
    """Go to the case's run, open its form and read what stands above it; returns the case's number."""
    case = case_of(stack, name)
    assert case is not None
    assert case.run_id is not None
    leader.open_run(case.run_id)
    leader.picture("run")
    leader.open_form()
    leader.picture("form")
    for text in (
        "Batas waktu perbaikan lewat / the repair is overdue",
        case.reference,
        "Team Leader",
        f"Pelanggan / Customer: {name} (DCS · HVC DIAMOND)",
        "Topik / Topic: Layanan mati / No service",
        "lampu LOS merah",
    ):
        assert leader.sees(leader.form.get_by_text(text).first), f"hidden: {text}"
    return case.key


def went_on(stack: Stack, number: int, choice: str, activity: int) -> None:
    """The decision is on record with the leader's name, and the activity that follows from it is done."""
    until(lambda: activity in stack.path(number)[6:], f"case {number} goes on with {activity}", 120)
    assert stack.path(number)[:7] == [1, 2, 4, 6, 7, 8, activity]
    with stack.systems.store.read() as session:
        query = select(Decision).where(Decision.case_id == number, Decision.form == "Escalation")
        decision = session.exec(query).one()
    assert (decision.by, decision.answers["choice"], decision.role) == (LEADER, choice, "Team Leader")


def submits(leader: Person, stack: Stack, number: int, choice: str, activity: int) -> None:
    """The leader submits the filled form and sees the case go on."""
    leader.picture("filled")
    leader.submit()
    went_on(stack, number, choice, activity)
    leader.picture("done")


def told(stack: Stack, address: str) -> str:
    """The text of the letter with the result, once it is out."""
    letters = [letter for letter in stack.letters(address) if ".inform_result." in letter["Message-ID"]]
    return str(letters[0].get_body(("plain",)).get_content()) if letters else ""  # type: ignore[union-attr]


def test_v1_desk_takes_over_after_a_refusal(escalated: Stack, browser: Browser, pictures: Path) -> None:
    leader = Person(browser, escalated.settings.ui_url, "v1", DESK, pictures)
    number = open_case(leader, escalated, "Eka Putri")
    leader.write("Nama Anda / Your name", LEADER)
    leader.choose("Keputusan / Decision", "Ambil alih / Take over")
    leader.submit()
    until(lambda: waits(escalated, "Eka Putri", "Escalation") == "escalation-1-r2", "the wait is open again", 120)
    assert 10 not in escalated.path(number)

    open_case(leader, escalated, "Eka Putri")
    reason = leader.form.get_by_text("Isi penyebab dan perbaikan / give the cause and the repair")
    assert leader.sees(reason)
    assert leader.form.inner_text().index("Isi penyebab dan") < leader.form.inner_text().index("Batas waktu")
    leader.write("Nama Anda / Your name", LEADER)
    leader.choose("Keputusan / Decision", "Ambil alih / Take over")
    for field, text in SOLUTION.items():
        leader.write(field, text)
    submits(leader, escalated, number, "TAKE_OVER", 10)
    letter = until(lambda: told(escalated, "eka@pelanggan.example"), "the customer is told the result")
    assert all(text in letter for text in SOLUTION.values())


def test_v1_phone_gives_back_to_the_agent(escalated: Stack, browser: Browser, pictures: Path) -> None:
    leader = Person(browser, escalated.settings.ui_url, "v1", PHONE, pictures)
    number = open_case(leader, escalated, "Fajar Nugroho")
    leader.write("Nama Anda / Your name", LEADER)
    leader.choose("Keputusan / Decision", "Kembalikan ke agent / Back to the agent")
    leader.write("Catatan / Note", "Telepon pelanggan dahulu")
    submits(leader, escalated, number, "BACK_TO_AGENT", 6)


def test_v2_desk_moves_it_to_another_unit(escalated: Stack, browser: Browser, pictures: Path) -> None:
    leader = Person(browser, escalated.settings.ui_url, "v2", DESK, pictures)
    number = open_case(leader, escalated, "Gita Anggraini")
    leader.write("Nama Anda / Your name", LEADER)
    leader.choose("Keputusan / Decision", "Pindahkan ke unit lain / To another unit")
    leader.choose("Unit", "Core Network")
    submits(leader, escalated, number, "OTHER_UNIT", 7)
    units = [record.output["unit"] for record in escalated.records(number) if record.number == 7]
    assert units == ["Access Network", "Core Network"]


def test_v2_phone_takes_over_after_a_name_too_short(escalated: Stack, browser: Browser, pictures: Path) -> None:
    leader = Person(browser, escalated.settings.ui_url, "v2", PHONE, pictures)
    number = open_case(leader, escalated, "Hadi Wijaya")
    leader.choose("Keputusan / Decision", "Ambil alih / Take over")
    for field, text in SOLUTION.items():
        leader.write(field, text)
    leader.write("Nama Anda / Your name", "R")
    leader.submit(refusal="'R' is too short")
    leader.picture("refused")
    assert waits(escalated, "Hadi Wijaya", "Escalation") == "escalation-1"
    leader.write("Nama Anda / Your name", LEADER)
    submits(leader, escalated, number, "TAKE_OVER", 10)
