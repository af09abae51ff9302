"""Figures of the service over some days, in markdown. No customer is named.

The database counts everything, because a month of a large centre does not fit in memory.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Subquery, case, false, func, literal
from sqlmodel import Session, col, select

from adapters.case_store.elapsed import Elapsed
from adapters.wiring import Systems
from models.forms.analysis import ConfirmSender
from models.letter import LetterKind
from models.need import Path
from models.sop import ACTIVITIES, REVISION
from models.states import LOST, EscalationReason
from models.tables import UTC_TIME, ActivityRecord, Case, Decision, FirstPoll, Letter, Message, Outbox, Wait
from tasks.first_response import first_response
from tasks.run.clocks import overdue_decisions

DAYS = 30
PERCENTILES = (50, 90, 99)
MAIL = ("baru / new", "lama, dari start pertama / old, of the first start")
INDONESIAN = {
    "opened": "kasus baru",
    "joined": "kasus lama",
    "automatic": "otomatis",
    "other_segment": "segmen lain",
    "duplicate": "ganda",
    "quarantined": "dikarantina",
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
"""Outcomes and states in Indonesian."""

FIRST_RESPONSES = (LetterKind.FIRST_RESPONSE, LetterKind.OTHER_SEGMENT)
"""Letters that intake writes; the second where a segment desk serves the customer (SOP W-89)."""


def service_report(systems: Systems, days: int = DAYS) -> str:
    """The report on the last ``days``, and on the waits of now.

    Raises:
        Unavailable: the case store does not answer.
    """
    now = systems.clock.now()
    since, zone = now - timedelta(days=days), systems.settings.zone
    overdue = Counter(wait.role for _, wait in overdue_decisions(systems))
    with systems.store.read() as session:
        return "\n\n".join(
            [
                f"**{REVISION}** · {now.astimezone(zone):%d-%m-%Y %H:%M %Z} · {days} hari terakhir / last {days} days",
                _activities(session, since),
                _response(session, since, now, timedelta(hours=systems.settings.policy.first_response_hours)),
                _counts(session, "Email masuk / Mails received", Message.outcome, col(Message.received_at) >= since),
                _counts(session, "Kasus baru / Cases opened", Case.status, col(Case.opened_at) >= since),
                _counts(session, "Kasus berakhir / Cases ended", Case.outcome, col(Case.closed_at) >= since),
                _counts(session, "Surat / Letters", Outbox.state, col(Letter.written_at) >= since, Letter),
                _waits(session, now, overdue),
            ]
        )


def _activities(session: Session, since: datetime) -> str:
    """All attempts count: a mean over the successful ones only would be too good."""
    columns: list[Any] = [
        ActivityRecord.number,
        *(_number_where(col(ActivityRecord.state) == state) for state in ("done", "failed")),
        func.avg(Elapsed(ActivityRecord.started_at, ActivityRecord.ended_at)),
        _number_where(col(ActivityRecord.tries) > 1),
    ]
    query = (
        select(*columns)
        .where(col(ActivityRecord.state).in_(("done", "failed")), col(ActivityRecord.ended_at) >= since)
        .group_by(col(ActivityRecord.number))
    )
    found = {number: figures for number, *figures in session.execute(query)}
    lines = [
        "### Aktivitas / Activities",
        "| no | aktivitas / activity | selesai / done | gagal / failed | rata-rata / mean | diulang / retried |",
        "|---|---|---|---|---|---|",
    ]
    for activity in ACTIVITIES:
        well, failed, seconds, retries = found.get(activity.number, (0, 0, None, 0))
        mean = "—" if seconds is None else f"{seconds:.1f} s"
        lines.append(f"| {activity.number} | {activity.label} | {well} | {failed} | {mean} | {retries} |")
    return "\n".join(lines)


def _number_where(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _response(session: Session, since: datetime, now: datetime, target: timedelta) -> str:
    """SOP 5.2: from a mail's arrival to the first letter that, as far as we know, reached the customer.

    A customer without a letter counts with the time so far, or until the case ended: a mean over answered customers
    only would improve while the others wait.
    """
    waits = _waits_for_response(since, now)
    seconds, answered = waits.c.seconds, waits.c.answered
    in_time = seconds <= target.total_seconds()
    due = answered | ~in_time
    counted = (answered, waits.c.waiting, in_time & answered, due)
    figures: list[Any] = [waits.c.old, func.count(), *map(_number_where, counted), func.avg(seconds)]
    ranks = _ranks(session, seconds, waits.c.old)
    hours = f"{target / timedelta(hours=1):g}"
    lines = [
        "### Respon awal / First response (5.2)",
        "Yang belum dijawab ikut dihitung dengan waktu tunggunya sampai sekarang; tepat waktu: dari yang dijawab atau "
        f"sudah lewat {hours} jam. / Customers without an answer count with their time so far; in time: of those "
        f"answered or over {hours} h.",
        "",
        "| email / mail | kasus / cases | dijawab / answered | menunggu / waiting | tidak pernah / never "
        f"| ≤ {hours} jam / h | rata-rata / mean | p50 | p90 | p99 | terlama / longest |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for old, cases, got, waiting, quick, owed, mean in session.execute(
        select(*figures).group_by(waits.c.old).order_by(waits.c.old)
    ):
        share = f"{quick / owed:.0%}" if owed else "—"
        cells = (MAIL[old], cases, got, waiting, cases - got - waiting, share, *map(_span, (mean, *ranks[old])))
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _waits_for_response(since: datetime, now: datetime) -> Subquery:
    """Each case that waited for a response within the period: how long, and how the wait ended."""
    sent = (
        select(func.min(Outbox.sent_at))
        .join(Letter)
        .where(Letter.case_id == Case.id, Letter.kind != LetterKind.TO_DESK, col(Outbox.state).not_in(LOST))
        .scalar_subquery()
    )
    tried = (ActivityRecord.case_id == Case.id, ActivityRecord.name == first_response.name)
    letter = select(Letter.id).where(Letter.case_id == ActivityRecord.case_id, col(Letter.kind).in_(FIRST_RESPONSES))
    by_hand = (
        select(func.min(ActivityRecord.ended_at))
        .where(*tried, ActivityRecord.state == "done", ~letter.exists())
        .scalar_subquery()
    )
    first_start = select(FirstPoll.seen_at).where(FirstPoll.mailbox == func.lower(Case.mailbox)).scalar_subquery()
    old = func.coalesce(col(Case.opened_at) < first_start, false())
    asked = select(Decision.id).where(Decision.case_id == Case.id, Decision.form == ConfirmSender.__name__)
    owed = select(ActivityRecord.id).where(*tried).exists() | (col(Case.sender_doubt) != "") | asked.exists()
    got = func.coalesce(sent, by_hand, type_=UTC_TIME)
    dropped = col(Case.status).in_(("merged", "cancelled")) | (col(Case.outcome) == Path.NOT_FOR_US.value)
    columns: list[Any] = [Case.opened_at, Case.status, Case.closed_at, got.label("got"), old.label("old")]
    cases = (
        select(*columns)
        .where(col(Case.opened_at) <= now, owed, got.is_not(None) | ~dropped)
        # leaves out early the cases that ended before the period
        .where((col(Case.closed_at) >= since) | col(Case.closed_at).is_(None) | (col(Case.opened_at) >= since))
        .subquery()
    ).c
    end = func.coalesce(cases.got, cases.closed_at, literal(now, UTC_TIME), type_=UTC_TIME)
    return (
        select(
            func.round(Elapsed(cases.opened_at, end)).label("seconds"),
            cases.got.is_not(None).label("answered"),
            (cases.got.is_(None) & (cases.status == "open")).label("waiting"),
            cases.old,
        )
        .where(end >= since)
        .subquery()
    )


def _ranks(session: Session, value: ColumnElement[float], group: Any) -> dict[Any, list[float]]:
    """The percentiles by nearest rank, and the largest value, of each group."""
    place = func.row_number().over(partition_by=group, order_by=value)
    ordered = select(
        group.label("of"),
        value.label("value"),
        place.label("place"),
        func.count().over(partition_by=group).label("all"),
    ).subquery()
    # rounded up
    wanted = [(ordered.c.all * percent + 99) // 100 for percent in (*PERCENTILES, 100)]
    at_rank: dict[Any, dict[int, float]] = defaultdict(dict)
    ranks: dict[Any, list[int]] = {}
    for of, seconds, at, *places in session.execute(select(*ordered.c[:3], *wanted).where(ordered.c.place.in_(wanted))):
        at_rank[of][at] = seconds
        ranks[of] = places
    return {of: [at_rank[of][place] for place in places] for of, places in ranks.items()}


def _span(seconds: float) -> str:
    """Hours, minutes and seconds; the same in both languages."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _counts(session: Session, title: str, name: Any, which: ColumnElement[bool], *joined: Any) -> str:
    query = select(name, func.count()).where(which).group_by(name).order_by(name)
    for table in joined:
        query = query.join(table)
    lines = [f"### {title}", "| hasil / outcome | jumlah / count |", "|---|---|"]
    return "\n".join(lines + [f"| {_bilingual(code)} | {count} |" for code, count in session.execute(query)])


def _bilingual(code: str) -> str:
    return f"{INDONESIAN[code]} / {code.replace('_', ' ')}" if code in INDONESIAN else code


def _waits(session: Session, now: datetime, overdue: Mapping[str, int]) -> str:
    lines = [
        "### Menunggu sekarang / Waiting now",
        "| untuk / for | kasus / cases | terlambat / overdue | dieskalasi / escalated "
        "| perbaikan terlambat / repair overdue | median | terlama / longest |",
        "|---|---|---|---|---|---|---|",
    ]
    lasted = Elapsed(Wait.since, literal(now, UTC_TIME))
    ranks = _ranks(session, lasted, col(Wait.role))
    raised = [_number_where(col(Wait.escalated_for) == reason) for reason in EscalationReason]
    query = select(Wait.role, func.count(), *raised).group_by(Wait.role).order_by(Wait.role)
    for role, count, late, repair in session.execute(query):
        median, longest = _span(ranks[role][0]), _span(ranks[role][-1])
        lines.append(f"| {role} | {count} | {overdue.get(role, 0)} | {late} | {repair} | {median} | {longest} |")
    return "\n".join(lines)
