"""Bytes to text: declared, wrong, missing and broken charsets."""

import pytest

from adapters.mail.charset import decode_header, guess

RUSSIAN = "Здравствуйте, интернет не работает со вчерашнего дня, помогите пожалуйста. "


@pytest.mark.parametrize(
    ("data", "charset", "text", "guessed"),
    [
        (b"hai", None, "hai", False),
        (b"hai", "x-unknown", "hai", False),
        ("é".encode(), "utf-8", "é", False),
        (b"t\xe9l\xe9phone", "iso-8859-1", "téléphone", False),
        (b"\x93kutipan\x94", "iso-8859-1", "“kutipan”", False),
        ("salah – mohon".encode(), "iso-8859-1", "salah – mohon", True),
        ("salah – mohon".encode(), "us-ascii", "salah – mohon", True),
        (b"\x93kutipan\x94", "us-ascii", "“kutipan”", True),
        ("日本語".encode("iso-2022-jp"), "iso-2022-jp", "日本語", False),
        ("中文邮件".encode("gb18030"), "gb2312", "中文邮件", False),
        (RUSSIAN.encode("koi8-r") * 3, "x-user-defined", (RUSSIAN * 3), True),
        (b"a" * 30_000 + RUSSIAN.encode("cp1251") * 3, None, "a" * 30_000 + RUSSIAN * 3, True),
        ("漢字" * 30 + "!", "utf-8", "漢字" * 30 + "\ufffd!", True),
        ("“ya” – tid".encode() + b"\xe2\x80", "utf-8", "“ya” – tid\ufffd", True),
        ("“ya” – ".encode() + b"caf\xe9 \x93tidak\x94", "utf-8", "“ya” – café “tidak”", True),
        (b"caf\xe9 \x93tidak\x94", "utf-8", "café “tidak”", True),
        (b"a\0b", "idna", "ab", False),
    ],
)
def test_text_and_whether_it_is_a_guess(data: bytes | str, charset: str | None, text: str, guessed: bool) -> None:
    raw = data.encode().replace(b"!", b"\xe6!") if isinstance(data, str) else data
    assert guess(raw, charset) == (text, guessed)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?Q?Internet_mati?=", "Internet mati"),
        ("=?UTF-8?b?SW50ZXJuZXQ?= =?utf-8?q?_mati?=", "Internet mati"),
        ("Re:=?utf-8?q?mati?=total", "Re:matitotal"),
        ("=?utf-8?q?caf=C3?= =?utf-8?q?=A9?=", "café"),
        ("=?utf-8?b?w6k=?=\r\n =?utf-8?b?w6k?=", "éé"),
        ("=?utf-8*id?q?mati?=", "mati"),
        ("=?x-unknown?q?t=E9l=E9phone?=", "téléphone"),
        ("=??q?mati?=", "mati"),
        ("=?utf-8?q?tidak ditutup", "tidak ditutup"),
        ("=?utf-8?q?mati total?=", "mati total"),
        ("=?utf-8?b?SW50 ZXJu!ZXQ=?=", "Internet"),
        ("=?utf-8?q?=zz!?=", "=zz!"),
        ("=?iso-8859-1?q?salah_=E2=80=93_ya?=", "salah – ya"),
        ("=?gb2312?b?1tDOxA==?= =?big5?b?pKSk5Q==?=", "中文中文"),
        ("=?hex?q?6162?=", "6162"),
        ("=?utf-8?x?mati?=", "=?utf-8?x?mati?="),
        ("a\r\n\tb\0\x1b[31m", "a b [31m"),
    ],
)
def test_encoded_words_in_every_form(value: str, text: str) -> None:
    assert decode_header(value) == text
