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


@pytest.mark.skipif(not LABELLED.exists(), reason=f"NOT MEASURED: {LABELLED} is missing")
def test_labelled_mails() -> None:
    mails = [json.loads(line) for line in LABELLED.read_text().splitlines()]
    new = [f"{mail['subject']}\n{new_text(mail['body'], mail['subject'])}" for mail in mails]
    wrong = [mail["id"] for mail, text in zip(mails, new, strict=True) if language(text) != mail["gold"]["language"]]
    assert wrong == []
