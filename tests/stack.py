"""A whole service for a test: simulator, Prefect server, worker, each a process, and a person who answers forms."""

import json
import os
import shutil
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import httpx
from sqlmodel import select

from adapters.clock import SimulatedClock
from adapters.engine.forms import Resumed
from adapters.engine.launch import launched
from adapters.engine.runs import PrefectEngine
from adapters.folder import private
from adapters.wiring import Systems
from flows.processes import ROOT
from flows.service import Service
from flows.stop_signals import ending
from models.forms import FORMS
from models.forms.base import Choice
from models.settings import Settings, load_settings
from models.tables import ActivityRecord, Case, Deadline, Letter, Outbox, Signal, Wait
from tests.ports import free_port

T = TypeVar("T")


def until(ask: Callable[[], T | None], what: str, seconds: float = 120) -> T:
    """The first true answer."""
    end, pause = time.monotonic() + seconds, 0.01
    while time.monotonic() < end:
        if answer := ask():
            return answer
        time.sleep(pause)
        pause = min(2 * pause, 0.1)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


class Stack:
    """One service with its own folder, ports and simulated clock.

    Args:
        engine: a database of Prefect's server, of which it gets a copy; without one the server makes its own.
    """

    def __init__(
        self, home: Path, seed: dict[str, Any], root: Path = ROOT, engine: Path | None = None, **environment: str
    ) -> None:
        self.home = home
        self.root = root
        home.mkdir(parents=True, exist_ok=True)
        if engine is not None:
            private(home / "prefect")
            shutil.copyfile(engine, home / "prefect" / "prefect.db")
        (home / "seed.json").write_text(json.dumps(seed))
        self.environment = {
            "LAYANAN_HOME": str(home),
            "LAYANAN_SETTINGS": str(home / "simulator" / "layanan.toml"),
            "LAYANAN_PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api",
            "LAYANAN_DESK__PORT": str(free_port()),
            "PYTHONPATH": str(root),
            **environment,
        }
        self.clock = SimulatedClock(home / "clock")
        self.simulator: subprocess.Popen[bytes] | None = None
        self.settings: Settings
        self.service: Service
        self.systems: Systems

    def start(self, *, worker: bool = True, outlives_us: bool = False) -> None:
        self.start_simulator(outlives_us=outlives_us)
        self.service = Service(self.settings, self.environment, outlives_us=outlives_us)
        self.service.start_server()
        if PrefectEngine(self.settings).missing():  # a server that other tests use, too, has them
            self.service.deploy()
        if worker:
            self.service.start_worker()

    def start_simulator(self, *, outlives_us: bool = False) -> None:
        """What is around the service, and the service's settings."""
        seed = str(self.home / "seed.json")
        with (self.home / "simulator.log").open("ab") as log:
            self.simulator = subprocess.Popen(
                launched([sys.executable, "-m", "layanan", "simulator", "--seed", seed], outlives_us=outlives_us),
                cwd=self.root,
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for whoever stops the stack, in the right order
                start_new_session=True,
            )
        until((self.home / "simulator" / "layanan.toml").exists, "the simulator is up")
        with mock.patch.dict(os.environ, self.environment):
            self.settings = load_settings()
        self.systems = Systems(self.settings)

    def stop(self) -> None:
        with ending():
            if hasattr(self, "service"):
                self.service.stop()
            if self.simulator is not None:
                self.simulator.terminate()
                try:
                    self.simulator.wait(30)
                finally:
                    self.simulator.kill()

    # customers

    def write(self, sender: str, subject: str, text: str, **headers: str) -> str:
        """A customer's mail to our first mailbox; returns its Message-ID."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, self.settings.mailboxes[0].address, subject
        mail["Message-ID"] = make_msgid(domain="pelanggan.example")
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        with smtplib.SMTP("127.0.0.1", self.settings.smtp.port) as smtp:
            smtp.send_message(mail)
        return str(mail["Message-ID"])

    def letters(self, address: str) -> list[EmailMessage]:
        """What the SMTP server has really accepted for a customer, in order."""
        folder = self.home / "simulator" / "mail"
        index = folder / "index.jsonl"
        lines = [json.loads(line) for line in index.read_text().splitlines()] if index.exists() else []
        return [
            message_from_bytes((folder / line["file"]).read_bytes(), policy=policy.default)
            for line in lines
            if address in line["to"]
        ]

    # back office

    def tickets(self) -> list[dict[str, Any]]:
        url = f"{self.settings.mycx.url.rpartition('/')[0]}/simulator/tickets"
        return list(httpx.get(url, timeout=60).raise_for_status().json())

    def refuse_letters(self, times: int) -> None:
        """The relay refuses our account the next times that it wants to send."""
        url = f"{self.settings.mycx.url.rpartition('/')[0]}/simulator/relay"
        httpx.post(url, json={"letters": times}, timeout=60).raise_for_status()

    # people

    def case(self, number: int) -> Case | None:
        with self.systems.store.read() as session:
            return session.exec(select(Case).where(Case.id == number)).first()

    def waiting(self, number: int, form: str, seconds: float = 120) -> Wait:
        def look() -> Wait | None:
            with self.systems.store.read() as session:
                wait = session.exec(select(Wait).where(Wait.case_id == number)).first()
            return wait if wait and wait.form == form else None

        return self._until(look, number, f"waits with {form}", seconds)

    def decide(self, number: int, form: str, **answers: Any) -> Resumed:
        """Submit a form as the UI does, as soon as the run is suspended with it."""
        self.waiting(number, form)
        case = self.case(number)
        assert case is not None
        assert case.run_id is not None
        fields = FORMS[form].model_fields
        for name, value in answers.items():
            kind = fields[name].annotation
            if isinstance(kind, type) and issubclass(kind, Choice):
                answers[name] = kind[value].value
        run_id = case.run_id

        def submit() -> Resumed | None:
            resumed = self.systems.engine.resume(run_id, {"by": "Sari", **answers})
            return resumed if resumed.state not in {"not_waiting", "no_form"} else None

        return self._until(submit, number, f"takes {form}")

    def run(self, deployment: str) -> None:
        """Start a pass of a standing flow now, without waiting for its schedule."""
        httpx.post(
            f"{self.settings.prefect_api_url}/deployments/{self._deployment(deployment)}/create_flow_run",
            json={},
            timeout=10,
        ).raise_for_status()

    def run_state(self, run_id: str) -> str:
        """The state's name as the UI shows it."""
        answer = httpx.get(f"{self.settings.prefect_api_url}/flow_runs/{run_id}", timeout=60).raise_for_status()
        return str(answer.json()["state_name"])

    def ended(self, number: int, seconds: float = 120) -> Case:
        def look() -> Case | None:
            case = self.case(number)
            return case if case and case.status != "open" else None

        return self._until(look, number, "ends", seconds)

    def records(self, number: int) -> list[ActivityRecord]:
        with self.systems.store.read() as session:
            return list(
                session.exec(
                    select(ActivityRecord).where(ActivityRecord.case_id == number).order_by(ActivityRecord.id)  # type: ignore[arg-type]
                )
            )

    def path(self, number: int) -> list[int]:
        """Activity numbers of a case, in the order in which they were done."""
        return [r.number for r in self.records(number) if r.number is not None and r.state == "done"]

    def outbox(self, number: int) -> list[tuple[str, str]]:
        with self.systems.store.read() as session:
            rows = session.exec(
                select(Letter.kind, Outbox.state).join(Outbox).where(Letter.case_id == number).order_by(Letter.id)  # type: ignore[arg-type]
            )
            return list(rows)

    def _until(self, ask: Callable[[], T | None], number: int, what: str, seconds: float = 120) -> T:
        """The first true answer; where there is none, what is known of the case is printed."""
        try:
            return until(ask, f"case {number} {what}", seconds)
        except AssertionError:
            print(self.story(number))
            raise

    def story(self, number: int) -> str:
        """What case store, engine and worker know of a case, for whom wonders why it does not go on."""
        case = self.case(number)
        if case is None:
            return f"there is no case {number}"
        with self.systems.store.read() as session:
            rows = [
                str(row)
                for table in (Wait, Signal, Deadline)
                for row in session.exec(select(table).where(table.case_id == number))
            ]
        states = f"{self.settings.prefect_api_url}/flow_run_states/"
        run = httpx.get(states, params={"flow_run_id": str(case.run_id)}, timeout=60).text
        log = (self.service.logs / "worker.log").read_text("utf-8", "replace").splitlines()[-60:]
        return "\n".join([f"clock {self.clock.now()}", str(case), *rows, run, *log])

    def _deployment(self, name: str) -> str:
        url = f"{self.settings.prefect_api_url}/deployments/name/{name}/{name}"
        return str(httpx.get(url, timeout=60).raise_for_status().json()["id"])


@contextmanager
def running(home: Path, seed: dict[str, Any], **more: Any) -> Iterator[Stack]:
    """A stack that is stopped at the end, whatever happens."""
    stack = Stack(home, seed, **more)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
