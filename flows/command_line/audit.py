"""Commands of the audit log. Held by `tests/flows/command_line/test_audit.py`."""

from collections.abc import Callable

import typer

from adapters.console.screen import complain, say
from flows.command_line.shared import ask, read_settings


def verify() -> None:
    """Check the whole audit log, row by row and against its seals; exit code 1 names the first broken row.

    Example: `layanan audit verify`
    """
    settings = read_settings()
    from adapters.case_store import audit
    from adapters.case_store.audit_seals import seals_in, verified

    verdict = ask(settings, lambda session: verified(audit.stream(session), seals_in(settings.audit_seals)))
    whole = f"{verdict.rows} rows are whole, {verdict.seals} seals agree; hash of row {verdict.rows}: {verdict.hash}"
    if verdict.fault is not None:
        complain(f"row {verdict.broken}: {verdict.fault}. Before it {whole}")
        raise typer.Exit(1)
    say(whole)


AUDIT: dict[str, Callable[..., None]] = {"verify": verify}
"""The commands of `layanan audit`."""
