"""Figures of the service, in markdown. No customer is named."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from adapters.wiring import Systems
from models.letter import LetterKind
from models.sop import ACTIVITIES, REVISION
from models.tables import ActivityRecord, Case, Letter, Message, Outbox, Wait

DAYS = 30
INDONESIAN = {
    "opened": "kasus baru",
    "joined": "kasus lama",
    "automatic": "otomatis",
    "other_segment": "segmen lain",
    "duplicate": "ganda",
    "set_aside": "disisihkan",
    "open": "berjalan",
    "closed": "selesai",
    "cancelled": "dibatalkan",
    "complaint": "komplain",
    "information": "informasi",
    "other segment": "segmen lain",
    "thanks": "terima kasih",
    "not for us": "bukan untuk kami",
    "unanswered": "tidak dijawab",
    "queued": "antre",
    "sending": "sedang dikirim",
    "sent": "terkirim",
    "failed": "gagal",
}
"""Outcomes and states, as managers read them."""


def service_report(wired: Systems) -> str:
    """The report as it stands now.

    Raises:
        Unavailable: the case store does not answer.
    """
    now = wired.clock.now()
    with wired.store.read() as session:
        return "\n\n".join(
            [
                f"**{REVISION}** · {now.astimezone(wired.settings.zone):%d-%m-%Y %H:%M %Z}",
                _activities(session, now - timedelta(days=DAYS)),
                _response(session, now - timedelta(days=DAYS)),
                _counts(session, "Hasil email / Outcomes of mails", select(Message.outcome, func.count())),
                _counts(session, "Kasus / Cases", select(Case.status, func.count())),
                _counts(
                    session,
                    "Hasil kasus / Outcomes of ended cases",
                    select(Case.outcome, func.count()).where(Case.status != "open"),
                ),
                _counts(session, "Surat / Letters", select(Outbox.state, func.count())),
                _waits(session, wired),
            ]
        )


def _activities(session: Session, since: datetime) -> str:
    query = select(
        ActivityRecord.number, ActivityRecord.started_at, ActivityRecord.ended_at, ActivityRecord.tries
    ).where(
        ActivityRecord.state == "done", col(ActivityRecord.number).is_not(None), col(ActivityRecord.ended_at) >= since
    )
    count, seconds, retried = Counter[int](), Counter[int](), Counter[int]()
    # streamed: a month of a large centre does not fit in memory
    for number, started, ended, tries in session.execute(query.execution_options(yield_per=1000)):
        count[number] += 1
        seconds[number] += (ended - started).total_seconds()
        retried[number] += tries > 1
    lines = [
        f"### Aktivitas {DAYS} hari terakhir / Activities of the last {DAYS} days",
        "| no | aktivitas / activity | jumlah / count | rata-rata / mean | diulang / retried |",
        "|---|---|---|---|---|",
    ]
    for activity in ACTIVITIES:
        number = activity.number
        mean = f"{seconds[number] / count[number]:.1f} s" if count[number] else "—"
        lines.append(f"| {number} | {activity.label} | {count[number]} | {mean} | {retried[number]} |")
    return "\n".join(lines)


def _response(session: Session, since: datetime) -> str:
    """5.2: from a mail's arrival to its first response."""
    query = (
        select(Case.opened_at, Outbox.sent_at)
        .join(Letter, col(Letter.case_id) == Case.id)
        .join(Outbox)
        .where(Letter.kind == LetterKind.FIRST_RESPONSE, col(Outbox.sent_at).is_not(None), Case.opened_at >= since)
    )
    waited = [(sent - opened).total_seconds() for opened, sent in session.execute(query)]
    lines = ["### Respon awal / First response (5.2)", "| surat / letters | rata-rata / mean | terlama / longest |"]
    mean, longest = (f"{sum(waited) / len(waited):.0f} s", f"{max(waited):.0f} s") if waited else ("—", "—")
    return "\n".join([*lines, "|---|---|---|", f"| {len(waited)} | {mean} | {longest} |"])


def _counts(session: Session, title: str, query: Any) -> str:
    name = query.selected_columns[0]
    rows = session.execute(query.group_by(name).order_by(name)).all()
    lines = [f"### {title}", "| hasil / outcome | jumlah / count |", "|---|---|"]
    return "\n".join(lines + [f"| {_bilingual(code)} | {count} |" for code, count in rows])


def _bilingual(code: str) -> str:
    return f"{INDONESIAN[code]} / {code.replace('_', ' ')}" if code in INDONESIAN else code


def _waits(session: Session, wired: Systems) -> str:
    now = wired.clock.now()
    lines = ["### Menunggu / Waiting", "| untuk / for | kasus / cases | terlama / longest |", "|---|---|---|"]
    query = select(Wait.role, func.count(), func.min(Wait.since)).group_by(Wait.role).order_by(Wait.role)
    for role, count, since in session.execute(query).all():
        longest: timedelta = now - since
        lines.append(f"| {role} | {count} | {longest.total_seconds() / 3600:.1f} jam / h |")
    return "\n".join(lines)
