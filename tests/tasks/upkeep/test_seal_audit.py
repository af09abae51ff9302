"""The audit log is sealed at intervals, in a file and by mail; a real SMTP server takes the mails."""

import logging
from email import message_from_bytes

import pytest
from sqlalchemy import text

from adapters.case_store import audit
from adapters.case_store.audit_seals import Seal, add_seal, as_line, seals_in
from adapters.wiring import Systems
from models.audit import Action, Entry
from models.errors import Refused
from tasks.upkeep.seal_audit import seal_audit
from tests.cases import StandingClock
from tests.relay import Relay
from tests.tasks.run.test_relay import machine, relay

__all__ = ["machine", "relay"]


def noted(systems: Systems) -> str:
    """The hash of a new row."""
    with systems.store.write() as session:
        audit.note(session, Entry(Action.DECIDED, systems.clock.now(), "Sari"))
    with systems.store.read() as session:
        return audit.newest(session)[1]


def seals(systems: Systems) -> list[tuple[int, str]]:
    return [(seal.number, seal.hash) for seal in seals_in(systems.settings.audit_seals)]


def test_a_seal_is_made_at_intervals_where_rows_have_come(systems: Systems, machine: StandingClock) -> None:
    assert seal_audit.fn() == 0, "there is nothing to seal"
    one = noted(systems)
    assert seal_audit.fn() == 1
    noted(systems)
    two = noted(systems)
    machine.advance(14 / 60)
    assert seal_audit.fn() == 0
    machine.advance(2 / 60)
    assert seal_audit.fn() == 1
    machine.advance(1)
    assert seal_audit.fn() == 0, "no row has come"
    assert seals(systems) == [(1, one), (3, two)]


def test_a_clock_that_was_wrong_keeps_no_seal_back(systems: Systems) -> None:
    add_seal(systems.settings.audit_seals, Seal(1, noted(systems), "2099-01-01T00:00:00.000000Z"))
    noted(systems)
    assert seal_audit.fn() == 1


@pytest.mark.parametrize("tampered", ["DELETE FROM audit WHERE number = 2", "UPDATE audit SET hash = 'other'"])
def test_a_sealed_row_that_was_changed_is_said_at_the_next_seal(
    tampered: str, systems: Systems, machine: StandingClock
) -> None:
    noted(systems)
    noted(systems)
    seal_audit.fn()
    with systems.store.write() as session:
        for name in ("audit_no_update", "audit_no_delete"):
            session.execute(text(f"DROP TRIGGER {name}"))
        session.execute(text(tampered))
    machine.advance(1)
    with pytest.raises(Refused, match="row 2 is not the one that was sealed: layanan audit verify"):
        seal_audit.fn()
    assert len(seals(systems)) == 1


def test_a_seal_is_mailed(systems: Systems, relay: Relay) -> None:
    systems.settings.audit.seal_mail = "audit@telkom.example"
    noted(systems)
    assert seal_audit.fn() == 1
    (mail,) = relay.received
    (seal,) = seals_in(systems.settings.audit_seals)
    assert (mail.sender, mail.recipients[0]) == (systems.settings.mailboxes[0].address, "audit@telkom.example")
    read = message_from_bytes(mail.raw)
    assert (read["Auto-Submitted"], read["Subject"]) == ("auto-generated", "Segel catatan audit / Audit seal: 1")
    assert str(read.get_payload()).strip() == as_line(seal)


def test_a_seal_that_the_relay_refuses_stands_in_the_file_and_the_next_is_mailed(
    systems: Systems, relay: Relay, machine: StandingClock, caplog: pytest.LogCaptureFixture
) -> None:
    systems.settings.audit.seal_mail = "audit@telkom.example"
    relay.refuse("550 5.7.1", "Message refused by policy", "mail")
    noted(systems)
    with caplog.at_level(logging.WARNING):
        assert seal_audit.fn() == 1
    assert "audit: the seal of row 1 was not mailed: " in caplog.text
    assert "audit@telkom.example" not in caplog.text
    relay.accept()
    noted(systems)
    machine.advance(1)
    assert seal_audit.fn() == 1
    assert len(seals(systems)) == 2
    assert len(relay.received) == 1
