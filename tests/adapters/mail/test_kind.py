"""Kinds of mail that no customer wrote, beside those in test_parser.py."""

import pytest

from adapters.mail.parser import parse
from models.mail import Automatic

INVITATION = (
    b"From: a@example.com\nSubject: Rapat\nContent-Type: text/calendar; method=%s\n\nBEGIN:VCALENDAR\nEND:VCALENDAR\n"
)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (INVITATION % b"REPLY", Automatic.CALENDAR),
        (INVITATION % b"REQUEST", None),
        (b"From: a@example.com\nX-TMDA-Confirm: 1\nSubject: x\n\nhalo\n", Automatic.CHALLENGE),
        (b"From: a@example.com\nSubject: Please confirm your message\n\nhalo\n", Automatic.CHALLENGE),
        (b"From: a@example.com\nSubject: Mohon konfirmasi pembayaran saya\n\nhalo\n", None),
        (b"From: a@example.com\nX-Spam-Flag: YES\nSubject: x\n\nhalo\n", Automatic.SPAM),
        (b"From: a@example.com\nX-Spam-Flag: NO\nSubject: x\n\nhalo\n", None),
    ],
)
def test_kinds(raw: bytes, kind: Automatic | None) -> None:
    assert parse(raw, spam_headers=("X-Spam-Flag",)).automatic is kind


def test_a_verdict_counts_only_where_the_settings_name_its_header() -> None:
    assert parse(b"From: a@example.com\nX-Spam-Flag: YES\nSubject: x\n\nhalo\n").automatic is None
