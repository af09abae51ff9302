"""Prints to the terminal: JSON for programs; for people tables, with times in their time zone.

Held by `tests/test_layanan.py`.
"""

import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

import typer

Row = dict[str, Any]
PIPED_WIDTH = 160
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*")
CASE_FACTS = (
    *("reference", "status", "outcome", "path", "site", "subject", "name", "address", "language", "kind", "topic"),
    *("service_number", "customer_id", "segment", "tier", "opened_at", "closed_at", "previous_id", "merged_into"),
    *("sender_doubt", "restarts", "run_url"),
)
CASE_PARTS = {
    "wait": ("role", "escalated_to", "form", "since", "due_at", "wait_key"),
    "messages": ("id", "received_at", "sender", "subject", "outcome", "reason", "attachments"),
    "activities": ("number", "name", "occurrence", "state", "performer", "ended_at", "tries", "problem"),
    "letters": ("id", "kind", "recipient", "state", "sent_at", "error"),
    "decisions": ("decided_at", "form", "by", "answers"),
    "tickets": ("ticket_id", "unit", "status", "status_reason", "status_since", "said_since"),
    "deadlines": ("kind", "due_at", "awaited"),
    "pending_signals": ("kind", "source", "created_at"),
}
"""The parts of a case, and the columns of each in a table."""


def say(text: str) -> None:
    """Print to stdout."""
    typer.echo(text)


def complain(problem: str) -> None:
    """Print one line to stderr."""
    typer.echo(f"layanan: {'; '.join(problem.splitlines())}", err=True)


def show(data: Any, columns: Sequence[str], as_json: bool, zone: tzinfo = UTC) -> None:
    """Print all data as JSON; else these columns of rows as a table, or these members of one object as a list."""
    if as_json:
        text = json.dumps(data, ensure_ascii=False, indent=2)
        # terminals treat U+009B as an escape
        say("".join(sign if sign.isprintable() or sign == "\n" else json.dumps(sign)[1:-1] for sign in text))
    elif isinstance(data, dict):
        _table([{"": name, " ": data[name]} for name in columns], ("", " "), zone)
    else:
        _table(data, columns, zone)


def show_case(view: Row, as_json: bool, zone: tzinfo) -> None:
    """Print a case with all its parts; tables leave out empty parts."""
    show(view if as_json else view | {"path": " → ".join(map(str, view["path"]))}, CASE_FACTS, as_json, zone)
    if as_json:
        return
    for part, columns in CASE_PARTS.items():
        rows = [view["wait"]] if part == "wait" and view["wait"] else view[part]
        if rows:
            _table(rows, (*columns, "text") if "text" in rows[0] else columns, zone, title=part)


def say_line(data: Row) -> None:
    """Print one object as one line of JSON, in ASCII, which every terminal and locale can print."""
    say(json.dumps(data))


def show_mail(mail: Row, zone: tzinfo = UTC) -> None:
    """Print what is known of one mail; a table leaves out what is empty."""
    told = {name: value for name, value in mail.items() if value and name not in ("attachments", "bounce")}
    _table([{"": name, " ": value} for name, value in told.items()], ("", " "), zone)
    if mail.get("bounce"):
        _table(mail["bounce"]["recipients"], ("address", "action", "status", "hard"), UTC, title="bounce")
    if mail["attachments"]:
        _table(mail["attachments"], ("name", "type", "size", "sha256"), UTC, title="attachments")


def _table(rows: Sequence[Row], columns: Sequence[str], zone: tzinfo, title: str = "") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", show_header=any(map(str.strip, columns)))
    for number, column in enumerate(columns):
        # nothing is cut off, and what names the row stays whole
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(_cell(row[column], zone) for column in columns))
    Console(width=None if sys.stdout.isatty() else PIPED_WIDTH).print(table)


def _cell(value: Any, zone: tzinfo) -> Any:
    """A value as plain text: no markup of rich's, no control characters of a customer's."""
    from rich.text import Text

    text = "" if value is None else str(value)
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, list):
        text = "\n".join(str(one["name"] if isinstance(one, dict) else one) for one in value)
    elif isinstance(value, dict):
        text = "\n".join(f"{name}: {one}" for name, one in value.items() if one not in ("", None))
    if TIME.fullmatch(text):
        text = f"{datetime.fromisoformat(text).astimezone(zone):%d-%m-%Y %H:%M:%S}"
    return Text("".join(sign if sign.isprintable() or sign == "\n" else " " for sign in text))
