"""What a person reads above a form: the matter first, then the case's facts, in few short lines.

The Prefect UI renders it as markdown; customer text is escaped and cut short.
"""

import re

from sqlmodel import col, select

from models.forms import Form, TopicChoice
from models.tables import Message
from tasks.case_run import CaseRun

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def escaped(text: str, limit: int = 240) -> str:
    """A customer's words as harmless, short, one-line markdown."""
    line = " ".join(text.split())
    return _PUNCTUATION.sub(r"\\\1", line[:limit]) + ("…" if len(line) > limit else "")


def _latest_mail(case: CaseRun) -> str:
    with case.store.read() as session:
        query = (
            select(Message.new_text).where(Message.case_id == case.case_id).order_by(col(Message.id).desc()).limit(1)
        )
        return session.exec(query).first() or ""


def brief(case: CaseRun, form: type[Form], about: str) -> str:
    """The description of one wait."""
    row = case.snapshot()
    opened = row.opened_at.astimezone(case.systems.settings.zone)
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
    if mail := _latest_mail(case):
        facts.append(f"Email terakhir / Latest mail: “{escaped(mail)}”")
    # the UI draws a list closer than paragraphs
    return "\n".join([f"{about}\n", *(f"- {fact}" for fact in facts)])
