from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.systems.back_office import SEED, BackOffice, back_office
from tests.adapters.systems.tmf_specs import SPECS


@pytest.fixture
def office(tmp_path: Path) -> Iterator[BackOffice]:
    """The simulated systems; at the end every message is held against TM Forum's specifications."""
    with back_office(SEED, tmp_path, wait=False) as running:
        yield running
        if SPECS.is_dir():  # its absence is reported by simulator/test_tmf.py
            assert running.problems() == []
