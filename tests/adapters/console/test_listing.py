"""Lists: which rows, in which order; on both data bases."""

import warnings
from typing import Any

from adapters.case_store.store import Store
from adapters.console import listing
from models.states import RecordState, SignalKind
from models.tables import ActivityRecord, Case, Deadline, Letter, Outbox
from tests.models.test_tables import NOW, new_case, stored


def letter(number: int, state: Any) -> tuple[Letter, Outbox]:
    """A letter of case 1, and where it stands in the outbox."""
    known: dict[str, Any] = {"case_id": 1, "kind": "closing", "recipient": "b@example.com", "sender": "l@example.com"}
    written = Letter(
        id=number, occurrence=number, message_id=f"<{number}@x>", subject="S", sha256="0", written_at=NOW, **known
    )
    return written, Outbox(letter_id=number, state=state, not_before=NOW)


def names(rows: list[dict[str, Any]]) -> list[Any]:
    return [row.get("reference", row.get("id")) for row in rows]


def test_cases_are_all_or_those_of_a_status_or_the_newest(store: Store) -> None:
    ended = new_case()
    ended.status, ended.closed_at = "closed", NOW
    stored(store, new_case(), ended, new_case(site="BDG"))
    with store.read() as session:
        assert names(listing.cases(session)) == ["JKT-0000001", "JKT-0000002", "BDG-0000003"]
        assert names(listing.cases(session, "open")) == ["JKT-0000001", "BDG-0000003"]
        assert names(listing.cases(session, limit=2)) == ["JKT-0000002", "BDG-0000003"]
        assert names(listing.cases(session, "open", limit=1)) == ["BDG-0000003"]
        assert listing.cases(session, "cancelled") == []


def test_letters_are_all_or_those_in_a_state(store: Store) -> None:
    stored(store, new_case(), *letter(1, "sent"), *letter(2, "failed"), *letter(3, "sent"))
    with store.read() as session:
        assert names(listing.letters(session)) == [1, 2, 3]
        assert names(listing.letters(session, "failed")) == [2]
        assert names(listing.letters(session, "sent", limit=1)) == [3]


def test_a_case_is_found_by_reference_or_number(store: Store) -> None:
    stored(store, new_case())
    with store.read() as session:
        found: list[Case] = [listing.case_named(session, name) for name in ("JKT-0000001", " jkt-1 ", "1")]
    assert {case.id for case in found} == {1}


def test_a_case_is_shown_without_a_word_about_how_its_states_are_stored(store: Store) -> None:
    record = ActivityRecord(
        case_id=1,
        name="closing",
        occurrence=1,
        state=RecordState.DONE,
        performer="Agent Email",
        started_at=NOW,
        ended_at=NOW,
        sop_revision="rev 02",
    )
    stored(store, new_case(), record, Deadline(case_id=1, kind=SignalKind.CLOSING, due_at=NOW))
    with store.read() as session, warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = listing.case(session, "1")
    assert (shown["activities"][0]["state"], shown["deadlines"][0]["kind"]) == ("done", "closing")
