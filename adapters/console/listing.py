"""Reads the case store for the command line, as plain data for JSON. Times are ISO 8601, UTC."""

import re
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from models.audit import AuditRow, AuditSalt
from models.errors import UnknownCase, WrongUse
from models.reasons import doubts_said, warnings_said
from models.tables import (
    ActivityRecord,
    Bounce,
    Case,
    Deadline,
    Decision,
    Letter,
    Message,
    Outbox,
    Signal,
    TicketRow,
    Wait,
)

View = dict[str, Any]
BODIES = {"text", "new_text"}
HOUR = timedelta(hours=1)
KEYS = {"sender_key", "recipient_key"}
"""Columns that serve queries only."""


def case_named(session: Session, name: str) -> Case:
    """The case with this reference (``JKT-0000001``) or number.

    Raises:
        UnknownCase: there is no such case.
    """
    match = re.fullmatch(r"(?:([A-Z]+)-)?([0-9]{1,9})", name.strip().upper())
    case = session.get(Case, int(match[2])) if match else None
    if case is None or match is None or match[1] not in (None, case.site):
        raise UnknownCase(f"there is no case {name!r}; `layanan cases` lists them")
    return case


def cases(session: Session, status: str | None = None, limit: int = 0) -> list[View]:
    """All cases, or those with a status, or the ``limit`` newest of them; oldest first."""
    query = select(Case, Wait).join(Wait, isouter=True)
    rows = _newest(session, query, Case.id, {Case.status: status}, limit)
    return [_case(case) | {"waits_for": wait.role if wait else None} for case, wait in rows]


def case(session: Session, name: str, *, bodies: bool = False) -> View:
    """One case with all that belongs to it; ``path`` is the numbers of its activities, in the order they were done.

    Raises:
        UnknownCase: there is no such case.
    """
    found = case_named(session, name)

    def of(table: Any, order: Any) -> list[Any]:
        return list(session.exec(select(table).where(table.case_id == found.id).order_by(order)))

    records: list[ActivityRecord] = of(ActivityRecord, ActivityRecord.id)
    waits: list[Wait] = of(Wait, Wait.case_id)
    signals: list[Signal] = of(Signal, Signal.id)
    return _case(found) | {
        "path": [record.number for record in records if record.number is not None and record.state == "done"],
        "wait": _dump(waits[0]) if waits else None,
        "messages": [_mail(mail, set() if bodies else BODIES) for mail in of(Message, Message.id)],
        "activities": [_activity(record) for record in records],
        "letters": [
            _letter(*row)
            for row in session.exec(_letters().where(col(Letter.case_id) == found.id).order_by(col(Letter.id)))
        ],
        "bounces": [
            _dump(bounce) for bounce in session.exec(select(Bounce).join(Letter).where(Letter.case_id == found.id))
        ],
        "decisions": [_dump(decision) for decision in of(Decision, Decision.id)],
        "tickets": [_dump(ticket) for ticket in of(TicketRow, TicketRow.external_id)],
        "deadlines": [_dump(deadline) | {"awaited": not deadline.over} for deadline in of(Deadline, Deadline.due_at)],
        "pending_signals": [_dump(one, {"taken_at", "taken_by"}) for one in signals if one.taken_at is None],
    }


def waiting(session: Session, now: datetime) -> list[View]:
    """Open cases that wait, those that wait longest first; ``age_hours`` is calendar time."""
    rows = session.exec(select(Case, Wait).join(Wait).where(Case.status == "open").order_by(col(Wait.since)))
    return [
        {"reference": case.reference, "run_id": case.run_id, "age_hours": round((now - wait.since) / HOUR, 1)}
        | _dump(wait, {"shown_to", "about"})
        for case, wait in rows
    ]


def mails(session: Session, outcome: str | None = None, limit: int = 0) -> list[View]:
    """All mails without their texts, or those with an outcome, or the ``limit`` newest of them; oldest first."""
    # texts are long: they are not loaded
    query = select(Message, Case).join(Case, isouter=True).options(*(defer(getattr(Message, name)) for name in BODIES))
    rows = _newest(session, query, Message.id, {Message.outcome: outcome}, limit)
    return [_mail(mail, BODIES) | {"case": case.reference if case else None} for mail, case in rows]


def mail(session: Session, number: int) -> View:
    """One mail, with its text.

    Raises:
        WrongUse: it does not exist.
    """
    found = session.get(Message, number)
    if found is None:
        raise WrongUse(f"there is no mail {number}; `layanan mails` lists them")
    case = session.get(Case, found.case_id) if found.case_id else None
    return _mail(found) | {"case": case.reference if case else None}


def letters(session: Session, state: str | None = None, limit: int = 0) -> list[View]:
    """All letters with their state, or those in a state, or the ``limit`` newest of them; oldest first."""
    return [_letter(*row) for row in _newest(session, _letters(), Letter.id, {Outbox.state: state}, limit)]


def letter(session: Session, number: int) -> View:
    """One letter.

    Raises:
        WrongUse: it does not exist.
    """
    found = session.exec(_letters().where(col(Letter.id) == number)).first()
    if found is None:
        raise WrongUse(f"there is no letter {number}; `layanan letters` lists them")
    return _letter(*found)


def audit(session: Session, reference: str | None, actor: str | None, since: str, limit: int) -> list[View]:
    """The audit log's rows, or those of a case, of an actor, or since a moment; oldest first.

    ``salt`` is None where an erasure has deleted it, or where the row has no hashes of contents.
    """
    query = select(AuditRow, AuditSalt).join(AuditSalt, col(AuditSalt.number) == col(AuditRow.number), isouter=True)
    wanted = {AuditRow.reference: reference, AuditRow.actor: actor}
    rows = _newest(session, query.where(AuditRow.at >= since), AuditRow.number, wanted, limit)
    return [_dump(row) | {"salt": salt.salt if salt else None} for row, salt in rows]


def _letters() -> Any:
    query: Select[Any] = select(Letter, Outbox, Case).join(Outbox).join(Case)
    return query


def _newest(session: Session, query: Any, key: Any, where: dict[Any, str | None], limit: int) -> list[Any]:
    """The newest rows in the order of their key. A value of None and a limit of 0 mean no filter."""
    wanted = query.where(*(column == value for column, value in where.items() if value is not None)).order_by(
        col(key).desc()
    )
    return list(session.exec(wanted.limit(limit or None)))[::-1]


def _case(case: Case) -> View:
    return {"reference": case.reference} | _dump(case) | {"sender_doubt": doubts_said(case.sender_doubt.split())}


def _mail(message: Message, exclude: set[str] | None = None) -> View:
    """A mail, with the reasons for its outcome and its warnings in words."""
    warnings = warnings_said(message.doubts.split(), message.warnings, message.authentication)
    return _dump(message, exclude) | {"reason": message.reason, "warnings": warnings}


def _activity(record: ActivityRecord) -> View:
    problem = record.output.get("error") or record.output.get("problem", "") if record.state != "done" else ""
    return _dump(record, {"case_id"}) | {"problem": problem}


def _letter(letter: Letter, outbox: Outbox, case: Case) -> View:
    return _dump(letter) | _dump(outbox, {"letter_id", "not_before"}) | {"case": case.reference}


def _dump(row: Any, exclude: set[str] | None = None) -> View:
    # a loaded row contains an enum's value, about which pydantic would warn
    view: View = row.model_dump(mode="json", exclude=KEYS | (exclude or set()), warnings=False)
    # SQLModel keeps the order in which the columns were loaded
    return {name: view[name] for name in sorted(type(row).model_fields, key="id".__ne__) if name in view}
