"""Commands of the audit log. Held by `tests/flows/command_line/test_audit.py`."""

import getpass
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.console.screen import complain, say, show
from flows.command_line.shared import Json, Limit, ask, read_settings

if TYPE_CHECKING:
    from sqlmodel import Session

COLUMNS = ("number", "at", "action", "actor", "signed_in", "reference", "subject")
DAYS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


def verify(
    decisions: Annotated[bool, typer.Option("--decisions", help="Compare the cases' decisions with the log.")] = False,
) -> None:
    """Check the whole audit log, row by row and against its seals; exit code 1 names the first broken row.

    With `--decisions`, check also that each decision of a case is still the one that the log's row stands for.

    Examples: `layanan audit verify`; `layanan audit verify --decisions`
    """
    settings = read_settings()
    from adapters.case_store import audit
    from adapters.case_store.audit_seals import seals_in, verified

    verdict = ask(settings, lambda session: verified(audit.stream(session), seals_in(settings.audit_seals)))
    whole = f"{verdict.rows} rows are whole, {verdict.seals} seals agree; hash of row {verdict.rows}: {verdict.hash}"
    if verdict.fault is not None:
        complain(f"row {verdict.broken}: {verdict.fault}. Before it {whole}")
        raise typer.Exit(1)
    if decisions:
        from tasks.upkeep.check_decisions import changed_decisions

        if (number := ask(settings, lambda session: next(changed_decisions(session), None))) is not None:
            complain(f"row {number}: the case's decision is another one now, or missing: it was changed")
            raise typer.Exit(1)
    say(whole)


def show_rows(
    case: Annotated[str | None, typer.Option(metavar="CASE", help="Only of this case: reference or number.")] = None,
    actor: Annotated[str | None, typer.Option(metavar="NAME", help="Only what this person, or `system`, did.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=DAYS, help="Only from this moment on, local time.")] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Show who did what, when, oldest first: the hundred newest rows, or those of a case, a person or a time.

    JSON has the hashes, too, and the salts of what they stand for.

    Examples: `layanan audit show --case JKT-0000001`; `layanan audit show --since 2026-11-30 --limit 0`
    """
    settings = read_settings()
    from adapters.console import listing
    from models.audit import moment

    after = moment(since.replace(tzinfo=settings.zone)) if since else ""

    def query(session: "Session") -> list[dict[str, Any]]:
        reference = listing.case_named(session, case).reference if case else None
        return listing.audit(session, reference, actor, after, limit)

    show(ask(settings, query), COLUMNS, as_json, settings.zone)


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="New file; only you may read it.")],
) -> None:
    """Write the whole audit log to a file, one JSON object a line: for somebody who checks it without our code.

    The export itself is the log's newest row.

    Example: `layanan audit export audit.jsonl`
    """
    settings = read_settings()
    from adapters.case_store import audit, schema
    from adapters.case_store.store import Store
    from adapters.clock import clock_of
    from models.audit import Action, canonical
    from models.author import Author
    from models.staff import SignedIn

    store = Store.of(settings)
    schema.check(store)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as lines:
        who = Author(getpass.getuser(), SignedIn.COMMAND_LINE)
        with store.write() as session:
            audit.note(session, who.entry(Action.EXPORTED, clock_of(settings).now()))
        with store.read() as session:
            for row in audit.stream(session):
                lines.write(canonical(row) + b"\n")
    say(f"{file}: up to row {row['number']}, hash {row['hash']}")


AUDIT: dict[str, Callable[..., None]] = {"verify": verify, "show": show_rows, "export": export}
"""The commands of `layanan audit`."""
