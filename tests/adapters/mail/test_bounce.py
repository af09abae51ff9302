"""Recipients of bounces: who, what became of them, and whether for good."""

import json

import pytest

from adapters.mail.parser import parse
from models.mail import Automatic, BounceRecipient
from tests.adapters.mail.test_parser import CORPUS, MAILS, needs_corpus

REPORT = b"""From: MAILER-DAEMON@mx.example
Subject: %s
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

%s
--b
Content-Type: message/rfc822

Message-ID: <ours@telkom.example>
Subject: x

--b--
"""


def report(fields: str, subject: str = "Undelivered") -> bytes:
    return REPORT % (subject.encode(), fields.encode())


@pytest.mark.parametrize(
    ("fields", "kind", "expected"),
    [
        ("Action: failed\nStatus: 5.1.1", Automatic.BOUNCE, ("failed", "5.1.1", True)),
        ("Action: failed\nStatus: 4.4.7", Automatic.BOUNCE, ("failed", "4.4.7", False)),
        ("Action: delayed\nStatus: 4.4.1", Automatic.DELAYED, ("delayed", "4.4.1", False)),
        ("Action: delivered\nStatus: 2.0.0", Automatic.RECEIPT, ("delivered", "2.0.0", False)),
        ("Action: error\nStatus: 5.0.0", Automatic.BOUNCE, ("failed", "5.0.0", True)),
        ("Status: 5.0.0\nDiagnostic-Code: smtp; 550 5.2.2 full", Automatic.BOUNCE, ("failed", "5.2.2", True)),
        ("Action: failed\nDiagnostic-Code: smtp; 452 try later", Automatic.BOUNCE, ("failed", "", False)),
        ("Action: failed", Automatic.BOUNCE, ("failed", "", True)),
    ],
)
def test_what_a_report_says_of_a_recipient(fields: str, kind: Automatic, expected: tuple[str, str, bool]) -> None:
    mail = parse(report(f"Final-Recipient: rfc822; Budi@Example.com\n{fields}\n"))
    action, status, hard = expected
    assert mail.automatic is kind
    assert mail.bounce == (BounceRecipient(address="budi@example.com", action=action, status=status, hard=hard),)
    assert mail.reported_message_id == "<ours@telkom.example>"


def test_each_recipient_is_told_apart() -> None:
    blocks = "\n\n".join(
        f"Final-Recipient: rfc822;{name}@example.com\nAction: {action}\nStatus: {status}"
        for name, action, status in (("a", "failed", "5.1.1"), ("b", "delayed", "4.2.2"))
    )
    mail = parse(report(blocks + "\n"))
    assert mail.automatic is Automatic.BOUNCE
    assert [(one.address, one.action, one.hard) for one in mail.bounce] == [
        ("a@example.com", "failed", True),
        ("b@example.com", "delayed", False),
    ]


def test_a_bounce_without_report_is_read_from_its_text() -> None:
    text = (
        b"From: MAILER-DAEMON@x.example\nSubject: failure notice\n\nHi.\n<siti@example.com>:\n550 5.1.1 no such user\n"
    )
    (lost,) = parse(text).bounce
    assert (lost.address, lost.action, lost.status, lost.hard) == ("siti@example.com", "failed", "5.1.1", True)
    late = text.replace(b"failure notice", b"Warning: delayed 4 hours").replace(b"550 5.1.1", b"451 4.4.1")
    assert parse(late).automatic is Automatic.DELAYED
    assert parse(late.replace(b"<siti@example.com>", b"siti")).automatic is Automatic.DELAYED


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Unable to deliver your message to siti@example.com since the mailbox is full.", ["siti@example.com"]),
        ("It went undelivered: 552\n 552 Quota exceeded for <siti@example.com>", ["siti@example.com"]),
        ("The address to which it was addressed, siti@example.com, is like none of ours.", ["siti@example.com"]),
        ("MAIL FROM:<ani@example.com>\nRCPT TO:<siti@example.com>\n550 no", ["siti@example.com"]),
        ("Pesan Anda tidak dapat dikirim ke siti@example.com; hubungi admin@example.com.", ["siti@example.com"]),
        ("Recipients:\n\t* [siti@example.com]: over quota", ["siti@example.com"]),
        ("The following recipients could not be reached:\n\tsiti\n", ["siti@x.example"]),
        ("The following recipients could not be reached:\n\tno such user\n", []),
        ("For help contact <help@example.com>", []),
        ("siti refuses mail from ani@example.com.", []),
        ("Names are\nmade of two parts, e.g. if\nsiti@example.com fails, try others.", []),
    ],
)
def test_who_is_meant_in_the_sentences_of_a_bounce(said: str, expected: list[str]) -> None:
    text = f"From: MAILER-DAEMON@x.example\nSubject: failure notice\n\n{said}\n"
    assert [one.address for one in parse(text.encode()).bounce] == expected


def test_a_warning_that_names_nobody_is_no_failure() -> None:
    late = parse(b"From: MAILER-DAEMON@x.example\nSubject: Warning: delayed 4 hours\n\nWe will try again.\n")
    assert (late.automatic, late.bounce) == (Automatic.DELAYED, ())


WRAPPED = b"""From: %s
Subject: Undelivered
Content-Type: multipart/mixed; boundary=w

--w
Content-Type: message/rfc822

%s
--w
Content-Type: text/plain

This e-mail is confidential.
--w--
"""


def test_a_report_that_a_filter_has_wrapped_is_read() -> None:
    inner = report("Final-Recipient: rfc822; budi@example.com\nAction: failed\nStatus: 5.1.1\n")
    mail = parse(WRAPPED % (b"MAILER-DAEMON@mx.example", inner))
    assert [(one.address, one.status) for one in mail.bounce] == [("budi@example.com", "5.1.1")]
    assert mail.reported_message_id == "<ours@telkom.example>"
    sent_on = parse(WRAPPED % (b"MAILER-DAEMON@other.example", inner))
    assert [(one.address, one.status) for one in sent_on.bounce] == [("budi@example.com", "5.1.1")]
    fields = b"Final-Recipient: rfc822; siti@example.com\nAction: failed\n"
    own = b"--w\nContent-Type: message/delivery-status\n\n" + fields + b"\n--w\n"
    with_own = (WRAPPED % (b"MAILER-DAEMON@other.example", inner)).replace(b"--w\n", own, 1)
    assert [one.address for one in parse(with_own).bounce] == ["siti@example.com"], "what it says itself counts"
    assert parse(WRAPPED % (b"Ani <ani@example.com>", inner)).automatic is None
    letter = b"From: MAILER-DAEMON@mx.example\nMessage-ID: <ours@telkom.example>\n\nx"
    assert parse(WRAPPED % (b"MAILER-DAEMON@mx.example", letter)).reported_message_id == "<ours@telkom.example>"


def test_a_program_that_says_that_it_reports_is_believed() -> None:
    text = (
        b"From: admin@example.com\nSubject: Non-Delivery: Tiket\n\n--- Non-Delivery Report ---\n"
        b'The email below could not be delivered to the following user:\n\n"siti@example.com"\n'
    )
    assert [one.address for one in parse(text).bounce] == ["siti@example.com"]
    assert parse(text.replace(b"--- Non-Delivery Report ---", b"I got this:")).automatic is None


@pytest.mark.parametrize(
    "subject", ["Warning: could not send message for past 4 hours", "Warning: mail has not yet been delivered"]
)
def test_an_old_servers_warning_is_no_failure(subject: str) -> None:
    raw = f"From: MAILER-DAEMON@example.com\nSubject: {subject}\n\n<budi@example.com>... Deferred\n"
    found = parse(raw.encode())
    assert found.automatic is Automatic.DELAYED
    assert [(one.address, one.action, one.hard) for one in found.bounce] == [("budi@example.com", "delayed", False)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bounce_opensmtpd", [("siti@pelanggan.example", "5.1.1", True), ("joko@pelanggan.example", "4.2.2", False)]),
        ("bounce_exim", [("siti@pelanggan.example", "5.1.1", True)]),
        ("bounce_boundary_lost", [("siti@pelanggan.example", "5.7.1", True)]),
        ("bounce_x6", [("siti@pelanggan.example", "5.1.1", True)]),
        ("bounce_sendmail_v5", [("siti@pelanggan.example", "", False)]),
        ("bounce_imail", [("siti@pelanggan.example", "", True)]),
        ("bounce_qmail_quoted", [("siti@pelanggan.example", "5.1.1", True)]),
        ("bounce_mms", [("628111000222@mms.example", "", True)]),
        ("bounce_encoded_local_part", [("sítí@pelanggan.example", "5.1.1", True)]),
    ],
)
def test_whom_servers_of_many_kinds_name_and_the_code_that_counts(
    name: str, expected: list[tuple[str, str, bool]]
) -> None:
    mail = parse((MAILS / f"{name}.eml").read_bytes())
    assert mail.automatic is Automatic.BOUNCE
    assert [(one.address, one.status, one.hard) for one in mail.bounce] == expected


def test_the_version_of_a_server_is_no_code() -> None:
    said = "Exim 4.98.2 says:\n\n<siti@example.com>: 550 no such user\n250 2.1.0 Ok for 5.2.2.1\n"
    (lost,) = parse(f"From: MAILER-DAEMON@x.example\nSubject: failure notice\n\n{said}".encode()).bounce
    assert (lost.status, lost.hard) == ("2.1.0", True)


def test_whom_a_returned_list_mail_was_for_is_not_told_by_its_list() -> None:
    text = "From: MAILER-DAEMON@x.example\nSubject: failed\n\nSorry.\n\n--- Original message ---\n\n{}To: a@b.example\n"
    assert [one.address for one in parse(text.format("").encode()).bounce] == ["a@b.example"]
    assert parse(text.format("List-Id: <b.example>\n").encode()).bounce == ()
    assert parse(text.format("Cc: c@b.example\n").replace("a@b", "a@b.example, d@b").encode()).bounce == ()


@needs_corpus
def test_every_report_of_the_corpus_but_one_names_a_recipient() -> None:
    """That one returns a list's mail, and says only that “one or more” were not reached."""
    labels = map(json.loads, (CORPUS / "labels" / "flufl.jsonl").read_text().splitlines())
    expected = map(json.loads, (CORPUS / "expected.jsonl").read_text().splitlines())
    files = {CORPUS / row["file"] for row in labels}
    files |= {CORPUS / "messages" / row["file"] for row in expected if row["corpus"] == "sisimai"}
    mails = {file.name: parse(file.read_bytes()) for file in files}
    reports = {name: mail for name, mail in mails.items() if mail.automatic in {Automatic.BOUNCE, Automatic.DELAYED}}
    assert len(reports) > 380
    assert [name for name, mail in reports.items() if not mail.bounce] == ["tests_data_simple_43.txt.eml"]
