"""Outlook's Thread-Index: what the mails of a conversation share, and who answers in it."""

from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mail.conversation import Conversation, conversation, thread_index
from adapters.mail.parts import read
from models.errors import Unreadable
from tests.adapters.mail.test_parser import CORPUS, needs_corpus

SHARED = b"\x01" + bytes(range(21))


@given(st.integers(0, 50))
def test_what_all_share_and_who_answers(answers: int) -> None:
    header = b64encode(SHARED + b"12345" * answers).decode()
    folded = "\n ".join(header[at : at + 60] for at in range(0, len(header), 60))
    assert conversation(folded) == Conversation(SHARED.hex(), answers > 0)


@pytest.mark.parametrize(
    "header", ["", "Acc", "AcZ\u00e4", b64encode(SHARED + b"1").decode(), b64encode(bytes(22)).decode()]
)
def test_what_is_none_says_nothing(header: str) -> None:
    assert conversation(header) == Conversation()


@given(st.text())
def test_no_header_breaks_it(header: str) -> None:
    conversation(header)


def test_our_answer_is_one_of_the_conversation() -> None:
    ours = thread_index(SHARED.hex(), "<1@telkom.example>")
    assert conversation(ours) == Conversation(SHARED.hex(), answers=True)
    assert ours == thread_index(SHARED.hex(), "<1@telkom.example>") != thread_index(SHARED.hex(), "<2@telkom.example>")


@needs_corpus
def test_outlooks_mails_of_the_corpus_are_of_conversations() -> None:
    found = []
    for file in CORPUS.rglob("*.eml"):
        with suppress(Unreadable):
            if header := read(file.read_bytes()).root["Thread-Index"]:
                found.append(conversation(header))
    assert len(found) > 10
    assert [one for one in found if not one.shared] == []
    assert {one.answers for one in found} == {True, False}
