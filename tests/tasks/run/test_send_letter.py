"""The outbox: every letter goes out once, later, or is a person's matter; real SMTP and IMAP behind it."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, update

import tasks.run.send_letter
from adapters.wiring import Systems
from models.errors import Refused, Unavailable
from models.settings import Smtp
from models.states import SignalKind
from models.tables import Kept, Letter, Outbox, Relay, Signal
from tasks.run.lease import due_letters, read_queued, take_lease
from tasks.run.outcome import BACKOFF, LONGEST_BACKOFF, MOST_DEFERRALS, Outcome, Sending
from tasks.run.relay import FIRST_PAUSE
from tasks.run.send_letter import deliver, deliver_all, send_again, sent
from tasks.run.undelivered import undelivered
from tasks.upkeep.monitor import send_due_letters
from tests.cases import BUDI, STRANGER, StandingClock, accepted, letter, opened, received, rows, take_in
from tests.conftest import BOTH
from tests.fakes import fake, with_methods
from tests.ports import free_port
from tests.servers import scripted

GREYLISTED, TEMPORARY, AFTER_TEXT, CUT_OFF = (f"{name}@example.com" for name in ("once4xx", "4xx", "data4xx", "drop"))


@pytest.fixture
def machine(systems: Systems, tmp_path: Path) -> StandingClock:
    """The machine's clock, to be moved."""
    systems.machine_clock = clock = StandingClock(tmp_path / "machine")
    return clock


def outbox(systems: Systems, letter_id: int = 1) -> Outbox:
    return rows(systems, Outbox)[letter_id - 1]


def seconds(machine: StandingClock, systems: Systems) -> float:
    """Until the next attempt."""
    return (outbox(systems).not_before - machine.now()).total_seconds()


def probe_in(machine: StandingClock, systems: Systems, account: str = "") -> timedelta:
    """Until the relay is tried again."""
    return rows(systems, Relay, name=account or systems.settings.smtp.account)[0].not_before - machine.now()


def away(systems: Systems) -> None:
    """No SMTP server listens any more."""
    systems.ems.close()
    systems.settings.smtp.port = free_port()


@pytest.fixture
def back(systems: Systems) -> Smtp:
    """The way to the SMTP server that works."""
    return systems.settings.smtp.model_copy()


def test_a_letter_goes_out_once(systems: Systems) -> None:
    opened(systems)
    assert deliver(systems, 1) == "sent"
    assert (outbox(systems).attempts, outbox(systems).error) == (1, "")
    assert outbox(systems).sent_at is not None
    assert deliver(systems, 1) == "sent"
    assert (len(accepted(systems, BUDI)), outbox(systems).attempts) == (1, 1)
    assert due_letters(systems) == []


def test_a_sender_that_dies_at_a_letter_has_recorded_the_one_before(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sender in (BUDI, STRANGER):
        opened(systems, sender)

    def dies_at_the_second(sending: Sending, until: float) -> Outcome:
        if sending.queued.letter.id == 2:
            raise KeyboardInterrupt
        return sent(sending, until)

    monkeypatch.setattr(tasks.run.send_letter, "sent", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        deliver_all(systems, [1, 2])
    assert [(letter.state, letter.attempts) for letter in rows(systems, Outbox)] == [("sent", 1), ("sending", 1)]


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_two_senders_at_once_send_one(systems: Systems) -> None:
    for number in range(6):
        opened(systems, BUDI, f"Internet 12234567890{number} mati total.", f"Mati {number}")
    start = threading.Barrier(2)

    def send() -> None:
        start.wait(60)
        for letter_id in range(1, 7):
            deliver(systems, letter_id)
        systems.ems.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(accepted(systems, BUDI)) == len(set(accepted(systems, BUDI))) == 6
    assert {(row.state, row.attempts) for row in rows(systems, Outbox)} == {("sent", 1)}


def test_who_comes_too_late_says_nothing_of_the_attempt_after_it(systems: Systems, machine: StandingClock) -> None:
    opened(systems)
    send, tries = systems.ems.send, iter([1, 2])
    begun, claimed_anew = threading.Event(), threading.Event()
    slow = threading.Thread(target=deliver, args=(systems, 1))

    def hangs_at_first(*letter: Any) -> None:
        if next(tries) == 1:
            begun.set()
            claimed_anew.wait(10)
            raise Unavailable("smtp", "TimeoutError")
        claimed_anew.set()
        slow.join()
        send(*letter)

    systems.ems = with_methods(systems.ems, send=hangs_at_first)
    slow.start()
    assert begun.wait(10)
    machine.advance(systems.settings.claim_seconds / 3600)
    assert deliver(systems, 1) == "sent"
    machine.advance(1)
    assert (due_letters(systems), len(accepted(systems, BUDI))) == ([], 1)


def test_a_letter_that_another_may_claim_before_it_is_out_does_not_go(systems: Systems, machine: StandingClock) -> None:
    opened(systems)
    systems.settings.claim_seconds = 0.0001
    assert deliver(systems, 1) == "queued"
    assert outbox(systems).error == "smtp: too slow to send a letter: check the server, or LAYANAN_CLAIM_SECONDS"
    assert accepted(systems, BUDI) == []
    systems.settings.claim_seconds = 60
    machine.advance(1)
    assert deliver(systems, 1) == "sent"


def test_a_server_that_says_later_is_tried_later_and_later(systems: Systems, machine: StandingClock) -> None:
    opened(systems, TEMPORARY)
    for before, wait in ((0, 2 * BACKOFF), (1, 4 * BACKOFF), (20, LONGEST_BACKOFF)):
        with systems.store.write() as session:
            session.execute(update(Outbox).values(attempts=before))
        assert deliver(systems, 1) == "queued"
        assert (outbox(systems).attempts, seconds(machine, systems)) == (before + 1, wait.total_seconds())
        assert due_letters(systems) == []
        machine.advance(wait / timedelta(hours=1))
        assert due_letters(systems) == [1]
    assert outbox(systems).error == "smtp: 451 4.7.1 to RCPT"
    assert TEMPORARY not in outbox(systems).error


def test_a_letter_that_waits_is_left_alone(systems: Systems, machine: StandingClock) -> None:
    opened(systems, TEMPORARY)
    deliver(systems, 1)
    assert deliver(systems, 1) == "queued"
    assert outbox(systems).attempts == 1


def test_a_greylisted_letter_goes_out_with_the_monitor(systems: Systems, machine: StandingClock) -> None:
    opened(systems, GREYLISTED)
    # the adapter's own second try gets through
    assert send_due_letters.fn() == 1
    assert outbox(systems).state == "sent"
    assert send_due_letters.fn() == 0
    assert len(accepted(systems, GREYLISTED)) == 1


def test_a_refused_letter_is_not_tried_again(systems: Systems, machine: StandingClock) -> None:
    opened(systems, STRANGER)
    assert deliver(systems, 1) == "failed"
    assert outbox(systems).error == "smtp: 550 5.1.1 to RCPT"
    machine.advance(1000)
    assert due_letters(systems) == []
    assert deliver(systems, 1) == "failed"


def test_where_it_is_open_whether_it_went_the_copy_tells(systems: Systems, machine: StandingClock) -> None:
    opened(systems, CUT_OFF)
    assert deliver(systems, 1) == "sending"
    assert due_letters(systems) == [], "its claim still runs"
    machine.advance(systems.settings.claim_seconds / 3600)
    assert due_letters(systems) == [1]
    assert deliver(systems, 1) == "sent"
    assert len(accepted(systems, CUT_OFF)) == 1


def in_doubt(systems: Systems, machine: StandingClock) -> None:
    """A letter was taken, our server cut the connection before it said so, and no copy comes."""
    systems.settings.smtp.copy_to = "nobody@telkom.example"
    opened(systems, CUT_OFF)
    assert deliver(systems, 1) == "sending"
    machine.advance(systems.settings.claim_seconds / 3600)


def test_a_mailbox_that_is_away_does_not_answer_for_the_person(systems: Systems, machine: StandingClock) -> None:
    def away(*_: object) -> bool:
        raise Unavailable("imap", "abort")

    systems.settings.smtp.in_doubt = "ask"
    in_doubt(systems, machine)
    with fake(systems, "ems", has_copy=away):
        assert deliver(systems, 1) == "sending"
    machine.advance(1)
    assert deliver(systems, 1) == "failed"
    assert len(accepted(systems, CUT_OFF)) == 1


def test_who_is_put_off_keeps_no_other_waiting(systems: Systems) -> None:
    for sender in (TEMPORARY, BUDI):
        opened(systems, sender)
    deliver_all(systems, [1, 2])
    assert [letter.state for letter in rows(systems, Outbox)] == ["queued", "sent"]


def test_without_a_copy_it_is_sent_once_more_and_then_a_person_asked(systems: Systems, machine: StandingClock) -> None:
    in_doubt(systems, machine)
    assert deliver(systems, 1) == "sending"
    assert len(accepted(systems, CUT_OFF)) == 2
    assert len(set(accepted(systems, CUT_OFF))) == 1, "who gets both sees one Message-ID"
    machine.advance(systems.settings.claim_seconds / 3600)
    assert deliver(systems, 1) == "failed"
    assert outbox(systems).error == "smtp: the delivery is unconfirmed, and no copy has come"
    assert [wake.kind for wake in rows(systems, Signal)] == [SignalKind.UNDELIVERED]
    assert len(accepted(systems, CUT_OFF)) == 2


def test_without_a_copy_a_person_is_asked_at_once_where_the_settings_say_so(
    systems: Systems, machine: StandingClock
) -> None:
    systems.settings.smtp.in_doubt = "ask"
    in_doubt(systems, machine)
    assert deliver(systems, 1) == "failed"
    assert [wake.kind for wake in rows(systems, Signal)] == [SignalKind.UNDELIVERED]
    assert len(accepted(systems, CUT_OFF)) == 1
    send_again(systems, 1)
    assert deliver(systems, 1) == "sending", "as a person wished"
    assert len(accepted(systems, CUT_OFF)) == 2
    machine.advance(systems.settings.claim_seconds / 3600)
    assert deliver(systems, 1) == "failed"


def test_what_was_surely_not_taken_is_not_the_sending_once_more(
    systems: Systems, machine: StandingClock, back: Smtp
) -> None:
    in_doubt(systems, machine)
    away(systems)
    assert deliver(systems, 1) == "sending"
    machine.advance(1)
    systems.settings.smtp.port = back.port
    assert deliver(systems, 1) == "sending"
    assert len(accepted(systems, CUT_OFF)) == 2


def test_a_letter_that_shall_go_later_outlives_a_restart(systems: Systems, machine: StandingClock) -> None:
    opened(systems, AFTER_TEXT)
    assert deliver(systems, 1) == "queued"
    assert outbox(systems).error == "smtp: 451 4.3.0 to the letter"
    systems.ems.close()
    systems.store.close()
    anew = Systems(systems.settings)
    anew.machine_clock = machine
    assert due_letters(anew) == []
    machine.advance(1)
    assert due_letters(anew) == [1]
    with anew.store.write() as session:
        session.execute(update(Letter).values(recipient=BUDI))
    assert deliver(anew, 1) == "sent"
    anew.ems.close()
    anew.store.close()
    assert len(accepted(systems, BUDI)) == 1


def leased(systems: Systems) -> None:
    """A sender has leased the letter, and died."""
    with systems.store.write() as session:
        (letter,) = read_queued(systems, [1])
        assert take_lease(session, systems, letter)


def test_a_sender_that_died_before_the_server_is_made_good(systems: Systems, machine: StandingClock) -> None:
    opened(systems)
    leased(systems)
    assert deliver(systems, 1) == "sending"
    machine.advance(systems.settings.claim_seconds / 3600)
    assert deliver(systems, 1) == "sent"
    assert len(accepted(systems, BUDI)) == 1
    assert outbox(systems).attempts == 2


def test_in_doubt_and_without_mail_servers_it_stays_open(systems: Systems, machine: StandingClock, back: Smtp) -> None:
    opened(systems)
    leased(systems)
    machine.advance(systems.settings.claim_seconds / 3600)
    away(systems)
    assert deliver(systems, 1) == "sending"
    assert outbox(systems).error.startswith("smtp: ")
    assert probe_in(machine, systems) == FIRST_PAUSE
    machine.advance(1)
    systems.settings.smtp.port = back.port
    assert deliver(systems, 1) == "sent"
    assert len(accepted(systems, BUDI)) == 1


def test_a_server_that_is_away_leaves_the_letter_queued(systems: Systems, machine: StandingClock, back: Smtp) -> None:
    opened(systems)
    away(systems)
    assert deliver(systems, 1) == "queued"
    machine.advance(1)
    systems.settings.smtp.port = back.port
    assert send_due_letters.fn() == 1
    assert accepted(systems, BUDI) != []


def test_letters_outlive_a_wrong_password(systems: Systems, machine: StandingClock, back: Smtp) -> None:
    opened(systems)
    mx = {b"ehlo": b"250-mx\r\n250 AUTH PLAIN\r\n", b"auth": b"535 5.7.8 no\r\n"}
    with scripted(b"220 mx\r\n", mx) as port:
        systems.settings.smtp.port, systems.settings.smtp.user = port, "layanan"
        systems.settings.smtp.password = SecretStr("lama")
        assert deliver(systems, 1) == "queued"
    assert outbox(systems).error.startswith("smtp: 535 to the login: check")
    assert probe_in(machine, systems, systems.settings.smtp.account) == FIRST_PAUSE
    machine.advance(1)
    systems.settings.smtp.port, systems.settings.smtp.user = back.port, back.user
    assert send_due_letters.fn() == 1
    assert (outbox(systems).state, outbox(systems).error, len(accepted(systems, BUDI))) == ("sent", "", 1)


def test_in_doubt_a_refused_mailbox_leaves_it_open(systems: Systems, machine: StandingClock) -> None:
    opened(systems, CUT_OFF)
    assert deliver(systems, 1) == "sending"
    machine.advance(systems.settings.claim_seconds / 3600)
    systems.ems.close()
    box = systems.settings.mailboxes[0]
    password, box.password = box.password, SecretStr("lama")
    assert deliver(systems, 1) == "sending"
    assert outbox(systems).error.startswith("imap: MailboxLoginError AUTHENTICATIONFAILED: check user, password")
    machine.advance(1)
    mailboxes, systems.settings.mailboxes = systems.settings.mailboxes, []
    assert deliver(systems, 1) == "sending"
    assert outbox(systems).error.startswith("LAYANAN_MAILBOXES: ")
    machine.advance(1)
    systems.settings.mailboxes, box.password = mailboxes, password
    assert deliver(systems, 1) == "sent"
    assert len(accepted(systems, CUT_OFF)) == 1


def test_a_letter_whose_bytes_are_elsewhere_waits_for_them(systems: Systems, machine: StandingClock) -> None:
    opened(systems)
    (sha256,) = (row.sha256 for row in rows(systems, Letter))
    here = systems.store.blobs / systems.store.keep(systems.store.kept(sha256))[:2] / sha256
    with systems.store.write() as session:
        session.execute(delete(Kept))  # as those that are large, or were kept long ago
    elsewhere = here.rename(here.with_suffix(".elsewhere"))
    assert deliver(systems, 1) == "queued"
    assert outbox(systems).error.startswith("case store: ")
    elsewhere.rename(here)
    machine.advance(1)
    assert deliver(systems, 1) == "sent"


def test_a_failed_letter_is_put_back_by_a_person(systems: Systems, back: Smtp) -> None:
    opened(systems, STRANGER)
    deliver(systems, 1)
    send_again(systems, 1)
    assert (outbox(systems).attempts, outbox(systems).error) == (0, "")
    assert due_letters(systems) == [1]
    assert deliver(systems, 1) == "failed", "the server still says no"
    send_again(systems, 1)
    with systems.store.write() as session:
        session.execute(update(Letter).values(recipient=BUDI))
    assert send_due_letters.fn() == 1
    assert (outbox(systems).state, len(accepted(systems, BUDI))) == ("sent", 1)
    with pytest.raises(Refused, match="letter 1: only a failed one"):
        send_again(systems, 1)
    assert outbox(systems).state == "sent"


def test_a_letter_put_back_that_had_gone_after_all_is_not_sent_twice(systems: Systems) -> None:
    opened(systems)
    assert deliver(systems, 1) == "sent"
    with systems.store.write() as session:
        session.execute(update(Outbox).values(state="failed"))
    send_again(systems, 1)
    assert deliver(systems, 1) == "sent"
    assert len(accepted(systems, BUDI)) == 1


def test_the_oldest_letters_are_due_first(systems: Systems) -> None:
    for number in range(3):
        opened(systems, BUDI, f"Internet 12234567890{number} mati total.", f"Mati {number}")
    assert due_letters(systems) == [1, 2, 3]
    assert due_letters(systems, limit=2) == [1, 2]


def test_a_letter_that_bounced_while_it_was_sent_stays_bounced(systems: Systems) -> None:
    opened(systems)
    send = systems.ems.send

    def and_bounces(*letter: Any) -> None:
        send(*letter)
        with systems.store.write() as session:
            undelivered(session, 1, "bounced", "550 5.1.1", systems.clock.now())

    systems.ems = with_methods(systems.ems, send=and_bounces)
    assert deliver(systems, 1) == "bounced"
    assert (outbox(systems).state, outbox(systems).error) == ("bounced", "550 5.1.1")


def test_a_letter_whose_copy_comes_while_it_is_given_up_is_sent(systems: Systems) -> None:
    case = opened(systems)
    with systems.store.write() as session:
        session.execute(update(Outbox).values(state="sending", attempts=2, unanswered=2))

    def comes_late(*_: Any) -> bool:
        take_in(systems, received(letter(case, "first_response").as_bytes()))
        return False

    systems.ems = with_methods(systems.ems, has_copy=comes_late)
    assert deliver(systems, 1) == "sent"
    assert (outbox(systems).state, rows(systems, Signal)) == ("sent", [])


def test_a_letter_that_the_server_puts_off_for_a_day_is_a_persons_matter(
    systems: Systems, machine: StandingClock
) -> None:
    case = opened(systems, TEMPORARY)
    hours = 0
    while deliver(systems, 1) == "queued":
        machine.advance(1)
        hours += 1
    assert 20 < hours < 30
    assert outbox(systems).state == "failed"
    assert outbox(systems).error == f"smtp: 451 4.7.1 to RCPT, {MOST_DEFERRALS} times"
    assert [wake.kind for wake in rows(systems, Signal, case_id=case.case_id)] == [SignalKind.UNDELIVERED]
    send_again(systems, 1)
    systems.settings.smtp.in_doubt = "ask"
    for _ in range(3):
        assert deliver(systems, 1) == "sending", "and it has as many tries again"
        machine.advance(1)


def test_an_outage_of_the_server_is_no_persons_matter(systems: Systems, machine: StandingClock, back: Smtp) -> None:
    opened(systems)
    away(systems)
    for _ in range(MOST_DEFERRALS + 5):
        assert deliver(systems, 1) == "queued"
        machine.advance(1)
    systems.settings.smtp.port = back.port
    assert deliver(systems, 1) == "sent"
