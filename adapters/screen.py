"""What the command line prints: tables for people, JSON for programs."""

import json
from collections.abc import Sequence
from typing import Any

import typer

CASE_TABLES = {
    "wait": ("role", "form", "since", "wait_key"),
    "messages": ("id", "received_at", "sender", "subject", "outcome", "reason"),
    "activities": ("number", "name", "occurrence", "state", "performer", "ended_at", "tries", "problem"),
    "letters": ("id", "kind", "recipient", "state", "sent_at", "error"),
    "decisions": ("decided_at", "form", "by", "answers"),
    "tickets": ("ticket_id", "unit", "status", "status_reason", "status_since"),
    "deadlines": ("kind", "due_at", "over"),
    "pending_wakes": ("kind", "source", "created_at"),
}
"""The parts of a case, and what a person sees of each."""


def say(text: str) -> None:
    """Print to stdout."""
    typer.echo(text)


def complain(problem: str) -> None:
    """One line on stderr."""
    typer.echo(f"layanan: {'; '.join(problem.splitlines())}", err=True)


def show(data: Any, columns: Sequence[str], as_json: bool) -> None:
    """Rows as a table of these columns, one object as its names and values; or all of it as JSON."""
    if as_json:
        say(json.dumps(data, ensure_ascii=False, indent=2))
    elif isinstance(data, dict):
        _table([{"": name, " ": data[name]} for name in columns], ("", " "))
    else:
        _table(data, columns)


def show_case(view: dict[str, Any], as_json: bool) -> None:
    """A case with all its parts; the empty ones are left out of the table."""
    plain = {name: value for name, value in view.items() if not isinstance(value, list | dict)}
    plain["path"] = " → ".join(map(str, view["path"]))
    show(view if as_json else plain, tuple(plain), as_json)
    if as_json:
        return
    for part, columns in CASE_TABLES.items():
        rows = [view["wait"]] if part == "wait" and view["wait"] else view[part]
        if rows:
            with_text = ("text",) if "text" in rows[0] else ()
            _table(rows, (*columns, *with_text), title=part)


def _table(rows: Sequence[dict[str, Any]], columns: Sequence[str], title: str = "") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    named = any(map(str.strip, columns))
    table = Table(*columns, box=SIMPLE_HEAD, title=title, title_justify="left", show_header=named)
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in columns))
    Console().print(table)


def _cell(value: Any) -> Any:
    """A value as plain text: no markup of rich's, no control characters of a customer's."""
    from rich.text import Text

    text = "" if value is None else str(value)
    return Text("".join(sign if sign.isprintable() or sign == "\n" else " " for sign in text))
