"""The audit log on both kinds of database: chained at the commit, by many at once; and refused every change."""

import threading
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import select

from adapters.case_store import audit
from adapters.case_store.audit_seals import verified
from adapters.case_store.store import Store
from models.audit import Action, AuditSalt, Entry
from models.tables import Case
from tests.adapters.case_store.test_store import errors_at_once
from tests.models.test_tables import new_case, stored

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def noted(store: Store, *actors: str, **more: Any) -> None:
    """One transaction that notes an act of each."""
    with store.write() as session:
        for actor in actors:
            audit.note(session, Entry(Action.DECIDED, NOON, actor, after={"choice": "APPROVE"}, **more))


def rows(store: Store) -> list[dict[str, Any]]:
    with store.read() as session:
        return list(audit.stream(session))


def test_entries_are_chained_in_their_order(store: Store) -> None:
    noted(store, "Sari", "Rina")
    noted(store, "Budi Santoso")
    found = rows(store)
    assert [(row["number"], row["actor"]) for row in found] == [(1, "Sari"), (2, "Rina"), (3, "Budi Santoso")]
    assert verified(found, iter(())).fault is None
    with store.read() as session:
        assert len(session.exec(select(AuditSalt)).all()) == 3


def test_what_is_rolled_back_is_not_noted(store: Store) -> None:
    def fail() -> None:
        with store.write() as session:
            audit.note(session, Entry(Action.DECIDED, NOON, "Sari"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    noted(store, "Rina")
    assert [row["actor"] for row in rows(store)] == ["Rina"]


def test_many_at_once_make_one_chain(store: Store) -> None:
    def note_often(actor: str) -> None:
        for number in range(25):
            noted(store, actor, subject=f"mail {number}")

    assert errors_at_once(*[partial(note_often, actor) for actor in ("Sari", "Rina", "Budi", "Ani")]) == []
    found = rows(store)
    assert len(found) == 100
    assert verified(found, iter(())).fault is None
    for actor in ("Sari", "Rina", "Budi", "Ani"):
        assert [row["subject"] for row in found if row["actor"] == actor] == [f"mail {number}" for number in range(25)]


def test_the_end_of_the_chain_is_locked_last_so_that_nobody_waits_for_each_other(store: Store) -> None:
    if store.engine.dialect.name == "sqlite":
        pytest.skip("it has one writer")
    stored(store, new_case())
    ready = threading.Barrier(2)

    def write(*, note_first: bool) -> None:
        with store.write() as session:
            if note_first:
                audit.note(session, Entry(Action.DECIDED, NOON, "Sari"))
                ready.wait(60)
            session.exec(select(Case).with_for_update()).one()
            if not note_first:
                ready.wait(60)
                audit.note(session, Entry(Action.DECIDED, NOON, "Rina"))

    assert errors_at_once(partial(write, note_first=True), partial(write, note_first=False)) == []
    assert verified(rows(store), iter(())).rows == 2


def test_an_erasure_deletes_salts_and_keeps_the_chain(store: Store) -> None:
    noted(store, "Sari", reference="JKT-0000001")
    with store.write() as session:
        session.execute(text("DELETE FROM audit_salt"))
    assert verified(rows(store), iter(())).fault is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'Rina'",
        "UPDATE audit SET hash = hash WHERE number = 1",
        "DELETE FROM audit WHERE number = 2",
        "DELETE FROM audit",
        "INSERT INTO audit SELECT * FROM audit WHERE number = 1 ON CONFLICT (number) DO UPDATE SET actor = 'Rina'",
        "TRUNCATE audit",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE number = 1",
    ],
)
def test_the_database_refuses_every_change(store: Store, statement: str) -> None:
    noted(store, "Sari", "Rina")
    sqlite = store.engine.dialect.name == "sqlite"
    if statement.startswith("TRUNCATE" if sqlite else "INSERT OR REPLACE"):
        pytest.skip("the other database's statement")
    if sqlite:
        statement = statement.replace("number = 1 ON", "number = 1 AND true ON")
    before = rows(store)
    with store.engine.connect() as connection, pytest.raises(Exception, match="the audit log is only appended to"):
        connection.execute(text(statement))
    assert rows(store) == before
