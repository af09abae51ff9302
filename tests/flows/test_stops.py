"""`layanan up` is stopped at random moments, however it was started: promptly, and nothing is left, lost or doubled."""

from pathlib import Path

import pytest

from tests.flows.stops import stops


@pytest.mark.slow
def test_stops_at_random_moments(tmp_path: Path, migrated_engine: Path) -> None:
    """From a terminal and a background job, by Ctrl-C, SIGINT, SIGTERM and a closed window.

    More of them: `python -m tests.flows.stops`.
    """
    found, wrong = stops(tmp_path, 4, seed=163, within=6, engine=migrated_engine)
    assert [str(one) for one in found if not one.right] == []
    assert (len(found), wrong) == (4, [])
