"""A relay that refuses us keeps every letter; only what concerns a recipient is final. A real SMTP server behind it."""

import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from pydantic import SecretStr
from sqlalchemy import update
from sqlmodel import col

import layanan
from adapters.wiring import Systems
from models.letter import ClosingFacts, StatusFacts, WaitingFacts
from models.states import SignalKind
from models.tables import Bounce, Case, Letter, Outbox, Signal
from models.tables import Relay as RelayRow
from tasks.run.lease import due_letters
from tasks.run.outcome import MOST_REFUSALS
from tasks.run.relay import FIRST_PAUSE, SEVERAL
from tasks.run.send_letter import deliver, deliver_all
from tasks.run.work import Work
from tasks.upkeep.doctor import Check, examine
from tasks.upkeep.monitor import send_due_letters
from tasks.upkeep.send_again import CLOSED, OVERTAKEN, TOO_OLD, failed_letters
from tests.cases import StandingClock, opened, rows
from tests.conftest import BOTH
from tests.fakes import with_methods
from tests.relay import Relay, Stage

CUSTOMERS = [f"pelanggan{number}@example.com" for number in range(6)]
POLICY = ("550 5.7.1", "Message refused by policy")


@pytest.fixture
def machine(systems: Systems, tmp_path: Path) -> StandingClock:
    systems.machine_clock = clock = StandingClock(tmp_path / "machine")
    return clock


@pytest.fixture
def relay(systems: Systems, machine: StandingClock) -> Iterator[Relay]:
    with Relay(user="layanan", password="pw") as relay:
        smtp = systems.settings.smtp
        smtp.port, smtp.user, smtp.password = relay.port, "layanan", SecretStr("pw")
        yield relay
        systems.ems.close()


def write_to(systems: Systems, *customers: str) -> None:
    """Each of them opens a case; its first response is due."""
    for number, customer in enumerate(customers):
        opened(systems, customer, f"Internet 12234567{number:04} mati total.", f"Mati {number}")


def states(systems: Systems) -> list[str]:
    return [outbox.state for outbox in rows(systems, Outbox)]


def received(relay: Relay) -> list[str]:
    return [one.message_id for one in relay.received]


def written(systems: Systems) -> list[str]:
    return [letter.message_id for letter in rows(systems, Letter)]


def minutes_pass(machine: StandingClock, minutes: float = 11) -> None:
    """And the monitor makes its sweep."""
    machine.advance(minutes / 60)
    send_due_letters.fn()


def doctor(systems: Systems) -> Check:
    return next(check for check in examine(systems) if check.name == "relay")


OURS: list[tuple[str, str, Stage]] = [
    ("535 5.7.8", "Username and Password not accepted", "login"),
    ("535 5.7.139", "Authentication unsuccessful, basic authentication is disabled", "login"),
    ("421 4.7.0", "Try again later, closing connection", "greeting"),
    ("554 5.7.1", "Client host rejected: Access denied", "greeting"),
    ("550 5.4.5", "Daily user sending limit exceeded", "mail"),
    ("552 5.2.2", "Your own mailbox is over its quota", "mail"),
    ("550", "Sender verify failed", "mail"),
    ("451 4.7.650", "The mail server has been temporarily rate limited", "mail"),
    ("530 5.7.0", "Must issue a STARTTLS command first", "mail"),
    ("553 5.1.8", "Sender address rejected: Domain not found", "rcpt"),
    ("550 5.7.708", "Access denied, traffic not accepted from this IP", "rcpt"),
    ("550 5.1.90", "You have reached your daily limit for message recipients", "letter"),
    ("550 5.7.60", "SMTP; Client does not have permissions to send as this sender", "letter"),
    ("554 5.2.252", "SendAsDenied; layanan@telkom.example not allowed to send as cs@telkom.example", "letter"),
    ("550 5.7.26", "Unauthenticated email is not accepted due to the domain's DMARC policy", "letter"),
]


@pytest.mark.parametrize(("code", "words", "stage"), OURS)
def test_a_refusal_of_us_keeps_every_letter_names_the_setting_and_goes_on_by_itself(
    code: str, words: str, stage: Stage, systems: Systems, machine: StandingClock, relay: Relay
) -> None:
    relay.refuse(code, words, stage)
    write_to(systems, *CUSTOMERS[:4])
    deliver_all(systems, due_letters(systems))
    asked = relay.asked
    assert 0 < asked <= 4, "one letter alone has tried, and its tries again within seconds"
    for letter_id in range(1, 5):
        assert deliver(systems, letter_id) == "queued"
    minutes_pass(machine, 0.1)
    assert relay.asked == asked, "none is tried before the pause is over"
    check = doctor(systems)
    assert (check.state, code.partition(" ")[0] in check.found, "4 letter(s) wait" in check.found) == (
        "fail",
        True,
        True,
    )
    if stage != "greeting":
        assert words.split("; layanan@")[0] in check.found
        assert "@" not in check.found.partition("(“")[2].partition("”)")[0]
    if code.startswith("5"):
        assert "LAYANAN_SMTP__" in check.found
    relay.accept()
    minutes_pass(machine)
    assert (states(systems), sorted(received(relay))) == (["sent"] * 4, sorted(written(systems)))
    assert (rows(systems, Signal), doctor(systems).state) == ([], "ok")


@pytest.mark.parametrize("systems", BOTH, indirect=True)
@pytest.mark.parametrize(
    ("code", "words", "stage"),
    [
        (*POLICY, "rcpt"),
        ("550", "relay not permitted", "rcpt"),
        ("550 5.7.1", "Email quota exceeded", "letter"),
        ("554 5.7.0", "Reject, policy", "letter"),
        ("454 4.7.1", "Relay access denied", "rcpt"),
        ("450 4.2.1", "Peak SMTP relay limit exceeded for customer", "rcpt"),
    ],
)
def test_the_same_reply_to_several_recipients_in_a_row_concerns_us(
    code: str, words: str, stage: Stage, systems: Systems, machine: StandingClock, relay: Relay
) -> None:
    relay.refuse(code, words, stage)
    write_to(systems, *CUSTOMERS)
    deliver_all(systems, due_letters(systems))
    assert states(systems) == ["queued"] * 6
    refused = [outbox for outbox in rows(systems, Outbox) if outbox.reply]
    assert len(refused) == SEVERAL, "after so many nobody else is tried"
    check = doctor(systems)
    assert (check.state, code in check.found, words in check.found) == ("fail", True, True)
    assert "LAYANAN_SMTP__USER" in check.found
    for _ in range(30):
        minutes_pass(machine)
    assert states(systems) == ["queued"] * 6, "for hours"
    relay.accept()
    minutes_pass(machine)
    minutes_pass(machine)
    assert states(systems) == ["sent"] * 6
    assert sorted(received(relay)) == sorted(written(systems))
    assert (rows(systems, Signal), rows(systems, RelayRow)) == ([], [])


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_a_reply_that_others_do_not_get_concerns_the_recipient(
    systems: Systems, machine: StandingClock, relay: Relay
) -> None:
    relay.refuse(*POLICY, "rcpt", CUSTOMERS[1])
    write_to(systems, *CUSTOMERS[:2])
    deliver_all(systems, due_letters(systems))
    assert states(systems) == ["sent", "queued"], "not final at once"
    check = doctor(systems)
    assert (check.state, "550 5.7.1 (“" in check.found) == ("warn", True)
    assert POLICY[1] in check.found
    assert "LAYANAN_SMTP__USER" in check.found
    minutes_pass(machine)
    assert states(systems) == ["sent", "queued"], "nobody else has been written to since"
    write_to(systems, CUSTOMERS[2])
    minutes_pass(machine)
    minutes_pass(machine)
    assert states(systems) == ["sent", "failed", "sent"]
    assert [wake.answers for wake in rows(systems, Signal)] == [{"letter": 2}]
    assert (doctor(systems).state, failed_letters(systems)) == ("ok", [])


def test_a_lone_reply_that_nothing_explains_is_a_persons_matter_after_a_while(
    systems: Systems, machine: StandingClock, relay: Relay
) -> None:
    relay.refuse(*POLICY, "rcpt")
    write_to(systems, CUSTOMERS[0])
    for tries in range(1, MOST_REFUSALS + 1):
        assert states(systems) == ["queued"]
        minutes_pass(machine, 60)
        assert rows(systems, Outbox)[0].attempts == tries
    assert (states(systems), len(rows(systems, Signal))) == (["failed"], 1)
    assert [one.id for one in failed_letters(systems)] == [1]


def test_recipients_who_are_refused_in_a_row_keep_no_other_waiting(
    systems: Systems, machine: StandingClock, relay: Relay
) -> None:
    relay.refuse(*POLICY, "rcpt", *CUSTOMERS[:SEVERAL])
    write_to(systems, *CUSTOMERS[:SEVERAL])
    deliver_all(systems, due_letters(systems))
    assert doctor(systems).state == "fail"
    write_to(systems, CUSTOMERS[SEVERAL])
    minutes_pass(machine)
    assert relay.sent_to(CUSTOMERS[SEVERAL]) != []
    minutes_pass(machine)
    assert states(systems) == ["failed"] * SEVERAL + ["sent"]


def test_greylisting_of_every_new_recipient_is_no_end(systems: Systems, machine: StandingClock, relay: Relay) -> None:
    seen: dict[str, int] = {}

    def greylisted(stage: Stage, *recipients: str) -> str | None:
        if stage != "rcpt" or "+Sent@" in recipients[0]:
            return None
        seen[recipients[0]] = seen.get(recipients[0], 0) + 1
        return "450 4.2.0 Greylisted" if seen[recipients[0]] <= 3 else None  # so often the adapter tries at once

    relay.answer = greylisted  # type: ignore[method-assign]
    write_to(systems, *CUSTOMERS)
    deliver_all(systems, due_letters(systems))
    for _ in range(9):
        minutes_pass(machine)
    assert states(systems) == ["sent"] * 6


def test_refusals_of_recipients_and_letters_are_final_at_once(
    systems: Systems, machine: StandingClock, relay: Relay
) -> None:
    relay.refuse("550 5.1.1", "User unknown", "rcpt", CUSTOMERS[0])
    relay.refuse("552 5.2.2", "Mailbox full", "rcpt", CUSTOMERS[1])
    relay.refuse("550 5.7.124", "Sender not in allowed-senders list", "rcpt", CUSTOMERS[2])
    relay.refuse("552 5.3.4", "Message too big", "letter", CUSTOMERS[3])
    relay.refuse("550 5.6.0", "Lone CR or LF in the body", "letter", CUSTOMERS[4])
    write_to(systems, *CUSTOMERS)
    deliver_all(systems, due_letters(systems))
    assert states(systems) == ["failed"] * 5 + ["sent"]
    assert {outbox.cause for outbox in rows(systems, Outbox)[:5]} == {"recipient"}


def more_letters(systems: Systems, number: int, *kinds: Any) -> None:
    """The case writes so many letters more, as its activities do."""
    for occurrence, facts in enumerate(kinds, 2):
        with systems.store.write() as session:
            case = session.get_one(Case, number)
            work = Work(systems, case, "test", occurrence, session=session)
            work.letter(facts)
            for effect in work.effects:
                effect(session)


def status(systems: Systems) -> StatusFacts:
    now = systems.clock.now()
    return StatusFacts(ticket_id="1-1", unit="Akses", state="in_progress", since=now, next_update_at=now)


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_no_letter_of_a_case_overtakes_an_earlier_one(systems: Systems, machine: StandingClock, relay: Relay) -> None:
    write_to(systems, *CUSTOMERS[:2])
    more_letters(systems, 1, status(systems), ClosingFacts(answer_by=systems.clock.now()))
    relay.refuse("450 4.2.0", "later", "rcpt", CUSTOMERS[0])
    for letter_id in (3, 4, 1, 2, 3, 4):
        deliver(systems, letter_id)
    assert (states(systems), rows(systems, Outbox)[2].attempts) == (["queued", "sent", "queued", "queued"], 0)
    assert due_letters(systems) == [], "what waits for another is not due"
    relay.accept()
    minutes_pass(machine)
    assert relay.sent_to(CUSTOMERS[0]) == [written(systems)[index] for index in (0, 2, 3)]


def test_who_sends_a_letter_sends_those_before_it_first(systems: Systems, machine: StandingClock, relay: Relay) -> None:
    write_to(systems, CUSTOMERS[0])
    more_letters(systems, 1, status(systems))
    assert deliver(systems, 2) == "sent"
    assert received(relay) == written(systems)


def test_letters_that_are_sent_again_are_probes_in_their_order(
    systems: Systems, machine: StandingClock, relay: Relay, capsys: pytest.CaptureFixture[str]
) -> None:
    write_to(systems, CUSTOMERS[0])
    more_letters(systems, 1, status(systems))
    failed_before(systems, 1, 2)
    again(capsys, "--outdated")
    relay.refuse("550 5.4.5", "limit", "mail")
    minutes_pass(machine)
    relay.accept()
    minutes_pass(machine)
    minutes_pass(machine)
    assert states(systems) == ["sent", "sent"], "the second one, not refused yet, keeps no probe from the first"
    assert received(relay) == written(systems)


def test_pauses_between_probes_grow_to_the_longest(systems: Systems, machine: StandingClock, relay: Relay) -> None:
    relay.refuse("550 5.4.5", "limit", "mail")
    systems.settings.smtp.probe_seconds = 100
    write_to(systems, *CUSTOMERS)
    pauses = []
    for asked in range(1, 6):
        send_due_letters.fn()
        assert relay.asked == asked, "one letter, and one try"
        pause = rows(systems, RelayRow)[0].not_before - machine.now()
        pauses.append(pause)
        machine.advance(pause / timedelta(hours=1))
    assert pauses == [FIRST_PAUSE, 2 * FIRST_PAUSE, *[timedelta(seconds=100)] * 3]
    assert {outbox.state for outbox in rows(systems, Outbox)} == {"queued"}


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_several_senders_at_once_make_one_probe(systems: Systems, machine: StandingClock, relay: Relay) -> None:
    relay.refuse("550 5.4.5", "limit", "mail")
    write_to(systems, *CUSTOMERS)
    deliver(systems, 1)
    machine.advance(1)
    start, before = threading.Barrier(6), relay.asked

    def send(letter_id: int) -> None:
        start.wait(60)
        deliver(systems, letter_id)
        systems.ems.close()

    threads = [threading.Thread(target=send, args=(letter_id,)) for letter_id in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert relay.asked == before + 1
    assert states(systems) == ["queued"] * 6


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_several_senders_who_are_refused_at_once_record_one_refusal(
    systems: Systems, machine: StandingClock, relay: Relay
) -> None:
    relay.refuse("550 5.7.60", "no", "letter")
    write_to(systems, *CUSTOMERS)
    together = threading.Barrier(6)
    really = systems.ems.send

    def send(*letter: Any) -> None:
        together.wait(60)
        really(*letter)

    systems.ems = with_methods(systems.ems, send=send)
    threads = [threading.Thread(target=deliver, args=(systems, number)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states(systems) == ["queued"] * 6
    assert len(rows(systems, RelayRow)) == 1


def test_another_account_is_tried_at_once(systems: Systems, machine: StandingClock, relay: Relay) -> None:
    relay.refuse("550 5.4.5", "limit", "mail")
    write_to(systems, CUSTOMERS[0])
    assert deliver(systems, 1) == "queued"
    with Relay() as other:
        systems.settings.smtp.port, systems.settings.smtp.user = other.port, ""
        systems.ems.close()
        assert deliver(systems, 1) == "sent"
        systems.ems.close()


def failed_before(systems: Systems, *letters: int) -> None:
    """As letters stand in a store of the revision that took a refusal of us for a refusal of the letter."""
    with systems.store.write() as session:
        these = col(Outbox.letter_id).in_(letters)
        session.execute(update(Outbox).where(these).values(state="failed", error="smtp: 550 5.7.60 to the letter"))


def again(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    capsys.readouterr()
    with patch.dict(os.environ):  # the engine's settings go there
        assert layanan.main(["letters", "--again", *options]) == 0
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_letters_that_failed_before_are_sent_again_in_order_and_a_person_sees_the_outdated_ones(
    systems: Systems, machine: StandingClock, relay: Relay, capsys: pytest.CaptureFixture[str]
) -> None:
    write_to(systems, *CUSTOMERS[:4])
    more_letters(systems, 1, status(systems), ClosingFacts(answer_by=systems.clock.now()))  # 5, 6
    more_letters(systems, 2, status(systems))  # 7
    failed_before(systems, 1, 2, 3, 4, 5, 6, 7)
    with systems.store.write() as session:
        session.execute(update(Case).where(col(Case.id) == 3).values(status="closed"))
        # an agent has decided on it, and of its recipient the relay has said that it is unknown
        session.execute(update(Outbox).where(col(Outbox.letter_id) == 4).values(cause="recipient"))
        session.add(
            Signal(case_id=1, kind=SignalKind.UNDELIVERED, source="undelivered:1:1", created_at=systems.clock.now())
        )
        session.execute(
            update(Letter).where(col(Letter.id) == 7).values(written_at=systems.clock.now() - timedelta(hours=7))
        )
    assert {one.id: one.outdated for one in failed_letters(systems)} == {
        1: "",
        2: "",
        3: CLOSED,
        5: "",
        6: "",
        7: TOO_OLD,
    }
    told = again(capsys)
    assert "4 in the outbox again" in told
    assert "2 out of date and not sent" in told
    minutes_pass(machine)
    texts = written(systems)
    assert relay.sent_to(CUSTOMERS[0]) == [texts[0], texts[4], texts[5]]
    assert (relay.sent_to(CUSTOMERS[2]), relay.sent_to(CUSTOMERS[3])) == ([], [])
    assert rows(systems, Signal)[0].taken_at is not None, "no agent is asked for another way"
    assert "2 in the outbox again" in again(capsys, "--outdated")
    minutes_pass(machine)
    assert states(systems) == ["sent"] * 3 + ["failed"] + ["sent"] * 3
    assert len(received(relay)) == len(set(received(relay))) == 6
    assert layanan.main(["letters", "--outdated"]) == 2


def test_a_letter_whose_place_a_later_one_has_taken_is_outdated(
    systems: Systems, machine: StandingClock, relay: Relay
) -> None:
    write_to(systems, CUSTOMERS[0])
    more_letters(systems, 1, status(systems))
    failed_before(systems, 1)
    assert deliver(systems, 2) == "sent"
    assert [one.outdated for one in failed_letters(systems)] == [OVERTAKEN]


def test_a_promise_of_news_that_has_passed_is_outdated(systems: Systems, machine: StandingClock, relay: Relay) -> None:
    write_to(systems, CUSTOMERS[0])
    now = systems.clock.now()
    more_letters(systems, 1, WaitingFacts(since=now, next_update_at=now))
    failed_before(systems, 1, 2)
    with systems.store.write() as session:
        session.execute(update(Letter).values(written_at=now - timedelta(hours=7)))
    assert [(one.id, one.outdated) for one in failed_letters(systems)] == [(1, ""), (2, TOO_OLD)]


def test_letters_that_bounced_for_our_sake_are_among_them(
    systems: Systems, machine: StandingClock, relay: Relay
) -> None:
    write_to(systems, *CUSTOMERS[:2])
    send_due_letters.fn()
    with systems.store.write() as session:
        session.execute(update(Outbox).values(state="bounced"))
        for letter_id, code in ((1, "5.7.705"), (2, "5.1.1")):
            report: dict[str, Any] = {"letter_id": letter_id, "mail_id": letter_id, "address": "x", "action": "failed"}
            session.add(Bounce(**report, status=code, hard=True))
    assert [one.id for one in failed_letters(systems)] == [1]
