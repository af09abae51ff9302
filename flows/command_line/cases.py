"""Commands that show, decide and correct cases. Held by `tests/test_layanan.py`."""

from functools import partial
from typing import Annotated

import typer

from adapters.console.screen import say, show, show_case
from flows.command_line.shared import (
    By,
    CaseName,
    IntoName,
    Json,
    Limit,
    MailNumber,
    ask,
    cases_of,
    engine_settings,
    ready_systems,
    run_url,
    show_list,
)
from models.errors import WrongUse
from models.states import CaseStatus


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
    show_list(partial(listing.cases, status=status, limit=limit), columns, as_json)


def case(
    name: CaseName,
    bodies: Annotated[bool, typer.Option("--bodies", help="Show the texts of the customer's mails.")] = False,
    as_json: Json = False,
) -> None:
    """Show one case: its path through the SOP, mails, activities, letters, decisions, tickets and deadlines.

    Example: `layanan case JKT-0000001`
    """
    settings = engine_settings()
    from adapters.console import listing

    view = ask(settings, lambda session: listing.case(session, name, bodies=bodies))
    show_case(view | {"run_url": run_url(settings, view["run_id"])}, as_json, settings.zone)


def waiting(as_json: Json = False) -> None:
    """Show which cases wait for whom, the longest first. JSON includes the form's schema.

    Example: `layanan waiting`
    """
    settings = engine_settings()
    from adapters.clock import clock_of
    from adapters.console import listing
    from models.forms import FORMS
    from models.sop import DECIDE

    now = clock_of(settings).now()
    rows = [
        row | {"title": FORMS[row["form"]].title, "run_url": run_url(settings, row["run_id"])}
        for row in ask(settings, partial(listing.waiting, now=now))
    ]
    show(rows, ("reference", "role", "escalated_to", "title", "since", "due_at", "age_hours"), as_json, settings.zone)
    if not as_json:
        # unbroken, whatever the terminal's width
        say("\n".join(f"{row['reference']}  {row['run_url']}" for row in rows))
        # without waits for customers and units
        if ours := [row for row in rows if FORMS[row["form"]].role in DECIDE]:
            say(f"Oldest decision: {ours[0]['reference']}, {ours[0]['title']}, for {ours[0]['age_hours']} h.")


def decide(
    name: CaseName,
    by: By,
    fields: Annotated[list[str], typer.Option("--set", metavar="FIELD=VALUE", help="Field of the form; repeatable.")],
) -> None:
    """Answer the form of a waiting case, as on the desk: that person must have the right to decide.

    Give a choice by its code or by its full text. A wrong field or choice changes nothing and prints the possible ones.

    Example: `layanan decide JKT-0000001 --by Sari --set choice=BACK_TO_AGENT --set note="Cek ulang di lapangan"`
    """
    words = dict(_word(field) for field in fields)
    systems = ready_systems()
    from structlog.contextvars import bound_contextvars

    from adapters.console import listing
    from models.staff import SignedIn
    from tasks.desk.decide import answer
    from tasks.run.authors import author_by_name

    with systems.store.read() as session:
        found = listing.case_named(session, name)
        author = author_by_name(session, by, SignedIn.COMMAND_LINE)
    with bound_contextvars(case=found.reference):
        answer(systems, author, found.key, words)
    say(f"accepted: {found.reference} continues by itself; `layanan case {found.reference}` shows how")


def _word(field: str) -> tuple[str, str]:
    name, equals, value = field.partition("=")
    if not equals:
        raise WrongUse(f"--set {field}: give it as FIELD=VALUE")
    return name, value


def merge(name: CaseName, into: IntoName, by: By) -> None:
    """Merge a case into another one of the same matter: the first ends, the second continues with its mails.

    `layanan unmerge` reverses it.

    Example: `layanan merge JKT-0000002 JKT-0000001 --by Rina`
    """
    systems, (case, other) = cases_of(name, into)
    from tasks.upkeep.merge_case import merge, whose_letters

    merge(systems, case.key, other.key, by)
    say(f"{case.reference} is merged into {other.reference}")
    if told := whose_letters(systems, case.key, other.key):
        say(f"{told} ({other.address}, {case.address}); `layanan unmerge {case.reference}` reverses it")


def unmerge(name: CaseName, by: By) -> None:
    """Reverse a merge: the case continues where it stopped.

    Example: `layanan unmerge JKT-0000002 --by Rina`
    """
    systems, (case,) = cases_of(name)
    from tasks.upkeep.merge_case import unmerge

    unmerge(systems, case.key, by)
    say(f"{case.reference} continues")


def split(name: CaseName, mail: MailNumber, by: By) -> None:
    """Split one mail off a case: it opens a case of its own. `layanan merge` reverses it.

    Example: `layanan split JKT-0000001 17 --by Rina`
    """
    systems, (case,) = cases_of(name)
    from tasks.upkeep.merge_case import split

    say(f"mail {mail} is now case {split(systems, case.key, mail, by)}")


def party(
    name: CaseName,
    mail: MailNumber,
    by: By,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the party.")] = False,
    letters: Annotated[bool, typer.Option("--letters", help="Send copies of the case's letters to the party.")] = False,
) -> None:
    """Let the sender of a mail take part in a case: what they write joins it.

    Letters go to the customer alone. With `--letters` the sender gets copies; if the mail is the customer's own, the
    recipients in its To and Cc do.

    Example: `layanan party JKT-0000001 17 --by Rina`
    """
    systems, (case,) = cases_of(name)
    from tasks.upkeep.merge_case import add_party, remove_party

    if remove:
        remove_party(systems, case.key, mail, by)
    else:
        add_party(systems, case.key, mail, by, letters=letters)
    say(f"the sender of mail {mail} {'no longer takes' if remove else 'takes'} part in {case.reference}")


COMMANDS = (cases, case, waiting, decide, merge, unmerge, split, party)
