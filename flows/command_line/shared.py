"""What the commands share: arguments, settings, the case store, and exit codes.

Held by `tests/test_layanan.py`.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.console.screen import complain, show
from adapters.folder import private
from models.errors import LayananError, NotWaiting, OutcomeUnknown, SettingsError, Unavailable, WrongUse

if TYPE_CHECKING:
    from sqlmodel import Session

    from adapters.wiring import Systems
    from models.settings import Settings
    from models.tables import Case

CODES: tuple[tuple[type[LayananError], int], ...] = (
    (WrongUse, 2),
    (SettingsError, 2),
    (NotWaiting, 3),
    (Unavailable, 4),
    (OutcomeUnknown, 4),
)
"""Exit codes; any other error is 1."""
NO_MAILBOX = "LAYANAN_MAILBOXES names no mailbox, so no mail would be read (docs/layanan.toml.example has one)"


def _name(by: str) -> str:
    if not by.strip():
        raise WrongUse("--by: give your name, for the case's history")
    return by


Json = Annotated[bool, typer.Option("--json", help="Print data as JSON instead of a table.")]
Limit = Annotated[int, typer.Option("--limit", min=0, metavar="N", help="Show only the N newest; 0 shows all.")]
Once = Annotated[bool, typer.Option("--once", help="Run once, then end. `layanan up` repeats it.")]
By = Annotated[str, typer.Option(help="Your name, for the case's history.", callback=_name)]
MailNumber = Annotated[int, typer.Argument(metavar="MAIL", help="Number of the mail in `layanan mails`.")]
IntoName = Annotated[str, typer.Argument(metavar="INTO", help="The case that continues.")]
CaseName = Annotated[str, typer.Argument(metavar="CASE", help="Reference (JKT-0000001) or number (1).")]


def read_settings() -> "Settings":
    """The settings; the log gets the format that they name."""
    from adapters.console.logs import configure
    from models.settings import load_settings

    settings = load_settings()
    configure(settings)
    return settings


def engine_settings() -> "Settings":
    """The settings, with the environment set for Prefect, which reads it at its import."""
    from adapters.engine.environment import engine_environment, without_proxy

    settings = read_settings()
    without_proxy()
    for name, value in engine_environment(settings).items():
        os.environ.setdefault(name, value)
    with suppress(OSError):  # `layanan doctor` checks the folder
        private(Path(os.environ["PREFECT_HOME"]))
    return settings


def ready_systems() -> "Systems":
    """All systems, with a case store at the code's revision."""
    engine_settings()
    from adapters.case_store import schema
    from adapters.wiring import load_systems

    schema.check(load_systems().store)
    return load_systems()


def cases_of(*names: str) -> "tuple[Systems, list[Case]]":
    """All systems, and the cases of these names."""
    systems = ready_systems()
    from adapters.console import listing

    with systems.store.read() as session:
        return systems, [listing.case_named(session, name) for name in names]


def ask(settings: "Settings", query: "Callable[[Session], Any]") -> Any:
    """The result of a query of the case store; no other system is imported."""
    from adapters.case_store import schema
    from adapters.case_store.store import Store

    store = Store.of(settings)
    schema.check(store)
    with store.read() as session:
        return query(session)


def show_list(query: "Callable[[Session], list[dict[str, Any]]]", columns: Sequence[str], as_json: bool) -> None:
    """Print the result of a query of the case store."""
    settings = read_settings()
    show(ask(settings, query), columns, as_json, settings.zone)


def run_url(settings: "Settings", run_id: str | None) -> str | None:
    """The page of a run in the Prefect UI."""
    from adapters.engine.runs import PrefectEngine

    return PrefectEngine(settings).run_url(run_id) if run_id else None


def attempt(name: str, act: Callable[[], None]) -> int:
    """Act and return the exit code; a failure is printed, so that the caller can continue."""
    try:
        act()
    except LayananError as error:
        complain(f"{name}: {error}")
        return code_of(error)
    return 0


def code_of(error: LayananError) -> int:
    """The exit code of an error."""
    return next((code for kind, code in CODES if isinstance(error, kind)), 1)


def only_once(once: bool) -> None:
    """Refuse a command that only `layanan up` may repeat."""
    if not once:
        raise WrongUse("add --once; only `layanan up` repeats it")
