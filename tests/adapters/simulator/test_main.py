import asyncio
import imaplib
import smtplib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from adapters.clock import SimulatedClock
from adapters.simulator.main import run
from adapters.simulator.seed import SeededMailbox
from adapters.systems.mrtg import Mrtg
from adapters.systems.mycx import MyCx
from adapters.systems.securecrt import SecureCrt
from adapters.systems.siska import Siska
from models.errors import SettingsError
from models.settings import Settings, load_settings
from tests.adapters.systems.back_office import SEED

T = TypeVar("T")
BOX = SeededMailbox(address="layanan@telkom.example", password='p"\\ é', site="JKT")


@pytest.fixture
def seed_file(tmp_path: Path) -> Path:
    file = tmp_path / "seed.json"
    file.write_text(SEED.model_copy(update={"mailboxes": [BOX]}).model_dump_json(), "utf-8")
    return file


def while_running(seed_file: Path, folder: Path, act: Callable[[], T]) -> T:
    """Run the simulator, and ``act`` once it is ready."""

    async def both() -> T:
        stop, ready = asyncio.Event(), folder / "layanan.toml"
        simulator = asyncio.create_task(run(seed_file, folder, SimulatedClock(folder.parent / "home/clock"), stop))
        while not ready.exists() and not simulator.done():
            await asyncio.sleep(0.01)
        if simulator.done():
            await simulator
        try:
            return await asyncio.to_thread(act)
        finally:
            stop.set()
            await simulator

    return asyncio.run(both())


def test_the_settings_lead_to_every_system(seed_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "simulator"
    monkeypatch.setenv("LAYANAN_SETTINGS", str(folder / "layanan.toml"))

    def look() -> Settings:
        settings = load_settings()
        assert Siska(settings.siska).customer("C-1").name == "Budi Santoso"
        clock = SimulatedClock(settings.home / "clock")
        assert Mrtg(settings.mrtg, clock).traffic("4700001-0021497479") is not None
        box = settings.mailboxes[0]
        assert box.password.get_secret_value() == BOX.password
        smtplib.SMTP(settings.smtp.host, settings.smtp.port, timeout=5).quit()
        imaplib.IMAP4(box.host, box.port, timeout=5).logout()
        reading = SecureCrt(settings.securecrt).read_interface("Bandung/Dago/BDG-DGO-OLT-01", "GigabitEthernet0/0/1")
        assert "is down" in reading.output
        MyCx(settings.mycx).create_ticket(
            external_id="CASE-1",
            description="d",
            severity="Major",
            ticket_type="incident",
            unit="Telkom",
            service_number=None,
            customer_id=None,
        )
        return settings

    first = while_running(seed_file, folder, look)
    assert (first.clock, first.home) == ("simulated", tmp_path / "home")
    assert (folder / "tickets.sqlite").exists()
    assert not (folder / "layanan.toml").exists()
    # again in the same folder: the same ports, and the ticket is still there
    assert while_running(seed_file, folder, look) == first


def test_the_settings_are_not_for_others_to_read(seed_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "simulator"
    mode = while_running(seed_file, folder, lambda: (folder / "layanan.toml").stat().st_mode)
    assert mode & 0o077 == 0


def test_a_wrong_seed_starts_nothing(seed_file: Path, tmp_path: Path) -> None:
    seed_file.write_text(seed_file.read_text().replace("HVC_GOLD", "GOLD"))
    with pytest.raises(SettingsError, match=r"seed\.json line 1: customers\[0\]\.tier: "):
        while_running(seed_file, tmp_path / "simulator", lambda: None)
    assert not (tmp_path / "simulator").exists()
