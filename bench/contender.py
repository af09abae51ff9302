"""Who empties a mailbox of Dovecot's and answers by SMTP, as a process that is told when; and the servers for it."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.cpu import cpu
from bench.mail_of_customers import mails
from flows.processes import ROOT
from tests.ports import free_port
from tests.servers import Dovecot, dovecot, eventually

OURS = "layanan@telkom.example"
WARM_UP = 50
"""Mails before the first round, which load what is loaded once."""


@dataclass(frozen=True)
class Cost:
    """Mails a second, and milliseconds of CPU a mail: the contender's own, and each server's."""

    per_second: float
    cpu: float
    servers: dict[str, float]


class MailServers:
    """Dovecot, and Postfix's ``smtp-sink``, which takes each letter and forgets it."""

    def __init__(self, imap: Dovecot, folder: Path) -> None:
        self.imap = imap
        self.smtp = free_port()
        self._counts = folder / "sink.log"
        user = ["-u", "postfix"] if os.geteuid() == 0 else []
        command = ["smtp-sink", "-c", *user, f"127.0.0.1:{self.smtp}", "100"]
        with self._counts.open("w") as log:
            self.sink = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        master = imap.folder / "run" / "master.pid"
        assert eventually(master.exists)
        self.processes = {
            "Dovecot": psutil.Process(int(master.read_text())),
            "SMTP": psutil.Process(self.sink.pid),
        }

    def letters(self) -> int:
        """How many letters it has taken."""
        return int((re.findall(r"mesg=(\d+)", self._counts.read_text()) or ["0"])[-1])

    def deliver(self, number: int) -> None:
        """Put so many new mails into our mailbox, as its delivery does."""
        box = self.imap.folder / "home" / OURS
        for name in ("new", "cur", "tmp"):
            (box / "Maildir" / name).mkdir(parents=True, exist_ok=True)
        began = time.time()
        for place, raw in enumerate(mails(number, OURS)):
            (box / "Maildir" / "new" / f"{began:.6f}.{place}.bench").write_bytes(raw)
        for path in (box, *box.rglob("*")):
            shutil.chown(path, "mail", "mail")


@contextmanager
def mail_servers(folder: Path) -> Iterator[MailServers]:
    """Run them."""
    with dovecot() as imap:
        servers = MailServers(imap, folder)
        try:
            yield servers
        finally:
            servers.sink.terminate()
            servers.sink.wait(10)


@contextmanager
def contender(
    servers: MailServers, command: list[str], environment: dict[str, str], log: Path
) -> Iterator["Contender"]:
    """Run one; it ends when there are no more orders."""
    with log.open("w") as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield Contender(servers, process, log)
        process.communicate(timeout=60)
    finally:
        process.kill()


class Contender:
    """A process that empties the mailbox when it is told to, and says what that took."""

    def __init__(self, servers: MailServers, process: "subprocess.Popen[str]", log: Path) -> None:
        self._servers, self._process, self._log = servers, process, log

    def best(self, number: int, rounds: int) -> Cost:
        """The best of some rounds, each with so many mails."""
        self._round(WARM_UP)
        return max((self._round(number) for _ in range(rounds)), key=lambda cost: cost.per_second)

    def _round(self, number: int) -> Cost:
        servers = self._servers
        servers.deliver(number)
        letters, before = servers.letters(), self._of_servers()
        answer = json.loads(self._order())
        used = {name: (now - before[name]) * 1000 / number for name, now in self._of_servers().items()}
        assert answer["mails"] == number, f"{answer['mails']} of {number} mails were answered"
        assert eventually(lambda: servers.letters() == letters + number), "not one letter for each mail has gone out"
        return Cost(number / answer["seconds"], answer["cpu"] * 1000 / number, used)

    def _order(self) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        if not (line := self._process.stdout.readline()):
            raise SystemExit(self._log.read_text()[-3000:])
        return line

    def _of_servers(self) -> dict[str, float]:
        return {name: cpu(process) for name, process in self._servers.processes.items()}
