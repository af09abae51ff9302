"""Reading the mailboxes: what fails keeps nothing else from being read and answered."""

import smtplib
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

import flows.receive_mail
from adapters.ems import Received
from adapters.engine.runs import PrefectEngine
from adapters.wiring import Systems
from flows.receive_mail import receive_mail, take_batches
from models.errors import Refused, Unavailable
from models.mail import Problem
from models.settings import Mailbox
from models.tables import Case, Message, Outbox
from tasks.run.start_case import cases_without_run
from tasks.upkeep.check_mails import check_mails
from tests.adapters.ems.world import World
from tests.cases import BUDI, LINE, MAJU, OURS, STRANGER, mail, opened, rows
from tests.fakes import fake, with_methods
from tests.ports import free_port
from tests.runs import Runs
from tests.servers import Dovecot, Postfix, scripted

MOST = 300
"""Mails of a flood."""


def posted(systems: Systems, *senders: str) -> None:
    """Mails in our mailbox."""
    with smtplib.SMTP("127.0.0.1", systems.settings.smtp.port) as smtp:
        for sender in senders:
            smtp.sendmail(sender, [OURS], mail(sender))


def test_a_mailbox_that_refuses_us_keeps_no_other_from_being_read(runs: Runs) -> None:
    systems = runs.systems
    (good,) = systems.settings.mailboxes
    bad = good.model_copy(update={"address": "bdg@telkom.example", "site": "BDG", "password": SecretStr("wrong")})
    systems.settings.mailboxes = [bad, good]
    posted(systems, MAJU)
    ended = receive_mail(return_state=True)
    assert ended.is_failed()
    assert str(ended.message).startswith("imap: MailboxLoginError"), "the run's own state says why"
    assert [case.address for case in rows(systems, Case)] == [MAJU]


def test_a_mailbox_that_is_flooded_keeps_no_other_from_being_read(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    systems = runs.systems
    (flooded,) = systems.settings.mailboxes
    quiet = flooded.model_copy(update={"address": "bdg@telkom.example", "site": "BDG"})
    systems.settings.mailboxes = [flooded, quiet]
    served = threading.Event()
    asked: list[str] = []

    def fetch(box: Mailbox, limit: int, after: int = 0) -> list[Received]:
        asked.append(box.site)
        if box is quiet:
            served.set()
            return []
        served.wait(30)
        return [Received(box.address, box.site, 1, len(asked), mail(STRANGER))] if after < MOST else []

    monkeypatch.setattr(flows.receive_mail, "MAILBOX_SECONDS", 1)
    systems.ems = with_methods(systems.ems, fetch=fetch)
    systems.ems = with_methods(systems.ems, settle=lambda *_: None)
    assert receive_mail(return_state=True).is_completed()
    assert "BDG" in asked[:2], "they are emptied side by side"
    assert len(asked) < MOST, "and the next pass, where all have their turn again, does not wait for the flood's end"


def test_a_server_that_takes_no_letter_is_asked_once_a_batch(systems: Systems) -> None:
    posted(systems, *(f"p{number}@example.com" for number in range(3)))
    systems.settings.smtp.port = free_port()
    assert list(take_batches(systems, systems.settings.mailboxes[0])) == [{"opened": 3}]
    assert [(outbox.state, outbox.attempts) for outbox in rows(systems, Outbox)] == [
        ("queued", 1),
        ("queued", 0),
        ("queued", 0),
    ]


def test_a_mail_of_which_the_server_gives_nothing_has_its_row_and_is_quarantined(systems: Systems) -> None:
    done = b"%t OK done\r\n"
    found, opened = b"* SEARCH 5\r\n" + done, b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n" + done
    answers = dict.fromkeys([b"LOGIN", b"NOOP", b"MOVE"], done) | dict.fromkeys([b"EXAMINE", b"SELECT"], opened)
    answers |= {
        b"CAPABILITY": b"* CAPABILITY IMAP4rev1 MOVE\r\n" + done,
        b"LIST": b'* LIST () "/" "Set aside"\r\n' + done,
        b"SEARCH": found,
        b"FETCH": b"* 1 FETCH (UID 5 RFC822.SIZE 2000 BODY[] NIL)\r\n" + done,
    }
    (ours,) = systems.settings.mailboxes
    with scripted(b"* OK\r\n", answers) as port:
        box = ours.model_copy(update={"port": port})
        systems.settings.mailboxes = [box]
        batches = take_batches(systems, box)
        assert next(batches) == {"quarantined": 1}
        (message,) = rows(systems, Message)
        assert (message.uidvalidity, message.uid, message.reasons) == (7, 5, [["unreadable", "empty"]])
        assert "not taken in yet" not in {one.what for one in check_mails(systems)}


class Away(PrefectEngine):
    """The engine does not answer."""

    asked = 0

    def start_case(self, case_id: int, reference: str, after: str = "") -> str:
        self.asked += 1
        raise Unavailable("Prefect", "ConnectError")


def test_an_engine_that_is_away_is_asked_once_a_batch_and_keeps_no_letter_waiting(systems: Systems) -> None:
    posted(systems, *(f"p{number}@example.com" for number in range(3)))
    systems.engine = away = Away(systems.settings)
    assert list(take_batches(systems, systems.settings.mailboxes[0])) == [{"opened": 3}]
    assert away.asked == 1, "it is tried for seconds each time"
    assert {outbox.attempts for outbox in rows(systems, Outbox)} == {1}
    assert cases_without_run(systems) == [1, 2, 3], "the monitor starts them"


class GoesAway(Away):
    """It does not answer any more."""

    def start_case(self, case_id: int, reference: str, after: str = "") -> str:
        return "run-1" if case_id == 1 else super().start_case(case_id, reference)


def test_the_run_of_a_case_is_known_though_the_next_cannot_be_started(systems: Systems) -> None:
    posted(systems, *(f"p{number}@example.com" for number in range(3)))
    systems.engine = GoesAway(systems.settings)
    assert list(take_batches(systems, systems.settings.mailboxes[0])) == [{"opened": 3}]
    assert [case.run_id for case in rows(systems, Case)] == ["run-1", None, None]


def test_a_case_that_breaks_us_when_it_is_woken_stops_no_mail(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def woken(systems: Systems, case_id: int, kind: str) -> None:
        raise KeyError(case_id)

    monkeypatch.setattr(flows.receive_mail, "resume_or_show", woken)
    opened(systems, MAJU, f"Internet {LINE} mati sejak pagi.")
    posted(systems, MAJU, BUDI)
    box = systems.settings.mailboxes[0]
    assert all_taken_in(systems, box) == {"joined": 1, "opened": 1}
    assert all_taken_in(systems, box) == {}, "all of it is settled"
    assert "a defect" in caplog.text


def written(genuine: World, count: int) -> None:
    genuine.write(*(mail(f"p{number}@pelanggan.example", f"Internet {number} mati.") for number in range(count)))


def all_taken_in(systems: Systems, box: Mailbox) -> Counter[str]:
    return sum(take_batches(systems, box), Counter())


def test_two_intakes_on_one_mailbox_handle_each_mail_once(outside: Systems, genuine: World) -> None:
    outside.settings.intake_batch = 3
    written(genuine, 6)
    start = threading.Barrier(2)

    def take() -> Counter[str]:
        start.wait(60)
        return all_taken_in(outside, genuine.box)

    with ThreadPoolExecutor() as threads:
        for work in [threads.submit(take), threads.submit(take)]:
            assert set(work.result(60)) <= {"opened"}
    assert len(rows(outside, Message)) == len(rows(outside, Case)) == 6
    assert {(letter.state, letter.attempts) for letter in rows(outside, Outbox)} == {("sent", 1)}
    assert genuine.mails(OURS) == []
    assert check_mails(outside) == []


def test_a_mailbox_that_was_made_anew_gives_no_mail_a_second_answer(
    outside: Systems, genuine: World, real: tuple[Dovecot, Postfix]
) -> None:
    written(genuine, 2)

    def made_anew(*_: object) -> None:
        real[0].doveadm("mailbox", "update", "-u", OURS, "--uid-validity", str(2**31), "INBOX")
        raise Unavailable("imap", "abort")

    with fake(outside, "ems", settle=made_anew), pytest.raises(Unavailable):
        all_taken_in(outside, genuine.box)
    assert all_taken_in(outside, genuine.box) == {"duplicate": 2}
    assert all_taken_in(outside, genuine.box) == {}
    assert len(rows(outside, Case)) == len(rows(outside, Outbox)) == 2
    assert check_mails(outside) == []


def test_a_mailbox_whose_mails_cannot_be_moved_keeps_nobody_waiting(outside: Systems, genuine: World) -> None:
    outside.settings.intake_batch = 2
    written(genuine, 3)
    stuck = genuine.box.model_copy(update={"done_folder": "no//folder"})
    for _ in range(2):
        with pytest.raises(Refused, match="imap: "):
            all_taken_in(outside, stuck)
        assert len(rows(outside, Outbox)) == 3
    assert all_taken_in(outside, genuine.box) == {"opened": 3}
    assert genuine.mails(OURS) == []
    assert {(letter.state, letter.attempts) for letter in rows(outside, Outbox)} == {("sent", 1)}


def test_a_server_that_moves_nothing_for_now_keeps_nobody_waiting(outside: Systems, genuine: World) -> None:
    outside.settings.intake_batch = 2
    written(genuine, 3)

    def full(*_: object) -> None:
        raise Unavailable("imap", "MailboxMoveError LIMIT")

    outside.ems = with_methods(outside.ems, settle=full)
    with pytest.raises(Unavailable, match="LIMIT"):
        all_taken_in(outside, genuine.box)
    assert len(rows(outside, Outbox)) == 3


def test_no_connection_to_the_store_is_kept_while_a_mailbox_is_read(systems: Systems) -> None:
    kept: list[int] = []

    def reads(*_: object) -> list[Received]:
        kept.append(systems.store.engine.pool.checkedout())  # type: ignore[attr-defined]
        return []

    systems.ems = with_methods(systems.ems, fetch=reads)
    assert all_taken_in(systems, systems.settings.mailboxes[0]) == Counter()
    assert kept == [0]


def test_flagged_mail_is_not_taken_in_again(outside: Systems, genuine: World) -> None:
    written(genuine, 2)
    box = genuine.box.model_copy(update={"after": "flag"})
    outside.settings.mailboxes = [box]
    assert all_taken_in(outside, box) == {"opened": 2}
    genuine.write(mail("", "tanpa pengirim"))
    assert all_taken_in(outside, box) == {"quarantined": 1}
    assert (len(genuine.mails(OURS)), len(genuine.mails(OURS, "Set aside"))) == (2, 1)
    assert check_mails(outside) == []


def test_a_mail_that_is_too_large_is_answered_and_shown_to_an_agent(outside: Systems, genuine: World) -> None:
    outside.settings.mail_max_bytes = 1_200_000
    genuine.write(mail("p@pelanggan.example", "Internet mati.\n" + 100_000 * "lampiran besar\n"))
    assert all_taken_in(outside, genuine.box) == {"opened": 1}
    (message,) = rows(outside, Message)
    assert Problem.TOO_LARGE in message.warnings
    assert message.text.startswith("Internet mati.")
    assert len(rows(outside, Outbox)) == 1
    assert check_mails(outside) == []
