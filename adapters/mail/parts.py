"""A mail's tree of parts (MIME), read in one pass over its bytes, whatever these are.

The standard library's reader copies a mail several times, recurses, and takes quadratic time on some; its ``Message``
is kept as what a part is, with the part's bytes as a window on the mail.
"""

import binascii
import re
from collections.abc import Iterator
from contextlib import suppress
from email.message import Message
from email.policy import Compat32
from typing import NamedTuple

from adapters.mail.charset import decode
from models.errors import Unreadable
from models.mail import Problem

DEPTH_LIMIT = 50
"""Levels of parts within parts."""
PARTS_LIMIT = 1_000
BLOCKS_LIMIT = 100
"""Blocks of a report's fields."""
HEADERS_LIMIT = 1_000
"""Headers of one part that are kept; of a name that stands in none of them one more, up to as many again."""
VALUE_LIMIT = 60_000
"""Bytes of one header's value; what is beyond is cut off."""
UU_LINES_LIMIT = 1_000_000
"""Lines of one uuencoded part: 45 MB, where they are full."""
DASHES_LIMIT = 200_000
"""Lines that start as a boundary does; what comes after them is not divided."""
PARAMETERS_LIMIT = 4_000
"""Characters of a header with parameters; the library's time grows with the square of their number."""

# RFC 5322, 4.5 allows blanks before the colon; a line that starts with a blank goes on with the one before.
_HEADER = re.compile(rb"([!-9;-~]{1,200})[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)\n?")
_START = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t]*\r*\n)*+(?:>?From (?![ \t]*:)[^\n]*\n)?")
_BLANK_LINE = re.compile(rb"[ \t]*\r*\n")
_LETTERS = {"message/rfc822", "message/global"}
_FIELDS = {"message/delivery-status", "message/global-delivery-status", "message/disposition-notification"}
_UU_BEGIN = re.compile(rb"(?:\A|\n)begin [0-7]{3,4} [^\n]*\n")
_UU_LINE = re.compile(rb"[^\r\n]+")
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BASE64_LINE = re.compile(rb"[ \t]*[A-Za-z0-9+/]+={0,2}[ \t\r]*")
_CONTROL = re.compile(rb"[\x01-\x08\x0b\x10-\x1a\x1c-\x1f\x7f]")
"""Bytes of no text; those that change charsets and widths (ISO 2022, UTF-16) are left out."""
SAMPLE_LIMIT = 100_000
"""Bytes by which base64 is told from text."""
SHORT_LIMIT = 40
"""Bytes of a text in one word that may be no base64."""
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_PARAMETERISED = {"content-type", "content-disposition"}


class _Headers(Compat32):
    """Headers as text; the library's own policies lose raw 8-bit bytes or raise on them."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        text = value if value.isascii() else decode(value.encode("utf-8", "surrogateescape"))
        return text[:PARAMETERS_LIMIT] if name.lower() in _PARAMETERISED else text


_POLICY = _Headers()


class Part(Message):
    """A mail or one of its parts: headers, and either ``parts`` or a ``window`` on its bytes as they came."""

    def __init__(self) -> None:
        super().__init__(policy=_POLICY)
        self.window = memoryview(b"")
        self.parts: list[Part] = []
        self.unopened = False
        """It lies too deep, so its parts were not looked for."""

    def walk(self) -> "Iterator[Part]":  # type: ignore[override]
        """The part, and all within it in their order. Attached letters are leaves: who attaches a bounce is none."""
        yield self
        for part in self.parts:
            yield from part.walk()


class Tree(NamedTuple):
    """A mail, and what was wrong with its structure."""

    root: Part
    problems: tuple[Problem, ...]


def read(raw: bytes) -> Tree:
    """The mail's tree of parts. Attached letters are leaves.

    Raises:
        Unreadable: there is neither a header nor text.
    """
    problems: list[Problem] = []
    if b"\n" not in raw[:VALUE_LIMIT] and b"\r" in raw[:VALUE_LIMIT]:
        raw = raw.replace(b"\r", b"\n")
    start = _START.match(raw)
    root, position = _head(raw, start.end() if start else 0)
    if not root.keys():
        sample = raw[position : position + VALUE_LIMIT].strip()
        if not sample or re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]", sample):
            raise Unreadable("no header, no text" if sample else "empty")
        problems.append(Problem.NO_HEADER)
    problems += _divide(raw, root, position)
    return Tree(root, tuple(problems))


def _divide(raw: bytes, root: Part, position: int) -> Iterator[Problem]:
    """Give every part its parts or its window, in one pass over the lines that may be boundaries."""
    view = memoryview(raw)
    opened: list[tuple[bytes, Part]] = []
    levels: dict[bytes, int] = {}
    count = dashes = 0
    part: Part | None = root
    while True:
        if part is not None:
            start = position
            if boundary := _boundary(part):
                if len(opened) < DEPTH_LIMIT:
                    opened.append((boundary, part))
                    levels[boundary] = len(opened) - 1
                else:
                    part.unopened = True
                    yield Problem.TOO_DEEP
        # the newline before the first line of a body belongs to the header
        found = _delimiter(raw, position - 1, levels, DASHES_LIMIT - dashes)
        if part is not None:
            part.window = view[start : max(start, found.before)]
        if found.cut or (count >= PARTS_LIMIT and found.level is not None and not found.closing):
            yield Problem.TOO_MANY_PARTS
            return
        if found.level is None:
            return
        dashes += found.dashes
        del opened[found.level + (not found.closing) :]
        levels = {boundary: level for level, (boundary, _) in enumerate(opened)}
        position, part = found.after, None
        if not found.closing:
            parent = opened[-1][1]
            part, position = _head(raw, position)
            if parent.get_content_type() == "multipart/digest":
                part.set_default_type("message/rfc822")
            parent.parts.append(part)
            count += 1


class _Delimiter(NamedTuple):
    """The next line that ends a part: where what is before it ends, and where what is after it starts."""

    before: int
    after: int
    dashes: int
    level: int | None = None
    closing: bool = False
    cut: bool = False
    """There may be more, but nobody looked."""


def _delimiter(raw: bytes, position: int, levels: dict[bytes, int], limit: int) -> _Delimiter:
    dashes = 0
    while levels:
        dash = raw.find(b"\n--", position) if position >= 0 else (0 if raw.startswith(b"--") else raw.find(b"\n--"))
        if dash < 0:
            break
        dashes += 1
        if dashes > limit:
            return _Delimiter(len(raw), len(raw), dashes, cut=True)
        start = dash + 3 if raw[dash : dash + 1] == b"\n" else dash + 2
        end = raw.find(b"\n", start, start + VALUE_LIMIT)
        end = len(raw) if end < 0 else end
        line = raw[start : min(end, start + 1_000)].rstrip()
        level = levels.get(line)
        closing = level is None and line.endswith(b"--")
        if closing:
            level = levels.get(line[:-2])
        if level is not None:
            return _Delimiter(dash - (raw[dash - 1 : dash] == b"\r"), end + 1, dashes, level, closing)
        position = max(dash + 1, start - 1)
    return _Delimiter(len(raw), len(raw), dashes)


def _boundary(part: Part) -> bytes:
    if part.get_content_maintype() != "multipart":
        return b""
    return (parameter(part, "Content-Type", "boundary") or "").rstrip().encode("utf-8", "replace")


def _head(raw: bytes, position: int) -> tuple[Part, int]:
    """A part with its headers, and where its body starts: after a blank line, or at what is no header."""
    part = Part()
    kept, names = 0, set[bytes]()
    while header := _HEADER.match(raw, position):
        name, position = header[1], header.end()
        # beyond the limit only what a mail needs once, which may stand below whatever servers have put on top
        if kept < HEADERS_LIMIT or (name.lower() not in names and kept < 2 * HEADERS_LIMIT):
            value = header[2][:VALUE_LIMIT].translate(None, b"\r\n\0").strip()
            part.set_raw(name.decode("ascii"), value.decode("ascii", "surrogateescape"))
            names.add(name.lower())
            kept += 1
    blank = _BLANK_LINE.match(raw, position)
    return part, blank.end() if blank else position


def children(part: Message) -> list[Message]:
    """The parts that ``part`` holds; a letter's own head, a report's blocks of fields; none for another leaf."""
    if not isinstance(part, Part):
        return []
    kind = part.get_content_type()
    if kind in _LETTERS:
        head, _ = _head(content(part), 0)
        return [head] if head.keys() else []
    return list(fields(content(part))) if kind in _FIELDS else list(part.parts)


def fields(data: bytes) -> Iterator[Part]:
    """Blocks of fields with blank lines between them (RFC 3464); other lines are passed over."""
    position = 0
    for _ in range(BLOCKS_LIMIT):
        part, end = _head(data, position)
        if part.keys():
            yield part
        elif end == position:
            # a line that is no field
            end = data.find(b"\n", position) + 1
            if end == 0:
                return
        position = end


def content(part: Message, limit: int | None = None) -> bytes:
    """A leaf's bytes without their transfer encoding, whole as far as they can be decoded."""
    return decoded(part, limit)[0]


def decoded(part: Message, limit: int | None = None) -> tuple[bytes, bool]:
    """A leaf's bytes, or those that its first ``limit`` encoded bytes hold; and whether they were well encoded."""
    if not isinstance(part, Part):
        return b"", True
    window = part.window if limit is None else part.window[:limit]
    encoding = (part["Content-Transfer-Encoding"] or "").split(";")[0].strip().lower()
    if encoding == "base64":
        if not _is_base64(window, part.get_content_maintype()):
            return bytes(window), False
        try:
            return binascii.a2b_base64(window), True
        except binascii.Error:
            digits = bytes(window).translate(None, _NOT_BASE64)
            digits = digits[: len(digits) - (len(digits) % 4 == 1)]
            return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4)), limit is not None
    if encoding == "quoted-printable":
        return binascii.a2b_qp(window), True
    if encoding in ("x-uuencode", "uuencode", "uue", "x-uue"):
        return _unuu(window)
    return bytes(window), True


def _is_base64(window: memoryview, kind: str) -> bool:
    """Whether most of a part is base64: some programs say so of plain text, and a list's footer below it is none.

    Of text in one word the bytes that it would stand for decide: no text has control characters.
    """
    sample = bytes(window[:SAMPLE_LIMIT])
    words = sample.split()
    total = sum(map(len, words))
    encoded = sum(len(line.strip()) for line in sample.splitlines() if _BASE64_LINE.fullmatch(line))
    if encoded * 2 < total:
        return False
    if kind != "text" or len(words) > 1 or total > SHORT_LIMIT:
        return True
    with suppress(binascii.Error):
        return not _CONTROL.search(binascii.a2b_base64(sample))
    return False


def _unuu(data: memoryview) -> tuple[bytes, bool]:
    begin = _UU_BEGIN.search(data)
    if begin is None:
        return bytes(data), False
    found, well = bytearray(), True
    for number, match in enumerate(_UU_LINE.finditer(data, begin.end())):
        line = match[0]
        if line == b"end" or number == UU_LINES_LIMIT:
            well = well and line == b"end"
            break
        try:
            # encoders differ in what they fill the last group with
            found += binascii.a2b_uu(line[: 1 + ((line[0] - 32 & 63) * 4 + 2) // 3])
        except binascii.Error:
            well = False
    return bytes(found), well


def parameter(part: Message, header: str, name: str) -> str | None:
    """A header's parameter (RFC 2231 too), as text; None where it is not there or cannot be read."""
    try:
        value = part.get_param(name, header=header)
    except (LookupError, TypeError, ValueError):  # continuations in forms that the library breaks on
        return None
    if isinstance(value, tuple):
        charset, _, octets = value
        # the library gives percent-encoded bytes as latin-1
        return decode(octets.encode("latin-1", "replace"), charset)
    return value
