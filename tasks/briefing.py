"""What a person reads above a form: the matter first, then the case's facts, in few short lines.

The Prefect UI renders it as markdown; customer text is escaped and cut short.
"""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, col, select

from models.facts import TicketStatus
from models.forms import (
    FORMS,
    SYSTEM,
    Escalation,
    Form,
    HandlingStuck,
    SupervisorEscalation,
    TopicChoice,
    UnitProgress,
    is_choice,
)
from models.mail import Automatic
from models.sop import label
from models.states import NOT_THE_CUSTOMERS
from models.tables import Case, Deadline, Decision, Letter, Message, TicketRow, Wake
from tasks.case_run import CaseRun
from tasks.family import family

LONG = 240
DECISIONS_SHOWN = 3
TICKET: dict[str, str] = {
    TicketStatus.ACKNOWLEDGED: "diterima / acknowledged",
    TicketStatus.IN_PROGRESS: "sedang dikerjakan / being worked on",
    TicketStatus.PENDING: "menunggu / pending",
    TicketStatus.HELD: "ditahan / held",
    TicketStatus.RESOLVED: "selesai / resolved",
    TicketStatus.CLOSED: "ditutup / closed",
    TicketStatus.REJECTED: "ditolak / rejected",
    TicketStatus.CANCELLED: "dibatalkan / cancelled",
}
DUE = {"repair": "Batas perbaikan / Repair due", "answer": "Jawaban ditunggu sampai / Answer awaited until"}
"""Deadlines that people plan by, of those that a case may have."""
SIGNED = (
    "Tanda tangan DKIM domain pengirim sah; diperiksa di sini, server email kita tidak menilai / "
    "The sender's domain has signed it (DKIM); checked here, our mail server gave no verdict"
)
CHECKS = ("spf", "dkim", "dmarc", "arc")
"""Results of our own mail server (RFC 8601)."""
LATE = {Escalation, SupervisorEscalation, HandlingStuck}
TOLD = ("choice", "need", "topic", "service_number", "unit", "cause", "repair", "note")
"""Answers of an earlier form that the next person reads."""
_BY_PROGRAMS = or_(
    *(col(Message.reason).startswith(f"{kind}:") for kind in Automatic if kind not in {"bounce", "delayed"})
)
"""Such as that the customer is away. What did not arrive has a form of its own."""
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def escaped(text: str, limit: int = LONG) -> str:
    """A customer's words as harmless, short, one-line markdown."""
    line = " ".join(text.split())
    return _PUNCTUATION.sub(r"\\\1", line[:limit]) + ("…" if len(line) > limit else "")


def _history(session: Session, case: CaseRun, form: type[Form]) -> list[str]:
    """What the systems said, the ticket as last seen, what people have decided last, and the customer's latest mail."""
    of_case = case.case_id
    tickets = select(TicketRow).where(TicketRow.case_id == of_case).order_by(col(TicketRow.status_since).desc())
    by_people = select(Decision).where(Decision.case_id == of_case, Decision.by != SYSTEM)
    all_mails = select(Message).where(col(Message.case_id).in_(family(session, of_case)))
    all_mails = all_mails.order_by(col(Message.id).desc()).limit(1)
    mails = all_mails.where(col(Message.outcome).not_in(NOT_THE_CUSTOMERS))
    facts = []
    opening = select(Message.reason).where(Message.case_id == of_case, Message.outcome == "opened")
    # such as that it names a case of somebody else's, or follows one that is closed
    if (reason := session.exec(opening.order_by(col(Message.id)).limit(1)).first()) not in {None, "new"}:
        facts.append(f"Lama atau baru / Old or new: {escaped(str(reason))}")
    if because := case.last_output("receive_and_analyse").get("because"):
        facts.append(f"Analisa / Analysis: {escaped(because)}")
    found = case.last_output("handle_complaint").get("evidence", [])
    facts += [f"Diagnosa / Diagnosis: {escaped('; '.join(found))}"] if found else []
    if ticket := session.exec(tickets.limit(1)).first():
        state = TICKET.get(ticket.status, ticket.status) + (
            f" ({escaped(ticket.status_reason, 60)})" if ticket.status_reason else ""
        )
        facts.append(f"Tiket / Ticket: {escaped(ticket.ticket_id, 40)} · {escaped(ticket.unit, 60)} · {state}")
    known = session.get_one(Case, of_case)
    zone = case.systems.settings.zone_of(known.mailbox)
    dues = select(Deadline).where(Deadline.case_id == of_case, col(Deadline.kind).in_(DUE))
    latest = {deadline.kind: deadline for deadline in session.exec(dues.order_by(col(Deadline.id)))}
    for kind, deadline in latest.items():
        # who decides on a late repair wants to know since when it is late
        if not deadline.over or (kind == "repair" and form in LATE):
            facts.append(f"{DUE[kind]}: {deadline.due_at.astimezone(zone):%d-%m-%Y %H:%M}")
    letters = select(Letter).where(Letter.case_id == of_case).order_by(col(Letter.id).desc())
    if letter := session.exec(letters.limit(1)).first():
        facts.append(
            f"Surat terakhir / Latest letter, {letter.written_at.astimezone(zone):%d-%m-%Y %H:%M}: {label(letter.kind)}"
        )
    reports = select(Wake).where(Wake.case_id == of_case, Wake.kind == "unit", col(Wake.taken_at).is_(None))
    for report in session.exec(reports):
        facts.append(f"Unit melapor / The unit reports: {_said(UnitProgress, report.answers)}")
    for decision in reversed(session.exec(by_people.order_by(col(Decision.id).desc()).limit(DECISIONS_SHOWN)).all()):
        what = _said(FORMS[decision.form], decision.answers)
        facts.append(f"{decision.role} {escaped(decision.by, 60)}: {what or FORMS[decision.form].title}")
    if mail := session.exec(mails).first():
        at = mail.came_at.astimezone(zone)
        words = f"“{escaped(mail.new_text)}”" if mail.new_text else escaped("; ".join(mail.warnings) or "—")
        # a party's, or of a case that was merged into this one
        whose = "" if mail.sender == known.address else f" dari / from {escaped(mail.sender, 100)}"
        facts.append(f"Email terakhir / Latest mail{whose}, {at:%d-%m-%Y %H:%M}: {words}")
        carried = [f"{escaped(one['name'], 60)} ({max(one['size'] // 1000, 1)} kB)" for one in mail.attachments]
        facts += [f"Lampiran / Attachments: {', '.join(carried)}"] if carried else []
        facts += [f"⚠ {escaped(warning)}" for warning in mail.warnings if mail.new_text]
        checks = [f"{name.upper()} {mail.authentication[name]}" for name in CHECKS if name in mail.authentication]
        facts += [f"Menurut server email kita / Our mail server says: {', '.join(checks)}"] if checks else []
        facts += [SIGNED] if mail.authentication.get("dkim_here") == "pass" else []
        if one := session.exec(all_mails.where(_BY_PROGRAMS, col(Message.id) > mail.id)).first():
            at = one.came_at.astimezone(zone)
            facts.append(f"Email otomatis / Automatic mail, {at:%d-%m-%Y %H:%M}: “{escaped(one.text)}”")
    return facts


def _said(form: type[Form], answers: Mapping[str, Any]) -> str:
    """The answers of a form as people chose them; neither who gave them nor what a letter shows anyway."""
    said = []
    for name in TOLD:
        kind = form.model_fields[name].annotation if name in form.model_fields else None
        if answer := answers.get(name):
            said.append(str(kind[answer]) if is_choice(kind) and answer in kind.__members__ else escaped(str(answer)))
    return " · ".join(said)


def brief(case: CaseRun, form: type[Form], about: str) -> str:
    """The description of one wait."""
    with case.store.read() as session:
        row = session.exec(select(Case).where(Case.id == case.case_id)).one()
        history = _history(session, case, form)
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
    # the UI draws a list closer than paragraphs
    return "\n".join([f"{about}\n", *(f"- {fact}" for fact in [*facts, *history])])


def short(other: Case) -> str:
    """Another case in a line, for whoever compares."""
    topic = TopicChoice[other.topic] if other.topic else "—"
    return f"**{other.reference}** · {escaped(other.subject, 100)} · {topic} {escaped(other.service_number, 40)}"
