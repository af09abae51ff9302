"""What a person reads above a form: what to decide, then the case's facts, in a few short lines.

The Prefect UI renders it as markdown; customer text is escaped and cut short.

Held by `tests/tasks/run/test_waits.py`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from adapters.mail.authentication import METHODS
from adapters.mail.charset import TURNED
from models.facts import TicketStatus
from models.forms import FORMS
from models.forms.analysis import TopicChoice
from models.forms.base import SYSTEM, Form, choices_of
from models.forms.complaint import Escalation, HandlingStuck, SupervisorEscalation, UnitProgress
from models.forms.trouble import Unreachable
from models.mail import Automatic
from models.reasons import Why, said, warnings_said
from models.sop import label
from models.states import LOST, NOT_THE_CUSTOMERS, EscalationReason, SignalKind
from models.tables import Case, Deadline, Decision, Letter, Message, Outbox, TicketRow, Wait
from tasks.run import signals
from tasks.run.case_run import CaseRun
from tasks.run.family import family
from tasks.run.moments import doubt

LONG = 240
DECISIONS_SHOWN = 3
TICKET: dict[str, str] = {
    TicketStatus.SUBMITTED: "dikirim / submitted",
    TicketStatus.ACKNOWLEDGED: "diterima / acknowledged",
    TicketStatus.IN_PROGRESS: "sedang dikerjakan / being worked on",
    TicketStatus.PENDING: "menunggu / pending",
    TicketStatus.HELD: "ditahan / held",
    TicketStatus.RESOLVED: "selesai / resolved",
    TicketStatus.CLOSED: "ditutup / closed",
    TicketStatus.REJECTED: "ditolak / rejected",
    TicketStatus.CANCELLED: "dibatalkan / cancelled",
    TicketStatus.UNKNOWN: "status tidak dikenal / unknown status",
}
DUE = {"repair": "Batas perbaikan / Repair due", "answer": "Jawaban ditunggu sampai / Answer awaited until"}
"""Deadlines that people plan by."""
LATE: dict[EscalationReason, str] = {
    EscalationReason.OVERDUE: "Terlambat → {0} / Overdue, escalated",
    EscalationReason.REPAIR: "Perbaikan unit terlambat → {0} / The unit's repair is overdue, escalated",
}
"""First line of a form whose decision was escalated."""
ON_REPAIRS = {Escalation, SupervisorEscalation, HandlingStuck}
"""Forms on which a person decides about a repair, and must know since when it is late."""
TOLD = ("choice", "need", "topic", "service_number", "unit", "cause", "repair", "note")
"""Fields of an earlier form that the next person reads."""
_BY_PROGRAMS = col(Message.automatic).not_in(["", Automatic.BOUNCE, Automatic.DELAYED])
"""Mails such as out-of-office replies. Letters that did not arrive have a form of their own."""
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def escaped(text: str, limit: int = LONG) -> str:
    """A customer's words as harmless, short, one-line markdown."""
    line = " ".join(text.translate(TURNED).split())
    return _PUNCTUATION.sub(r"\\\1", line[:limit]) + ("…" if len(line) > limit else "")


def _history(session: Session, case: CaseRun, form: type[Form]) -> Iterator[str]:
    """What else is known about the case, in the order in which people read it."""
    known = session.get_one(Case, case.case_id)
    zone = case.systems.settings.zone_of(known.mailbox)
    yield from _findings(session, case, zone)
    yield from _times(session, known.key, form, zone)
    yield from _reports_and_decisions(session, known.key)
    yield from _mails(session, known, zone)


def _findings(session: Session, case: CaseRun, zone: ZoneInfo) -> Iterator[str]:
    """Why the case was opened, what the analysis and the systems said, and the ticket as last seen."""
    opening = select(Message.reasons).where(Message.case_id == case.case_id, Message.outcome == "opened")
    # such as: it names another customer's case, or follows a closed one
    reasons = session.exec(opening.order_by(col(Message.id)).limit(1)).first() or []
    if words := said(reason for reason in reasons if reason[0] != Why.NEW):
        yield f"Lama atau baru / Old or new: {escaped(words)}"
    if because := case.last_output("receive_and_analyse").get("because"):
        yield f"Analisa / Analysis: {escaped(because)}"
    if found := case.last_output("handle_complaint").get("evidence"):
        yield f"Diagnosa / Diagnosis: {escaped('; '.join(found))}"
    tickets = select(TicketRow).where(TicketRow.case_id == case.case_id).order_by(col(TicketRow.status_since).desc())
    if ticket := session.exec(tickets.limit(1)).first():
        state = TICKET.get(ticket.status, ticket.status)
        state += f" ({escaped(ticket.status_reason, 60)})" if ticket.status_reason else ""
        yield f"Tiket / Ticket: {escaped(ticket.ticket_id, 40)} · {escaped(ticket.unit, 60)} · {state}"
        if ticket.said_since is not None:
            known = session.get_one(Case, case.case_id)
            bounds = {"earliest": known.opened_at, "now": ticket.status_since}
            yield f"⚠ {doubt(ticket.said_by, ticket.said_since, **bounds, zone=zone)}"


def _times(session: Session, case_id: int, form: type[Form], zone: ZoneInfo) -> Iterator[str]:
    """What is due, and our latest letter."""
    dues = select(Deadline).where(Deadline.case_id == case_id, col(Deadline.kind).in_(DUE))
    latest = {deadline.kind: deadline for deadline in session.exec(dues.order_by(col(Deadline.id)))}
    for kind, deadline in latest.items():
        on_repairs = form in ON_REPAIRS or signals.is_pending(session, case_id, [SignalKind.REPAIR])
        late = kind == SignalKind.REPAIR and on_repairs
        if not deadline.over or late:
            yield "⚠ " * (late and deadline.over) + f"{DUE[kind]}: {_moment(deadline.due_at, zone)}"
    letters = select(Letter).where(Letter.case_id == case_id).order_by(col(Letter.id).desc())
    if letter := session.exec(letters.limit(1)).first():
        yield f"Surat terakhir / Latest letter, {_moment(letter.written_at, zone)}: {label(letter.kind)}"
    if form is not Unreachable:
        yield from _lost(session, case_id)


def _reports_and_decisions(session: Session, case_id: int) -> Iterator[str]:
    """Units' reports that nobody has read yet, and the latest decisions."""
    for report in session.exec(signals.pending(case_id, [SignalKind.UNIT])):
        yield f"Unit melapor / The unit reports: {_said(UnitProgress, report.answers)}"
    by_people = select(Decision).where(Decision.case_id == case_id, Decision.by != SYSTEM)
    for decision in reversed(session.exec(by_people.order_by(col(Decision.id).desc()).limit(DECISIONS_SHOWN)).all()):
        what = _said(FORMS[decision.form], decision.answers)
        yield f"{decision.role} {escaped(decision.by, 60)}: {what or FORMS[decision.form].title}"


def _mails(session: Session, case: Case, zone: ZoneInfo) -> Iterator[str]:
    """The customer's latest mail, and what a program has written since."""
    mails = select(Message).where(col(Message.case_id).in_(family(session, case.key)))
    mails = mails.order_by(col(Message.id).desc()).limit(1)
    mail = session.exec(mails.where(col(Message.outcome).not_in(NOT_THE_CUSTOMERS))).first()
    if mail is None:
        return
    warnings = warnings_said(mail.doubts.split(), mail.warnings, mail.authentication)
    words = f"“{escaped(mail.new_text)}”" if mail.new_text else escaped("; ".join(warnings) or "—")
    # a party's, or of a case that was merged into this one
    whose = "" if mail.sender == case.address else f" dari / from {escaped(mail.sender, 100)}"
    yield f"Email terakhir / Latest mail{whose}, {_moment(mail.came_at, zone)}: {words}"
    again = session.exec(mails.where(Message.outcome == "duplicate", col(Message.id) > mail.id)).first()
    if again is not None:
        yield f"⚠ Dikirim lagi oleh pelanggan / Sent again by the customer, {_moment(again.came_at, zone)}"
    if mail.attachments:
        carried = [f"{escaped(one['name'], 60)} ({max(one['size'] // 1000, 1)} kB)" for one in mail.attachments]
        yield f"Lampiran / Attachments: {', '.join(carried)}"
    yield from (f"⚠ {escaped(warning)}" for warning in warnings if mail.new_text)
    if checks := [f"{name.upper()} {mail.authentication[name]}" for name in METHODS if name in mail.authentication]:
        yield f"Menurut server email kita / Our mail server says: {', '.join(checks)}"
    if one := session.exec(mails.where(_BY_PROGRAMS, col(Message.id) > mail.id)).first():
        yield f"Email otomatis / Automatic mail, {_moment(one.came_at, zone)}: “{escaped(one.text)}”"


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%d-%m-%Y %H:%M}"


def _lost(session: Session, case_id: int) -> Iterator[str]:
    """Letters that did not arrive, and about which nobody has decided yet."""
    lost = (col(Letter.case_id).in_(family(session, case_id)), col(Outbox.state).in_(LOST), ~col(Outbox.handled))
    for letter, outbox in session.exec(select(Letter, Outbox).join(Outbox).where(*lost).order_by(col(Letter.id))):
        yield f"⚠ Surat tidak sampai / A letter did not arrive: {label(letter.kind)} → {escaped(outbox.error)}"


def _said(form: type[Form], answers: Mapping[str, Any]) -> str:
    """A form's answers in people's words, without the name, and without what a letter shows anyway."""
    given = {name: str(answers[name]) for name in TOLD if answers.get(name)}
    return " · ".join(choices_of(form, name).get(text) or escaped(text) for name, text in given.items())


def brief(case: CaseRun, form: type[Form], about: str, wait: Wait | None = None) -> str:
    """The description of one wait; if it is overdue, the first line says so."""
    with case.store.read() as session:
        row = session.exec(select(Case).where(Case.id == case.case_id)).one()
        history = list(_history(session, case, form))
    opened = row.opened_at.astimezone(case.systems.settings.zone_of(row.mailbox))
    with_tier = " · ".join(part for part in (row.segment, row.tier.replace("_", " ")) if part)
    facts = [
        f"**{row.reference}** · {form.title} · **{form.role}**",
        f"Pelanggan / Customer: {escaped(row.name or '—', 60)}" + (f" ({with_tier})" if with_tier else ""),
        f"Perihal / Subject: {escaped(row.subject, 100)}",
    ]
    if row.topic:
        number = f" · {escaped(row.service_number, 40)}" if row.service_number else ""
        facts.append(f"Topik / Topic: {TopicChoice(row.topic)}{number}")
    if row.language == "en":
        facts.append("Bahasa surat / Language of letters: **English**")
    facts.append(f"Dibuka / Opened: {opened:%d-%m-%Y %H:%M %Z}")
    if wait and wait.escalated_to:
        why = LATE[wait.escalated_for or EscalationReason.OVERDUE].format(wait.escalated_to)
        since = f"{wait.since.astimezone(case.systems.settings.zone_of(row.mailbox)):%d-%m-%Y %H:%M %Z}"
        about = f"⏰ **{why}** · sejak / since {since}\n\n{about}"
    # the UI draws a list closer than paragraphs
    return "\n".join([f"{about}\n", *(f"- {fact}" for fact in [*facts, *history])])


def short(other: Case) -> str:
    """Another case in one line, for a person who compares."""
    topic = TopicChoice[other.topic] if other.topic else "—"
    return f"**{other.reference}** · {escaped(other.subject, 100)} · {topic} {escaped(other.service_number, 40)}"
