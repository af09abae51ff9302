"""Our side of :mod:`bench.mail`, as a process of its own: what lies in the mailbox is taken in and answered.

    python -m bench.first_response CASES {stand-in|prefect}

CASES are stored first. Then each line on standard input is an order to empty the mailbox; the answer is a line of
JSON: mails, seconds, and seconds of this process's CPU. ``stand-in`` takes the cases' runs in Prefect's place, and
starts nothing.
"""

import json
import sys
import time
from collections import Counter

from sqlalchemy import func
from sqlmodel import col, select

from adapters.case_store import schema
from adapters.engine.runs import PrefectEngine
from adapters.wiring import load_systems
from bench.store import fill
from flows.receive_mail import take_batches
from models.tables import Outbox


class StandIn(PrefectEngine):
    """In the engine's place."""

    def start_case(self, case_id: int, reference: str, after: str = "") -> str:
        return f"run-of-{reference}-{case_id}"


def main() -> None:
    """Answer orders until there are no more."""
    cases, engine = int(sys.argv[1]), sys.argv[2]
    systems = load_systems()
    schema.upgrade(systems.store)
    fill(systems.store, cases, systems.clock.now())
    if engine == "stand-in":
        systems.engine = StandIn(systems.settings)
    (box,) = systems.settings.mailboxes
    sent = select(func.count()).where(col(Outbox.state) == "sent")
    for _ in sys.stdin:
        with systems.store.read() as session:
            before = session.exec(sent).one()
        began, cpu = time.perf_counter(), time.process_time()
        outcomes = sum(take_batches(systems, box), Counter())
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        with systems.store.read() as session:
            answered = session.exec(sent).one() - before
        assert outcomes == {"opened": answered}, (outcomes, answered)
        print(json.dumps({"mails": answered, "seconds": seconds, "cpu": cpu}), flush=True)


if __name__ == "__main__":
    main()
