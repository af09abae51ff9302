"""What a person reads above a form: the matter first, then the case's facts, at most eight short lines.

The Prefect UI renders it as markdown and clips it early; customer text is escaped and cut short.
"""

import re

from models.forms import Form
from tasks.case_run import CaseRun

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~-])")


def escaped(text: str, limit: int = 240) -> str:
    """A customer's words as harmless, short, one-line markdown."""
    line = " ".join(text.split())
    return _MARKDOWN.sub(r"\\\1", line[:limit]) + ("…" if len(line) > limit else "")


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
    lines.append(f"Dibuka / Opened: {row.opened_at.astimezone(zone):%d-%m-%Y %H:%M}")
    return "\n\n".join(lines)
