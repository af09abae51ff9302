"""Who answers our letters, with real Dovecot and Postfix: robots, mail servers that cannot deliver, we ourselves."""

import smtplib
from pathlib import Path

import pytest

from adapters.mail.parser import parse
from adapters.wiring import Systems
from flows.handle_case import handle_case
from flows.receive_mail import take_batches
from models.mail import Automatic
from models.settings import Smtp
from models.states import SignalKind
from models.tables import Bounce, Letter, Message, Outbox, Signal
from tasks.run.case_run import CaseRun
from tasks.run.outcome import BACKOFF
from tasks.upkeep.check_mails import check_mails
from tasks.upkeep.monitor import send_due_letters
from tests.adapters.ems.world import World, letter
from tests.cases import OURS, StandingClock, mail, rows
from tests.runs import Runs
from tests.servers import AWAY, FORWARDING, GONE, GREYLISTED, LATE, Dovecot, Postfix, cutting, eventually

CUSTOMER = "siti@pelanggan.example"


@pytest.fixture
def post(real: tuple[Dovecot, Postfix]) -> Postfix:
    return real[1]


@pytest.fixture
def machine(outside: Systems, tmp_path: Path) -> StandingClock:
    """The machine's clock, to be moved."""
    outside.machine_clock = clock = StandingClock(tmp_path / "machine")
    return clock


def write(genuine: World, sender: str) -> None:
    with smtplib.SMTP("127.0.0.1", genuine.relay) as smtp:
        smtp.sendmail(sender, [OURS], mail(sender))


def take_in(outside: Systems, genuine: World, *outcomes: str) -> None:
    """Read the mailbox until so many mails were there, and had these outcomes."""

    def taken() -> bool:
        list(take_batches(outside, genuine.box))
        return len(rows(outside, Message)) >= len(outcomes)

    assert eventually(taken)
    assert [message.outcome for message in rows(outside, Message)] == list(outcomes)


def is_over(outside: Systems, genuine: World, post: Postfix) -> bool:
    """Whether nobody has anything more to say."""
    return eventually(post.idle) and genuine.count() == 0 and check_mails(outside) == []


def came(genuine: World, address: str) -> list[str]:
    """Message-IDs of the letters that a customer got."""
    return [str(parse(raw).message_id) for raw in genuine.mails(address)]


@pytest.mark.parametrize("sender", [OURS, OURS.upper(), "layanan+lain@telkom.example"])
def test_we_do_not_answer_ourselves(sender: str, outside: Systems, genuine: World, post: Postfix) -> None:
    write(genuine, sender)
    take_in(outside, genuine, "quarantined")
    assert is_over(outside, genuine, post)
    assert rows(outside, Letter) == []


def test_a_robot_gets_one_letter_and_its_note_none(outside: Systems, genuine: World, post: Postfix) -> None:
    write(genuine, AWAY)
    take_in(outside, genuine, "opened")
    assert is_over(outside, genuine, post), "a letter that says that no person wrote it is not answered"
    outside.ems.send(letter(2, AWAY), OURS, [AWAY])
    take_in(outside, genuine, "opened", "automatic")
    assert is_over(outside, genuine, post)
    note = rows(outside, Message)[-1]
    assert (note.subject, note.sender) == ("Tidak di kantor", AWAY)
    assert note.automatic == Automatic.AUTO_REPLY
    assert (genuine.count(AWAY), len(rows(outside, Letter))) == (2, 1)


def test_who_forwards_us_our_letters_gets_one(outside: Systems, genuine: World, post: Postfix) -> None:
    write(genuine, FORWARDING)
    take_in(outside, genuine, "opened", "automatic")
    assert is_over(outside, genuine, post)
    assert rows(outside, Message)[-1].reasons == [["our_letter", ""]]
    assert len(rows(outside, Letter)) == 1


def test_a_letter_that_comes_back_is_tied_to_its_case_and_the_agent_is_asked(
    runs: Runs, outside: Systems, genuine: World, post: Postfix
) -> None:
    write(genuine, GONE)
    take_in(outside, genuine, "opened", "automatic")
    assert is_over(outside, genuine, post)
    (bounce,) = rows(outside, Bounce)
    assert (bounce.letter_id, bounce.address, bounce.action, bounce.status, bounce.hard) == (
        *(1, GONE, "failed", "5.1.1", True),
    )
    assert rows(outside, Message)[-1].case_id == 1
    assert rows(outside, Outbox)[0].state == "bounced"
    case = CaseRun.open(1, outside)
    runs.go(handle_case, runs.start(handle_case, case, reference=case.reference))
    wait = runs.wait(case)
    assert wait is not None
    assert wait.form == "Unreachable"
    assert "First response #1 → hilang\\@pelanggan\\.example: 5\\.1\\.1 delivery report" in wait.description


def test_a_letter_that_is_late_is_noted(outside: Systems, genuine: World, post: Postfix) -> None:
    write(genuine, LATE)
    take_in(outside, genuine, "opened", "automatic")
    assert rows(outside, Message)[-1].automatic == Automatic.DELAYED
    assert [(one.letter_id, one.action, one.hard) for one in rows(outside, Bounce)] == [(1, "delayed", False)]
    assert rows(outside, Outbox)[0].state == "sent"
    assert rows(outside, Signal) == []


def test_who_is_asked_to_come_again_comes_again_and_once(
    outside: Systems, genuine: World, post: Postfix, machine: StandingClock
) -> None:
    write(genuine, GREYLISTED)
    take_in(outside, genuine, "opened")
    (outbox,) = rows(outside, Outbox)
    assert (outbox.state, outbox.error) == ("queued", "smtp: 450 4.7.1 to RCPT")
    post.known.set()
    machine.advance(2 * BACKOFF.total_seconds() / 3600)
    try:
        assert send_due_letters.fn() == 1
    finally:
        post.known.clear()
    assert is_over(outside, genuine, post)
    assert came(genuine, GREYLISTED) == [one.message_id for one in rows(outside, Letter)]
    assert rows(outside, Outbox)[0].state == "sent"


@pytest.mark.parametrize(
    ("copy_to", "in_doubt", "states", "letters"),
    [
        ("", "send_again", ["sending", "sent"], 1),
        ("", "ask", ["sending", "sent"], 1),
        ("nobody@telkom.example", "send_again", ["sending", "sending", "failed"], 2),
        ("nobody@telkom.example", "ask", ["sending", "failed"], 1),
    ],
)
def test_a_server_that_cuts_us_off_after_the_text_is_handled_as_the_settings_say(
    copy_to: str,
    in_doubt: str,
    states: list[str],
    letters: int,
    outside: Systems,
    genuine: World,
    post: Postfix,
    machine: StandingClock,
) -> None:
    with cutting(post.smtp, b"354 ", b"354 ") as port:
        outside.settings.smtp = Smtp(port=port, tls="none", copy_to=copy_to, in_doubt=in_doubt)
        write(genuine, CUSTOMER)
        take_in(outside, genuine, "opened")
        seen = [rows(outside, Outbox)[0].state]
        while len(seen) < len(states):
            assert eventually(post.idle), "a copy travels as the letter does"
            machine.advance(outside.settings.claim_seconds / 3600)
            send_due_letters.fn()
            seen.append(rows(outside, Outbox)[0].state)
    assert seen == states
    assert is_over(outside, genuine, post)
    assert came(genuine, CUSTOMER) == [one.message_id for one in rows(outside, Letter)] * letters
    assert [wake.kind for wake in rows(outside, Signal)] == [SignalKind.UNDELIVERED] * (states[-1] == "failed")
