"""Commands that show letters and send failed ones again. Held by `tests/test_layanan.py`."""

import sys
from functools import partial
from typing import Annotated

import typer

from adapters.console.screen import say, show
from flows.command_line.shared import Json, Limit, ask, read_settings, ready_systems, show_list
from models.errors import WrongUse
from models.states import LetterState


def letters(
    state: Annotated[LetterState | None, typer.Option(help="Filter by state.")] = None,
    limit: Limit = 0,
    again: Annotated[bool, typer.Option("--again", help="Send again what the relay refused.")] = False,
    outdated: Annotated[bool, typer.Option("--outdated", help="With `--again`: out-of-date ones, too.")] = False,
    as_json: Json = False,
) -> None:
    """List every letter with its state (queued, sending, sent, failed or bounced), oldest first.

    With `--again`, send letters again that the relay refused because of our account, address, quota or policy. Letters
    that are out of date (a later letter, a closed case, or their age) are listed and not sent.

    Examples: `layanan letters --state failed`; `layanan letters --again`
    """
    if outdated and not again:
        raise WrongUse("--outdated: only together with --again")
    if again:
        _send_all_again(outdated, as_json)
        return
    from adapters.console import listing

    columns = ("id", "case", "kind", "recipient", "state", "attempts", "sent_at", "error")
    show_list(partial(listing.letters, state=state, limit=limit), columns, as_json)


def _send_all_again(outdated: bool, as_json: bool) -> None:
    systems = ready_systems()
    from dataclasses import asdict

    from tasks.upkeep.send_again import failed_letters, send_all_again

    failed = failed_letters(systems)
    chosen = [one for one in failed if outdated or not one.outdated]
    send_all_again(systems, chosen)
    views = [asdict(one) | {"written_at": one.written_at.isoformat(), "again": one in chosen} for one in failed]
    show(views, ("id", "case", "kind", "written_at", "again", "outdated"), as_json, systems.settings.zone)
    if not as_json:
        say(f"{len(chosen)} in the outbox again; the monitor's next sweep sends them.")
        if left := len(failed) - len(chosen):
            say(f"{left} out of date and not sent: `layanan letters --again --outdated` sends them anyway.")


def letter(
    number: Annotated[int, typer.Argument(metavar="ID", help="Number of the letter in `layanan letters`.")],
    raw: Annotated[bool, typer.Option("--raw", help="Print the message itself (RFC 5322), byte for byte.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Put a failed letter back into the outbox.")] = False,
    as_json: Json = False,
) -> None:
    """Show a letter's headers and state.

    Examples: `layanan letter 1 --raw > letter.eml`; `layanan letter 1 --again`
    """
    if again:
        _put_back(number)
        return
    settings = read_settings()
    from email import message_from_bytes, policy

    from adapters.case_store.store import Store
    from adapters.console import listing

    view = ask(settings, lambda session: listing.letter(session, number))
    message = Store.of(settings).kept(view["sha256"])
    if raw:
        sys.stdout.buffer.write(message)
        return
    headers = {name: str(value) for name, value in message_from_bytes(message, policy=policy.default).items()}
    columns = ("case", "kind", "state", "attempts", "sent_at", "error", *headers)
    show(view | {"headers": headers} if as_json else view | headers, columns, as_json, settings.zone)


def _put_back(number: int) -> None:
    systems = ready_systems()
    from adapters.console import listing
    from tasks.run.send_letter import send_again

    with systems.store.read() as session:
        listing.letter(session, number)
    send_again(systems, number)
    say(f"letter {number} is in the outbox again; the monitor's next sweep sends it")


COMMANDS = (letters, letter)
