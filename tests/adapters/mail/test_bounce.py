"""Recipients of bounces: who, what became of them, and whether for good."""

import pytest

from adapters.mail.parser import parse
from models.mail import Automatic, BounceRecipient

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
