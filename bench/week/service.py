"""One service for `bench.first_week`, as a process that is told when: of the code that stands first in its path.

    python bench/week/service.py

Each line on standard input is an order in JSON, ``{"poll": …, "parts": …, "decide": …}``: take mail in, do parts of
a sweep, let people decide so many waits. The answer is a line of JSON. ``{"end": true}`` counts what the case store
holds. An engine in memory stands in Prefect's place: it carries the same flow, with the same waits.
"""

import json
import logging
import os
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import tenacity.nap
from prefect.exceptions import Pause
from sqlmodel import col, select

import adapters.engine.suspend
import tasks.run.activity
import tasks.run.waits
from adapters.case_store import schema
from adapters.engine.forms import Resumed, Submitted
from adapters.engine.runs import PrefectEngine
from adapters.wiring import Systems, load_systems
from flows.handle_case import handle_case
from flows.receive_mail import take_batches
from models.errors import LayananError
from models.forms import FORMS
from models.forms.base import is_choice
from models.sop import Role
from models.tables import ActivityRecord, Case, Deadline, Letter, Message, Outbox, Wait
from tasks.run.activity import RETRY_DELAYS, Activity
from tasks.run.send_letter import deliver
from tasks.upkeep.monitor import PARTS

log = logging.getLogger("bench.week")

RUN_ID = "PREFECT__FLOW_RUN_ID"
"""Where the engine's own context looks for the id of the run that this process carries."""
DECISIONS: dict[str, dict[str, str]] = {
    "ConfirmAnalysis": {"need": "COMPLAINT", "topic": "no_service"},
    "WriteAnswer": {"answer": "Terima kasih atas pertanyaan Bapak/Ibu.", "related_products": "IndiHome"},
    "ApproveSolution": {"choice": "SEND", "cause": "Kabel putus", "repair": "Kabel disambung"},
    "HandlingStuck": {"choice": "COORDINATE", "unit": "Core Network"},
    "Escalation": {"choice": "OTHER_UNIT", "unit": "Core Network"},
    "SupervisorEscalation": {"choice": "TAKE_OVER", "cause": "Kabel putus", "repair": "Kabel disambung"},
    "UnclearAnswer": {"choice": "CLOSE"},
    "DisputedClosing": {"choice": "CLOSE"},
    "FixActivity": {"choice": "RETRY"},
    "FixActivityByLeader": {"choice": "RETRY"},
    "SameMatter": {"choice": "NEW"},
    "ConfirmSender": {"choice": "GENUINE"},
    "Unreachable": {"choice": "TOLD", "note": "Ditelepon"},
}
"""What people say to each form."""


class Engine(PrefectEngine):
    """Runs of cases in this process, from one wait to the next."""

    def __init__(self, systems: Systems) -> None:
        super().__init__(systems.settings)
        self._cases: dict[str, tuple[int, str]] = {}
        self._due: dict[str, None] = {}
        self._suspended: dict[str, str] = {}
        self._given: dict[tuple[str, str], dict[str, Any]] = {}
        self.broken = 0

    def start_case(self, case_id: int, reference: str, after: str = "") -> str:
        run_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{reference}{after}"))
        self._cases[run_id] = case_id, reference
        self._due[run_id] = None
        return run_id

    def resume(self, run_id: str, answers: dict[str, Any]) -> Resumed:
        if (key := self._suspended.pop(run_id, None)) is None:
            return Resumed(Submitted.NOT_WAITING)
        self._given[run_id, key] = answers
        self._due[run_id] = None
        return Resumed(Submitted.ACCEPTED)

    def suspend(self, wait_for_input: Any, key: str, **_: Any) -> Any:
        """In the place of Prefect's function of that name."""
        run_id = os.environ[RUN_ID]
        if (given := self._given.get((run_id, key))) is not None:
            return wait_for_input(**given)
        self._suspended[run_id] = key
        raise Pause

    def carry(self) -> None:
        """Carry all runs that are due as far as they go."""
        while self._due:
            run_id = next(iter(self._due))
            del self._due[run_id]
            os.environ[RUN_ID] = run_id
            try:
                handle_case.fn(*self._cases[run_id])
            except Pause:
                pass
            except Exception:
                self.broken += 1
                log.exception("a run broke")
            finally:
                del os.environ[RUN_ID]

    def label(self, run_id: str, *tags: str) -> None:
        pass

    def describe(self, run_id: str, wait_key: str, description: str) -> bool:
        return True

    def reachable_runs(self, run_ids: list[str], since: datetime) -> set[str]:
        return set(run_ids)

    def _none(self, *_: Any, **__: Any) -> Any:
        return []

    broken_runs = cancelled_runs = running_runs = _none

    def live_workers(self) -> dict[str, str]:
        return {}

    def tidy_polls(self, *before: datetime) -> tuple[int, int]:
        return 0, 0


def stand_in(systems: Systems) -> Engine:
    """Have flow, activities and sweep do without Prefect, and without waiting in real time."""
    engine = Engine(systems)
    systems.engine = engine
    systems.machine_clock = systems.clock
    engine_parts: list[tuple[Any, str, Any]] = [
        (adapters.engine.suspend, "suspend_flow_run", engine.suspend),
        (tasks.run.waits, "get_run_logger", lambda: log),
        (tasks.run.activity, "send_letter", lambda letter_id: deliver(systems, letter_id)),
        (tenacity.nap, "time", SimpleNamespace(sleep=lambda _: None)),
        (Activity, "_run", _in_this_process(Activity._run)),
    ]
    for owner, name, ours in engine_parts:
        setattr(owner, name, ours)
    return engine


def _in_this_process(run: Callable[..., Any]) -> Callable[..., Any]:
    """The activity's task as a plain call, with its retries."""

    def perform(self: "Activity[Any, Any]", doing: Any) -> Any:
        def task(doing: Any) -> Any:
            for left in range(len(RETRY_DELAYS), -1, -1):
                try:
                    return self._perform(doing)
                except LayananError as error:
                    if error.permanent or not left:
                        raise
            raise AssertionError("unreachable")

        self.task = task  # type: ignore[assignment]
        return run(self, doing)

    return perform


def decide(systems: Systems, most: int) -> int:
    """People decide the longest waits, so many at most; returns how many they did."""
    with systems.store.read() as session:
        waits = session.exec(select(Wait, Case).join(Case).order_by(col(Wait.since))).all()
    done = 0
    for wait, case in waits:
        if done < most and wait.form in DECISIONS and case.run_id is not None:
            answers = DECISIONS[wait.form] | {"by": "Sari"}
            shown = wait.json_schema["properties"]
            filled = {name: _label(wait.form, name, value) for name, value in answers.items() if name in shown}
            done += systems.engine.resume(case.run_id, filled).state == "accepted"
    return done


def _label(form: str, name: str, value: str) -> str:
    kind = FORMS[form].model_fields[name].annotation
    return kind[value].value if is_choice(kind) else value


def counted(systems: Systems) -> dict[str, Any]:
    """What the case store holds at the end, as far as every revision of the code can say it."""
    now = systems.clock.now()
    with systems.store.read() as session:
        outcomes = Counter(session.exec(select(Message.outcome)))
        known = dict(session.exec(select(Message.message_id, Message.outcome)).all())
        letters = session.exec(select(Letter, Outbox).join(Outbox)).all()
        cases = list(session.exec(select(Case)))
        ahead = set(session.exec(select(Deadline.case_id).where(~col(Deadline.over), col(Deadline.due_at) > now)))
        waits = {wait.case_id: wait for wait in session.exec(select(Wait))}
        activities = Counter(session.exec(select(ActivityRecord.name).where(col(ActivityRecord.state) == "done")))
    opened = [case for case in cases if case.status == "open"]
    return {
        "outcomes": outcomes,
        "known": known,
        "letters": Counter(outbox.state for _, outbox in letters),
        "cases": Counter(case.status for case in cases),
        "no_deadline": sum(case.key not in ahead and not _clocked(waits.get(case.key), now) for case in opened),
        "late_waits": sum(_late(wait, now) for wait in waits.values()),
        "forms": Counter(wait.form for wait in waits.values()),
        "activities": activities,
    }


def _clocked(wait: Wait | None, now: datetime) -> bool:
    due: datetime | None = getattr(wait, "due_at", None)
    return due is not None and due > now


def _late(wait: Wait, now: datetime) -> bool:
    """A person's wait that is overdue and not escalated; where waits have no time, one of over a day."""
    if FORMS[wait.form].role in {Role.UNIT, Role.CUSTOMER, Role.SYSTEM}:
        return False
    due: datetime | None = getattr(wait, "due_at", None)
    return (due or wait.since + timedelta(days=1)) <= now and not getattr(wait, "escalated_to", "")


def main() -> None:
    """Obey until there are no more orders."""
    systems = load_systems()
    schema.upgrade(systems.store)
    engine = stand_in(systems)
    parts = {part.fn.__name__: part.fn for part in PARTS}
    print("{}", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if order.get("end"):
            answer: dict[str, Any] = counted(systems) | {"broken": engine.broken, "cpu": time.process_time()}
        else:
            answer = obey(systems, engine, parts, order)
        print(json.dumps(answer), flush=True)


def obey(
    systems: Systems, engine: Engine, parts: dict[str, Callable[[], int]], order: dict[str, Any]
) -> dict[str, Any]:
    """One step of the week."""
    outcomes: Counter[str] = Counter()
    for box in systems.settings.mailboxes if order["poll"] else ():
        for batch in take_batches(systems, box):
            outcomes.update(batch)
    engine.carry()
    failed = []
    for name in order["parts"]:
        if name not in parts:
            continue  # of a later revision
        try:
            parts[name]()
        except LayananError:
            failed.append(name)
        engine.carry()
    decided = decide(systems, order["decide"]) if order["decide"] else 0
    engine.carry()
    return {"outcomes": outcomes, "failed": failed, "decided": decided}


if __name__ == "__main__":
    main()
