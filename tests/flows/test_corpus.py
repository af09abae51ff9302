"""Other people's mail, all of it, by SMTP through Postfix into Dovecot: each mail has one outcome, no robot a letter.

The letters go to domains that Postfix does not know, so that each comes back with a real delivery report.
"""

import json
import os
import re
import smtplib
from collections import Counter
from unittest import mock

import pytest

import layanan
from adapters.mail.parser import parse
from adapters.wiring import Systems
from flows.receive_mail import take_batches
from models.letter import LetterKind
from models.reasons import Why
from models.settings import Limits
from models.tables import Bounce, Case, Letter, Message, Outbox
from tests.adapters.ems.world import World
from tests.adapters.mail.test_parser import CORPUS, needs_corpus
from tests.cases import OURS, STRANGER, rows
from tests.servers import eventually

SHOWN_TO_A_PERSON = {
    Why.NO_SENDER,
    Why.TAKES_NO_ANSWERS,
    Why.PERHAPS_A_PERSON,
    Why.NO_LETTER_OF_OURS,
    Why.LIST,
    Why.UNNAMED_FORM,
}
"""Reasons to quarantine a mail that are no fault of ours."""
UNANSWERED = {"imap_tools/rfc6532_utf8_headers.eml"}
"""Its sender's address is not ASCII, which no letter of ours goes to: its case asks an agent."""
TWO_SENDERS = {
    "imap_tools/plain_emails_raw_email_with_at_display_name.eml",
    "mikel_mail/spec_fixtures_emails_plain_emails_raw_email_with_at_display_name.eml",
    "mikel_mail/spec_fixtures_emails_plain_emails_raw_email_multiple_from.eml",
    "imap_tools/rfc2822_example10.eml",
    "imap_tools/rfc2822_example13.eml",
    "mimekit/UnitTests_TestData_messages_issue358.txt.eml",
}
"""Those that name two senders, or one in a way that programs read differently: a person is asked who wrote them."""
RETURN_PATH = re.compile(rb"^Return-Path:[ \t]*<([!-;=?-~]*)>", re.IGNORECASE | re.MULTILINE)
QUEUED = re.compile(rb"by mx\.telkom\.example \(Postfix\)(?: with \w+)? id (\w+)")


def as_sent(raw: bytes) -> bytes:
    """As SMTP carries it: lines end with CRLF; a byte order mark is the file's and not the mail's."""
    return re.sub(rb"\r\n|\r|\n", b"\r\n", raw.removeprefix(b"\xef\xbb\xbf"))


def came_from(raw: bytes) -> str:
    """Its return path where it tells, which Postfix takes off and Dovecot puts on again; else its sender."""
    if found := RETURN_PATH.search(as_sent(raw).partition(b"\r\n\r\n")[0]):
        return found[1].decode()
    sender = parse(raw).sender
    return sender if re.fullmatch(r"[!-~]+@[!-~]+", sender) else STRANGER


def posted(genuine: World) -> dict[bytes, str]:
    """Names of the corpus's files by the number that Postfix gave each mail."""
    names = {}
    with smtplib.SMTP("127.0.0.1", genuine.relay) as smtp:
        smtp.ehlo()
        for file in sorted((CORPUS / "messages").glob("*/*.eml")):
            raw = file.read_bytes()
            assert (smtp.mail(came_from(raw))[0], smtp.rcpt(OURS)[0]) == (250, 250)
            code, queued = smtp.data(as_sent(raw))
            assert code == 250, (file, queued)
            names[queued.rpartition(b" ")[2]] = f"{file.parent.name}/{file.name}"
    return names


def robots() -> set[str]:
    """Files that the corpus's labels call bounces, complaints and automatic replies."""

    def lines(name: str) -> list[dict[str, str]]:
        return [json.loads(line) for line in (CORPUS / name).read_text().splitlines()]

    found = {row["file"].removeprefix("messages/") for row in lines("labels/flufl.jsonl") if row["addresses"]}
    return found | {row["file"] for row in lines("expected.jsonl") if row["corpus"] == "sisimai" and row["bounce"]}


@pytest.mark.slow
@needs_corpus
@mock.patch.dict(os.environ)  # to which a command adds
def test_every_mail_of_the_corpus_has_one_outcome_and_no_robot_a_letter(
    outside: Systems, genuine: World, capsys: pytest.CaptureFixture[str]
) -> None:
    # dozens of its mails have one sender, and all of them come within seconds
    outside.settings.limits = Limits(mails_an_hour=1000, letters_a_day=1000, quick_answers=1000)
    outside.settings.first_poll_most = 1000
    names = posted(genuine)
    eventually(lambda: genuine.count() == len(names), 240)
    assert genuine.count() == len(names)

    def all_came_back() -> bool:
        list(take_batches(outside, genuine.box))
        return len(rows(outside, Bounce)) == len(rows(outside, Letter))

    assert eventually(all_came_back, 240)
    ledger: dict[str, Message] = {}
    reports: list[Message] = []
    for message in rows(outside, Message):
        found = QUEUED.search(outside.store.kept(message.sha256))
        assert found is not None
        if name := names.get(found[1]):
            assert ledger.setdefault(name, message) is message, "a mail has two rows"
        else:
            reports.append(message)
    assert set(ledger) == set(names.values())
    outcomes = Counter(message.outcome for message in ledger.values())
    # which of two mails opens the case, and which joins it or is its duplicate, is a matter of who comes first
    assert (outcomes["automatic"], outcomes["quarantined"]) == (297, 244)
    assert set(outcomes) == {"automatic", "quarantined", "opened", "joined", "duplicate"}
    reasons = {message.reasons[-1][0] for message in ledger.values() if message.outcome == "quarantined"}
    assert reasons <= SHOWN_TO_A_PERSON

    opened = {message.case_id: name for name, message in ledger.items() if message.outcome == "opened"}
    answered = {opened[letter.case_id]: letter for letter in rows(outside, Letter)}
    assert len(answered) == len(rows(outside, Letter)), "a mail got two letters"
    assert {letter.kind for letter in answered.values()} == {LetterKind.FIRST_RESPONSE}
    assert robots().isdisjoint(answered)
    for name, letter in answered.items():
        mail = parse(as_sent((CORPUS / "messages" / name).read_bytes()))
        assert (mail.automatic, mail.sender) == (None, letter.recipient), name
    doubtful = {opened[case.id] for case in rows(outside, Case) if case.sender_doubt}
    assert doubtful <= TWO_SENDERS
    assert set(opened.values()) - set(answered) == UNANSWERED | doubtful

    assert {(message.outcome, message.case_id in opened) for message in reports} == {("automatic", True)}
    assert {(bounce.action, bounce.status) for bounce in rows(outside, Bounce)} == {("failed", "5.1.2")}
    assert len({bounce.letter_id for bounce in rows(outside, Bounce)}) == len(reports) == len(answered)
    assert {outbox.state for outbox in rows(outside, Outbox)} == {"bounced"}
    assert layanan.main(["mails", "--check", "--json"]) == 0, capsys.readouterr().out
