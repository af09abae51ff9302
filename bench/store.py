"""What grows with the number of cases: the same work on a small and on a large case store.

    python -m bench.store [--cases 200000] [--url postgresql+psycopg://…]

The cases are a month's, all but 500 of them closed. With ``--url`` the large store is that (empty) data base.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import make_msgid
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from adapters.case_store import schema
from adapters.case_store.store import Store
from adapters.console import listing
from adapters.ems import Received
from adapters.wiring import Systems, load_systems
from models.letter import LetterKind
from models.sop import ACTIVITIES, REVISION, Role
from models.tables import ActivityRecord, Case, Deadline, Decision, Letter, Message, Outbox, Signal
from tasks.intake.batch import take_in_batch
from tasks.upkeep import monitor
from tasks.upkeep.report import service_report

SMALL, OPEN, ROUNDS, BATCH = 1_000, 500, 21, 2_000
MONTH = timedelta(days=30)
KINDS = (LetterKind.FIRST_RESPONSE, LetterKind.STATUS, LetterKind.RESULT, LetterKind.CLOSING)
WORDS = "Internet saya mati total sejak tadi pagi, lampu LOS merah. Mohon segera diperbaiki. " * 10
Rows = dict[type[Any], list[dict[str, Any]]]

_uids = count(1_000_000_000)


def main() -> None:
    """Each piece of work's median on both stores, and the ratio."""
    parser = argparse.ArgumentParser(prog="python -m bench.store", description=__doc__)
    parser.add_argument("--cases", type=int, default=200_000, help="in the large store")
    parser.add_argument("--url", help="PostgreSQL's address of the large store")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="layanan-bench-") as folder:
        small = measured(Path(folder, "small"), SMALL)
        large = measured(Path(folder, "large"), options.cases, options.url)
    print(f"{'median, ms':<30} {SMALL:>9} {options.cases:>9}   ratio")
    for name, before in small.items():
        print(f"{name:<30} {before:>9.2f} {large[name]:>9.2f}   {large[name] / before:.1f}")


def measured(home: Path, cases: int, url: str | None = None) -> dict[str, float]:
    """Milliseconds of each piece of work, with so many cases stored."""
    os.environ |= {"LAYANAN_HOME": str(home)} | ({"LAYANAN_DATABASE_URL": url} if url else {})
    load_systems.cache_clear()
    systems = load_systems()
    schema.upgrade(systems.store)
    started = time.perf_counter()
    fill(systems.store, cases, systems.clock.now())
    print(f"{cases} cases stored in {time.perf_counter() - started:.0f} s", flush=True)
    try:
        return {name: _median(work) for name, work in _work(systems, cases).items()}
    finally:
        systems.store.close()


def _work(systems: Systems, cases: int) -> dict[str, Callable[[], object]]:
    def look(view: Callable[..., object], *args: Any) -> Callable[[], object]:
        def work() -> None:
            with systems.store.read() as session:
                view(session, *args)

        return work

    return {
        "intake of a new mail": lambda: take_in_batch(systems, [_mail(f"baru{next(_uids)}@example.com")]),
        "intake of a known sender's mail": lambda: take_in_batch(systems, [_mail(f"p{cases}@example.com")]),
        "monitor: letters, deadlines, wakes": lambda: [part.fn() for part in monitor.PARTS[:3]],
        "waiting": look(listing.waiting),
        "case": look(listing.case, str(cases)),
        "cases --limit 20": look(listing.cases, None, 20),
        "cases --status open": look(listing.cases, "open"),
        "mails --outcome quarantined": look(listing.mails, "quarantined"),
        "letters --state failed": look(listing.letters, "failed"),
        "report on a month": lambda: service_report(systems),
        "report on a day": lambda: service_report(systems, 1),
    }


def _median(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def _mail(sender: str) -> Received:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "layanan@telkom.example", "Internet mati"
    mail["Message-ID"] = make_msgid(domain="pelanggan.example")
    mail.set_content(WORDS)
    return Received("layanan@telkom.example", "JKT", 1, next(_uids), mail.as_bytes())


def fill(store: Store, cases: int, now: datetime) -> None:
    """So many cases of the last month, each with all that belongs to a long complaint."""
    for first in range(1, cases + 1, BATCH):
        rows: Rows = defaultdict(list)
        for number in range(first, min(first + BATCH, cases + 1)):
            _case(rows, number, now - MONTH * (cases - number) / cases, closed=number <= cases - OPEN)
        with store.write() as session:
            for table, values in rows.items():
                session.execute(insert(table), values)
    if store.engine.dialect.name == "postgresql":
        # the ids were given: its sequences do not know of them
        with store.write() as session:
            for name in ("case", "message", "letter", "activityrecord", "decision", "signal", "deadline"):
                of = f"pg_get_serial_sequence('\"{name}\"', 'id')"
                session.execute(text(f'SELECT setval({of}, max(id)) FROM "{name}"'))
            session.execute(text("ANALYZE"))


def _case(rows: Rows, number: int, at: datetime, *, closed: bool) -> None:
    case, later = {"case_id": number}, at + timedelta(hours=6)
    address, told = f"p{number}@example.com", f"<{number}@pelanggan.example>"
    rows[Case].append(
        {"id": number, "site": "JKT", "mailbox": "layanan@telkom.example", "address": address, "name": "Budi"}
        | {"subject": "Internet mati", "language": "id", "opened_at": at, "sop_revision": REVISION, "kind": "complaint"}
        | {"topic": "no_service", "service_number": f"1{number:011d}", "customer_id": f"C-{number}", "restarts": 0}
        | {
            "status": "closed" if closed else "open",
            "outcome": "complaint" if closed else "",
            "segment": "",
            "tier": "",
        }
        | {"closed_at": later if closed else None, "run_id": f"run-{number}", "previous_id": None}
    )
    rows[Message].append(
        {"mailbox": "layanan@telkom.example", "uidvalidity": 1, "uid": number, "sha256": f"{number:064x}"}
        | case
        | {"message_id": told, "sender": address, "sender_key": address, "sender_name": "Budi"}
        | {"subject": "Internet mati", "language": "id"}
        | {"text": WORDS, "new_text": WORDS, "references": [], "received_at": at, "outcome": "opened", "reason": "new"}
    )
    for offset, kind in enumerate(KINDS):
        letter = {"id": number * len(KINDS) + offset}
        rows[Letter].append(
            letter
            | case
            | {"kind": kind, "occurrence": 1, "message_id": f"<{kind}.{number}@telkom.example>"}
            | {
                "recipient": address,
                "recipient_key": address,
                "sender": "layanan@telkom.example",
                "subject": "Re",
                "sha256": "0",
                "written_at": at,
            }
        )
        rows[Outbox].append(
            {"letter_id": letter["id"], "state": "sent", "attempts": 1, "not_before": at, "sent_at": at, "error": ""}
        )
    for activity in ACTIVITIES:
        rows[ActivityRecord].append(
            case
            | {"number": activity.number, "name": f"activity-{activity.number}", "occurrence": 1, "attempt": 1}
            | {"state": "done", "output": {"letter": told}, "performer": Role.AGENT, "started_at": at, "tries": 1}
            | {"ended_at": at + timedelta(seconds=2), "run_id": f"run-{number}", "sop_revision": REVISION}
        )
    for turn in range(3):
        rows[Decision].append(
            case
            | {"wait_key": f"wait-{turn}", "form": "UnitReport", "role": Role.UNIT, "by": "Sari", "answers": {}}
            | {"decided_at": later, "signal_id": None}
        )
        rows[Signal].append(
            case
            | {"kind": "unit", "source": f"ticket:{number}:{turn}", "answers": {}, "created_at": at}
            | {"taken_at": later, "taken_by": f"wait-{turn}"}
        )
        rows[Deadline].append(case | {"kind": "update", "due_at": later + MONTH, "over": closed})


if __name__ == "__main__":
    main()
