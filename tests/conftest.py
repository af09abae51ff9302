"""What the core's tests share: real data bases, the simulated systems, and one real Prefect server."""

import asyncio
import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

# with which a CI's machine colours what is no terminal, and breaks lines elsewhere: read when typer is imported
os.environ.pop("FORCE_COLOR", None)
os.environ.pop("PY_COLORS", None)
os.environ.pop("GITHUB_ACTIONS", None)
os.environ.pop("TTY_COMPATIBLE", None)
os.environ.pop("TERMINAL_WIDTH", None)

# the engine reads it when it is imported, and would else write in the developer's home folder
os.environ.setdefault("PREFECT_HOME", os.path.join(tempfile.gettempdir(), "layanan-tests"))  # noqa: PTH118

# tests' folders stand in memory where it has room: each commit waits for the disk, and there are thousands
if os.path.isdir("/dev/shm") and shutil.disk_usage("/dev/shm").free > 4 << 30:  # noqa: PTH112
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", "/dev/shm")

import hypothesis
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import TERMINAL_STATES
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)

from adapters.case_store import schema
from adapters.case_store.store import Store
from adapters.clock import SimulatedClock
from adapters.engine.environment import without_proxy
from adapters.simulator.main import run
from adapters.wiring import Systems, load_systems
from flows.service import Service
from models.settings import Mailbox, Settings, Smtp
from tests.adapters.ems.world import World
from tests.cases import OURS, SEED
from tests.ports import free_port
from tests.runs import Runs
from tests.servers import PASSWORD, Dovecot, Postfix, Postgres, dovecot, eventually, postfix, postgres
from tests.stack import Stack

BOTH = ["sqlite", "postgresql"]
MIGRATED = "migrated.db"

without_proxy()

# the same examples in each run, on a machine of any pace
hypothesis.settings.register_profile(
    "ours", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("ours")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: the last file to begin is a short one, and no process waits long for another."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database of the code's revision, to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    _migrate(f"sqlite:///{folder / 'cases.sqlite'}", folder)
    return folder / "cases.sqlite"


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of a PostgreSQL database of the code's revision, to be copied."""
    return _migrate(postgresql.new(), tmp_path_factory.mktemp("migrated"))


def _migrate(url: str, folder: Path) -> str:
    store = Store(url, folder)
    schema.upgrade(store)
    store.close()
    return url


def copy_of_migrated(request: pytest.FixtureRequest, kind: str, file: Path) -> str:
    """URL of a new database of the code's revision; ``file`` is where SQLite's stands."""
    if kind == "postgresql":
        template = request.getfixturevalue("migrated_postgresql")
        return str(request.getfixturevalue("postgresql").new(like=template))
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(request.getfixturevalue("migrated"), file)
    return f"sqlite:///{file}"


@pytest.fixture(params=BOTH)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A case store of the code's revision, on each kind of database."""
    store = Store(copy_of_migrated(request, request.param, tmp_path / "cases.sqlite"), tmp_path / "blobs")
    yield store
    store.close()


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Path]:
    """All simulated systems in a thread; the settings that lead to them."""
    (tmp_path / "seed.json").write_text(SEED.model_dump_json())
    ready, stop = tmp_path / "simulator" / "layanan.toml", asyncio.Event()
    loop = asyncio.new_event_loop()
    work = run(tmp_path / "seed.json", ready.parent, SimulatedClock(tmp_path / "home" / "clock"), stop)

    def serve() -> None:
        with closing(loop):
            loop.run_until_complete(work)

    thread = threading.Thread(target=serve)
    thread.start()
    assert eventually(lambda: ready.exists() or not thread.is_alive())
    yield ready
    # it ends, in a fifth of a second, while the next test begins
    loop.call_soon_threadsafe(stop.set)


@pytest.fixture
def systems(simulator: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systems]:
    """The service in this process, with a store of its own and the simulator behind it; no engine answers.

    The store is SQLite, or what the test asks for: ``@pytest.mark.parametrize("systems", BOTH, indirect=True)``.
    """
    monkeypatch.setenv("LAYANAN_SETTINGS", str(simulator))
    monkeypatch.setenv("LAYANAN_PREFECT_API_URL", f"http://127.0.0.1:{free_port()}/api")
    kind = getattr(request, "param", "sqlite")
    url = copy_of_migrated(request, kind, simulator.parents[1] / "home" / "cases.sqlite")
    if kind == "postgresql":
        monkeypatch.setenv("LAYANAN_DATABASE_URL", url)
    load_systems.cache_clear()
    systems = load_systems()
    yield systems
    systems.ems.close()
    systems.store.close()
    load_systems.cache_clear()


@pytest.fixture(scope="session")
def real() -> Iterator[tuple[Dovecot, Postfix]]:
    """Dovecot, and Postfix before it."""
    with dovecot() as inside, postfix(inside, "telkom.example", "pelanggan.example") as outside:
        yield inside, outside


@pytest.fixture
def genuine(real: tuple[Dovecot, Postfix], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Dovecot over IMAPS and Postfix over STARTTLS with a login."""
    inside, outside = real
    monkeypatch.setenv("SSL_CERT_FILE", str(inside.certificate))
    box = Mailbox(address=OURS, host="127.0.0.1", port=inside.imaps, user=OURS, password=PASSWORD)
    smtp = Smtp(host="127.0.0.1", port=outside.submission, tls="starttls", user=OURS, password=PASSWORD)
    yield World(Settings(mailboxes=[box], smtp=smtp), outside.smtp)
    # what is still on its way would lie in the next test's mailbox
    outside.forget()
    assert eventually(outside.idle)
    inside.empty()


@pytest.fixture(scope="session")
def engine_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the one real Prefect server."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="session")
def prefect_server(engine_home: Path) -> Iterator[str]:
    """One real Prefect server; its API's address."""
    api = f"http://127.0.0.1:{free_port()}/api"
    service = Service(Settings(home=engine_home, prefect_api_url=api, clock="simulated"))
    try:
        service.start_server()
        new = sqlite3.connect(engine_home / "prefect" / "prefect.db"), sqlite3.connect(engine_home / MIGRATED)
        with closing(new[0]), closing(new[1]):
            new[0].backup(new[1])
        yield api
    finally:
        service.stop()


@pytest.fixture(scope="session")
def migrated_engine(prefect_server: str, engine_home: Path) -> Path:
    """Prefect's database as its server made it at its first start, to be copied: that takes 7 CPU seconds."""
    return engine_home / MIGRATED


@pytest.fixture(scope="session")
def stack(prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The service's deployments on that server, and a simulator behind them; no worker."""
    home, seed = tmp_path_factory.mktemp("stack"), SEED.model_dump(mode="json")
    stack = Stack(home, seed, LAYANAN_PREFECT_API_URL=prefect_server)
    try:
        stack.start(worker=False)
        yield stack
    finally:
        stack.stop()


@pytest.fixture(scope="module")
def engine(stack: Stack) -> str:
    """Address of that server for a service of the module's own, which finds the deployments, and nobody else's runs."""
    with SyncPrefectClient(api=stack.settings.prefect_api_url) as client:
        ended = FlowRunFilterState(type=FlowRunFilterStateType(not_any_=sorted(TERMINAL_STATES)))
        while runs := client.read_flow_runs(flow_run_filter=FlowRunFilter(state=ended)):
            for run in runs:
                client.delete_flow_run(run.id)
    return stack.settings.prefect_api_url


@pytest.fixture
def runs(systems: Systems, prefect_server: str) -> Iterator[Runs]:
    systems.settings.prefect_api_url = prefect_server
    settings = {
        PREFECT_API_URL: prefect_server,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        PREFECT_LOGGING_TO_API_ENABLED: False,
    }
    with temporary_settings(settings), SyncPrefectClient(api=prefect_server) as client:
        yield Runs(systems, client)
