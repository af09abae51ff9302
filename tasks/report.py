"""Figures of the service over some days, in markdown. No customer is named.

Everything is counted by the data base: a month of a large centre does not fit in memory.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func
from sqlmodel import Session, col, select

from adapters.elapsed import Elapsed
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
    "merged": "digabung",
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
    "bounced": "memantul",
}
"""Outcomes and states, as managers read them."""


def service_report(wired: Systems, days: int = DAYS) -> str:
    """The report on the last ``days``, and on what waits now.

    Raises:
        Unavailable: the case store does not answer.
    """
    now = wired.clock.now()
    since, zone = now - timedelta(days=days), wired.settings.zone
    with wired.store.read() as session:
        return "\n\n".join(
            [
                f"**{REVISION}** · {now.astimezone(zone):%d-%m-%Y %H:%M %Z} · {days} hari terakhir / last {days} days",
                _activities(session, since),
                _response(session, since),
                _counts(session, "Email masuk / Mails received", Message.outcome, col(Message.received_at) >= since),
                _counts(session, "Kasus baru / Cases opened", Case.status, col(Case.opened_at) >= since),
                _counts(session, "Kasus berakhir / Cases ended", Case.outcome, col(Case.closed_at) >= since),
                _counts(session, "Surat / Letters", Outbox.state, col(Letter.written_at) >= since, Letter),
                _waits(session, now),
            ]
        )


def _activities(session: Session, since: datetime) -> str:
    retried = case((col(ActivityRecord.tries) > 1, 1), else_=0)
    query = (
        select(
            ActivityRecord.number,
            func.count(),
            func.avg(Elapsed(ActivityRecord.started_at, ActivityRecord.ended_at)),
            func.sum(retried),
        )
        .where(ActivityRecord.state == "done", col(ActivityRecord.ended_at) >= since)
        .group_by(col(ActivityRecord.number))
    )
    found = {number: figures for number, *figures in session.execute(query)}
    lines = [
        "### Aktivitas / Activities",
        "| no | aktivitas / activity | jumlah / count | rata-rata / mean | diulang / retried |",
        "|---|---|---|---|---|",
    ]
    for activity in ACTIVITIES:
        count, seconds, retries = found.get(activity.number, (0, None, 0))
        lines.append(f"| {activity.number} | {activity.label} | {count} | {_seconds(seconds, 1)} | {retries} |")
    return "\n".join(lines)


def _response(session: Session, since: datetime) -> str:
    """5.2: from a mail's arrival to its first response."""
    waited = Elapsed(Case.opened_at, Outbox.sent_at)
    query = (
        select(func.count(), func.avg(waited), func.max(waited))
        .select_from(Letter)
        .join(Case)
        .join(Outbox)
        .where(
            Letter.kind == LetterKind.FIRST_RESPONSE,
            col(Letter.written_at) >= since,
            col(Outbox.sent_at).is_not(None),
        )
    )
    count, mean, longest = session.execute(query).one()
    lines = ["### Respon awal / First response (5.2)", "| surat / letters | rata-rata / mean | terlama / longest |"]
    return "\n".join([*lines, "|---|---|---|", f"| {count} | {_seconds(mean)} | {_seconds(longest)} |"])


def _seconds(value: float | None, digits: int = 0) -> str:
    return "—" if value is None else f"{value:.{digits}f} s"


def _counts(session: Session, title: str, name: Any, which: ColumnElement[bool], *joined: Any) -> str:
    query = select(name, func.count()).where(which).group_by(name).order_by(name)
    for table in joined:
        query = query.join(table)
    lines = [f"### {title}", "| hasil / outcome | jumlah / count |", "|---|---|"]
    return "\n".join(lines + [f"| {_bilingual(code)} | {count} |" for code, count in session.execute(query)])


def _bilingual(code: str) -> str:
    return f"{INDONESIAN[code]} / {code.replace('_', ' ')}" if code in INDONESIAN else code


def _waits(session: Session, now: datetime) -> str:
    lines = [
        "### Menunggu sekarang / Waiting now",
        "| untuk / for | kasus / cases | terlama / longest |",
        "|---|---|---|",
    ]
    query = select(Wait.role, func.count(), func.min(Wait.since)).group_by(Wait.role).order_by(Wait.role)
    for role, count, since in session.execute(query):
        longest: timedelta = now - since
        lines.append(f"| {role} | {count} | {longest.total_seconds() / 3600:.1f} jam / h |")
    return "\n".join(lines)
