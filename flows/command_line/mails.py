"""Commands that list and show mails, and take quarantined ones in. Held by `tests/test_layanan.py`."""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.console.screen import say, show
from flows.command_line.shared import (
    NO_MAILBOX,
    By,
    Json,
    Limit,
    MailNumber,
    ask,
    attempt,
    read_settings,
    ready_systems,
    show_list,
)
from models.errors import SettingsError, WrongUse
from models.states import MailOutcome

if TYPE_CHECKING:
    from models.settings import Mailbox


def mails(
    outcome: Annotated[MailOutcome | None, typer.Option(help="Filter by outcome.")] = None,
    limit: Limit = 0,
    check: Annotated[bool, typer.Option("--check", help="Compare mailboxes with the ledger.")] = False,
    as_json: Json = False,
) -> None:
    """List every mail ever seen with its outcome, oldest first.

    With `--check`, compare the mailboxes' folders with the ledger instead; exit code 1 if they differ.

    Example: `layanan mails --outcome quarantined`
    """
    if check:
        _check_mails(as_json)
    from adapters.console import listing

    columns = ("id", "received_at", "mailbox", "sender", "subject", "outcome", "case", "reason")
    show_list(partial(listing.mails, outcome=outcome, limit=limit), columns, as_json)


def _check_mails(as_json: bool) -> None:
    systems = ready_systems()
    if not systems.settings.mailboxes:
        raise SettingsError(NO_MAILBOX)
    from dataclasses import asdict

    from tasks.upkeep.check_mails import check_mails

    found: list[dict[str, Any]] = []

    def look(box: "Mailbox") -> None:
        found.extend(map(asdict, check_mails(systems, box)))

    codes = [attempt(f"mailbox {box.address}", partial(look, box)) for box in systems.settings.mailboxes]
    show(found, ("mailbox", "where", "number", "what"), as_json)
    raise typer.Exit(max([*codes, bool(found)]))


def inspect(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Mails as received; - is standard input.")],
    authserv_id: Annotated[str, typer.Option(metavar="NAME", help="Server whose Authentication-Results count.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each file, a line each.")] = False,
) -> None:
    """Show what the parser makes of mails in files. No settings are needed and nothing is changed.

    Exit code 1 if a file cannot be opened; no content makes it fail.

    Example: `layanan mail inspect odd.eml --json | jq .problems`
    """
    from adapters.console.screen import say_line, show_mail
    from adapters.mail.inspection import STDIN
    from adapters.mail.inspection import inspect as look

    for file in files:
        (say_line if as_json else show_mail)(look(file, authserv_id))
    raise typer.Exit(any(file != STDIN and not (file.is_file() and os.access(file, os.R_OK)) for file in files))


def show_one(
    number: MailNumber,
    raw: Annotated[bool, typer.Option("--raw", help="Print the mail itself, byte for byte.")] = False,
    save: Annotated[Path | None, typer.Option(metavar="DIR", help="Write the attachments into this folder.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the HTML, sanitised, as a page.")] = None,
    as_json: Json = False,
) -> None:
    """Show one mail with its text and attachments.

    `--save` writes the attachments without opening them and replaces no file. `--html` writes a page for the browser:
    nothing in it runs or is fetched, and each link shows its target.

    Examples: `layanan mail show 17 --save lampiran`; `layanan mail show 17 --html 17.html`
    """
    settings = read_settings()
    from adapters.case_store.store import Store
    from adapters.console import listing
    from adapters.console.screen import show_mail
    from adapters.folder import save_into

    view = ask(settings, lambda session: listing.mail(session, number))
    kept = Store.of(settings).kept
    if raw:
        sys.stdout.buffer.write(kept(view["sha256"]))
    elif save:
        for one in view["attachments"]:
            say(str(save_into(save, one["name"], kept(one["sha256"]))))
    elif html:
        _save_page(html, view, kept(view["sha256"]))
    elif as_json:
        show(view, (), as_json)
    else:
        show_mail(view, settings.zone)


def _save_page(file: Path, mail: dict[str, Any], raw: bytes) -> None:
    from adapters.folder import save_into
    from adapters.mail.html_page import html_page

    sender = f"{mail['sender_name']} <{mail['sender']}>"
    page = html_page(raw, [f"Surat / Mail {mail['id']}: {mail['subject']}", sender, *mail["warnings"]])
    if page is None:
        raise WrongUse(f"mail {mail['id']} has no HTML; `layanan mail show {mail['id']}` shows its text")
    say(str(save_into(file.parent, file.name, page.encode("utf-8", "replace"))))


def accept(number: MailNumber, by: By) -> None:
    """Take in a mail that intake quarantined or classified as automatic: it joins or opens a case.

    Example: `layanan mail accept 17 --by Sari`
    """
    systems = ready_systems()
    from flows.receive_mail import set_going
    from tasks.intake.accept_mail import accept_mail

    taken = accept_mail(systems, number, by)
    set_going(systems, [taken])
    say(f"mail {number}: {taken.outcome}, case {taken.case_id}")


def begin(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Address of the mailbox in LAYANAN_MAILBOXES.")],
    by: By,
) -> None:
    """Agree to the first poll of a mailbox that holds many mails.

    Each mail that came after the mailbox's `since` will get a letter. `layanan doctor` says how many there are.

    Example: `layanan mail begin layanan@telkom.example --by Rina`
    """
    systems = ready_systems()
    from tasks.intake.first_poll import agree

    box = next((box for box in systems.settings.mailboxes if box.address.lower() == address.lower()), None)
    if box is None:
        known = ", ".join(box.address for box in systems.settings.mailboxes) or "none"
        raise WrongUse(f"{address}: no such mailbox in LAYANAN_MAILBOXES; there are: {known}")
    seen = agree(systems, box, by)
    say(f"{seen.new} mails since {seen.moment} are taken in with the next poll; {seen.older} older ones stay")


ONE_MAIL: dict[str, Callable[..., None]] = {"inspect": inspect, "show": show_one, "accept": accept, "begin": begin}
"""The commands of `layanan mail`."""
