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
        player = Player(stack, SCENARIOS, said.append, lambda _done: None, keep=False)
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
