"""Mailboxes against the ledger: what only one side knows is named."""

import json
import os
import smtplib
from collections.abc import Iterator
from imaplib import IMAP4
from unittest import mock

import pytest
from pydantic import SecretStr

import layanan
from adapters.wiring import Systems
from flows.receive_mail import take_batches
from models.settings import Mailbox
from tasks.upkeep.check_mails import Unaccounted, check_mails
from tests.cases import BUDI, MAJU, OURS, mail
from tests.fakes import with_methods
from tests.stack import until


def deliver(systems: Systems, count: int, *mails: bytes) -> Mailbox:
    with smtplib.SMTP("127.0.0.1", systems.settings.smtp.port) as smtp:
        for raw in mails:
            smtp.sendmail(BUDI, [OURS], raw)
    box = systems.settings.mailboxes[0]
    until(lambda: len(systems.ems.fetch(box, 9)) == count, "the mails are there")
    return box


def test_what_only_one_side_knows_is_named(systems: Systems) -> None:
    box = deliver(systems, 2, mail(BUDI), mail("", "tanpa pengirim"))
    assert [(one.where, one.what) for one in check_mails(systems)] == [("INBOX", "not taken in yet")] * 2
    list(take_batches(systems, box))
    assert check_mails(systems) == [], "moved mails are the same mails"

    with IMAP4(box.host, box.port) as imap:
        imap.login(box.user, box.password.get_secret_value())
        imap.append(box.done_folder, "", "", mail(MAJU).replace(b"\n", b"\r\n"))
        imap.select(f'"{box.aside_folder}"')
        imap.store("1", "+FLAGS", r"(\Deleted)")
        imap.expunge()
    never, gone = check_mails(systems)
    assert (never.where, never.what) == (box.done_folder, "never taken in")
    assert gone == Unaccounted(OURS, "ledger", 2, "no longer in any folder; the case store has it")


def test_what_is_taken_in_while_the_check_goes_on_is_not_missed(systems: Systems) -> None:
    deliver(systems, 1, mail(BUDI))
    walk = systems.ems.walk

    def walked(box: Mailbox) -> Iterator[tuple[str, dict[int, str]]]:
        yield from list(walk(box))
        deliver(systems, 2, mail(MAJU))
        list(take_batches(systems, box))

    systems.ems = with_methods(systems.ems, walk=walked)
    assert [one.what for one in check_mails(systems)] == ["not taken in yet"], "as it was when it was looked at"


@mock.patch.dict(os.environ)  # to which a command adds
def test_the_command_ends_with_1_where_something_is_unaccounted_for(
    systems: Systems, capsys: pytest.CaptureFixture[str]
) -> None:
    box = deliver(systems, 1, mail(BUDI))
    assert layanan.main(["mails", "--check", "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["mailbox"], found["where"], found["what"]) == (OURS, "INBOX", "not taken in yet")
    list(take_batches(systems, box))
    assert layanan.main(["mails", "--check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


@mock.patch.dict(os.environ)
def test_a_mailbox_that_refuses_us_keeps_no_other_from_being_checked(
    systems: Systems, capsys: pytest.CaptureFixture[str]
) -> None:
    box = deliver(systems, 1, mail(BUDI))
    bad = box.model_copy(update={"address": "bdg@telkom.example", "password": SecretStr("wrong")})
    systems.settings.mailboxes = [bad, box]
    assert layanan.main(["mails", "--check", "--json"]) == 1
    said = capsys.readouterr()
    assert [found["mailbox"] for found in json.loads(said.out)] == [OURS]
    assert "mailbox bdg@telkom.example: imap: MailboxLoginError" in said.err
    systems.settings.mailboxes = []
    assert layanan.main(["mails", "--check"]) == 2, "where nothing is looked at, nothing is well"
