"""Times of past events as other systems report them, bounded so that no letter tells of the future.

A system that sends its local time as UTC is hours ahead. A ticket cannot have changed before it existed.
"""

from datetime import datetime, timedelta, tzinfo
from typing import Any

from models.facts import Ticket

SKEW = timedelta(minutes=2)
"""Difference between clocks that is not reported."""


def believed(said: datetime | None, *, earliest: datetime, now: datetime) -> tuple[datetime, datetime | None]:
    """The time to use, and the reported time if that is impossible.

    If no time was reported, or an impossible one, it is ``now``, the time at which we learn of the event.
    """
    if said is None or not earliest - SKEW <= said <= now + SKEW:
        return now, said
    return min(max(said, earliest), now), None


def ticket_times(ticket: Ticket, system: str, *, opened_at: datetime, now: datetime) -> dict[str, Any]:
    """Columns of the ticket's row: since when it has its status, and what ``system`` reported if that is impossible."""
    earliest = max(opened_at, min(ticket.created_at or opened_at, now))
    since, nonsense = believed(ticket.changed_at, earliest=earliest, now=now)
    return {"status_since": since, "said_since": nonsense, "said_by": system if nonsense else ""}


def doubt(system: str, said: datetime, *, earliest: datetime, now: datetime, zone: tzinfo) -> str:
    """What people read about an impossible time."""
    at = f"{said.astimezone(zone):%d-%m-%Y %H:%M}"
    hours, minutes = divmod(round((said - now if said > now else earliest - said) / timedelta(minutes=1)), 60)
    parts = {"jam": ("h", hours), "menit": ("min", minutes)}
    span_id = " ".join(f"{count} {unit}" for unit, (_, count) in parts.items() if count)
    span_en = " ".join(f"{count} {unit}" for unit, count in parts.values() if count)
    where_id, where_en = (
        ("di masa depan", "in the future") if said > now else ("sebelum kasus ini ada", "before this case")
    )
    return (
        f"{system} menyebut {at}, {span_id} {where_id}: jam atau zona waktu {system} salah / "
        f"{system} says {at}, {span_en} {where_en}: its clock or time zone is wrong"
    )
