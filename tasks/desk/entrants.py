"""Who is to join the staff: as an administrator enters them, or as a CSV file lists them, and what is wrong with that.

Held by `tests/tasks/desk/test_staff.py`.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from models.errors import WrongUse
from models.forms.base import SYSTEM
from models.rights import LEADS
from models.staff import NewStaff, Staff, StaffRole

COLUMNS = ("name", "email", "roles", "site", "languages", "hours", "leader", "deputy")
"""Of a file; only the first three must be there."""
MOST = 2_000
"""Lines of a file: each person's first password takes a tenth of a second."""


@dataclass(frozen=True)
class Entrant:
    """A new member of staff, and by their e-mails who leads them and who stands in for them."""

    new: NewStaff
    leader: str = ""
    deputy: str = ""
    line: int = 0
    """Of the file; 0 where they were entered one by one."""

    def at(self, fault: str) -> str:
        """The fault with its line."""
        return f"line {self.line}: {fault}" if self.line else fault


def entrant(entered: Mapping[str, str], line: int = 0) -> Entrant:
    """Somebody as entered in the columns of a file; an empty column counts as missing.

    Raises:
        WrongUse: names what is wrong.
    """
    given = {name: text.strip() for name, text in entered.items() if text and text.strip()}
    leader, deputy = given.pop("leader", "").lower(), given.pop("deputy", "").lower()
    roles, languages = roles_of(given.pop("roles", "")), given.pop("languages", "id en")
    try:
        new = NewStaff.model_validate(given | {"roles": roles, "languages": languages.replace(",", " ").split()})
    except ValidationError as error:
        said = (f"{one['loc'][0]}: {one['msg']}" for one in error.errors(include_input=False))
        raise WrongUse("; ".join(said)) from None
    return Entrant(new, leader, deputy, line)


def roles_of(text: str) -> list[StaffRole]:
    """Roles by their codes, separated by blanks or commas: ``agent_0 team_leader``.

    Raises:
        WrongUse: there is no such role.
    """
    codes = text.replace(",", " ").upper().split()
    if unknown := [code.lower() for code in codes if code not in StaffRole.__members__]:
        raise WrongUse(f"roles: {unknown[0]!r} is none of {', '.join(role.name.lower() for role in StaffRole)}")
    return [StaffRole[code] for code in dict.fromkeys(codes)]


def entrants_of(text: str) -> list[Entrant]:
    """Who is to join, from a CSV file with a line of columns; columns are separated by commas or semicolons.

    Raises:
        WrongUse: with every fault and its line.
    """
    head = text.lstrip("\ufeff").partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=";" if ";" in head else ",")
    columns = [name.strip().lower() for name in rows.fieldnames or ()]
    if unknown := [name for name in columns if name not in COLUMNS]:
        raise WrongUse(f"line 1: there is no column {unknown[0]!r}; there are {', '.join(COLUMNS)}")
    if missing := [name for name in COLUMNS[:3] if name not in columns]:
        raise WrongUse(f"line 1: the column {missing[0]} is missing")
    rows.fieldnames = columns
    found, wrong = [], []
    for row in rows:
        if None in row or None in row.values():
            wrong.append(f"line {rows.line_num}: it has not the {len(columns)} columns of line 1")
            continue
        try:
            found.append(entrant(row, rows.line_num))
        except WrongUse as error:
            wrong.append(f"line {rows.line_num}: {error}")
        if len(found) > MOST:
            raise WrongUse(f"more than {MOST} lines; use several files")
    if wrong:
        raise WrongUse("\n".join(wrong))
    return found


def faults(entrants: Sequence[Entrant], before: Sequence[Staff]) -> Iterator[str]:
    """What is wrong with them beside those who are there ``before``."""
    active = {staff.email: staff for staff in before if staff.active}
    new = {one.new.email.lower(): one.new.roles for one in entrants}
    roles = {email: set(held) for email, held in new.items()} | {email: staff.held for email, staff in active.items()}
    emails = Counter(one.new.email.lower() for one in entrants)
    taken = {staff.name.casefold(): staff.email for staff in before}
    names = Counter(one.new.name.casefold() for one in entrants)
    stand_in = deputies(before) | {one.new.email.lower(): one.deputy for one in entrants}
    for one in entrants:
        email, name = one.new.email.lower(), one.new.name.casefold()
        if email in active or emails[email] > 1:
            yield one.at(f"email: {email} is on the staff already, or twice in the list")
        if name == SYSTEM or taken.get(name, email) != email or names[name] > 1:
            yield one.at(f"name: {one.new.name} is somebody else's, or twice in the list")
        for what, other in (("leader", one.leader), ("deputy", one.deputy)):
            if other and other not in roles:
                yield one.at(f"{what}: nobody has the e-mail {other}")
        if one.leader in roles and not roles[one.leader] & LEADS:
            yield one.at(f"leader: {one.leader} is neither team leader nor supervisor")
        if found := circle(email, stand_in):
            yield one.at(f"deputy: a circle: {' → '.join(found)}")


def deputies(staff: Iterable[Staff]) -> dict[str, str]:
    """Who stands in for whom, by e-mails."""
    everybody = list(staff)
    emails = {one.id: one.email for one in everybody}
    return {one.email: emails.get(one.deputy_id, "") for one in everybody if one.active}


def circle(start: str, stand_in: Mapping[str, str]) -> list[str]:
    """The circle of deputies that leads back to ``start``; empty where none does."""
    path = [start]
    while (deputy := stand_in.get(path[-1], "")) and deputy not in path[1:]:
        path.append(deputy)
        if deputy == start:
            return path
    return []
