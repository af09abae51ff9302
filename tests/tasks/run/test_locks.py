"""Two transactions that meet: neither is ended by the data base because each waits for the other (PostgreSQL)."""

import threading
from collections.abc import Callable
from functools import partial
from time import sleep
from typing import Any

import pytest
from sqlmodel import Session

from adapters.case_store.store import AlreadyRecorded
from adapters.wiring import Systems
from models.author import Author
from models.forms.base import Form
from models.forms.complaint import Escalation
from models.forms.trouble import Unreachable
from models.states import RecordState, SignalKind
from models.tables import ActivityRecord, Case, Deadline, Letter, Outbox, Signal, Wait
from tasks.run import signals
from tasks.run.ask_unreachable import settle
from tasks.run.case_run import CaseRun
from tasks.run.family import going_on, locked
from tasks.run.lifetime import finish
from tasks.run.send_letter import send_again
from tasks.run.undelivered import undelivered
from tasks.run.wait_key import WaitKey
from tasks.run.waits import Question
from tasks.upkeep.merge_case import MERGED, merge_rows
from tasks.upkeep.monitor import _pass
from tests.cases import MAJU, opened, received, rows, snapshot, take_in
from tests.tasks.intake.test_batch import BOUNCE

pytestmark = pytest.mark.parametrize("systems", ["postgresql"], indirect=True)

BLOCKED = 0.5
"""Seconds after which the other one waits for what we hold; less than those after which PostgreSQL looks (1)."""


def at_once(*acts: Callable[[], object]) -> list[type[Exception] | None]:
    """Do them, each in a thread; what each has raised."""
    raised: list[type[Exception] | None] = [None] * len(acts)

    def act(number: int) -> None:
        try:
            acts[number]()
        except Exception as error:  # noqa: BLE001 told to the test
            raised[number] = type(error)

    threads = [threading.Thread(target=act, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return raised


def test_two_reports_of_one_letter(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its mail's row, which belongs to the case, before it wakes that."""
    opened(systems)
    report = BOUNCE % rows(systems, Letter)[0].message_id.encode()
    both = threading.Barrier(2)

    def together(*known: Any) -> None:
        both.wait(10)
        undelivered(*known)

    monkeypatch.setattr("tasks.intake.store_mail.undelivered", together)
    of_two_servers = (report, report.replace(b"@example.com>", b"@example.org>"))
    assert at_once(*(partial(take_in, systems, received(one)) for one in of_two_servers)) == [None, None]
    assert [wake.kind for wake in rows(systems, Signal)] == ["undelivered"]


def question(case: CaseRun, form: type[Form]) -> Question[Any]:
    return Question(case, form, WaitKey("k"), form.asking(("Access Network",)))


def test_a_report_and_the_decision_on_the_one_before(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    case = opened(systems)
    with systems.store.write() as session:
        undelivered(session, 1, "bounced", "550", systems.clock.now())
    send_again(systems, 1)  # on the command line, while the agent is asked
    decided = threading.Event()

    def decide() -> None:
        def effect(session: Session) -> None:
            decided.set()
            sleep(BLOCKED)
            settle(case, [1], session, Unreachable(by="Sari", choice="SEND_AGAIN"))

        question(case, Unreachable).record(RecordState.DONE, {"choice": "SEND_AGAIN"}, Author("Sari"), effect=effect)

    def report() -> None:
        with systems.store.write() as session:
            undelivered(session, 1, "bounced", "550 again", systems.clock.now())

    def meets(session: Session, case_id: int) -> Case:
        decided.wait(10)
        return going_on(session, case_id)

    monkeypatch.setattr("tasks.run.undelivered.going_on", meets)
    assert at_once(decide, report) == [None, None]
    (outbox,) = rows(systems, Outbox)
    assert (outbox.state, outbox.error, outbox.tries) == ("bounced", "550 again", 3)


def test_a_deadline_and_the_cases_end(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    case = opened(systems)
    deadline = Deadline(case_id=case.case_id, kind=SignalKind.UPDATE, due_at=systems.clock.now())
    with systems.store.write() as session:
        session.add(deadline)
    passing, ending = threading.Event(), threading.Event()

    make = signals.of_deadline

    def meets(*known: Any) -> Signal:
        passing.set()
        ending.wait(10)
        sleep(BLOCKED)
        return make(*known)

    def end() -> None:
        passing.wait(10)
        with systems.store.write() as session:
            locked(session, case.case_id)
            ending.set()
            finish(session, case.case_id, "closed", "complaint", systems.clock.now())

    monkeypatch.setattr("tasks.run.signals.of_deadline", meets)
    assert at_once(partial(_pass, systems, deadline), end) == [None, None]
    assert snapshot(case).status == "closed"


def test_a_decision_and_a_merger(systems: Systems) -> None:
    """Who merges is first, so the decision, whose wait is gone, is not recorded."""
    case, other = opened(systems), opened(systems, MAJU)
    with systems.store.write() as session:
        session.add(
            Wait(case_id=case.case_id, wait_key="k", form="x", role="x", since=systems.clock.now(), description="")
        )
    merging = threading.Event()

    def merge() -> None:
        with systems.store.write() as session:
            locked(session, case.case_id)
            merging.set()
            sleep(BLOCKED)
            merge_rows(session, systems, case.case_id, other.case_id, "Rina")

    def decide() -> None:
        merging.wait(10)
        question(case, Escalation).record(RecordState.DONE, {}, Author("Sari"))

    assert at_once(merge, decide) == [None, AlreadyRecorded]
    assert [record.state for record in rows(systems, ActivityRecord, case_id=case.case_id, name="k")] == [MERGED]
