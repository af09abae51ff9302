"""The staff: who joins, is away, stands in for whom, and leaves. Each change stands in the audit log."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from adapters.case_store import audit
from adapters.case_store.store import AlreadyRecorded
from adapters.wiring import Systems
from models.audit import Action
from models.author import Author
from models.errors import Refused, WrongUse
from models.staff import Claim, NewStaff, SignedIn, Staff, StaffRole
from tasks.desk.entrants import Entrant, circle, deputies, faults
from tasks.desk.passwords import first_password, new_hash

FIRST_LASTS = timedelta(hours=24)
"""For how long a first password may be used."""


class Change(StrEnum):
    """What was changed; a word of the audit log."""

    ADDED = "added"
    ABSENT = "absent"
    DEPUTY = "deputy"
    REMOVED = "removed"
    RESET = "reset"
    PASSWORD = "password"  # noqa: S105
    CODE = "code"


@dataclass(frozen=True)
class Joined:
    """Somebody with their first password, which is told once and kept nowhere."""

    staff: Staff
    password: str


def stands_in(staff: Staff, everybody: Mapping[int, Staff], now: datetime) -> Staff | None:
    """Who does this person's work at this moment: they, or the first of their deputies who is there; else None."""
    seen: set[int] = set()
    found: Staff | None = staff
    while found is not None and (found.absent(now) or not found.active):
        seen.add(found.key)
        deputy = found.deputy_id
        found = everybody.get(deputy) if deputy is not None and deputy not in seen else None
    return found


def join(systems: Systems, entrants: Sequence[Entrant], by: Author) -> list[Joined]:
    """Add all of them, or none. Whoever was removed and comes back is the same person again.

    Raises:
        WrongUse: with every fault of each.
    """
    words = [first_password() for _ in entrants]
    hashes = [new_hash(word) for word in words]
    expires = systems.machine_clock.now() + FIRST_LASTS
    try:
        with systems.store.write() as session:
            before = list(session.exec(select(Staff)))
            if found := list(faults(entrants, before)):
                raise WrongUse("\n".join(found))
            rows = {staff.email: staff for staff in before}
            for entrant, password in zip(entrants, hashes, strict=True):
                staff = rows.setdefault(entrant.new.email.lower(), Staff(name="", email=entrant.new.email.lower()))
                _fill(staff, entrant.new)
                staff.password, staff.password_expires = password, expires
                session.add(staff)
            session.flush()
            joined = [rows[entrant.new.email.lower()] for entrant in entrants]
            for entrant, staff in zip(entrants, joined, strict=True):
                staff.leader_id = rows[entrant.leader.lower()].key if entrant.leader else None
                staff.deputy_id = rows[entrant.deputy.lower()].key if entrant.deputy else None
                note_change(session, systems, staff, Change.ADDED, by)
    except AlreadyRecorded:
        raise WrongUse("somebody else has just added this name or e-mail; look at the list") from None
    return [Joined(staff, word) for staff, word in zip(joined, words, strict=True)]


def first_administrator(systems: Systems) -> Joined | None:
    """An administrator where there is no staff yet; None where there is."""
    with systems.store.read() as session:
        if session.exec(select(func.count()).select_from(Staff)).one():
            return None
    boxes = systems.settings.mailboxes
    domain = boxes[0].address.partition("@")[2] if boxes else "localhost.localdomain"
    new = NewStaff(name="Administrator", email=f"admin@{domain}", roles=[StaffRole.ADMINISTRATOR])
    return join(systems, [Entrant(new)], Author("system", SignedIn.COMMAND_LINE))[0]


def address(typed: str) -> str:
    """An e-mail as the staff's are stored; empty where nobody's can be it. PostgreSQL takes no NUL."""
    return typed.strip().lower() if typed.isprintable() else ""


def moment(text: str, zone: tzinfo, *, last: bool = False) -> datetime:
    """A day or a moment in a time zone; the end of a day where it is the ``last`` one.

    Raises:
        WrongUse: it is neither.
    """
    try:
        if "T" in text:
            at = datetime.fromisoformat(text)
            return at if at.tzinfo else at.replace(tzinfo=zone)
        day = date.fromisoformat(text) + timedelta(days=int(last))
    except ValueError:
        raise WrongUse(f"{text!r} is neither a day (2026-12-24) nor a moment (2026-12-24T13:00)") from None
    return datetime.combine(day, time(), zone)


def set_absence(systems: Systems, email: str, since: datetime | None, until: datetime | None, by: Author) -> Staff:
    """Note from when until when somebody is away; without ``since`` they are back.

    Raises:
        WrongUse: the end is not after the beginning.
    """
    if since is not None and until is not None and until <= since:
        raise WrongUse("until: it must be after from")

    def change(_session: Session, staff: Staff) -> None:
        staff.absent_from, staff.absent_until = since, until if since else None

    return _change(systems, email, Change.ABSENT, change, by)


def set_deputy(systems: Systems, email: str, deputy: str, by: Author) -> Staff:
    """Let ``deputy`` stand in for somebody; an empty one: nobody does.

    Raises:
        WrongUse: nobody has this e-mail, or they would stand in for each other in a circle.
    """

    def change(session: Session, staff: Staff) -> None:
        other = _active(session, deputy) if deputy else None
        staff.deputy_id = other.key if other else None
        if found := circle(staff.email, deputies(session.exec(select(Staff)))):
            raise WrongUse(f"deputy: a circle: {' → '.join(found)}")

    return _change(systems, email, Change.DEPUTY, change, by)


def remove(systems: Systems, email: str, by: Author) -> Staff:
    """End somebody's account at once; their decisions keep their name.

    Raises:
        Refused: they are the last administrator.
    """

    def change(session: Session, staff: Staff) -> None:
        admins = [one for one in session.exec(select(Staff)) if one.active and StaffRole.ADMINISTRATOR in one.held]
        if admins == [staff]:
            raise Refused("staff", "the last administrator stays; add another one first")
        staff.active, staff.password, staff.code_secret, staff.code_used = False, "", "", 0
        staff.sessions += 1
        session.exec(update(Staff).where(col(Staff.deputy_id) == staff.key).values(deputy_id=None))
        session.exec(delete(Claim).where(col(Claim.staff_id) == staff.key))

    return _change(systems, email, Change.REMOVED, change, by)


def reset(systems: Systems, email: str, by: Author) -> Joined:
    """Give somebody a new first password, end their sessions and lock, and let them set up codes anew."""
    word = first_password()
    password, expires = new_hash(word), systems.machine_clock.now() + FIRST_LASTS

    def change(_session: Session, staff: Staff) -> None:
        staff.password, staff.password_expires, staff.code_secret, staff.code_used = password, expires, "", 0
        staff.failures, staff.locked_until = 0, None
        staff.sessions += 1

    return Joined(_change(systems, email, Change.RESET, change, by), word)


def listing(session: Session, now: datetime) -> list[dict[str, Any]]:
    """Who works here, by name; ``now`` is business time."""
    found = list(session.exec(select(Staff).where(col(Staff.active)).order_by(col(Staff.name))))
    by_id = {one.key: one for one in found}
    return [_row(one, by_id, now) for one in found]


def _row(staff: Staff, by_id: Mapping[int, Staff], now: datetime) -> dict[str, Any]:
    instead = stands_in(staff, by_id, now)
    return {
        "id": staff.key,
        "email": staff.email,
        "name": staff.name,
        "roles": " ".join(role.lower() for role in staff.roles),
        "site": staff.site or "",
        "languages": " ".join(staff.languages),
        "hours": staff.hours,
        "leader": _email(by_id, staff.leader_id),
        "deputy": _email(by_id, staff.deputy_id),
        "absent": staff.absent(now),
        "absent_from": staff.absent_from.isoformat() if staff.absent_from else "",
        "absent_until": staff.absent_until.isoformat() if staff.absent_until else "",
        "stands_in": instead.email if instead is not None and instead is not staff else "",
        "state": "first password" if staff.password_expires else "",
    }


def _email(by_id: Mapping[int, Staff], staff_id: int | None) -> str:
    return by_id[staff_id].email if staff_id is not None and staff_id in by_id else ""


def note_change(session: Session, systems: Systems, staff: Staff, change: Change, by: Author) -> None:
    """Let the audit log say what was changed."""
    audit.note(
        session,
        by.entry(
            Action.STAFF_CHANGED,
            systems.clock.now(),
            subject=f"staff {staff.key} {change}",
            after={
                "roles": staff.roles,
                "site": staff.site,
                "leader": staff.leader_id,
                "deputy": staff.deputy_id,
                "absent": [at.isoformat() if at else None for at in (staff.absent_from, staff.absent_until)],
            },
        ),
    )


def _change(systems: Systems, email: str, change: Change, act: Callable[[Session, Staff], None], by: Author) -> Staff:
    with systems.store.write() as session:
        staff = _active(session, email)
        act(session, staff)
        note_change(session, systems, staff, change, by)
    return staff


def _active(session: Session, email: str) -> Staff:
    condition = Staff.email == address(email), col(Staff.active)
    found = session.exec(select(Staff).where(*condition).with_for_update()).first()
    if found is None:
        raise WrongUse("nobody on the staff has this e-mail; `layanan staff list` shows them")
    return found


def _fill(staff: Staff, new: NewStaff) -> None:
    staff.name, staff.active = new.name, True
    staff.roles, staff.languages = [role.name for role in new.roles], list(new.languages)
    staff.site, staff.hours = new.site, new.hours
    staff.absent_from = staff.absent_until = staff.locked_until = None
    staff.failures = 0
