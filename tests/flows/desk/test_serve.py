"""The desk as a process of its own: how it starts, who may sign in first, and how it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from flows.processes import ROOT
from tests.conftest import copy_of_migrated
from tests.ports import free_port
from tests.servers import eventually


@pytest.fixture
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Settings with an empty case store."""
    copy_of_migrated(request, "sqlite", tmp_path / "home" / "cases.sqlite")
    ours = {"LAYANAN_HOME": str(tmp_path / "home"), "LAYANAN_DESK__PORT": str(free_port())}
    return {name: value for name, value in os.environ.items() if not name.startswith("LAYANAN_")} | ours


@contextmanager
def desk(environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "layanan", "desk"]
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def answers(environment: dict[str, str]) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(environment["LAYANAN_DESK__PORT"]))) == 0


def test_the_first_start_makes_an_administrator_and_ctrl_c_ends_it(environment: dict[str, str]) -> None:
    url = f"http://127.0.0.1:{environment['LAYANAN_DESK__PORT']}"
    with desk(environment) as process:
        assert eventually(lambda: answers(environment))
        assert process.stdout
        said = process.stdout.readline() + process.stdout.readline() + process.stdout.readline()
        found = re.search(r"administrator: (\S+), first password (\S+)\n", said)
        assert found, said
        with httpx.Client(base_url=url) as browser:
            answer = browser.post("/sign-in", data={"email": found[1], "password": found[2]})
            assert answer.status_code == 303
            assert "server" not in answer.headers
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert "Traceback" not in process.stdout.read()
    with desk(environment) as process:
        assert eventually(lambda: answers(environment))
        process.send_signal(signal.SIGTERM)
        assert process.stdout
        assert "first password" not in process.stdout.read()


def test_a_port_that_is_taken_is_named(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(environment["LAYANAN_DESK__PORT"]))), desk(environment) as process:
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 4
        assert "set LAYANAN_DESK__PORT to a free one" in said
