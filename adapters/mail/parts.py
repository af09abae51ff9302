"""A mail's parts by the standard library's parser, with what that one loses or breaks on made good."""

import re
import unicodedata
from email import message_from_bytes
from email.generator import BytesGenerator
from email.message import Message
from email.policy import Compat32
from io import BytesIO

from adapters.mail.charset import decode, decode_header
from models.errors import Unreadable

DEPTH_LIMIT = 50
"""Levels of parts within parts."""

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
# The library takes a blank before a colon (RFC 5322, 4.5) for the end of headers.
_OBSOLETE = re.compile(rb"(?m)^([!-9;-~]{1,60})[ \t]+:")
_UNSAFE = re.compile(r"[\\/:*?\"<>|]")


class _Headers(Compat32):
    """Headers as text; the library's own policies lose raw 8-bit bytes or raise on them."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return value if value.isascii() else decode(value.encode("utf-8", "surrogateescape"))


def read(raw: bytes) -> Message:
    """The mail's tree of parts.

    Raises:
        Unreadable: there is no header at all, or parts are nested beyond ``DEPTH_LIMIT``.
    """
    raw = raw.lstrip(b"\xef\xbb\xbf\r\n")
    end = blank.start() if (blank := _BLANK_LINE.search(raw)) else len(raw)
    try:
        message = message_from_bytes(_OBSOLETE.sub(rb"\1:", raw[:end]) + raw[end:], policy=_Headers())
    except RecursionError:
        raise Unreadable("parts are nested too deep") from None
    if not message.keys():
        raise Unreadable("no header")
    level = [message]
    for _ in range(DEPTH_LIMIT):
        level = [child for part in level for child in children(part)]
        if not level:
            return message
    raise Unreadable("parts are nested too deep")


def children(part: Message) -> list[Message]:
    """The parts, letters or field blocks that ``part`` holds; none for a leaf."""
    payload = part.get_payload() if part.is_multipart() else []
    return [child for child in payload if isinstance(child, Message)]


def content(part: Message) -> bytes:
    """A part's bytes: a leaf's without their transfer encoding, an attached letter's as it is.

    Empty where the library cannot write what it has read.
    """
    if not part.is_multipart():
        payload = part.get_payload(decode=True)
        return payload if isinstance(payload, bytes) else b""
    out = BytesIO()
    for letter in children(part):
        try:
            BytesGenerator(out, mangle_from_=False).flatten(letter)
        except (AttributeError, LookupError, TypeError, ValueError):
            return b""
    return out.getvalue()


def filename(part: Message) -> str:
    """Name that is safe to show and to write: no folders, control or direction characters, 120 at most."""
    try:
        name = decode_header(part.get_filename(""))
    except (LookupError, TypeError, ValueError):  # RFC 2231 parameters in forms that the library breaks on
        return ""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    name = "".join(char for char in name if unicodedata.category(char) not in ("Cc", "Cf", "Zl", "Zp"))
    stem, dot, extension = _UNSAFE.sub("_", name).strip(". ").rpartition(".")
    return f"{stem[:100]}{dot}{extension[:19]}" if stem else extension[:120]
