"""The command line `layanan`. What a command needs is imported in it, so that `--help` is quick."""

import asyncio
import os
import signal
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.console.screen import complain, say, show, show_case
from adapters.folder import private
from models.errors import LayananError, NotWaiting, OutcomeUnknown, Refused, SettingsError, Unavailable, WrongUse
from models.states import CaseStatus, LetterState, MailOutcome

if TYPE_CHECKING:
    from sqlmodel import Session

    from adapters.wiring import Systems
    from models.settings import Mailbox, Settings
    from models.tables import Case

HELP = """E-mail service of a telecom contact centre: its SOP, run by Prefect.

Settings come from the environment (LAYANAN_…), .env or layanan.toml; `layanan settings` lists them all.

**First steps**: `layanan doctor` says what is missing, `layanan up` runs the service, `layanan waiting` shows who is
asked for what, `layanan decide` answers.

**Exit codes**: 0 done · 1 refused, or a check failed · 2 wrong use: option, setting, unknown case ·
3 the case waits for nothing · 4 a system is unavailable.
"""
CODES: tuple[tuple[type[LayananError], int], ...] = (
    (WrongUse, 2),
    (SettingsError, 2),
    (NotWaiting, 3),
    (Unavailable, 4),
    (OutcomeUnknown, 4),
)

NO_MAILBOX = "LAYANAN_MAILBOXES: it names no mailbox, so no mail would be read (docs/layanan.toml.example has one)"

HTTP_SYSTEMS = ("mycx", "nossa", "siska", "epayment", "tenoss", "telkom_center", "embassy")

app = typer.Typer(
    help=HELP, no_args_is_help=True, rich_markup_mode="markdown", add_completion=False, pretty_exceptions_enable=False
)
clock_app = typer.Typer()
mail_app = typer.Typer(
    no_args_is_help=True, help="Look into mails, or take one in. Example: `layanan mail inspect odd.eml --json`"
)
SERVICE, WORK, REHEARSE = "Running the service", "Cases and people", "Rehearsing"

Json = Annotated[bool, typer.Option("--json", help="Data as JSON instead of a table.")]
Limit = Annotated[int, typer.Option("--limit", min=0, metavar="N", help="Only the N newest; 0 is all.")]
Once = Annotated[bool, typer.Option("--once", help="One pass, then end. `layanan up` runs the passes for ever.")]


def _name(by: str) -> str:
    if not by.strip():
        raise WrongUse("--by: your name, for the case's history")
    return by


By = Annotated[str, typer.Option(help="Your name, for the case's history.", callback=_name)]
MailNumber = Annotated[int, typer.Argument(metavar="MAIL", help="As `layanan mails` shows it.")]
IntoName = Annotated[str, typer.Argument(metavar="INTO", help="The case that goes on.")]
CaseName = Annotated[str, typer.Argument(metavar="CASE", help="Reference (JKT-0000001) or number (1).")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; an error is one line on stderr."""
    try:
        return int(app(arguments, prog_name="layanan", standalone_mode=False) or 0)
    except LayananError as error:
        complain(str(error))
        return _code(error)
    except typer.TyperException as error:
        if error.format_message():
            complain(error.format_message())
        return error.exit_code
    except OSError as error:
        complain(f"{error.filename or 'system'}: {error.strerror or type(error).__name__}")
        return 4


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False) -> None:
    if version:
        from importlib.metadata import version as installed

        say(f"layanan-email {installed('layanan-email')}")


@app.command(rich_help_panel=SERVICE)
def up() -> None:
    """Run the service on this machine until Ctrl-C: Prefect's server, the deployments and a worker.

    As a rehearsal: `LAYANAN_SETTINGS=.layanan/simulator/layanan.toml layanan up`
    """
    from flows.signals import stopping_on_signals

    with stopping_on_signals(at_once=False), suppress(KeyboardInterrupt):
        _keep_up()


def _keep_up() -> None:
    settings = _engine_settings()
    if not settings.mailboxes:
        raise SettingsError(NO_MAILBOX)
    if missing := [f"LAYANAN_{name.upper()}__URL" for name in HTTP_SYSTEMS if name not in settings.model_fields_set]:
        raise SettingsError(f"not set: {', '.join(missing)}; for a rehearsal `layanan simulator` has them all")
    from flows.service import Service

    say("Starting server, deployments and worker …")
    with Service(settings) as service:
        say(f"The service runs; logs: {service.logs}. Ctrl-C ends it, cases go on at the next start.")
        say(f"Open {settings.ui_url}; `layanan waiting` shows what waits for a person.")
        say(f"The managers' report: {settings.ui_url}/artifacts/key/laporan-layanan")
        if settings.clock == "simulated":
            say("SIMULATED CLOCK: a rehearsal. `layanan clock advance HOURS` moves the time.")
        # mail servers may be silent for long, and the service does not wait for them
        Thread(target=_say_what_first_polls_wait_for, daemon=True).start()
        service.watch()


def _say_what_first_polls_wait_for() -> None:
    from adapters.wiring import systems
    from tasks.intake import first_poll

    wired = systems()
    for question in first_poll.questions(wired, wired.settings.mailboxes):
        say(f"NO MAIL IS READ: {question}")


@app.command(rich_help_panel=SERVICE)
def deploy() -> None:
    """Bring the work pool and the deployments of prefect.yaml to a running Prefect server; `layanan up` does it, too.

    Example: `LAYANAN_PREFECT_API_URL=http://prefect.example:4200/api layanan deploy`
    """
    settings = _engine_settings()
    from flows.service import Service

    Service(settings).deploy()
    say(f"Deployed to the work pool {settings.pool_name}.")


@app.command(rich_help_panel=SERVICE)
def migrate() -> None:
    """Bring the case store's schema to this code's revision; `layanan up` does it, too.

    Example: `LAYANAN_DATABASE_URL=postgresql+psycopg://layanan@db/layanan layanan migrate`
    """
    from adapters.case_store import schema
    from adapters.case_store.store import Store

    store = Store.of(_settings())
    schema.upgrade(store)
    say(f"The case store is at revision {schema.check(store)}.")


@app.command(rich_help_panel=SERVICE)
def doctor(as_json: Json = False) -> None:
    """Check settings, case store, Prefect and every system, and say what to do. Exit code 1 if anything failed.

    Example: `layanan doctor`
    """
    _engine_settings()
    from dataclasses import asdict

    from adapters.wiring import systems
    from tasks.upkeep.doctor import examine

    checks = [asdict(check) for check in examine(systems())]
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


@app.command(rich_help_panel=SERVICE)
def settings() -> None:
    """Print all settings with their defaults and meaning, as markdown. Your values are not shown.

    Example: `layanan settings > docs/settings.md`
    """
    from adapters.console.settings_table import settings_table

    say(settings_table())


@app.command(rich_help_panel=SERVICE)
def intake(once: Once = False, as_json: Json = False) -> None:
    """Take in what lies in the mailboxes, and say what became of it.

    Example: `layanan intake --once`
    """
    _only_once(once)
    wired = _systems()
    if not wired.settings.mailboxes:
        raise SettingsError(NO_MAILBOX)
    from flows.receive_mail import take_batches

    outcomes: Counter[str] = Counter()

    def empty(box: "Mailbox") -> None:
        for batch in take_batches(wired, box):
            outcomes.update(batch)

    codes = [_attempt(f"mailbox {box.site}", partial(empty, box)) for box in wired.settings.mailboxes]
    show([{"outcome": name, "mails": count} for name, count in outcomes.items()], ("outcome", "mails"), as_json)
    from tasks.intake import first_poll

    read = [box for box, code in zip(wired.settings.mailboxes, codes, strict=True) if code == 0]
    for question in first_poll.questions(wired, read):
        complain(question)
        codes.append(1)
    raise typer.Exit(max(codes))


@app.command(rich_help_panel=SERVICE)
def monitor(once: Once = False, as_json: Json = False) -> None:
    """Send letters that are due, follow tickets, pass deadlines on, wake cases, mend broken runs.

    Example: `layanan monitor --once`
    """
    _only_once(once)
    _systems()
    from tasks.upkeep.monitor import PARTS

    done: list[dict[str, Any]] = []

    def do(part: Any) -> None:
        done.append({"part": part.name, "items": part.fn()})

    codes = [_attempt(part.name, partial(do, part)) for part in PARTS]
    show(done, ("part", "items"), as_json)
    raise typer.Exit(max(codes))


@app.command(rich_help_panel=SERVICE)
def report(
    days: Annotated[int, typer.Option(min=1, max=3660, metavar="N", help="On the last N days.")] = 30,
) -> None:
    """Print the service report for managers, as markdown.

    Example: `layanan report --days 7`
    """
    wired = _systems()
    from tasks.upkeep.report import service_report

    say(service_report(wired, days))


@app.command(rich_help_panel=WORK)
def cases(
    status: Annotated[CaseStatus | None, typer.Option(help="Filter by status.")] = None,
    limit: Limit = 0,
    as_json: Json = False,
) -> None:
    """List all cases, oldest first.

    Example: `layanan cases --status open --json | jq '.[].reference'`
    """
    from adapters.console import listing

    columns = ("reference", "status", "kind", "topic", "opened_at", "waits_for", "outcome")
    _list(partial(listing.cases, status=status, limit=limit), columns, as_json)


@app.command(rich_help_panel=WORK)
def case(
    name: CaseName,
    bodies: Annotated[bool, typer.Option("--bodies", help="With the texts of the customer's mails.")] = False,
    as_json: Json = False,
) -> None:
    """Show one case: its path through the SOP, mails, activities, letters, decisions, tickets, deadlines.

    Example: `layanan case JKT-0000001`
    """
    settings = _engine_settings()
    from adapters.console import listing

    view = _ask(settings, lambda session: listing.case(session, name, bodies=bodies))
    show_case(view | {"run_url": _run_url(settings, view["run_id"])}, as_json, settings.zone)


@app.command(rich_help_panel=WORK)
def waiting(as_json: Json = False) -> None:
    """Show what waits for whom, the longest first; as JSON also with each form's JSON schema.

    Example: `layanan waiting`, then `layanan decide …`
    """
    settings = _engine_settings()
    from adapters.clock import clock_of
    from adapters.console import listing
    from models.forms import FORMS
    from models.sop import DECIDE

    now = clock_of(settings).now()
    rows = [
        row | {"title": FORMS[row["form"]].title, "run_url": _run_url(settings, row["run_id"])}
        for row in _ask(settings, partial(listing.waiting, now=now))
    ]
    show(rows, ("reference", "role", "escalated_to", "title", "since", "due_at", "age_hours"), as_json, settings.zone)
    if not as_json:
        # each in one piece, whatever the terminal's width
        say("\n".join(f"{row['reference']}  {row['run_url']}" for row in rows))
        # customers and units take the time that they have
        if ours := [row for row in rows if FORMS[row["form"]].role in DECIDE]:
            say(f"Oldest decision: {ours[0]['reference']}, {ours[0]['title']}, for {ours[0]['age_hours']} h.")


@app.command(rich_help_panel=WORK)
def decide(
    name: CaseName,
    by: By,
    fields: Annotated[list[str], typer.Option("--set", metavar="FIELD=VALUE", help="An answer; may be repeated.")],
) -> None:
    """Answer what a case waits for, exactly as the form in the Prefect UI does.

    A choice may be given by its code or as people read it; a wrong one is answered with those that there are.

    Example: `layanan decide JKT-0000001 --by Sari --set choice=BACK_TO_AGENT --set note="Cek ulang di lapangan"`
    """
    words = dict(_word(field) for field in fields)
    wired = _systems()
    from structlog.contextvars import bound_contextvars

    from adapters.console import listing
    from tasks.run.submit import submit

    with wired.store.read() as session:
        found = listing.find_case(session, name)
    with bound_contextvars(case=found.reference):
        submit(wired, found, by, words)
    say(f"accepted: {found.reference} goes on by itself; `layanan case {found.reference}` shows how")


@app.command(rich_help_panel=WORK)
def merge(name: CaseName, into: IntoName, by: By) -> None:
    """End a case as merged into another one of the same matter, which reads its mails and goes on.

    Example: `layanan merge JKT-0000002 JKT-0000001 --by Rina`; `layanan unmerge` takes it back.
    """
    wired, (case, other) = _cases(name, into)
    from tasks.upkeep.merge_case import merge, whose_letters

    merge(wired, case.key, other.key, by)
    say(f"{case.reference} is merged into {other.reference}")
    if told := whose_letters(wired, case.key, other.key):
        say(f"{told} ({other.address}, {case.address}); `layanan unmerge {case.reference}` takes it back")


@app.command(rich_help_panel=WORK)
def unmerge(name: CaseName, by: By) -> None:
    """Take a merger back: the case goes on from where it was.

    Example: `layanan unmerge JKT-0000002 --by Rina`
    """
    wired, (case,) = _cases(name)
    from tasks.upkeep.merge_case import unmerge

    unmerge(wired, case.key, by)
    say(f"{case.reference} goes on")


@app.command(rich_help_panel=WORK)
def split(name: CaseName, mail: MailNumber, by: By) -> None:
    """Give a mail that is another matter a case of its own.

    Example: `layanan split JKT-0000001 17 --by Rina`; `layanan merge` takes it back.
    """
    wired, (case,) = _cases(name)
    from tasks.upkeep.merge_case import split

    say(f"mail {mail} is case {split(wired, case.key, mail, by)} now")


@app.command(rich_help_panel=WORK)
def party(
    name: CaseName,
    mail: MailNumber,
    by: By,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the party.")] = False,
    letters: Annotated[bool, typer.Option("--letters", help="Send copies of the case's letters to the party.")] = False,
) -> None:
    """Let the sender of a mail write in a case, too. Letters go to the customer's address alone, unless `--letters`.

    With `--letters` and a mail of the customer's own, those who stood in its To or Cc get copies.

    Example: `layanan party JKT-0000001 17 --by Rina`
    """
    wired, (case,) = _cases(name)
    from tasks.upkeep.merge_case import add_party, remove_party

    if remove:
        remove_party(wired, case.key, mail, by)
    else:
        add_party(wired, case.key, mail, by, letters=letters)
    say(f"the sender of mail {mail} {'no longer writes' if remove else 'writes'} in {case.reference}")


@app.command(rich_help_panel=WORK)
def mails(
    outcome: Annotated[MailOutcome | None, typer.Option(help="Filter by outcome.")] = None,
    limit: Limit = 0,
    check: Annotated[bool, typer.Option("--check", help="Name the mails that only mailbox or ledger know.")] = False,
    as_json: Json = False,
) -> None:
    """List every mail ever seen, with its one outcome, oldest first; or, with `--check`, what is unaccounted for.

    The check reads the mailboxes' folders whole; exit code 1 if it named anything.

    Example: `layanan mails --outcome set_aside`
    """
    if check:
        _check_mails(as_json)
    from adapters.console import listing

    columns = ("id", "received_at", "mailbox", "sender", "subject", "outcome", "case", "reason")
    _list(partial(listing.mails, outcome=outcome, limit=limit), columns, as_json)


def _check_mails(as_json: bool) -> None:
    wired = _systems()
    if not wired.settings.mailboxes:
        raise SettingsError(NO_MAILBOX)
    from dataclasses import asdict

    from tasks.upkeep.check_mails import check_mails

    found: list[dict[str, Any]] = []

    def look(box: "Mailbox") -> None:
        found.extend(map(asdict, check_mails(wired, box)))

    codes = [_attempt(f"mailbox {box.address}", partial(look, box)) for box in wired.settings.mailboxes]
    show(found, ("mailbox", "where", "number", "what"), as_json)
    raise typer.Exit(max([*codes, bool(found)]))


@app.command(rich_help_panel=WORK)
def letters(
    state: Annotated[LetterState | None, typer.Option(help="Filter by state.")] = None,
    limit: Limit = 0,
    again: Annotated[bool, typer.Option("--again", help="Send all that failed for our sake again, in order.")] = False,
    outdated: Annotated[bool, typer.Option("--outdated", help="With `--again`: those out of date, too.")] = False,
    as_json: Json = False,
) -> None:
    """List every letter, with its state in the outbox: queued, sending, sent, failed or bounced; oldest first.

    With `--again`, letters that the relay refused for our account, address, quota or policy go out once more, but for
    those that a later letter, the end of their case or their age has made out of date: these are only listed.

    Examples: `layanan letters --state failed`; when the relay takes letters again: `layanan letters --again`
    """
    if outdated and not again:
        raise WrongUse("--outdated: only together with --again")
    if again:
        _send_all_again(outdated, as_json)
        return
    from adapters.console import listing

    columns = ("id", "case", "kind", "recipient", "state", "attempts", "sent_at", "error")
    _list(partial(listing.letters, state=state, limit=limit), columns, as_json)


def _send_all_again(outdated: bool, as_json: bool) -> None:
    wired = _systems()
    from dataclasses import asdict

    from tasks.upkeep.send_again import failed_letters, send_all_again

    failed = failed_letters(wired)
    chosen = [one for one in failed if outdated or not one.outdated]
    send_all_again(wired, chosen)
    views = [asdict(one) | {"written_at": one.written_at.isoformat(), "again": one in chosen} for one in failed]
    show(views, ("id", "case", "kind", "written_at", "again", "outdated"), as_json, wired.settings.zone)
    if not as_json:
        say(f"{len(chosen)} in the outbox again; the monitor's next sweep sends them.")
        if left := len(failed) - len(chosen):
            say(f"{left} out of date and not sent: `layanan letters --again --outdated` sends them all the same.")


@app.command(rich_help_panel=WORK)
def letter(
    number: Annotated[int, typer.Argument(metavar="ID", help="As `layanan letters` shows it.")],
    raw: Annotated[bool, typer.Option("--raw", help="The message itself (RFC 5322), byte for byte.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Send a failed letter again, with the next pass.")] = False,
    as_json: Json = False,
) -> None:
    """Show a letter's headers and state, or, with `--raw`, the message itself, or put a failed one back in the outbox.

    Examples: `layanan letter 1 --raw > letter.eml`; when what failed is mended: `layanan letter 1 --again`
    """
    if again:
        _put_back(number)
        return
    settings = _settings()
    from email import message_from_bytes, policy

    from adapters.case_store.store import Store
    from adapters.console import listing

    view = _ask(settings, lambda session: listing.letter(session, number))
    message = Store.of(settings).kept(view["sha256"])
    if raw:
        sys.stdout.buffer.write(message)
        return
    headers = {name: str(value) for name, value in message_from_bytes(message, policy=policy.default).items()}
    columns = ("case", "kind", "state", "attempts", "sent_at", "error", *headers)
    show(view | {"headers": headers} if as_json else view | headers, columns, as_json, settings.zone)


@mail_app.command()
def inspect(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Mails as they came; -: standard input.")],
    authserv_id: Annotated[str, typer.Option(metavar="NAME", help="Server whose Authentication-Results count.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line and file.")] = False,
) -> None:
    """Show what the parser makes of mails in files. Needs no settings, changes nothing, fails on no bytes.

    Exit code 1 if a file could not be opened; whatever is in one is no failure.

    Example: `layanan mail inspect odd.eml --json | jq .problems`
    """
    from adapters.console.screen import say_line, show_mail
    from adapters.mail.inspection import STDIN
    from adapters.mail.inspection import inspect as look

    for file in files:
        (say_line if as_json else show_mail)(look(file, authserv_id))
    raise typer.Exit(any(file != STDIN and not (file.is_file() and os.access(file, os.R_OK)) for file in files))


@mail_app.command("show")
def show_one(
    number: MailNumber,
    raw: Annotated[bool, typer.Option("--raw", help="The mail itself, as it came.")] = False,
    save: Annotated[Path | None, typer.Option(metavar="DIR", help="Write its attachments into this folder.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write its HTML, made harmless, as a page.")] = None,
    as_json: Json = False,
) -> None:
    """Show one mail with its text and attachments, or, with `--raw`, the mail itself.

    Attachments come from strangers: `--save` writes them, opens none, and replaces no file. `--html` writes a page for
    the browser: nothing in it runs or is fetched, and every link says where it goes.

    Examples: `layanan mail show 17 --save lampiran`; `layanan mail show 17 --html 17.html`
    """
    settings = _settings()
    from adapters.case_store.store import Store
    from adapters.console import listing
    from adapters.console.screen import show_mail
    from adapters.folder import save_into

    view = _ask(settings, lambda session: listing.mail(session, number))
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


def _put_back(number: int) -> None:
    wired = _systems()
    from adapters.console import listing
    from tasks.run.send_letter import send_again

    with wired.store.read() as session:
        listing.letter(session, number)
    send_again(wired, number)
    say(f"letter {number} is in the outbox again; the monitor's next pass sends it")


@clock_app.callback(invoke_without_command=True)
def clock(context: typer.Context, as_json: Json = False) -> None:
    """The service's clock: shows it; `advance` moves a simulated one.

    Example: `layanan clock advance 6`
    """
    if context.invoked_subcommand is None:
        _show_clock(_settings(), as_json)


@clock_app.command()
def advance(hours: Annotated[float, typer.Argument(help="Such as 6 or 0.5; time does not run back.")]) -> None:
    """Move the simulated clock of intake, monitor, worker and simulator forward.

    Example: `layanan clock advance 6`
    """
    settings = _settings()
    if settings.clock != "simulated":
        raise Refused("clock", "it is the system's; only a rehearsal with LAYANAN_CLOCK=simulated may move it")
    from adapters.clock import SimulatedClock

    try:
        SimulatedClock(settings.home / "clock").advance(hours)
    except (ValueError, OverflowError) as error:
        raise WrongUse(f"hours: {error}") from None
    _show_clock(settings, as_json=False)


app.add_typer(clock_app, name="clock", rich_help_panel=REHEARSE)


@mail_app.command()
def accept(number: MailNumber, by: By) -> None:
    """Take in a mail as a customer's that intake had set aside, or had taken for an automatic one.

    Example: `layanan mails --outcome set_aside`, then `layanan mail accept 17 --by Sari`
    """
    wired = _systems()
    from flows.receive_mail import set_going
    from tasks.intake.accept_mail import accept_mail

    taken = accept_mail(wired, number, by)
    set_going(wired, [taken])
    say(f"mail {number}: {taken.outcome}, case {taken.case_id}")


@mail_app.command()
def begin(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The mailbox's, as in LAYANAN_MAILBOXES.")], by: By
) -> None:
    """Let the first poll of a mailbox begin that holds much: all mail since its `since` is taken in and answered.

    Example: `layanan doctor` says how much it is, then `layanan mail begin layanan@telkom.example --by Rina`
    """
    wired = _systems()
    from tasks.intake.first_poll import agree

    box = next((box for box in wired.settings.mailboxes if box.address.lower() == address.lower()), None)
    if box is None:
        known = ", ".join(box.address for box in wired.settings.mailboxes) or "none"
        raise WrongUse(f"{address}: no such mailbox in LAYANAN_MAILBOXES; there are: {known}")
    seen = agree(wired, box, by)
    say(f"{seen.new} mails since {seen.moment} are taken in with the next poll; {seen.older} older ones stay")


app.add_typer(mail_app, name="mail", rich_help_panel=WORK)


@app.command(rich_help_panel=REHEARSE)
def simulator(
    seed: Annotated[Path, typer.Option(metavar="FILE", help="Customers, lines, bills and mailboxes, as JSON.")],
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where it works; by default `simulator` in LAYANAN_HOME.")
    ] = None,
) -> None:
    """Run all systems around the service, simulated on this machine, until Ctrl-C. Needs no settings.

    Example: `layanan simulator --seed seed.json`, and in another terminal the command that it prints.
    """
    # what they name may be this simulator's own, which are there only while it runs
    if not Path(os.environ.get("LAYANAN_SETTINGS", "")).exists():
        del os.environ["LAYANAN_SETTINGS"]
    home = _settings().home
    asyncio.run(_simulate(seed, (folder or home / "simulator").absolute(), home))


async def _simulate(seed: Path, folder: Path, home: Path) -> None:
    from adapters.clock import SimulatedClock
    from adapters.simulator.main import run

    stop, ready = asyncio.Event(), folder / "layanan.toml"
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    running = asyncio.create_task(run(seed, folder, SimulatedClock(home / "clock"), stop))
    await asyncio.sleep(0)  # the settings of an earlier start go first
    while not ready.exists() and not running.done():
        await asyncio.sleep(0.05)
    if not running.done():
        say(f"The simulator runs until Ctrl-C. Its settings: {ready}")
        say(f"In another terminal: export LAYANAN_SETTINGS={ready}; make up")
        way, box = _curl_to(ready)
        say(f"A customer's mail: curl {way} --mail-rcpt {box} --mail-from ADDRESS --upload-file MAIL.eml")
    await running


def _curl_to(ready: Path) -> tuple[str, str]:
    """Where the simulator takes mail, and for which mailbox of ours."""
    said = tomllib.loads(ready.read_text("utf-8"))
    return f"smtp://{said['smtp']['host']}:{said['smtp']['port']}", said["mailboxes"][0]["address"]


def _settings() -> "Settings":
    """The settings; the log takes their form."""
    from adapters.console.logs import configure
    from models.settings import load_settings

    settings = load_settings()
    configure(settings)
    return settings


def _engine_settings() -> "Settings":
    """The same, where Prefect is imported next: it reads its own settings then."""
    from adapters.engine.environment import engine_environment, without_proxy

    settings = _settings()
    without_proxy()
    for name, value in engine_environment(settings).items():
        os.environ.setdefault(name, value)
    with suppress(OSError):  # a folder that cannot be made is a check of the doctor's
        private(Path(os.environ["PREFECT_HOME"]))
    return settings


def _systems() -> "Systems":
    """All systems, the case store being at the code's revision."""
    _engine_settings()
    from adapters.case_store import schema
    from adapters.wiring import systems

    schema.check(systems().store)
    return systems()


def _cases(*names: str) -> "tuple[Systems, list[Case]]":
    wired = _systems()
    from adapters.console import listing

    with wired.store.read() as session:
        return wired, [listing.find_case(session, name) for name in names]


def _ask(settings: "Settings", query: "Callable[[Session], Any]") -> Any:
    """What the case store says, without waiting for the other systems' imports."""
    from adapters.case_store import schema
    from adapters.case_store.store import Store

    store = Store.of(settings)
    schema.check(store)
    with store.read() as session:
        return query(session)


def _list(query: "Callable[[Session], list[dict[str, Any]]]", columns: Sequence[str], as_json: bool) -> None:
    settings = _settings()
    show(_ask(settings, query), columns, as_json, settings.zone)


def _run_url(settings: "Settings", run_id: str | None) -> str | None:
    from adapters.engine.runs import PrefectEngine

    return PrefectEngine(settings).run_url(run_id) if run_id else None


def _attempt(name: str, act: Callable[[], None]) -> int:
    """Do it and return the exit code; what fails is said, and keeps nothing else from being done."""
    try:
        act()
    except LayananError as error:
        complain(f"{name}: {error}")
        return _code(error)
    return 0


def _code(error: LayananError) -> int:
    return next((code for kind, code in CODES if isinstance(error, kind)), 1)


def _only_once(once: bool) -> None:
    if not once:
        raise WrongUse("say --once; `layanan up` runs the passes for ever")


def _word(field: str) -> tuple[str, str]:
    name, equals, value = field.partition("=")
    if not equals:
        raise WrongUse(f"--set {field}: an answer is FIELD=VALUE")
    return name, value


def _show_clock(settings: "Settings", as_json: bool) -> None:
    from adapters.clock import SimulatedClock, SystemClock

    clock = SimulatedClock(settings.home / "clock") if settings.clock == "simulated" else SystemClock()
    view = {"clock": settings.clock, "now": clock.now().isoformat(), "zone": settings.timezone}
    show(view, tuple(view), as_json, settings.zone)


if __name__ == "__main__":
    sys.exit(main())
