"""Decodes mail: declared, wrong and missing charsets, and valid and broken encoded words (RFC 2047)."""

import binascii
import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

import chardet

HEADER_LIMIT = 8_000
"""Characters of a header that are read."""

# programs that use these labels mean the superset (WHATWG Encoding, 4.2)
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
}
# Python codecs that no mail uses; some take quadratic time
_FOREIGN = {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"}
# a truncated header may end within an encoded word
_WORD = re.compile(r"=\?([^?\s]{0,60})\?([bq])\?(.*?)(?:\?=|\Z)", re.IGNORECASE | re.DOTALL)
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_LETTER = re.compile(r"[^\x00-\x7f\ufffd]")
_OTHERS = re.compile(r"[\u0370-\u06ff]+")
_WITHIN_OURS = re.compile(r"[A-Za-z](?=[\u0370-\u06ff])|[\u0370-\u06ff](?=[A-Za-z])")
"""Where Greek, Cyrillic, Hebrew or Arabic letters touch ASCII letters."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
TURNED = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""For ``str.translate``: removes characters that reverse text, and so could show an address backwards."""


class Decoded(NamedTuple):
    """Decoded text, and whether its charset was guessed because none or a wrong one was declared."""

    text: str
    guessed: bool


def decode(data: bytes, charset: str | None = None) -> str:
    """Decode ``data``; see :func:`guess`."""
    return guess(data, charset).text


def guess(data: bytes, charset: str | None = None) -> Decoded:
    """Decode ``data`` with UTF-8 or the declared charset if they fit, else with the best guess.

    Never fails. The text contains neither NUL nor lone surrogates, so that every database accepts it.
    """
    declared = _codec(charset)
    if data.isascii() and declared in (None, "utf-8", "cp1252"):
        return Decoded(_storable(data.decode("ascii")), guessed=False)
    # a single-byte charset fits any bytes, but UTF-8 hardly ever fits by chance
    order = ("utf-8", declared) if declared in (None, "cp1252") else (declared, "utf-8")
    for codec in filter(None, order):
        try:
            text = data.decode(codec)
        except UnicodeError:
            continue
        return Decoded(_storable(text), guessed=codec != declared or (charset or "").lower().endswith("ascii"))
    first = _NOT_ASCII.search(data)
    sample = data[max(0, first.start() - 100) if first else 0 :][:20_000]
    if declared in (None, "utf-8", "cp1252") and (errors := _broken_utf8(sample, sure=declared == "utf-8")):
        return Decoded(_storable(data.decode("utf-8", errors)), guessed=True)
    if declared and _mostly_right(text := data.decode(declared, "replace")):
        return Decoded(_storable(text), guessed=True)
    found = _codec(chardet.detect(sample)["encoding"]) or "cp1252"
    if _mixed(sample.decode(found, "replace")):
        found = "cp1252"
    return Decoded(_storable(data.decode(found, "replace")), guessed=True)


def _mixed(text: str) -> bool:
    """Whether the guess is wrong: letters of another alphabet are inside Latin words (“cafι”)."""
    return 2 * len(_WITHIN_OURS.findall(text)) >= len(_OTHERS.findall(text)) > 0


def _broken_utf8(sample: bytes, *, sure: bool) -> str:
    """The error handler for UTF-8 with a cut letter or foreign bytes in it; empty if the bytes are no UTF-8."""
    text = sample.decode("utf-8", "replace")
    least = text.count("\ufffd") * (1 if sure else 4)
    letters = _LETTER.findall(text) if least < len(text) else []
    if len(letters) < least:
        return ""
    latin = all(char < "\u0250" or "\u2000" <= char < "\u2150" for char in letters)
    return _stray.__name__ if latin else "replace"


def _stray(error: UnicodeError) -> tuple[str, int]:
    """Read a single foreign byte as cp1252, the usual default; replace a cut letter."""
    assert isinstance(error, UnicodeDecodeError)
    bad = error.object[error.start : error.end]
    return bad.decode("cp1252", "replace") if len(bad) == 1 else "\ufffd", error.end


codecs.register_error(_stray.__name__, _stray)


def _mostly_right(text: str) -> bool:
    """Whether few letters are broken; many would mean that the charset is another one."""
    return text.count("\ufffd") * 20 < sum(not char.isascii() for char in text)


def decode_header(value: str) -> str:
    """Decode a header's value (RFC 2047) to one line."""
    text = _storable(value[:HEADER_LIMIT])
    if "=?" in text:
        joined = re.sub(r"\?=\s+=\?", "?==?", text)
        text = "".join(decode(data, charset) for data, charset in _chunks(joined))
    return _CONTROL.sub(" ", text.translate(TURNED)).strip()


def _chunks(value: str) -> Iterator[tuple[bytes, str | None]]:
    """Runs of bytes with their charset. Adjacent words of one charset are one run: some programs split a character."""
    run, run_charset, end = b"", None, 0
    for word in _WORD.finditer(value):
        charset = word[1].partition("*")[0].lower()  # RFC 2231, section 5: charset*language
        if word.start() > end or charset != run_charset:
            yield run, run_charset
            yield value[end : word.start()].encode(), None
            run, run_charset = b"", charset
        run += _unword(word[2], word[3].encode())
        end = word.end()
    yield run, run_charset
    yield value[end:].encode(), None


def _unword(encoding: str, data: bytes) -> bytes:
    if encoding in "qQ":
        return binascii.a2b_qp(data, header=True)
    digits = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def _codec(charset: str | None) -> str | None:
    try:
        name = codecs.lookup(charset or "").name
        "".encode(name)  # hex, zip and rot13 are no charsets
    except (LookupError, ValueError):
        return None
    return None if name in _FOREIGN else _SUPERSETS.get(name, name)


def _storable(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()
