"""A desk that really listens, on a store of its own, with a clock that a test moves."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
import uvicorn

from adapters.case_store.store import Store
from adapters.wiring import Systems
from flows.desk.app import create_app
from models.settings import Settings
from models.settings.desk import Desk as DeskSettings
from models.staff import Staff, StaffRole
from tasks.desk import passwords
from tests.conftest import copy_of_migrated
from tests.ports import free_port
from tests.servers import eventually

PASSWORD = "kucing-hitam-tujuh"
HASH = passwords.new_hash(PASSWORD)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class Hands:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)


class Desk:
    """A desk that listens, and people who may sign in there."""

    def __init__(self, systems: Systems, clock: Hands, url: str) -> None:
        self.systems, self.clock, self.url = systems, clock, url

    @property
    def store(self) -> Store:
        return self.systems.store

    def add(self, name: str, *roles: StaffRole, **more: Any) -> Staff:
        """A member of staff with ``PASSWORD``."""
        names = [role.name for role in roles or (StaffRole.AGENT_0,)]
        given = {"email": f"{name.lower()}@telkom.example", "password": HASH, **more}
        staff = Staff(name=name, roles=names, **given)
        with self.store.write() as session:
            session.add(staff)
        return staff

    def staff(self, staff: Staff) -> Staff:
        """As it is stored now."""
        with self.store.read() as session:
            return session.get_one(Staff, staff.key)

    def code(self, staff: Staff) -> str:
        """What the person's phone shows now."""
        return pyotp.TOTP(self.staff(staff).code_secret).at(self.clock.now())

    def browser(self, **more: Any) -> httpx.Client:
        """Somebody's browser, which follows no redirect by itself."""
        return httpx.Client(base_url=self.url, timeout=30, **more)

    def sign_in(self, staff: Staff, password: str = PASSWORD) -> httpx.Client:
        """The browser of somebody who has signed in."""
        browser = self.browser()
        answer = browser.post("/sign-in", data={"email": staff.email, "password": password})
        assert answer.status_code == 303
        if self.staff(staff).code_ready:
            assert browser.post("/sign-in/code", data={"code": self.code(staff)}).status_code == 303
        return browser


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.desk.sign_in.PACE", 0.001)


@contextmanager
def serving(systems: Systems) -> Iterator[str]:
    """A desk over these systems; its address."""
    port = free_port()
    config = uvicorn.Config(create_app(systems), port=port, log_config=None, proxy_headers=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert eventually(lambda: server.started or not thread.is_alive())
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def listening(store: Store, home: Path, **desk: Any) -> Iterator[Desk]:
    """A desk of these settings over this store."""
    systems, clock = Systems(Settings(home=home, desk=DeskSettings(**desk))), Hands()
    systems.store, systems.machine_clock = store, clock
    with serving(systems) as url:
        yield Desk(systems, clock, url)


@pytest.fixture
def sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A case store on SQLite alone, where the database does not matter."""
    store = Store(copy_of_migrated(request, "sqlite", tmp_path / "cases.sqlite"), tmp_path / "blobs")
    yield store
    store.close()


@pytest.fixture
def desk(sqlite: Store, tmp_path: Path) -> Iterator[Desk]:
    """A desk with the settings' defaults."""
    with listening(sqlite, tmp_path / "home") as desk:
        yield desk


@pytest.fixture
def both(store: Store, tmp_path: Path) -> Iterator[Desk]:
    """A desk with the settings' defaults, on each kind of database."""
    with listening(store, tmp_path / "home") as desk:
        yield desk
