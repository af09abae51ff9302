"""What a person reads above a form: the matter first, then the case's facts, in few short lines.

The Prefect UI renders it as markdown; customer text is escaped and cut short.
"""

import re

from sqlmodel import Session, col, select

from models.forms import FORMS, SYSTEM, Form, TopicChoice
from models.states import NOT_THE_CUSTOMERS
from models.tables import Case, Decision, Message, TicketRow, Wake
from tasks.case_run import CaseRun
from tasks.family import family

LONG = 240
DECISIONS_SHOWN = 3
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def escaped(text: str, limit: int = LONG) -> str:
    """A customer's words as harmless, short, one-line markdown."""
    line = " ".join(text.split())
    return _PUNCTUATION.sub(r"\\\1", line[:limit]) + ("…" if len(line) > limit else "")


def _history(session: Session, case: CaseRun) -> list[str]:
    """What the systems said, the ticket as last seen, what people have decided last, and the customer's latest mail."""
    of_case = case.case_id
    tickets = select(TicketRow).where(TicketRow.case_id == of_case).order_by(col(TicketRow.status_since).desc())
    by_people = select(Decision).where(Decision.case_id == of_case, Decision.by != SYSTEM)
    mails = select(Message).where(
        col(Message.case_id).in_(family(session, of_case)), col(Message.outcome).not_in(NOT_THE_CUSTOMERS)
    )
    facts = []
    if because := case.last_output("receive_and_analyse").get("because"):
        facts.append(f"Analisa / Analysis: {escaped(because)}")
    found = case.last_output("handle_complaint").get("evidence", [])
    facts += [f"Diagnosa / Diagnosis: {escaped('; '.join(found))}"] if found else []
    if ticket := session.exec(tickets.limit(1)).first():
        state = ticket.status + (f" ({escaped(ticket.status_reason, 60)})" if ticket.status_reason else "")
        facts.append(f"Tiket / Ticket: {escaped(ticket.ticket_id, 40)} · {escaped(ticket.unit, 60)} · {state}")
    reports = select(Wake).where(Wake.case_id == of_case, Wake.kind == "unit", col(Wake.taken_at).is_(None))
    for report in session.exec(reports):
        said = " · ".join(str(value) for value in report.answers.values() if value)
        facts.append(f"Unit melapor / The unit reports: {escaped(said)}")
    for decision in reversed(session.exec(by_people.order_by(col(Decision.id).desc()).limit(DECISIONS_SHOWN)).all()):
        what = " · ".join(str(decision.answers[name]) for name in ("choice", "note") if decision.answers.get(name))
        facts.append(f"{decision.role} {escaped(decision.by, 60)}: {escaped(what or FORMS[decision.form].title)}")
    if mail := session.exec(mails.order_by(col(Message.id).desc()).limit(1)).first():
        at = mail.received_at.astimezone(case.systems.settings.zone_of(mail.mailbox))
        words = f"“{escaped(mail.new_text)}”" if mail.new_text else escaped("; ".join(mail.warnings) or "—")
        facts.append(f"Email terakhir / Latest mail, {at:%d-%m-%Y %H:%M}: {words}")
        facts += [f"⚠ {escaped(warning)}" for warning in mail.warnings if mail.new_text]
    return facts


def brief(case: CaseRun, form: type[Form], about: str) -> str:
    """The description of one wait."""
    with case.store.read() as session:
        row = session.exec(select(Case).where(Case.id == case.case_id)).one()
        history = _history(session, case)
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
    facts.append(f"Dibuka / Opened: {opened:%d-%m-%Y %H:%M %Z}")
    # the UI draws a list closer than paragraphs
    return "\n".join([f"{about}\n", *(f"- {fact}" for fact in [*facts, *history])])


def short(other: Case) -> str:
    """Another case in a line, for whoever compares."""
    topic = TopicChoice[other.topic] if other.topic else "—"
    return f"**{other.reference}** · {escaped(other.subject, 100)} · {topic} {escaped(other.service_number, 40)}"
