"""Figures of the service, in markdown. No customer is named."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from adapters.wiring import Systems
from models.sop import ACTIVITIES, REVISION
from models.tables import ActivityRecord, Case, Message, Outbox, Wait

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
                _activities(session),
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


def _activities(session: Session) -> str:
    rows = session.exec(
        select(ActivityRecord.number, ActivityRecord.started_at, ActivityRecord.ended_at, ActivityRecord.tries).where(
            ActivityRecord.state == "done", col(ActivityRecord.number).is_not(None)
        )
    ).all()
    lines = [
        "### Aktivitas / Activities",
        "| no | aktivitas / activity | jumlah / count | rata-rata / mean | diulang / retried |",
        "|---|---|---|---|---|",
    ]
    for activity in ACTIVITIES:
        mine = [row for row in rows if row[0] == activity.number]
        seconds = sum((ended - started).total_seconds() for _, started, ended, _ in mine)
        mean = f"{seconds / len(mine):.1f} s" if mine else "—"
        retried = sum(1 for row in mine if row[3] > 1)
        lines.append(f"| {activity.number} | {activity.label} | {len(mine)} | {mean} | {retried} |")
    return "\n".join(lines)


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
