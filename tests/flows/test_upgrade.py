"""A store of an older revision is upgraded, and each of its sleeping cases goes on.

``store_0021.json`` was recorded from a real run of revision a778ef4 (schema 0021): seventeen cases, one waiting with
each form, with their ledgers, mails, letters and signals.
"""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import DateTime, LargeBinary, MetaData

from adapters.case_store import schema
from adapters.case_store.store import Store
from flows.handle_case import handle_case
from models.forms import FORMS
from models.states import EscalationReason, RecordState, Retired
from models.tables import ActivityRecord, Case, Decision, Signal, Wait
from tasks.run.case_run import CaseRun
from tasks.upkeep.monitor import pass_deadlines, watch_waits
from tests.cases import LINE, at_office, rows
from tests.runs import Played, Runs
from tests.servers import Postgres

RECORDED = Path(__file__).with_name("store_0021.json")
REVISION = "0021"
FIXED = {"cause": "Kabel putus", "repair": "Kabel disambung"}
NEXT: dict[str, tuple[dict[str, str], str]] = {
    "ConfirmAnalysis": ({"need": "COMPLAINT", "topic": "no_service"}, "CustomerAnswer"),
    "WriteAnswer": ({"answer": "Paket itu tersedia.", "related_products": "IndiHome"}, "ClosingPeriod"),
    "ApproveSolution": ({"choice": "SEND", **FIXED}, "ClosingPeriod"),
    "UnitProgress": ({"choice": "UPDATE"}, "UnitProgress"),
    "Escalation": ({"choice": "UPDATE"}, "Escalation"),
    "SupervisorEscalation": ({"choice": "UPDATE"}, "SupervisorEscalation"),
    "HandlingStuck": ({"choice": "UPDATE"}, "HandlingStuck"),
    "CustomerAnswer": ({"choice": "ANSWERED", "service_number": LINE}, "ApproveSolution"),
    "UnclearAnswer": ({"choice": "FOUND", "service_number": LINE}, "ApproveSolution"),
    "ClosingPeriod": ({"choice": "SILENCE"}, ""),
    "DisputedClosing": ({"choice": "REOPEN"}, "ClosingPeriod"),
    "FixActivity": ({"choice": "RETRY"}, "ApproveSolution"),
    "FixActivityByLeader": ({"choice": "RETRY"}, "ApproveSolution"),
    "Unreachable": ({"choice": "TOLD", "note": "Ditelepon"}, "CustomerAnswer"),
    "SameMatter": ({"choice": "NEW"}, "CustomerAnswer"),
    "ConfirmSender": ({"choice": "GENUINE"}, "CustomerAnswer"),
    "OfficeOpens": ({"choice": "SEND"}, "ClosingPeriod"),
}
"""What is answered to each form, and the form that comes next; empty: the case ends."""


def recorded(store: Store) -> Store:
    """The recorded store, in this empty one."""
    command.upgrade(schema.config(store), REVISION)
    meta = MetaData()
    with store.write() as session:
        connection = session.connection()
        meta.reflect(connection)
        saved = json.loads(RECORDED.read_text())
        for table in meta.sorted_tables:
            if found := saved.get(table.name):
                connection.execute(table.insert(), [_typed(table, row) for row in found])
    return store


def _typed(table: Any, row: dict[str, Any]) -> dict[str, Any]:
    def typed(name: str, value: Any) -> Any:
        kind = table.c[name].type
        if value is not None and isinstance(kind, DateTime):
            return datetime.fromisoformat(value).replace(tzinfo=UTC if kind.timezone else None)
        return base64.b64decode(value["base64"]) if isinstance(kind, LargeBinary) else value

    return {name: typed(name, value) for name, value in row.items()}


@pytest.fixture(params=["sqlite", "postgresql"])
def upgraded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'recorded.sqlite'}"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgresql")
        url = server.new()
    store = recorded(Store(url, tmp_path / "blobs"))
    schema.upgrade(store)
    yield store
    store.close()


class Stored:
    """A store where tests look for the service's."""

    def __init__(self, store: Store) -> None:
        self.store = store


def test_what_was_kept_in_words_is_kept_in_columns(upgraded: Store) -> None:
    systems: Any = Stored(upgraded)
    waits = {wait.form: wait for wait in rows(systems, Wait)}
    assert set(waits) == set(FORMS) == set(NEXT)
    assert waits["ConfirmAnalysis"].about.startswith("Email ini harus dibaca agent")
    assert "JKT-" not in waits["ConfirmAnalysis"].about
    again = {form: wait.asked_after for form, wait in waits.items() if wait.asked_after}
    assert again == dict.fromkeys(("CustomerAnswer", "ClosingPeriod", "OfficeOpens"), RecordState.UNDELIVERED)
    escalated = {form: wait.escalated_for for form, wait in waits.items() if wait.escalated_for}
    assert escalated == {"FixActivity": EscalationReason.OVERDUE, "HandlingStuck": EscalationReason.REPAIR}
    assert {form for form, wait in waits.items() if wait.watch_at is None} == {
        form for form, wait in waits.items() if wait.due_at is None
    }
    retired = [signal for signal in rows(systems, Signal) if signal.retired]
    assert {signal.retired for signal in retired} == set(Retired) - {Retired.NO}
    assert {signal.taken_by for signal in retired} == {""}
    assert all(decision.signal_id for decision in rows(systems, Decision) if decision.by == "system")


def test_each_sleeping_case_goes_on(runs: Runs, tmp_path: Path) -> None:
    """The sweep sees to what is due, and an answer to each form leads on from where the ledger stands."""
    systems = runs.systems
    store = recorded(Store(f"sqlite:///{tmp_path / 'recorded.sqlite'}", tmp_path / "blobs"))
    schema.upgrade(store)
    systems.__dict__["store"] = store
    at_office(systems, "2026-12-01 08:05")
    before = {(one.case_id, one.name, one.occurrence, one.attempt) for one in rows(systems, ActivityRecord)}
    for case in rows(systems, Case):
        (wait,) = rows(systems, Wait, case_id=case.id)
        played = carried(runs, case.key)
        assert wait.wait_key == rows(systems, Wait, case_id=case.id)[0].wait_key
        answers, form = NEXT[wait.form]
        played.decides(wait.form, **answers)
        assert comes_to(played) == form, wait.form
    assert pass_deadlines.fn()
    assert watch_waits.fn()
    after = [(one.case_id, one.name, one.occurrence, one.attempt) for one in rows(systems, ActivityRecord)]
    assert before < set(after)
    store.close()


def carried(runs: Runs, case_id: int) -> Played:
    """The case in a new run: nobody has the old engine's."""
    played = Played.__new__(Played)
    played.runs, played.case = runs, CaseRun.open(case_id, runs.systems)
    played.run = runs.start(handle_case, played.case, reference=played.case.reference)
    assert played.goes_on() == "Suspended"
    return played


def comes_to(played: Played) -> str:
    """The next form but those that ask for another way to the customer, who is phoned; empty where the case ended."""
    for _ in range(6):
        state = played.goes_on()
        wait = played.runs.wait(played.case)
        if wait is None:
            assert state == "Completed"
            return ""
        if wait.form != "Unreachable":
            return wait.form
        played.decides("Unreachable", choice="TOLD", note="Ditelepon")
    raise AssertionError("no end of letters that do not arrive")
