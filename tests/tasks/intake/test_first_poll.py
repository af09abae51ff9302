"""The first poll of a mailbox: what lies there for long is left, and much is not answered without a person's word."""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from sqlalchemy import delete

import layanan
from adapters.wiring import Systems
from flows.command_line import service
from flows.receive_mail import take_batches
from models.settings import Settings
from models.tables import Case, FirstPoll, Letter, Message
from tasks.intake import first_poll
from tasks.run.case_run import CaseRun
from tasks.upkeep.check_mails import check_mails
from tasks.upkeep.doctor import Check
from tasks.upkeep.doctor.ems import first_poll_of
from tests.adapters.ems.world import World
from tests.cases import OURS, mail, rows, text
from tests.conftest import BOTH
from tests.fakes import with_methods
from tests.servers import Dovecot, Postfix

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@pytest.fixture
def full(systems: Systems, genuine: World) -> Iterator[Systems]:
    """The service before its first start; three mails are many to it."""
    systems.settings.mailboxes, systems.settings.smtp = genuine.settings.mailboxes, genuine.settings.smtp
    systems.settings.first_poll_most = 2
    with mock.patch.dict(os.environ):  # commands add to it
        yield systems


def lies(genuine: World, *ages: timedelta, first: int = 0) -> None:
    """Mails that came so long ago, each from somebody else."""
    with genuine.imap() as imap:
        for number, age in enumerate(ages, first):
            sender = f"p{number}@pelanggan.example"
            imap.append("INBOX", None, NOW - age, mail(sender, f"Internet nomor {number} mati."))


def poll(systems: Systems) -> Counter[str]:
    return sum(take_batches(systems, systems.settings.mailboxes[0]), Counter())


def asked(systems: Systems) -> Check:
    """What doctor says of it."""
    return first_poll_of(systems.settings.mailboxes[0]).check(systems)


def test_two_hundred_is_the_most_that_begins_by_itself() -> None:
    assert Settings().first_poll_most == 200


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_what_lay_there_before_the_first_start_is_counted_and_left(full: Systems, genuine: World) -> None:
    lies(genuine, 700 * DAY, 40 * DAY, 3 * DAY + timedelta(hours=1), 3 * DAY - timedelta(hours=1), DAY / 2)
    before = genuine.mails(OURS)
    assert asked(full).state == "ok", "two are not many, whatever lies there"
    assert poll(full) == {"opened": 2}
    assert poll(full) == {}
    assert genuine.mails(OURS) == before[:3], "nothing is done to it"
    check = asked(full)
    assert (check.state, "3 older mail(s) stay where they are" in check.found) == ("ok", True)
    assert check_mails(full) == []
    with genuine.imap() as imap:
        assert imap.search(None, "OR SEEN KEYWORD LayananDone")[1] == [b""]


def test_the_first_start_is_remembered(full: Systems, genuine: World) -> None:
    assert poll(full) == {}
    now = full.machine_clock.now()
    full.machine_clock = with_methods(full.machine_clock, now=lambda: now + 30 * DAY)
    lies(genuine, 2 * DAY)
    assert poll(full) == {"opened": 1}, "it came after the first start, and lay there through an outage"


def test_a_mail_that_waited_for_longer_than_a_day_is_answered_with_its_day_and_an_apology(
    full: Systems, genuine: World
) -> None:
    full.settings.clock = "system"
    full.settings.mailboxes = [genuine.box.model_copy(update={"since": datetime(2024, 1, 1, tzinfo=UTC)})]
    lies(genuine, 700 * DAY, DAY / 2)
    assert poll(full) == {"opened": 2}
    old, new = (text(CaseRun.open(number, full), "first_response") for number in (1, 2))
    came = (NOW - 700 * DAY).astimezone(full.settings.zone)
    assert str(came.year) in old
    assert f"{came:%H.%M}" in old
    assert "mohon maaf atas keterlambatan" in " ".join(old.split())
    assert "mohon maaf" not in new


def test_a_full_mailbox_waits_for_a_person_and_says_what_to_type(
    full: Systems, genuine: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    lies(genuine, 9 * DAY, DAY, DAY, DAY)
    before = genuine.mails(OURS)
    for _ in range(2):
        assert asked(full).state == "fail"
        assert poll(full) == {}
    assert "a mailbox of JKT is not read: 3 mails since" in caplog.text
    assert "@" not in caplog.text
    assert (rows(full, Message), rows(full, Letter), genuine.mails(OURS)) == ([], [], before)
    check = asked(full)
    assert "3 mails since" in check.found
    assert "(1 older ones are left)" in check.found
    command = f"layanan mail begin {OURS} --by NAME"
    assert f"`{command}`" in check.advice
    assert layanan.main(["intake", "--once"]) == 1
    assert command in capsys.readouterr().err
    service.say_what_first_polls_wait_for()
    assert command in capsys.readouterr().out

    assert layanan.main([*command.replace("NAME", "Rina").split()[1:]]) == 0
    assert "3 mails since" in capsys.readouterr().out
    assert [row.agreed_by for row in rows(full, FirstPoll)] == ["Rina"]
    assert asked(full).state == "ok"
    lies(genuine, DAY, first=4)
    assert poll(full) == {"opened": 4}


def test_a_person_may_agree_before_the_first_start_and_only_to_a_mailbox_that_is_there(
    full: Systems, genuine: World, capsys: pytest.CaptureFixture[str]
) -> None:
    lies(genuine, DAY, DAY, DAY)
    assert layanan.main(["mail", "begin", "lain@telkom.example", "--by", "Rina"]) == 2
    assert f"there are: {OURS}" in capsys.readouterr().err
    assert layanan.main(["mail", "begin", OURS, "--by", "Rina"]) == 0
    assert poll(full) == {"opened": 3}


def test_a_later_moment_leaves_more(full: Systems, genuine: World) -> None:
    lies(genuine, 2 * DAY, 2 * DAY, 2 * DAY, DAY / 2)
    assert poll(full) == {}
    full.settings.mailboxes = [genuine.box.model_copy(update={"since": NOW - DAY})]
    assert asked(full).state == "ok"
    assert poll(full) == {"opened": 1}
    assert "3 older mail" in asked(full).found


def test_who_was_at_work_before_is_not_asked(full: Systems, genuine: World) -> None:
    """A case store of a revision that did not ask."""
    lies(genuine, DAY)
    assert poll(full) == {"opened": 1}
    with full.store.write() as session:
        session.execute(delete(FirstPoll))
    lies(genuine, DAY, DAY, DAY, first=1)
    assert asked(full).state == "ok"
    assert poll(full) == {"opened": 3}


def test_a_mailbox_that_is_added_later_has_a_first_poll_of_its_own(full: Systems, genuine: World) -> None:
    lies(genuine, DAY)
    assert poll(full) == {"opened": 1}
    bdg = {"address": "bdg@telkom.example", "user": "bdg@telkom.example", "site": "BDG"}
    full.settings.mailboxes = [genuine.box.model_copy(update=bdg)]
    with genuine.imap(bdg["address"]) as imap:
        for number in range(3):
            imap.append("INBOX", None, NOW, mail(f"q{number}@pelanggan.example"))
    assert poll(full) == {}
    assert len(rows(full, Case)) == 1


def test_a_mailbox_that_was_made_anew_with_much_in_it_is_asked_about_again(
    full: Systems, genuine: World, real: tuple[Dovecot, Postfix]
) -> None:
    """As a restored backup, of which the server says that it all came today."""
    lies(genuine, DAY)
    assert poll(full) == {"opened": 1}
    lies(genuine, *3 * [DAY - DAY], first=7)
    real[0].doveadm("mailbox", "update", "-u", OURS, "--uid-validity", str(2**31), "INBOX")
    for _ in range(2):
        assert poll(full) == {}
    assert "3 mails since" in asked(full).found
    first_poll.agree(full, full.settings.mailboxes[0], "Rina")
    assert poll(full) == {"opened": 3}


def test_a_mailbox_that_was_made_anew_with_little_in_it_goes_on(
    full: Systems, genuine: World, real: tuple[Dovecot, Postfix]
) -> None:
    lies(genuine, 9 * DAY, DAY)
    assert poll(full) == {"opened": 1}
    lies(genuine, DAY, first=7)
    real[0].doveadm("mailbox", "update", "-u", OURS, "--uid-validity", str(2**31), "INBOX")
    assert poll(full) == {"opened": 1}
    assert len(genuine.mails(OURS)) == 1, "what is older stays, whatever its UID"
