"""The mail servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.settings import Mailbox, Settings, Smtp
from tests.adapters.ems.world import END, LOGIN, OURS, World, logged, simulator
from tests.servers import PASSWORD, Dovecot, Postfix, dovecot, eventually, postfix


@pytest.fixture(scope="package")
def real() -> Iterator[tuple[Dovecot, Postfix]]:
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
    inside.empty()


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[World]:
    with simulator(tmp_path) as server:
        yield World(Settings(**server.settings()), server.settings()["smtp"]["port"])


@pytest.fixture(params=["simulated", "genuine"])
def world(request: pytest.FixtureRequest) -> World:
    world: World = request.getfixturevalue(request.param)
    return world


@pytest.fixture
def logs(genuine: World, real: tuple[Dovecot, Postfix]) -> tuple[Path, Path]:
    """What Dovecot and Postfix log; all earlier sessions have ended."""
    inside, outside = (server.log for server in real)
    assert eventually(lambda: logged(inside, LOGIN) == logged(inside, END))
    return inside, outside
