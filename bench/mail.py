"""The way of a mail to its first response: ours beside django-helpdesk's, on the same servers in the same call.

    python -m bench.mail [--mails 300] [--rounds 3] [--many 100000] [--cache FOLDER] [--prefect]

From Dovecot by IMAPS through parsing, storing and old or new to the letter that the SMTP server has taken, and the mail
marked. Exits with 1 when an aim is missed. README.md says what is measured, and how.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import make_url

from bench.contender import OURS, Cost, MailServers, contender, mail_servers
from bench.cpu import process_of
from bench.engine import Aims
from flows.processes import ROOT
from flows.service import Service
from flows.stop_signals import stopping_on_signals
from models.settings import Settings
from tests.ports import free_port
from tests.servers import PASSWORD, Postgres, postgres

HELPDESK = ("django-helpdesk==2.6.1", "psycopg[binary]>=3.2")
FEW = 1_000
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"


class Course:
    """The same mails for every contender."""

    def __init__(self, servers: MailServers, database: Postgres, folder: Path, mails: int, rounds: int) -> None:
        self._servers, self._database, self._folder = servers, database, folder
        self._mails, self._rounds, self._numbers = mails, rounds, count(1)
        master = int((database.folder / "data" / "postmaster.pid").read_text().split()[0])
        servers.processes[POSTGRESQL] = psutil.Process(master)

    def ours(self, kind: str, cases: int = 0, service: Service | None = None) -> Cost:
        """With so many cases stored before, and with a stand-in for Prefect where there is no ``service``."""
        home, servers = self._home(), self._servers
        box = {"address": OURS, "host": "localhost", "port": servers.imap.imaps, "user": OURS, "password": PASSWORD}
        environment = {
            "LAYANAN_HOME": str(home),
            "LAYANAN_MAILBOXES": json.dumps([box]),
            "LAYANAN_SMTP__PORT": str(servers.smtp),
            "LAYANAN_FIRST_POLL_MOST": "1000000",
            "LAYANAN_SMTP__TLS": "none",
            "LAYANAN_DATABASE_URL": self._database.new() if kind == POSTGRESQL else "",
            "SSL_CERT_FILE": str(servers.imap.certificate),
            "PREFECT_HOME": str(home / "prefect"),
        }
        if service is not None:
            environment["LAYANAN_PREFECT_API_URL"] = service.settings.prefect_api_url
            servers.processes["Prefect"] = process_of(service._server)
        command = [sys.executable, "-m", "bench.first_response", str(cases), "prefect" if service else "stand-in"]
        return self._cost(command, environment, home)

    def helpdesk(self, kind: str, python: Path) -> Cost:
        """django-helpdesk, in the environment that has it."""
        home = self._home()
        database: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(home / "helpdesk.sqlite")}
        if kind == POSTGRESQL:
            url = make_url(self._database.new())
            database = {"ENGINE": "django.db.backends.postgresql", "NAME": url.database, "USER": url.username}
            database |= {"HOST": url.host, "PORT": url.port}
        servers = self._servers
        where = {"imap": servers.imap.imaps, "smtp": servers.smtp, "user": OURS, "password": PASSWORD}
        environment = {"WHERE": json.dumps(where | {"folder": str(home), "database": database}), "PYTHONPATH": ""}
        return self._cost([str(python), "-P", "bench/django_helpdesk.py"], environment, home)

    def _cost(self, command: list[str], environment: dict[str, str], home: Path) -> Cost:
        with contender(self._servers, command, environment, home / "log") as one:
            return one.best(self._mails, self._rounds)

    def _home(self) -> Path:
        home = self._folder / str(next(self._numbers))
        home.mkdir()
        return home


def beside(aims: Aims, course: Course, kind: str, helpdesk: Path) -> None:
    """The figures that have an aim, on a data base, with django-helpdesk's beside them."""
    print(f"{kind}: ours beside django-helpdesk", flush=True)
    theirs, ours = course.helpdesk(kind, environment_of(helpdesk)), course.ours(kind)
    value = f"{ours.per_second:.0f} beside {theirs.per_second:.0f}: {ours.per_second / theirs.per_second:.1f} times"
    aims.show("mails a second", value, "150", ours.per_second >= 150)
    value = f"{ours.cpu:.1f} ms beside {theirs.cpu:.1f} ms: {theirs.cpu / ours.cpu:.1f} times less"
    aims.show("CPU of the process, a mail", value, "10 ms", ours.cpu <= 10)
    for server, cost in ours.servers.items():
        aims.show(f"CPU of {server}, a mail", f"{cost:.1f} ms beside {theirs.servers[server]:.1f} ms")


def growth(aims: Aims, course: Course, kind: str, many: int) -> None:
    """The same with few and with many cases stored before."""
    print(f"{kind}: {many} cases stored beside {FEW}", flush=True)
    few, full = course.ours(kind, FEW), course.ours(kind, many)
    ratio = few.per_second / full.per_second
    value = f"{1000 / full.per_second:.1f} ms beside {1000 / few.per_second:.1f} ms: {ratio:.2f} times"
    aims.show("time, a mail", value, "1.5", ratio <= 1.5)
    value = f"{full.cpu:.1f} ms beside {few.cpu:.1f} ms: {full.cpu / few.cpu:.2f} times"
    aims.show("CPU of the process, a mail", value, "1.5", full.cpu <= 1.5 * few.cpu)


def with_prefect(aims: Aims, course: Course, home: Path) -> None:
    """What it costs to have a real Prefect server take each case's run; no worker carries them."""
    print("SQLite, with a Prefect server that takes the cases' runs", flush=True)
    api = f"http://127.0.0.1:{free_port()}/api"
    service = Service(Settings(home=home, prefect_api_url=api), {"PYTHONPATH": str(ROOT)})
    try:
        service.start_server()
        service.deploy()
        cost = course.ours(SQLITE, service=service)
    finally:
        service.stop()
    aims.show("mails a second", f"{cost.per_second:.0f}")
    aims.show("CPU of the process, a mail", f"{cost.cpu:.1f} ms")
    aims.show("CPU of Prefect's server, a mail", f"{cost.servers['Prefect']:.1f} ms")


def environment_of(helpdesk: Path) -> Path:
    """The Python of an environment with django-helpdesk, made in a folder where it is not there yet."""
    python = helpdesk / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", helpdesk], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *HELPDESK], check=True)
    return python


def main() -> int:
    """All figures; 0 if every aim was reached."""
    parser = argparse.ArgumentParser(prog="python -m bench.mail", description=__doc__)
    parser.add_argument("--mails", type=int, default=300, help="in a round")
    parser.add_argument("--rounds", type=int, default=3, help="of which the best counts")
    parser.add_argument("--many", type=int, default=100_000, help="cases stored, beside 1000; 0: leave growth out")
    parser.add_argument("--cache", type=Path, help="folder in which django-helpdesk's environment stays")
    parser.add_argument("--prefect", action="store_true", help="with a Prefect server, too")
    options = parser.parse_args()
    aims = Aims()
    print(f"{os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}")
    print(
        f"{options.mails} mails a round, best of {options.rounds}; a stand-in takes the cases' runs in Prefect's place"
    )
    with (
        stopping_on_signals(),
        tempfile.TemporaryDirectory(prefix="layanan-bench-") as name,
        mail_servers(Path(name)) as servers,
        postgres(durable=True) as database,
    ):
        folder = Path(name)
        course = Course(servers, database, folder, options.mails, options.rounds)
        for kind in (SQLITE, POSTGRESQL):
            aims.attempt(partial(beside, aims, course, kind, options.cache or folder / "helpdesk"))
        for kind in (SQLITE, POSTGRESQL) if options.many else ():
            aims.attempt(partial(growth, aims, course, kind, options.many))
        if options.prefect:
            aims.attempt(lambda: with_prefect(aims, course, folder / "prefect"))
    return 0 if aims.reached else 1


if __name__ == "__main__":
    sys.exit(main())
