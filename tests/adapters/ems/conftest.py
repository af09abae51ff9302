"""The mail servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.settings import Settings
from tests.adapters.ems.world import END, LOGIN, World, logged, simulator
from tests.servers import Dovecot, Postfix, eventually


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
    """What Dovecot and Postfix log. Earlier sessions have ended, but for those of a process that a test has killed."""
    inside, outside = (server.log for server in real)
    eventually(lambda: logged(inside, LOGIN) == logged(inside, END), 5)
    return inside, outside
