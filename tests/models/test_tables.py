"""The tables on both kinds of data base: what they refuse, and what they give back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy.exc import StatementError
from sqlmodel import SQLModel, select

from adapters.case_store.store import AlreadyRecorded, Store
from models.sop import REVISION
from models.states import RecordState, SignalKind
from models.tables import (
    ActivityRecord,
    Case,
    Deadline,
    Decision,
    Letter,
    Message,
    NewCase,
    NewLetter,
    NewMessage,
    Signal,
    row,
)

NOW = datetime(2026, 3, 3, 10, 12, tzinfo=UTC)
JAKARTA = timezone(timedelta(hours=7))


def new_case(**more: Any) -> Case:
    known = {"site": "JKT", "mailbox": "layanan@telkom.example", "address": "budi@example.com"}
    return row(Case, NewCase.model_validate({**known, "opened_at": NOW, "sop_revision": REVISION} | more))


def stored(store: Store, *rows: SQLModel) -> None:
    with store.write() as session:
        for one in rows:
            session.add(one)
            session.flush()


def test_a_reference_is_site_and_number(store: Store) -> None:
    with pytest.raises(ValueError, match="not stored"):
        _ = new_case().reference
    one, two = new_case(), new_case(site="BDG")
    stored(store, one, two)
    assert (one.reference, two.reference) == ("JKT-0000001", "BDG-0000002")


def test_times_come_back_as_utc_whatever_their_zone(store: Store) -> None:
    stored(store, new_case(opened_at=NOW.astimezone(JAKARTA)))
    with store.read() as session:
        opened = session.exec(select(Case.opened_at)).one()
    assert opened == NOW
    assert opened.utcoffset() == timedelta()


def test_times_are_compared_across_zones(store: Store) -> None:
    stored(store, new_case(), Deadline(case_id=1, kind=SignalKind.UPDATE, due_at=NOW.astimezone(JAKARTA)))
    with store.read() as session:
        for moment, due in ((NOW - timedelta(minutes=1), 0), (NOW, 1), (NOW.astimezone(JAKARTA), 1)):
            query = select(Deadline).where(Deadline.due_at <= moment)
            assert len(session.exec(query).all()) == due, moment


def test_a_time_without_zone_is_refused(store: Store) -> None:
    with pytest.raises(ValidationError):
        new_case(opened_at=NOW.replace(tzinfo=None))
    stored(store, new_case())
    with pytest.raises(StatementError, match="without a zone"):
        stored(store, Deadline(case_id=1, kind=SignalKind.UPDATE, due_at=NOW.replace(tzinfo=None)))


@pytest.mark.parametrize("wrong", [{"site": "SBY"}, {"language": "fr"}, {"address": None}])
def test_a_new_row_is_validated(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        new_case(**wrong)


def message(uid: int = 1, **more: Any) -> Message:
    known = {"mailbox": "m", "uidvalidity": 1, "uid": uid, "sha256": "0", "received_at": NOW, "outcome": "opened"}
    return row(Message, NewMessage.model_validate(known | more))


def letter(occurrence: int = 1, message_id: str = "<1@a>") -> Letter:
    known = {"case_id": 1, "kind": "closing", "occurrence": occurrence, "message_id": message_id, "recipient": "a@b"}
    return row(
        Letter, NewLetter.model_validate({**known, "sender": "c@d", "subject": "", "sha256": "0", "written_at": NOW})
    )


def record(attempt: int = 1) -> ActivityRecord:
    return ActivityRecord(
        case_id=1, name="closing", occurrence=1, attempt=attempt, state=RecordState.DONE, performer="x",
        started_at=NOW, ended_at=NOW, sop_revision=REVISION,
    )  # fmt: skip


def decision(key: str = "escalation-1") -> Decision:
    return Decision(case_id=1, wait_key=key, form="Escalation", role="x", by="Sari", decided_at=NOW)


def wake(source: str = "mail:1") -> Signal:
    return Signal(case_id=1, kind=SignalKind.MAIL, source=source, created_at=NOW)


@pytest.mark.parametrize(
    ("first", "same", "other"),
    [
        (message, message, lambda: message(2)),
        (message, message, lambda: message(uidvalidity=2)),
        (message, message, lambda: message(sha256="1")),
        (letter, lambda: letter(message_id="<2@a>"), lambda: letter(2, "<2@a>")),
        (letter, lambda: letter(2), lambda: letter(2, "<2@a>")),
        (record, record, lambda: record(2)),
        (decision, decision, lambda: decision("escalation-2")),
        (wake, wake, lambda: wake("mail:2")),
    ],
)
def test_what_happens_once_is_stored_once(
    store: Store, first: Callable[[], SQLModel], same: Callable[[], SQLModel], other: Callable[[], SQLModel]
) -> None:
    stored(store, new_case(), first())
    with pytest.raises(AlreadyRecorded):
        stored(store, same())
    stored(store, other())
    with store.read() as session:
        assert len(session.exec(select(type(first()))).all()) == 2


def test_json_keeps_lists_texts_and_signs(store: Store) -> None:
    stored(store, new_case(), message(references=["<a@b>", "<c@d>"], text="Selamat pagi 🙏 “kutip”"))
    stored(store, ActivityRecord.model_validate(record().model_dump() | {"output": {"teks": "é\x00", "n": [1, None]}}))
    with store.read() as session:
        mail = session.exec(select(Message)).one()
        kept = session.exec(select(ActivityRecord.output)).one()
    assert (mail.references, mail.text) == (["<a@b>", "<c@d>"], "Selamat pagi 🙏 “kutip”")
    assert kept == {"teks": "é\x00", "n": [1, None]}
