"""The language of letters, measured on short mixed mails of our own (language, bar, words) and on the labelled ones."""

import json
from pathlib import Path

import pytest

from adapters.analyser.language import language
from adapters.mail.text import new_text
from tests.adapters.analyser.test_rules import LABELLED

SHORT = [line.split("|", 1) for line in (Path(__file__).parent / "short_mails.txt").read_text().splitlines()]


def test_short_mixed_and_regional_mails_are_indonesian_and_clear_english_is_english() -> None:
    assert len(SHORT) == 60
    assert [(words, wanted) for wanted, words in SHORT if language(words) != wanted] == []


@pytest.mark.parametrize("text", ["", "122345678901", "Ok 12345", "?", "インターネット", "down down down"])
def test_what_does_not_tell_is_indonesian(text: str) -> None:
    assert language(text) == "id"


@pytest.mark.parametrize(
    "text",
    [
        "No internet\nI have no internet at home.",
        "Internet down\nI have no signal. Please help, thanks",
        "No internet since this morning",
        "No invoice received, no reply from your call centre",
        "My router is dead, no light, no wifi, customer no 122408771935",
    ],
)
def test_an_english_no_is_no_indonesian_number(text: str) -> None:
    assert language(text) == "en"


NOTICES = [
    "This e-mail and any attachments are confidential and intended solely for the addressee. If you are not the "
    "intended recipient, please notify the sender and delete this message.",
    "This e-mail and any\nattachments are confidential and intended solely for\nthe addressee.",
    "CONFIDENTIALITY NOTICE: The information contained in this message may be privileged. Any review, use or "
    "disclosure by others is prohibited.",
    "Disclaimer:\nThe contents of this email are intended for the person it was sent to. We are not liable for it.",
    "The information in this transmission is privileged and is for the use of the recipient only.",
    "*** This message has been sent by PT Maju and may contain confidential information. ***",
    "If you have received this message in error, please delete it and tell us at once. It may be confidential.",
]


@pytest.mark.parametrize("notice", NOTICES)
@pytest.mark.parametrize("between", ["\n\n", "\n", "\n\nBudi\nPT Maju Jaya\n\n_____\n", ". "])
def test_an_english_confidentiality_notice_below_does_not_make_a_mail_english(notice: str, between: str) -> None:
    for own in ("wifi mati, mohon dicek.", "Internet kantor mati.", "122345678901"):
        assert language(f"Gangguan\n{own}{between}{notice}") == "id"
    own = "Our office has had no internet since this morning. Could you please check it?"
    assert language(f"No internet\n{own}{between}{notice}") == "en"


def test_a_customer_who_writes_of_confidential_matters_is_read_to_the_end() -> None:
    assert language("My data\nThis message is confidential. My neighbour uses my line. I want it to stop.") == "en"
    assert language("Mohon bantuannya. This is about the confidential data that you have of me and my family.") == "en"


@pytest.mark.skipif(not LABELLED.exists(), reason=f"NOT MEASURED: {LABELLED} is missing")
def test_labelled_mails() -> None:
    mails = [json.loads(line) for line in LABELLED.read_text().splitlines()]
    new = [f"{mail['subject']}\n{new_text(mail['body'], mail['subject'])}" for mail in mails]
    wrong = [mail["id"] for mail, text in zip(mails, new, strict=True) if language(text) != mail["gold"]["language"]]
    assert wrong == []
