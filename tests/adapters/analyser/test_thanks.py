"""Thank-yous in many forms, and mails that look like one and say more: none of these may close a case."""

from pathlib import Path

import pytest

from adapters.analyser.rules import RuleAnalyser
from adapters.analyser.thanks import is_thanks

LINES = (Path(__file__).with_name("thanks.txt")).read_text("utf-8").splitlines()
THANKS, MORE = ([line[2:].replace("/", "\n") for line in LINES if line[:2] == sign] for sign in ("+ ", "- "))
ANALYSER = RuleAnalyser()


def thanks_alone(text: str) -> bool:
    return ANALYSER.analyse("Re:", text, sender_name="Budi Santoso").thanks_alone


def test_there_are_many_of_both() -> None:
    assert len(THANKS) >= 120
    assert len(MORE) >= 120


@pytest.mark.parametrize("text", THANKS)
def test_thanks(text: str) -> None:
    assert thanks_alone(text)


@pytest.mark.parametrize("text", MORE)
def test_more_than_thanks(text: str) -> None:
    assert not thanks_alone(text)


@pytest.mark.parametrize(
    "text",
    [
        "👍 Budi Santoso reacted via Gmail",
        "Liked “Penanganan email Bapak/Ibu telah selesai. Apabila masih ada yang belum tuntas”",
        "Budi Santoso bereaksi terhadap pesan Anda: “Penanganan telah selesai”",
    ],
)
def test_a_touched_thumb_is_thanks(text: str) -> None:
    assert thanks_alone(text)


@pytest.mark.parametrize("more", ["", " Mohon dicek.", " tapi belum", "?", " 122345678901", " wifi mati"])
def test_whatever_is_added_to_thanks_decides(more: str) -> None:
    for text in ("Terima kasih", "Ok", "Sudah normal", "Makasih kak", "👍"):
        assert thanks_alone(text + more) is (more == ""), text + more


def test_a_long_mail_is_read_in_no_time() -> None:
    assert not is_thanks("makasih info cepat " * 3_000 + "x")
    assert not is_thanks("makasih " + "info cepat " * 39 + "infox")
