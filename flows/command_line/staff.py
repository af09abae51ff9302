"""Commands for the people of the contact centre. Held by `tests/tasks/desk/test_staff.py`."""

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.console.screen import say, show
from flows.command_line.shared import Json, ask, ready_systems
from models.errors import WrongUse

if TYPE_CHECKING:
    from models.author import Author
    from tasks.desk.staff import Joined

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Their e-mail.")]
Who = Annotated[str, typer.Option("--by", help="Your name, for the audit log. Default: your login on this machine.")]
Roles = Annotated[list[str], typer.Option("--role", help="agent_0, agent_1, monitoring, team_leader, …; repeatable.")]


def add(
    email: Email,
    name: Annotated[str, typer.Option(help="Their name, as cases' histories will show it.")],
    role: Roles,
    site: Annotated[str, typer.Option(help="JKT or BDG. Default: all sites.")] = "",
    hours: Annotated[str, typer.Option(metavar="FROM-TO", help="Working hours, 08:00-17:00.")] = "",
    leader: Annotated[str, typer.Option(metavar="EMAIL", help="Their team leader.")] = "",
    deputy: Annotated[str, typer.Option(metavar="EMAIL", help="Who stands in for them.")] = "",
    by: Who = "",
) -> None:
    """Add a member of staff and print their first password, once. It lasts 24 hours, and they must change it.

    Example: `layanan staff add sari@telkom.example --name Sari --role agent_0 --site JKT`
    """
    from tasks.desk import entrants, staff

    entered = {"email": email, "name": name, "roles": " ".join(role), "site": site, "hours": hours}
    new = entrants.entrant(entered | {"leader": leader, "deputy": deputy})
    _say_passwords(staff.join(ready_systems(), [new], _by(by)))


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV: name, email, roles, site, languages, hours, …")],
    by: Who = "",
) -> None:
    """Add all people of a CSV file and print their first passwords, once. If one line is wrong, nobody is added.

    Columns: name, email, roles (agent_0 team_leader), site, languages (id en), hours (08:00-17:00), leader and deputy
    (their e-mails).

    Example: `layanan staff import staf.csv`
    """
    from tasks.desk import staff
    from tasks.desk.entrants import entrants_of

    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise WrongUse(f"{file}: not UTF-8; save it as “CSV UTF-8”") from None
    _say_passwords(staff.join(ready_systems(), entrants_of(text), _by(by)))


def list_(as_json: Json = False) -> None:
    """List the staff: roles, site, leader, deputy, and who is away or locked out.

    Example: `layanan staff list`
    """
    from adapters.clock import clock_of
    from flows.command_line.shared import read_settings
    from tasks.desk.staff import listing

    settings = read_settings()
    rows = ask(settings, lambda session: listing(session, clock_of(settings).now()))
    columns = ("email", "name", "roles", "site", "hours", "leader", "deputy", "absent_until", "stands_in", "state")
    show(rows, columns, as_json, settings.zone)


def absent(
    email: Email,
    since: Annotated[str, typer.Option("--from", metavar="DAY", help="First day, or moment. Default: now.")] = "",
    until: Annotated[str, typer.Option(metavar="DAY", help="Last day, or moment of return. Default: open.")] = "",
    back: Annotated[bool, typer.Option("--back", help="They are back.")] = False,
    by: Who = "",
) -> None:
    """Note when somebody is away: their deputy gets their waits. Days and moments are of the service's time zone.

    Example: `layanan staff absent sari@telkom.example --from 2026-12-24 --until 2027-01-04`
    """
    from tasks.desk.staff import moment, set_absence

    systems = ready_systems()
    zone = systems.settings.zone
    begins = None if back else moment(since, zone) if since else systems.clock.now()
    staff = set_absence(systems, email, begins, moment(until, zone, last=True) if until else None, _by(by))
    say(f"{staff.name} is back" if back else f"{staff.name} is away; the deputy gets what waits for them")


def deputy(
    email: Email,
    other: Annotated[str, typer.Argument(metavar="DEPUTY", help="E-mail of who stands in for them; empty: nobody.")],
    by: Who = "",
) -> None:
    """Name who stands in for somebody.

    Example: `layanan staff deputy sari@telkom.example rina@telkom.example`
    """
    from tasks.desk.staff import set_deputy

    staff = set_deputy(ready_systems(), email, other, _by(by))
    say(f"{other} stands in for {staff.name}" if other else f"nobody stands in for {staff.name}")


def remove(email: Email, by: Who = "") -> None:
    """End somebody's account at once. Their decisions keep their name.

    Example: `layanan staff remove sari@telkom.example`
    """
    from tasks.desk import staff

    removed = staff.remove(ready_systems(), email, _by(by))
    say(f"{removed.name} is removed and signed out everywhere")


def reset(email: Email, by: Who = "") -> None:
    """Print a new first password for somebody, once: for a forgotten one, a lost phone, or a lock.

    Their sessions end, and they set up their one-time codes anew.

    Example: `layanan staff reset sari@telkom.example`
    """
    from tasks.desk import staff

    _say_passwords([staff.reset(ready_systems(), email, _by(by))])


def _by(name: str) -> "Author":
    from models.author import Author
    from models.staff import SignedIn

    return Author(name.strip() or getpass.getuser(), SignedIn.COMMAND_LINE)


def _say_passwords(joined: "list[Joined]") -> None:
    for one in joined:
        say(f"{one.staff.email}  {one.password}")
    say("These first passwords last 24 hours and are shown only now.")


COMMANDS: dict[str, Callable[..., None]] = {
    "add": add,
    "import": import_,
    "list": list_,
    "absent": absent,
    "deputy": deputy,
    "remove": remove,
    "reset": reset,
}
