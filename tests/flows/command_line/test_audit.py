"""`layanan audit`, on a real case store."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

import layanan
from adapters.case_store import audit
from adapters.case_store.audit_seals import Seal, add_seal
from adapters.wiring import Systems
from models.audit import Action, Entry

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def noted(systems: Systems, actor: str, reference: str = "JKT-0000001") -> None:
    with systems.store.write() as session:
        audit.note(session, Entry(Action.DECIDED, NOON, actor, reference=reference, after={"choice": "APPROVE"}))


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
