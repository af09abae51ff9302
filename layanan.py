"""The command line `layanan`: its commands, their order, and how one ends."""

import asyncio
import os
import signal
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.console.screen import complain, say, show
from flows.command_line import audit, cases, letters, mails, service, staff
from flows.command_line.shared import Json, code_of, read_settings
from models.errors import LayananError, Refused, WrongUse

if TYPE_CHECKING:
    from models.settings import Settings

HELP = """Run the e-mail service of a telecom contact centre: its SOP as Prefect flows.

Settings come from the environment (LAYANAN_…), .env or layanan.toml. `layanan settings` lists them all.

**First steps**: `layanan doctor` says what is missing, `layanan up` runs the service, `layanan waiting` shows which
decisions are awaited, `layanan decide` takes one.

**Exit codes**: 0 done · 1 refused, or a check failed · 2 wrong use: option, setting, unknown case ·
3 the case waits for nothing · 4 a system is unavailable.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; an error is one line on stderr."""
    try:
        return int(app(arguments, prog_name="layanan", standalone_mode=False) or 0)
    except LayananError as error:
        complain(str(error))
        return code_of(error)
    except typer.TyperException as error:
        if error.format_message():
            complain(error.format_message())
        return error.exit_code
    except OSError as error:
        complain(f"{error.filename or 'system'}: {error.strerror or type(error).__name__}")
        return 4


def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False) -> None:
    if version:
        from importlib.metadata import version as installed

        say(f"layanan-email {installed('layanan-email')}")


def clock(context: typer.Context, as_json: Json = False) -> None:
    """Show the service's clock. `advance` moves a simulated clock.

    Example: `layanan clock advance 6`
    """
    if context.invoked_subcommand is None:
        _show_clock(read_settings(), as_json)


def advance(hours: Annotated[float, typer.Argument(help="Hours to add, such as 6 or 0.5.")]) -> None:
    """Move the simulated clock of intake, monitor, worker and simulator forward.

    Example: `layanan clock advance 6`
    """
    settings = read_settings()
    if settings.clock != "simulated":
        raise Refused(
            "clock", "this is the system clock; only a rehearsal with LAYANAN_CLOCK=simulated may move the time"
        )
    from adapters.clock import SimulatedClock

    try:
        SimulatedClock(settings.home / "clock").advance(hours)
    except (ValueError, OverflowError) as error:
        raise WrongUse(f"hours: {error}") from None
    _show_clock(settings, as_json=False)


def _show_clock(settings: "Settings", as_json: bool) -> None:
    from adapters.clock import SimulatedClock, SystemClock

    clock = SimulatedClock(settings.home / "clock") if settings.clock == "simulated" else SystemClock()
    view = {"clock": settings.clock, "now": clock.now().isoformat(), "zone": settings.timezone}
    show(view, tuple(view), as_json, settings.zone)


def simulator(
    seed: Annotated[Path, typer.Option(metavar="FILE", help="Customers, lines, bills and mailboxes, as JSON.")],
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Working folder. Default: `simulator` in LAYANAN_HOME.")
    ] = None,
) -> None:
    """Simulate all ten systems on this machine until Ctrl-C. No settings are needed.

    The command prints how to start the service against them and how to send a customer's mail.

    Example: `layanan simulator --seed seed.json`
    """
    # LAYANAN_SETTINGS may name the simulator's own settings, which exist only while it runs
    if not Path(os.environ.get("LAYANAN_SETTINGS", "")).exists():
        del os.environ["LAYANAN_SETTINGS"]
    home = read_settings().home
    asyncio.run(_simulate(seed, (folder or home / "simulator").absolute(), home))


async def _simulate(seed: Path, folder: Path, home: Path) -> None:
    from adapters.clock import SimulatedClock
    from adapters.simulator.main import run

    stop, ready = asyncio.Event(), folder / "layanan.toml"
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    running = asyncio.create_task(run(seed, folder, SimulatedClock(home / "clock"), stop))
    await asyncio.sleep(0)  # lets the simulator delete the settings of an earlier start first
    while not ready.exists() and not running.done():
        await asyncio.sleep(0.05)
    if not running.done():
        say(f"The simulator runs until Ctrl-C. Its settings: {ready}")
        say(f"In another terminal: export LAYANAN_SETTINGS={ready}; make up")
        relay, box = _curl_to(ready)
        say(f"A customer's mail: curl {relay} --mail-rcpt {box} --mail-from ADDRESS --upload-file MAIL.eml")
    await running


def _curl_to(ready: Path) -> tuple[str, str]:
    """URL at which the simulator accepts mail, and the address of our first mailbox."""
    said = tomllib.loads(ready.read_text("utf-8"))
    return f"smtp://{said['smtp']['host']}:{said['smtp']['port']}", said["mailboxes"][0]["address"]


PANELS: dict[str, tuple[Callable[..., Any], ...]] = {
    "Running the service": service.COMMANDS,
    "Cases and people": (*cases.COMMANDS, mails.mails, *letters.COMMANDS),
    "Rehearsing": (simulator,),
}


def _command_line() -> typer.Typer:
    app = typer.Typer(
        help=HELP,
        no_args_is_help=True,
        rich_markup_mode="markdown",
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback(invoke_without_command=True)(_root)
    for panel, commands in PANELS.items():
        for command in commands:
            app.command(rich_help_panel=panel)(command)
    mail_app = typer.Typer(no_args_is_help=True, help="Show one mail or take it in. Example: `layanan mail show 17`.")
    for name, look in mails.ONE_MAIL.items():
        mail_app.command(name)(look)
    app.add_typer(mail_app, name="mail", rich_help_panel="Cases and people")
    audit_help = "Check, show or export the audit log: who did what, and when. Example: `layanan audit verify`."
    audit_app = typer.Typer(no_args_is_help=True, help=audit_help)
    for name, act in audit.AUDIT.items():
        audit_app.command(name)(act)
    app.add_typer(audit_app, name="audit", rich_help_panel="Cases and people")
    staff_app = typer.Typer(no_args_is_help=True, help="The people at the desk. Example: `layanan staff list`.")
    for name, change in staff.COMMANDS.items():
        staff_app.command(name)(change)
    app.add_typer(staff_app, name="staff", rich_help_panel="Cases and people")
    clock_app = typer.Typer()
    clock_app.callback(invoke_without_command=True)(clock)
    clock_app.command()(advance)
    app.add_typer(clock_app, name="clock", rich_help_panel="Rehearsing")
    return app


app = _command_line()

if __name__ == "__main__":
    sys.exit(main())
