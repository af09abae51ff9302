from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.systems.back_office import SEED, BackOffice, back_office
from tests.field.proxy import Proxy, proxy


@pytest.fixture
def office(tmp_path: Path) -> Iterator[BackOffice]:
    """The simulated systems."""
    with back_office(SEED, tmp_path, wait=False) as running:
        yield running


@pytest.fixture
def between(office: BackOffice) -> Iterator[Proxy]:
    """The proxy before them."""
    with proxy(office.root) as running:
        yield running
