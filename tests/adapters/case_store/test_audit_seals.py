"""Tampering with the audit log, by somebody who may do anything in the database: found, and where it begins."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, text

from adapters.case_store import audit
from adapters.case_store.audit_seals import Fault, Seal, Verdict, add_seal, newest_seal, seals_in, verified
from adapters.case_store.store import Store
from models.audit import START, Action, AuditRow, Entry, chained, row_hash
from tests.adapters.case_store.test_audit import NOON, noted, rows

Rows = list[dict[str, Any]]
MIDDLE, LAST = 4, 8


def forged(found: Rows, start: int = 0) -> Rows:
    """The same with numbers and hashes that are right again, from a place on."""
    for place in range(start, len(found)):
        row = found[place]
        row["number"], row["previous"] = place + 1, found[place - 1]["hash"] if place else START
        row["hash"] = row_hash(row)
    return found


def changed(found: Rows) -> Rows:
    found[2]["actor"] = "Rina"
    return found


def changed_with_its_hash(found: Rows) -> Rows:
    row = changed(found)[2]
    row["hash"] = row_hash(row)
    return found


def deleted(found: Rows) -> Rows:
    del found[3]
    return found


def deleted_and_renumbered(found: Rows) -> Rows:
    for row in deleted(found)[3:]:
        row["number"] -= 1
    return found


def reordered(found: Rows) -> Rows:
    found[3]["number"], found[4]["number"] = found[4]["number"], found[3]["number"]
    return found


def inserted(found: Rows) -> Rows:
    for row in found[2:]:
        row["number"] += 1
    more = found[1] | {"number": 3, "actor": "Rina", "previous": found[1]["hash"]}
    return [*found, more | {"hash": row_hash(more)}]


def appended_without_the_chain(found: Rows) -> Rows:
    more = found[-1] | {"number": 9, "actor": "Rina"}
    return [*found, more | {"hash": row_hash(more)}]


def cut_at_the_beginning(found: Rows) -> Rows:
    return found[2:]


def cut_at_the_beginning_and_renumbered(found: Rows) -> Rows:
    for row in found:
        row["number"] -= 2
    return found[2:]


def cut_at_the_end(found: Rows) -> Rows:
    return found[:6]


def emptied(found: Rows) -> Rows:
    return []


def rewritten(found: Rows) -> Rows:
    return forged(changed(found), 2)


def cut_at_the_beginning_and_rewritten(found: Rows) -> Rows:
    return forged(found[2:])


@pytest.mark.parametrize(
    ("tamper", "fault", "broken"),
    [
        (changed, Fault.CHANGED, 3),
        (changed_with_its_hash, Fault.UNCHAINED, 4),
        (deleted, Fault.MISSING, 4),
        (deleted_and_renumbered, Fault.CHANGED, 4),
        (reordered, Fault.CHANGED, 4),
        (inserted, Fault.CHANGED, 4),
        (appended_without_the_chain, Fault.UNCHAINED, 9),
        (cut_at_the_beginning, Fault.MISSING, 1),
        (cut_at_the_beginning_and_renumbered, Fault.CHANGED, 1),
        (cut_at_the_end, Fault.CUT, 8),
        (emptied, Fault.CUT, 4),
        # only a seal tells of these
        (rewritten, Fault.REWRITTEN, 4),
        (cut_at_the_beginning_and_rewritten, Fault.REWRITTEN, 4),
    ],
)
def test_tampering_is_found(
    store: Store, tmp_path: Path, tamper: Callable[[Rows], Rows], fault: Fault, broken: int
) -> None:
    file = tmp_path / "audit-seals"
    noted(store, *["Sari"] * MIDDLE)
    seal_now(store, file)
    noted(store, *["Sari"] * (LAST - MIDDLE))
    seal_now(store, file)
    assert checked(store, file) == Verdict(LAST, rows(store)[-1]["hash"], 2)
    replace_rows(store, tamper(rows(store)))
    verdict = checked(store, file)
    assert (verdict.fault, verdict.broken) == (fault, broken)


def replace_rows(store: Store, found: Rows) -> None:
    """As who may do anything in the database: the triggers go first."""
    with store.write() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        else:
            for name in ("audit_no_update", "audit_no_delete", "audit_no_replace"):
                session.execute(text(f"DROP TRIGGER {name}"))
        session.execute(text("DELETE FROM audit"))
        if found:
            session.execute(insert(AuditRow), found)


def seal_now(store: Store, file: Path) -> None:
    newest = rows(store)[-1]
    add_seal(file, Seal(newest["number"], newest["hash"], newest["at"]))


def checked(store: Store, file: Path) -> Verdict:
    with store.read() as session:
        return verified(audit.stream(session), seals_in(file))


def chain(length: int) -> Rows:
    found: Rows = []
    for number in range(1, length + 1):
        entry = Entry(Action.DECIDED, NOON, "Sari", 7, subject=f"mail {number}", after={"choice": "SEND"})
        found.append(chained(entry, number, found[-1]["hash"] if found else START)[0])
    return found


WHOLE = chain(6)


@given(st.data(), st.booleans(), st.booleans(), st.booleans())
def test_any_other_log_than_the_sealed_one_is_found(
    data: st.DataObject, change: bool, hashed: bool, forge: bool
) -> None:
    """Rows changed, forged anew from some place on, taken away, doubled and moved, in any order and number."""
    found = [dict(row) for row in data.draw(st.lists(st.sampled_from(WHOLE), max_size=8) | st.permutations(WHOLE))]
    if found and change:
        row = found[data.draw(st.integers(0, len(found) - 1))]
        row[data.draw(st.sampled_from(sorted(row)))] = data.draw(st.text(max_size=5) | st.integers() | st.none())
        if hashed:
            row["hash"] = row_hash(row)
    if found and forge:
        forged(found, data.draw(st.integers(0, len(found) - 1)))
    seals = [Seal(row["number"], row["hash"], "") for row in (WHOLE[2], WHOLE[5])]
    verdict = verified(found, iter(seals))
    assert verdict.fault is not None or found[:6] == WHOLE
    assert verdict.fault is None or found != WHOLE


def test_what_is_no_text_is_found(store: Store, tmp_path: Path) -> None:
    if store.engine.dialect.name == "postgresql":
        pytest.skip("it keeps no such thing in a column of text")
    noted(store, "Sari")
    replace_rows(store, rows(store))
    with store.write() as session:
        session.execute(text("UPDATE audit SET actor = x'ff'"))
    assert checked(store, tmp_path / "none").fault is Fault.CHANGED


def test_an_empty_log_is_whole(store: Store, tmp_path: Path) -> None:
    assert checked(store, tmp_path / "none") == Verdict(0, START, 0)


def test_seals_are_appended_and_only_the_service_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "audit-seals"
    assert (list(seals_in(file)), newest_seal(file)) == ([], None)
    seals = [Seal(number, f"{number:064x}", "2026-11-30T12:00:00.000000Z") for number in range(1, 100)]
    for seal in seals:
        add_seal(file, seal)
        assert newest_seal(file) == seal
    assert list(seals_in(file)) == seals
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("torn", [b'\n{"number": 2, "ha', b"\n", b'\n{"number": 2}', b"\n\xff"])
def test_a_seal_that_a_crash_cut_off_is_passed_over(tmp_path: Path, torn: bytes) -> None:
    file = tmp_path / "audit-seals"
    one, two = Seal(1, "a" * 64, ""), Seal(2, "b" * 64, "")
    add_seal(file, one)
    with file.open("ab") as broken:
        broken.write(torn)
    assert newest_seal(file) == one
    add_seal(file, two)
    assert list(seals_in(file)) == [one, two]


def test_two_seals_of_one_row_agree_and_one_out_of_order_does_not(store: Store) -> None:
    noted(store, "Sari", "Rina")
    found = rows(store)
    one, two = (Seal(row["number"], row["hash"], "") for row in found)
    assert verified(found, iter([one, one, two, two])) == Verdict(2, two.hash, 4)
    for seals in ([two, one], [one, two, one]):
        assert verified(found, iter(seals)).fault is Fault.SEALS
