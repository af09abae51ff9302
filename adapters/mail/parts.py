"""Reads a mail's tree of parts (MIME) in one pass over any bytes.

The standard library's parser copies a mail several times, recurses, and takes quadratic time on some mails. Its
``Message`` is the base of a part; a part's bytes are a window on the mail.
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
"""Blocks of fields in one report."""
HEADERS_LIMIT = 1_000
"""Headers of one part that are kept; beyond them one of each new name, up to the same number."""
VALUE_LIMIT = 60_000
"""Bytes of one header's value; the rest is cut off."""
UU_LINES_LIMIT = 1_000_000
"""Lines of one uuencoded part: 45 MB of full lines."""
DASHES_LIMIT = 200_000
"""Lines that start like a boundary; after them, the mail is not divided further."""
PARAMETERS_LIMIT = 4_000
"""Characters of a header with parameters; the library takes quadratic time."""

# RFC 5322, 4.5 allows blanks before the colon; a line that starts with a blank continues the one before
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
"""Control bytes that no text contains, except those of ISO 2022 and UTF-16."""
SAMPLE_LIMIT = 100_000
"""Bytes that are examined to tell base64 from text."""
SHORT_LIMIT = 40
"""Bytes of a single word up to which it may be text that is declared as base64."""
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_PARAMETERISED = {"content-type", "content-disposition"}


class _Headers(Compat32):
    """Decodes headers; the library's own policies lose raw 8-bit bytes or raise an error."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        text = value if value.isascii() else decode(value.encode("utf-8", "surrogateescape"))
        return text[:PARAMETERS_LIMIT] if name.lower() in _PARAMETERISED else text


_POLICY = _Headers()


class Part(Message):
    """A mail or one of its parts: headers, and either ``parts`` or a ``window`` on its raw bytes."""

    def __init__(self) -> None:
        super().__init__(policy=_POLICY)
        self.window = memoryview(b"")
        self.parts: list[Part] = []
        self.unopened = False
        """Whether it is nested so deeply that its parts were not read."""

    def walk(self) -> "Iterator[Part]":  # type: ignore[override]
        """The part and all parts within it, in order. Attached mails are leaves: an attached bounce does not count."""
        yield self
        for part in self.parts:
            yield from part.walk()


class Tree(NamedTuple):
    """A mail, and the problems of its structure."""

    root: Part
    problems: tuple[Problem, ...]


def read(raw: bytes) -> Tree:
    """Read the mail's tree of parts. Attached mails are leaves.

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
    """Give each part its parts or its window, in one pass over the lines that may be boundaries."""
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
        # the line break before the first line of a body belongs to the header
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
    """The next line that ends a part: the end of the content before it, and the start of the content after it."""

    before: int
    after: int
    dashes: int
    level: int | None = None
    closing: bool = False
    cut: bool = False
    """The limit was reached; there may be more."""


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
    """A part with its headers, and the start of its body: after an empty line, or at a line that is no header."""
    part = Part()
    kept, names = 0, set[bytes]()
    while header := _HEADER.match(raw, position):
        name, position = header[1], header.end()
        # beyond the limit only new names: a mail's own headers may be below those that servers have added
        if kept < HEADERS_LIMIT or (name.lower() not in names and kept < 2 * HEADERS_LIMIT):
            value = header[2][:VALUE_LIMIT].translate(None, b"\r\n\0").strip()
            part.set_raw(name.decode("ascii"), value.decode("ascii", "surrogateescape"))
            names.add(name.lower())
            kept += 1
    blank = _BLANK_LINE.match(raw, position)
    return part, blank.end() if blank else position


def children(part: Message) -> list[Message]:
    """The parts of a multipart, an attached mail's header, or a report's blocks of fields; none for other leaves."""
    if not isinstance(part, Part):
        return []
    kind = part.get_content_type()
    if kind in _LETTERS:
        head, _ = _head(content(part), 0)
        return [head] if head.keys() else []
    return list(fields(content(part))) if kind in _FIELDS else list(part.parts)


def fields(data: bytes) -> Iterator[Part]:
    """Blocks of fields, separated by empty lines (RFC 3464); other lines are skipped."""
    position = 0
    for _ in range(BLOCKS_LIMIT):
        part, end = _head(data, position)
        if part.keys():
            yield part
        elif end == position:
            # skip a line that is no field
            end = data.find(b"\n", position) + 1
            if end == 0:
                return
        position = end


def content(part: Message, limit: int | None = None) -> bytes:
    """A leaf's bytes without their transfer encoding, as far as they can be decoded."""
    return decoded(part, limit)[0]


def decoded(part: Message, limit: int | None = None) -> tuple[bytes, bool]:
    """A leaf's decoded bytes, or those of its first ``limit`` encoded bytes, and whether the encoding was correct."""
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
    """Whether most of a part is base64: some programs declare it for plain text, and a list adds a plain footer.

    For a text of a single word, the decoded bytes decide: text contains no control characters.
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
            # encoders fill the last group differently
            found += binascii.a2b_uu(line[: 1 + ((line[0] - 32 & 63) * 4 + 2) // 3])
        except binascii.Error:
            well = False
    return bytes(found), well


def parameter(part: Message, header: str, name: str) -> str | None:
    """A header's parameter (also by RFC 2231), as text; None if it is missing or cannot be read."""
    try:
        value = part.get_param(name, header=header)
    except (LookupError, TypeError, ValueError):  # continuations that the library cannot read
        return None
    if isinstance(value, tuple):
        charset, _, octets = value
        # the library returns percent-encoded bytes as Latin-1
        return decode(octets.encode("latin-1", "replace"), charset)
    return value
