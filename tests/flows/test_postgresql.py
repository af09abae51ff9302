"""A grown-up installation: case store and Prefect's server on PostgreSQL, and two workers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo.__main__ import SEED
from tests.demo.player import Player
from tests.demo.scenarios import SCENARIOS
from tests.demo.table import Results
from tests.servers import Postgres
from tests.stack import Stack

PLAYED = {
    "Information, then thanks",
    "Late; the team leader gives it back",
    "A data link; stuck, then to Telkom (5.6)",
    "A known complaint by reply; asks for the superior",
    "An answer within the waiting period reopens",
    "Another segment (W-89)",
    "Unknown customer; does not answer here",
    "…but from the address on record; another unit",
    "Not sure: the agent decides and answers",
    "A list mail",
}
"""Scenarios that together have every activity, every outcome and every form of the demo, which plays all of them."""


def test_what_is_played_has_every_activity_outcome_and_form() -> None:
    played = [one for one in SCENARIOS if one.name in PLAYED]
    assert len(played) == len(PLAYED)
    assert {number for one in played for number in one.path} == set(range(1, 13))
    assert {one.outcome for one in played} == {one.outcome for one in SCENARIOS}
    assert {step.at for one in played for step in one.steps} >= {step.at for one in SCENARIOS for step in one.steps}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_workers_on_postgresql_walk_every_branch(postgresql: Postgres, tmp_path: Path) -> None:
    stack = Stack(
        tmp_path,
        json.loads(SEED.read_text("utf-8")),
        LAYANAN_WORKER_THREADS="4",
        LAYANAN_DATABASE_URL=postgresql.new(),
        PREFECT_SERVER_DATABASE_CONNECTION_URL=postgresql.new().replace("+psycopg", "+asyncpg"),
    )
    second = None
    try:
        stack.start()
        command = [sys.executable, "-m", "prefect", "worker", "start"]
        command += ["--pool", "layanan", "--type", "layanan", "--name", "second"]
        with (tmp_path / "second.log").open("wb") as out:
            second = subprocess.Popen(command, env=stack.service.environment, stdout=out, stderr=out)
        said: list[str] = []
        played = [one for one in SCENARIOS if one.name in PLAYED]
        player = Player(stack, played, said.append, lambda _done: None, keep=False)
        player.play()
        assert list(Results(player).differences()) == [], said
        for log in ("logs/worker.log", "second.log"):
            assert "for flow 'handle-case'" in (tmp_path / log).read_text(), f"{log}: it had no part in it"
    finally:
        if second is not None:
            second.terminate()
            second.wait(60)
        stack.stop()
    assert not (tmp_path / "cases.sqlite").exists()
    assert not (tmp_path / "prefect" / "prefect.db").exists()
