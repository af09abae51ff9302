"""The queue: what waits for whom, the most urgent first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import String, and_, cast, func, or_
from sqlalchemy.orm import aliased, load_only
from sqlmodel import col, select

from adapters.wiring import Systems
from models.forms import FORMS
from models.forms.analysis import TopicChoice
from models.rights import DECIDES, refusal
from models.sop import DECIDE, Role
from models.staff import Claim, Staff
from models.tables import Case, Decision, Message, TicketRow, Wait
from tasks.desk.claims import live
from tasks.run.authors import matter

PAGE = 50
_CLAIMER, _KEEPER = aliased(Staff), aliased(Staff)
_SHOWN: Any = (Wait.form, Wait.role, Wait.escalated_to, Wait.since, Wait.due_at)
_OF_CASE: Any = (Case.site, Case.name, Case.address, Case.subject, Case.topic, Case.service_number, Case.tier)
SOON = timedelta(minutes=30)
"""A decision that is due within this is shown as urgent."""


class Whose(StrEnum):
    """Which waits a queue shows; the value is what people read."""

    MINE = "Untuk saya / For me"
    TEAM = "Tim saya / My team"
    ALL = "Semua / All"


class Due(StrEnum):
    """How urgent a wait is, in words beside the colour."""

    LATE = "Terlambat / Late"
    SOON = "Segera / Soon"
    LATER = "Nanti / Later"
    NONE = "Tanpa batas / No deadline"


@dataclass(frozen=True)
class Row:
    """A case that waits."""

    case_id: int
    reference: str
    customer: str
    matter: str
    """Its topic, or the mail's subject where there is none yet."""
    service_number: str
    asked: str
    """The form's title."""
    role: str
    since: datetime
    due_at: datetime | None
    due: Due
    tier: str
    site: str
    holder: str
    """Who has claimed it, else who decided last in it; empty: nobody."""
    claimed: bool


@dataclass(frozen=True)
class Queue:
    """A page of the queue, and how many waits there are in all."""

    rows: Sequence[Row]
    total: int


def queue(systems: Systems, staff: Staff, whose: Whose, search: str = "", page: int = 1) -> Queue:
    """The waits that this person sees, those due first on top."""
    now = systems.clock.now()
    # who has decided last in a case keeps it
    earlier = aliased(Decision)
    signed = (col(earlier.case_id) == Case.id, col(earlier.staff_id).is_not(None))
    last = select(func.max(earlier.id)).where(*signed).correlate(Case).scalar_subquery()
    query = (
        select(Wait, Case, _CLAIMER.name, _KEEPER.name, func.count().over())  # type: ignore[call-overload]
        .join(Case, col(Case.id) == col(Wait.case_id))
        .join(Claim, live(systems), isouter=True)
        .join(_CLAIMER, col(_CLAIMER.id) == col(Claim.staff_id), isouter=True)
        .join(Decision, col(Decision.id) == last, isouter=True)
        .join(_KEEPER, col(_KEEPER.id) == col(Decision.staff_id), isouter=True)
        .where(Case.status == "open", Wait.given_how == "", *_whose(staff, whose, now))
        .order_by(col(Wait.due_at).is_(None), col(Wait.due_at), col(Wait.since))
        .limit(PAGE)
        .offset(PAGE * (max(page, 1) - 1))
        # the long columns of thousands of rows would be sorted with them
        .options(load_only(*_SHOWN), load_only(*_OF_CASE))
    )
    if search.strip():
        query = query.where(_found(search.strip()))
    with systems.store.read() as session:
        found = session.exec(query).all()
    rows = [_row(wait, case, claimed, kept, now) for wait, case, claimed, kept, _ in found]
    return Queue(rows, found[0][-1] if found else 0)


def next_for(systems: Systems, staff: Staff, but: int | None = None) -> int | None:
    """The most urgent case that this person may decide and no colleague has claimed; None where there is none."""
    rows = [row for row in queue(systems, staff, Whose.MINE).rows if row.case_id != but]
    with systems.store.read() as session:
        for row in rows:
            case, wait = session.get(Case, row.case_id), session.get(Wait, row.case_id)
            if case and wait and refusal(staff, matter(session, case, wait)) is None:
                return row.case_id
    return None


def _whose(staff: Staff, whose: Whose, now: datetime) -> Iterator[Any]:
    """Of all waits, those of this person's site, and those that they, or their team, have or may take."""
    if staff.site:
        yield Case.site == staff.site
    nobodys = col(_KEEPER.id).is_(None)
    if whose is not Whose.ALL:
        # what customers and units answer themselves stands in the whole list
        roles = [role for role in DECIDE if staff.held & DECIDES[role]]
        yield or_(col(Wait.role).in_(roles), col(Wait.escalated_to).in_(roles))
    if whose is Whose.MINE:
        yield or_(col(_CLAIMER.id).is_(None), col(_CLAIMER.id) == staff.id)
        # while somebody is away, their deputy has what they keep
        deputys = and_(col(_KEEPER.deputy_id) == staff.id, _absent(_KEEPER, now))
        yield or_(nobodys, col(_KEEPER.id) == staff.id, deputys, _asked_above(staff))
    elif whose is Whose.TEAM:
        kept = and_(col(_CLAIMER.id).is_(None), or_(nobodys, col(_KEEPER.leader_id) == staff.id))
        yield or_(kept, col(_CLAIMER.leader_id) == staff.id)


def _asked_above(staff: Staff) -> Any:
    """What was handed up is for each who leads, whoever had it before."""
    roles = [role for role in DECIDE if role is not Role.AGENT and staff.held & DECIDES[role]]
    return or_(col(Wait.role).in_(roles), col(Wait.escalated_to).in_(roles))


def _absent(person: Any, now: datetime) -> Any:
    return and_(person.absent_from <= now, or_(person.absent_until.is_(None), person.absent_until > now))


def _found(words: str) -> Any:
    """Cases by customer, address, service number, reference, ticket, or words of their mails."""
    like = f"%{words.replace('%', '').replace('_', '')}%"
    mails = select(Message.case_id).where(or_(col(Message.subject).ilike(like), col(Message.new_text).ilike(like)))
    tickets = select(TicketRow.case_id).where(col(TicketRow.ticket_id).ilike(like))
    number = words.rpartition("-")[2].lstrip("0")
    columns = (Case.name, Case.address, Case.subject, Case.service_number)
    return or_(
        *(col(column).ilike(like) for column in columns),
        cast(col(Case.id), String) == number,
        col(Case.id).in_(mails),
        col(Case.id).in_(tickets),
    )


def _row(wait: Wait, case: Case, claimed: str | None, kept: str | None, now: datetime) -> Row:
    return Row(
        case_id=case.key,
        reference=case.reference,
        customer=case.name or case.address,
        matter=str(TopicChoice(case.topic)) if case.topic else case.subject,
        service_number=case.service_number,
        asked=FORMS[wait.form].title,
        role=wait.escalated_to or wait.role,
        since=wait.since,
        due_at=wait.due_at,
        due=due(wait.due_at, now),
        tier=case.tier.replace("_", " "),
        site=case.site,
        holder=claimed or kept or "",
        claimed=claimed is not None,
    )


def due(at: datetime | None, now: datetime) -> Due:
    """How urgent that moment is."""
    if at is None:
        return Due.NONE
    if at <= now:
        return Due.LATE
    return Due.SOON if at - now <= SOON else Due.LATER
