"""`make demo`, as whoever clones the repository runs it."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from flows.processes import ROOT


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_demo_walks_every_branch_and_leaves_nothing_running(tmp_path: Path) -> None:
    environment = os.environ | {"LAYANAN_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-4000:]
    assert "✗" not in done.stdout
    assert "20 cases" in done.stdout
    for row in (
        "│ 1 3 11 12 1 ",
        "│ 1 2 4 5 10 12 ",
        "│ 1 2 4 6 7 9 10 12 ",
        "│ 1 2 4 6 7 8 6 7 10 12 ",
        "│ 1 2 4 6 7 8 7 10 12 ",
        "│ 1 2 4 5 10 12 1 2 4 6 7 10 12 ",
        "│ other_segment ",
        "│ quarantined ",
    ):
        assert row in done.stdout
    assert leaks(tmp_path) == []
    assert [one for one in psutil.process_iter(["cmdline", "environ"]) if _of(one, tmp_path)] == []


def leaks(home: Path) -> list[str]:
    """Where customers' words and addresses stand, beside the case store and the forms that people read."""
    with closing(sqlite3.connect(home / "cases.sqlite")) as store:
        mails = store.execute("select sender, text from message").fetchall()
    words = {sender.encode() for sender, _ in mails if sender}
    words |= {line.strip().encode() for _, text in mails for line in text.splitlines() if len(line.strip()) > 25}
    assert len(words) >= 30
    places = {file.name: file.read_bytes() for file in (home / "logs").iterdir()}
    with closing(sqlite3.connect(home / "prefect" / "prefect.db")) as engine:
        tables = [name for (name,) in engine.execute("select name from sqlite_master where type = 'table'")]
        for table in set(tables) - {"flow_run_input"}:
            places[table] = "\n".join(map(str, engine.execute(f"select * from {table}"))).encode()
    assert places["log"]
    assert places["flow_run_state"]
    return [f"{place}: {word.decode()}" for place, text in places.items() for word in words if word in text]


def _of(process: psutil.Process, home: Path) -> bool:
    return (process.info["environ"] or {}).get("LAYANAN_HOME") == str(home)


def test_the_demo_takes_no_folder_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    environment = os.environ | {"LAYANAN_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr.strip().endswith("set LAYANAN_HOME to another folder")
    assert (tmp_path / "letters.txt").read_text() == "mine"
