"""What a person reads above a form: the matter first, then the case's facts, at most eight short lines.

The Prefect UI renders it as markdown and clips it early; customer text is escaped and cut short.
"""

import re

from sqlmodel import col, select

from models.forms import Form
from models.tables import Message
from tasks.case_run import CaseRun

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~-])")


def escaped(text: str, limit: int = 240) -> str:
    """A customer's words as harmless, short, one-line markdown."""
    line = " ".join(text.split())
    return _MARKDOWN.sub(r"\\\1", line[:limit]) + ("…" if len(line) > limit else "")


def _latest_mail(case: CaseRun) -> str:
    with case.store.read() as session:
        query = (
            select(Message.new_text).where(Message.case_id == case.case_id).order_by(col(Message.id).desc()).limit(1)
        )
        return session.exec(query).first() or ""


def brief(case: CaseRun, form: type[Form], about: str) -> str:
    """The description of one wait."""
    row = case.snapshot()
    zone = case.systems.settings.zone
    with_tier = " · ".join(part for part in (row.segment, row.tier) if part)
    lines = [
        about,
        f"**{row.reference}** · {form.title} · {form.role}",
        f"Pelanggan / Customer: {escaped(row.name or '—', 60)}" + (f" ({with_tier})" if with_tier else ""),
        f"Perihal / Subject: {escaped(row.subject, 100)}",
    ]
    if row.topic:
        number = f" · {row.service_number}" if row.service_number else ""
        lines.append(f"Topik / Topic: {row.topic.replace('_', ' ')}{number}")
    if mail := _latest_mail(case):
        lines.append(f"Email terakhir / Latest mail: {escaped(mail)}")
    lines.append(f"Dibuka / Opened: {row.opened_at.astimezone(zone):%d-%m-%Y %H:%M}")
    return "\n\n".join(lines)
