"""`layanan audit`, on a real case store."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import layanan
from adapters.case_store import audit
from adapters.case_store.audit_seals import Seal, add_seal
from adapters.wiring import Systems
from models.audit import Action, Entry, content_hash
from tests.cases import STRANGER, opened
from tests.verify_audit import main as strangers_check

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def noted(systems: Systems, actor: str, reference: str = "JKT-0000001", at: datetime = NOON) -> None:
    with systems.store.write() as session:
        audit.note(session, Entry(Action.DECIDED, at, actor, reference=reference, after={"choice": "APPROVE"}))


def test_verify_names_the_first_broken_row(systems: Systems, capsys: pytest.CaptureFixture[str]) -> None:
    noted(systems, "Sari")
    noted(systems, "Rina")
    assert layanan.main(["audit", "verify"]) == 0
    assert capsys.readouterr().out.startswith("2 rows are whole, 0 seals agree; hash of row 2: ")
    with systems.store.write() as session:
        session.execute(text("DROP TRIGGER audit_no_update"))
        session.execute(text("UPDATE audit SET actor = 'Sari' WHERE number = 2"))
    assert layanan.main(["audit", "verify"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("layanan: row 2: its hash is not that of its content: it was changed. Before it 1 rows")


def test_verify_looks_at_the_seals(systems: Systems, capsys: pytest.CaptureFixture[str]) -> None:
    noted(systems, "Sari")
    add_seal(systems.settings.audit_seals, Seal(2, "0" * 64, ""))
    assert layanan.main(["audit", "verify"]) == 1
    assert "row 2: it was sealed, and is missing" in capsys.readouterr().err


def shown(capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    assert layanan.main(["audit", "show", "--json", *options]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_show_filters_by_case_actor_and_time(systems: Systems, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = opened(systems), opened(systems, STRANGER)
    noted(systems, "Sari", first.reference, NOON - timedelta(days=1))
    noted(systems, "Rina", second.reference)
    noted(systems, "Sari", second.reference, NOON + timedelta(microseconds=1))
    assert [row["number"] for row in shown(capsys)] == [1, 2, 3]
    assert [row["number"] for row in shown(capsys, "--case", str(second.case_id))] == [2, 3]
    assert [row["number"] for row in shown(capsys, "--actor", "Sari")] == [1, 3]
    # noon in UTC is seven in the evening in Jakarta
    assert [row["number"] for row in shown(capsys, "--since", "2026-11-30T19:00")] == [2, 3]
    assert [row["number"] for row in shown(capsys, "--since", "2026-11-30T19:01")] == []
    assert [row["number"] for row in shown(capsys, "--limit", "1")] == [3]
    assert layanan.main(["audit", "show", "--case", "77"]) == 2


def test_show_gives_what_a_hash_stands_for_to_be_checked(systems: Systems, capsys: pytest.CaptureFixture[str]) -> None:
    noted(systems, "Sari")
    (row,) = shown(capsys)
    assert row["after"] == content_hash(row["salt"], {"choice": "APPROVE"})
    assert layanan.main(["audit", "show"]) == 0
    table = capsys.readouterr().out
    assert "30-11-2026 19:00:00" in table
    assert "Sari" in table


def test_a_stranger_verifies_an_export(systems: Systems, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("Sari", 'Rina "Ria" Dewi', "Siti \u2028 Ünal \\ \t\x01"):
        noted(systems, name)
    file, seals = tmp_path / "audit.jsonl", systems.settings.audit_seals
    assert layanan.main(["audit", "export", str(file)]) == 0
    said = capsys.readouterr().out
    assert file.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in file.read_text("utf-8").split("\n")[:-1]]
    assert (lines[-1]["action"], lines[-1]["signed_in"]) == ("exported", "command_line")
    assert lines[-1]["hash"] in said
    add_seal(seals, Seal(4, lines[-1]["hash"], ""))
    assert strangers_check(str(file), str(seals)) is None
    assert layanan.main(["audit", "export", str(file)]) == 4, "no file is written over"


@pytest.mark.parametrize(
    ("tampered", "says"),
    [
        (lambda lines: [lines[0], lines[1].replace("Rina", "Sari"), *lines[2:]], "row 2: it was changed"),
        (lambda lines: [lines[0], *lines[2:]], "row 2: its number does not follow"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "row 2: its number does not follow"),
        (lambda lines: [lines[0], *lines], "row 2: its number does not follow"),
        (lambda lines: lines[1:], "row 1: its number does not follow"),
        (lambda lines: lines[:-1], "row 4: it was sealed, and is missing"),
        (lambda lines: [lines[0].replace("0" * 64, "1" * 64), *lines[1:]], "row 1: it does not follow the row before"),
        (lambda lines: [lines[0].replace('"actor":', '"salt":"","actor":'), *lines[1:]], "row 1: its members"),
    ],
)
def test_a_stranger_finds_a_changed_export(
    systems: Systems, tmp_path: Path, tampered: Callable[[list[str]], list[str]], says: str
) -> None:
    for name in ("Sari", "Rina", "Budi"):
        noted(systems, name)
    file, seals = tmp_path / "audit.jsonl", tmp_path / "audit-seals"
    assert layanan.main(["audit", "export", str(file)]) == 0
    lines = file.read_text("utf-8").splitlines(keepends=True)
    add_seal(seals, Seal(4, json.loads(lines[-1])["hash"], ""))
    file.write_text("".join(tampered(lines)), "utf-8")
    assert str(strangers_check(str(file), str(seals))).startswith(says)
