"""A service of some revision of ours in the week, and what stands around it: simulator, relay, clock."""

import json
import os
import smtplib
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.week.calendar import ASKED_TO_WAIT, MONDAY, REFUSING, within
from bench.week.letters import Taken
from bench.week.mails import ALIAS, OURS, Mail, customers
from tests.field.proxy import Proxy, proxy, status
from tests.relay import Relay
from tests.servers import eventually

SLOW = "embassy"
"""The system that asks to wait."""


@dataclass
class Running:
    """A service and what stands around it."""

    process: "subprocess.Popen[str]"
    relay: Relay
    between: Proxy
    clock: Path
    log: Path
    mailboxes: int
    """Port of the SMTP server before our mailboxes."""
    now: datetime = MONDAY
    letters: list[Taken] = field(default_factory=list)
    asked: int = 0
    """Calls to the system that had asked to wait."""
    _waits: bool = False

    def at(self, now: datetime) -> None:
        """It is so late now, for everybody."""
        self.now = now
        part = self.clock.with_suffix(".part")
        part.write_text(f"{offset(now)}\n")
        part.replace(self.clock)
        self.relay.accept()
        if within(now, REFUSING):
            self.relay.refuse("550 5.2.252", "SendAsDenied; this account may not send now", "mail")
        self.asked += self._waits * self.between.count(SLOW)
        self.between.calls.clear()
        self.between.clear()
        self._waits = within(now, ASKED_TO_WAIT)
        if self._waits:
            left = int((ASKED_TO_WAIT[1] - now).total_seconds())
            self.between.change(status(429, retry_after=left), system=SLOW)

    def deliver(self, mail: Mail) -> None:
        """A mail comes to our mailbox."""
        with smtplib.SMTP("127.0.0.1", self.mailboxes) as smtp:
            smtp.sendmail("bounce@pelanggan.example", [OURS], mail.raw)

    def order(self, **order: Any) -> dict[str, Any]:
        """Have the service do something; what it says of it."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = self.answer()
        self.letters += [Taken.of(one, self.now) for one in self.relay.received[len(self.letters) :]]
        return answer

    def answer(self) -> dict[str, Any]:
        """Its next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(self.log.read_text("utf-8", "replace")[-3000:])
        return dict(json.loads(line))


@contextmanager
def running(tree: Path, folder: Path, mails: int, settings_of_today: Mapping[str, str]) -> Iterator[Running]:
    """A service of the code of ``tree`` with simulator and relay, until the week is over.

    Args:
        settings_of_today: those that an earlier revision has not.
    """
    folder.mkdir()
    seed = {
        "mailboxes": [{"address": OURS, "password": "pw", "site": "JKT"}],
        "customers": customers(mails),
    }
    (folder / "seed.json").write_text(json.dumps(seed))
    (folder / "home").mkdir()
    clock, ready, log = folder / "home" / "clock", folder / "home" / "simulator" / "layanan.toml", folder / "log"
    clock.write_text(f"{offset(MONDAY)}\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LAYANAN_")}
    environment |= {"PYTHONPATH": str(tree), "LAYANAN_HOME": str(folder / "home"), "LAYANAN_LOG_LEVEL": "ERROR"}
    environment |= {"PREFECT_HOME": str(folder / "prefect")}
    with ExitStack() as stack:
        errors = stack.enter_context(log.open("w"))
        started: dict[str, Any] = {"cwd": tree, "stderr": errors, "text": True}
        command = [sys.executable, "-m", "layanan", "simulator", "--seed", str(folder / "seed.json")]
        simulator = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=errors, **started)
        stack.callback(ended, simulator)
        if not eventually(ready.exists):
            raise SystemExit(log.read_text("utf-8", "replace")[-3000:])
        settings = tomllib.loads(ready.read_text())
        relay = stack.enter_context(Relay(settings["smtp"]["port"]))
        between = stack.enter_context(proxy(settings[SLOW]["url"].removesuffix(f"/{SLOW}")))
        environment[f"LAYANAN_{SLOW.upper()}__URL"] = f"{between.url}/{SLOW}"
        environment |= {
            "LAYANAN_SETTINGS": str(ready),
            **known_settings(settings, relay.port),
            **settings_of_today,
        }
        command = [sys.executable, "-P", str(tree / "bench" / "week" / "service.py")]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen(command, env=environment, **pipes, **started)
        stack.callback(ended, process)
        service = Running(process, relay, between, clock, log, settings["smtp"]["port"])
        service.answer()
        yield service


def offset(now: datetime) -> float:
    """Seconds by which the simulated clock runs ahead of the machine's."""
    return (now - datetime.now(UTC)).total_seconds()


def ended(process: "subprocess.Popen[Any]") -> None:
    """End a process of the week."""
    process.kill()
    process.wait(30)


def known_settings(settings: dict[str, Any], smtp: int) -> dict[str, str]:
    """What an administrator sets for this week, in every revision."""
    boxes = [box | {"aliases": [ALIAS]} for box in settings["mailboxes"]]
    return {
        "LAYANAN_MAILBOXES": json.dumps(boxes),
        "LAYANAN_SMTP__PORT": str(smtp),
        "LAYANAN_AUTHSERV_ID": "mx.telkom.example",
    }
