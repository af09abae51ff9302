"""Commands that run and watch the service. Held by `tests/test_layanan.py`."""

from collections import Counter
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from adapters.console.screen import complain, say, show
from flows.command_line.shared import (
    NO_MAILBOX,
    Json,
    Once,
    attempt,
    engine_settings,
    only_once,
    read_settings,
    ready_systems,
)
from models.errors import SettingsError

if TYPE_CHECKING:
    from adapters.wiring import Systems
    from models.settings import Mailbox


def up() -> None:
    """Run the service on this machine until Ctrl-C: Prefect's server, the deployments and a worker.

    Example, as a rehearsal: `LAYANAN_SETTINGS=.layanan/simulator/layanan.toml layanan up`
    """
    from flows.stop_signals import stopping_on_signals

    with stopping_on_signals(at_once=False), suppress(KeyboardInterrupt):
        _keep_up()


def _keep_up() -> None:
    settings = engine_settings()
    if not settings.mailboxes:
        raise SettingsError(NO_MAILBOX)
    from models.settings import HttpName

    http = get_args(HttpName)
    if missing := [f"LAYANAN_{name.upper()}__URL" for name in http if name not in settings.model_fields_set]:
        raise SettingsError(f"not set: {', '.join(missing)}; for a rehearsal, `layanan simulator` sets them all")
    from flows.service import Service

    say("Starting server, deployments and worker …")
    with Service(settings) as service:
        from adapters.wiring import load_systems

        say_first_administrator(load_systems())
        say(f"The service runs; logs: {service.logs}. Ctrl-C ends it; cases continue at the next start.")
        say(f"People sign in at {settings.desk.url}; `layanan staff add` adds them.")
        say(f"The runs: {settings.ui_url}; `layanan waiting` shows what waits for a person.")
        say(f"The managers' report: {settings.ui_url}/artifacts/key/laporan-layanan")
        if settings.clock == "simulated":
            say("SIMULATED CLOCK: a rehearsal. `layanan clock advance HOURS` moves the time.")
        # in a thread, because a mail server may take long to answer
        Thread(target=say_what_first_polls_wait_for, daemon=True).start()
        service.watch()


def say_first_administrator(systems: "Systems") -> None:
    """Where nobody is on the staff yet, add an administrator, and print their first password."""
    from tasks.desk.staff import first_administrator

    if first := first_administrator(systems):
        say(f"The first administrator: {first.staff.email}, first password {first.password}")
        say("It is shown only now, and lasts 24 hours; `layanan staff reset` prints another one.")


def desk() -> None:
    """Serve the desk on this machine until Ctrl-C: the pages on which people decide. `layanan up` does this, too.

    Example: `LAYANAN_DESK__PORT=4281 layanan desk`
    """
    systems = ready_systems()
    from flows.desk.serve import serve

    say_first_administrator(systems)
    say(f"The desk: {systems.settings.desk.url}")
    with suppress(KeyboardInterrupt):
        serve(systems)


def say_what_first_polls_wait_for() -> None:
    """Print which mailboxes contain so much mail that a person must agree to their first poll."""
    from adapters.wiring import load_systems
    from tasks.intake import first_poll

    systems = load_systems()
    for question in first_poll.questions(systems, systems.settings.mailboxes):
        say(f"NO MAIL IS READ: {question}")


def deploy() -> None:
    """Create or update the work pool and the deployments of prefect.yaml on a running Prefect server.

    `layanan up` does this, too.

    Example: `LAYANAN_PREFECT_API_URL=http://prefect.example:4200/api layanan deploy`
    """
    settings = engine_settings()
    from flows.service import Service

    Service(settings).deploy()
    say(f"Deployed to the work pool {settings.pool_name}.")


def migrate() -> None:
    """Migrate the case store to the schema of this version. `layanan up` does this, too.

    Example: `LAYANAN_DATABASE_URL=postgresql+psycopg://layanan@db/layanan layanan migrate`
    """
    from adapters.case_store import schema
    from adapters.case_store.store import Store

    store = Store.of(read_settings())
    schema.upgrade(store)
    say(f"The case store is at revision {schema.check(store)}.")


def doctor(as_json: Json = False) -> None:
    """Check settings, case store, Prefect and every system, and say what to fix. Exit code 1 if a check failed.

    Example: `layanan doctor`
    """
    engine_settings()
    from dataclasses import asdict

    from adapters.wiring import load_systems
    from tasks.upkeep.doctor import examine

    checks = [asdict(check) for check in examine(load_systems())]
    if as_json:
        show(checks, (), as_json)
    else:
        width = max(len(check["name"]) for check in checks)
        for check in checks:
            say(
                f"{check['state']:<5} {check['name']:<{width}} {check['found']}"
                + f" → {check['advice']}" * (check["state"] != "ok")
            )
    raise typer.Exit(any(check["state"] == "fail" for check in checks))


def settings() -> None:
    """Print all settings with defaults and descriptions as markdown. Your values are not shown.

    Example: `layanan settings > docs/settings.md`
    """
    from adapters.console.settings_table import settings_table

    say(settings_table())


def intake(once: Once = False, as_json: Json = False) -> None:
    """Take in the mail in the mailboxes and print how many mails had which outcome.

    Example: `layanan intake --once`
    """
    only_once(once)
    systems = ready_systems()
    if not systems.settings.mailboxes:
        raise SettingsError(NO_MAILBOX)
    from flows.receive_mail import take_batches

    outcomes: Counter[str] = Counter()

    def empty(box: "Mailbox") -> None:
        for batch in take_batches(systems, box):
            outcomes.update(batch)

    codes = [attempt(f"mailbox {box.site}", partial(empty, box)) for box in systems.settings.mailboxes]
    show([{"outcome": name, "mails": count} for name, count in outcomes.items()], ("outcome", "mails"), as_json)
    from tasks.intake import first_poll

    read = [box for box, code in zip(systems.settings.mailboxes, codes, strict=True) if code == 0]
    for question in first_poll.questions(systems, read):
        complain(question)
        codes.append(1)
    raise typer.Exit(max(codes))


def monitor(once: Once = False, as_json: Json = False) -> None:
    """Send due letters, follow tickets, signal deadlines to cases and restart broken runs.

    Example: `layanan monitor --once`
    """
    only_once(once)
    ready_systems()
    from tasks.upkeep.monitor import PARTS

    done: list[dict[str, Any]] = []

    def do(part: Any) -> None:
        done.append({"part": part.name, "items": part.fn()})

    codes = [attempt(part.name, partial(do, part)) for part in PARTS]
    show(done, ("part", "items"), as_json)
    raise typer.Exit(max(codes))


def report(
    days: Annotated[int, typer.Option(min=1, max=3660, metavar="N", help="Days that the report covers.")] = 30,
) -> None:
    """Print the service report for managers, as markdown.

    Example: `layanan report --days 7`
    """
    systems = ready_systems()
    from tasks.upkeep.report import service_report

    say(service_report(systems, days))


COMMANDS = (up, desk, deploy, migrate, doctor, settings, intake, monitor, report)
