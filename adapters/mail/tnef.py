"""Unpacks text and files from Outlook's winmail.dat (MS-OXTNEF).

The only library for it, tnefparse, has had no release since 2021 and takes minutes on some broken input.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from adapters.mail.charset import decode

SIGNATURE = b"\x78\x9f\x3e\x22"
PROPERTIES_LIMIT = 5_000
FILES_LIMIT = 1_000
RTF_LIMIT = 1_000_000
"""Bytes of RTF that are unpacked."""

_BODY, _ATTACH_DATA, _ATTACH_TITLE = 0x800C, 0x800F, 0x8010
_NEW_ATTACHMENT, _MESSAGE_PROPERTIES, _ATTACH_PROPERTIES, _CODE_PAGE = 0x9002, 0x9003, 0x9005, 0x9007
_PR_BODY, _PR_RTF, _PR_HTML = 0x1000, 0x1009, 0x1013
_PR_DATA, _PR_FILENAME, _PR_LONG_FILENAME, _PR_MIME_TYPE = 0x3701, 0x3704, 0x3707, 0x370E
_STRING8, _UNICODE, _OBJECT, _BINARY, _MULTIPLE, _NAMED = 0x1E, 0x1F, 0x0D, 0x102, 0x1000, 0x8000
_SIZES = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
# MS-OXRTFCP, 2.1.2.1: the initial dictionary
_RTF_START = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript "
    rb"\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n" + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)


class File(NamedTuple):
    """A packed file; ``kind`` is its declared media type, empty without one."""

    name: str
    kind: str
    data: bytes


class Packed(NamedTuple):
    """The content up to the end, or up to the first ``broken`` structure or the first file above the limit.

    ``rtf`` is unpacked only if there is no plain text.
    """

    text: str
    html: str
    rtf: bytes
    files: tuple[File, ...]
    broken: bool


class _Broken(Exception):
    pass


def unpack(data: bytes) -> Packed:
    """Unpack ``data`` as far as it can be read."""
    text, html, rtf, packed, code_page, broken = "", "", b"", b"", "cp1252", False
    files: list[dict[int, bytes]] = []
    try:
        for kind, value in _attributes(data):
            if kind == _CODE_PAGE and len(value) >= 4:
                code_page = f"cp{struct.unpack_from('<I', value)[0]}"
            elif kind == _BODY:
                text = _string(_STRING8, value, code_page)
            elif kind == _NEW_ATTACHMENT:
                if len(files) == FILES_LIMIT:
                    broken = True
                    break
                files.append({})
            elif kind == _ATTACH_DATA and files:
                files[-1][_PR_DATA] = value
            elif kind == _ATTACH_TITLE and files:
                files[-1][_PR_FILENAME] = _string(_STRING8, value, code_page).encode()
            elif kind == _ATTACH_PROPERTIES and files:
                for form, name, item in _properties(value):
                    if name in (_PR_FILENAME, _PR_LONG_FILENAME, _PR_MIME_TYPE):
                        files[-1][name] = _string(form, item, code_page).encode()
                    elif name == _PR_DATA:
                        # an object's bytes follow its interface identifier
                        files[-1][name] = item[16:] if form == _OBJECT else item
            elif kind == _MESSAGE_PROPERTIES:
                for form, name, item in _properties(value):
                    if name == _PR_BODY:
                        text = _string(form, item, code_page)
                    elif name == _PR_HTML:
                        html = decode(item) if form == _BINARY else _string(form, item, code_page)
                    elif name == _PR_RTF:
                        packed = item
        if packed and not text.strip():
            rtf = _rtf(packed)
    except (_Broken, struct.error):
        broken = True
    return Packed(text.strip(), html, rtf, tuple(map(_file, files)), broken)


def _file(found: dict[int, bytes]) -> File:
    name = found.get(_PR_LONG_FILENAME) or found.get(_PR_FILENAME, b"")
    return File(name.decode(), found.get(_PR_MIME_TYPE, b"").decode(), found.get(_PR_DATA, b""))


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    if not data.startswith(SIGNATURE):
        raise _Broken
    position = 6
    while position + 9 <= len(data):
        kind, _, size = struct.unpack_from("<HHI", data, position + 1)
        value = data[position + 9 : position + 9 + size]
        yield kind, value
        if len(value) < size:
            raise _Broken
        position += 9 + size + 2


def _properties(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, identifier and first value of every property (MS-OXTNEF, 2.1.3.4)."""
    (count,) = struct.unpack_from("<I", data)
    position = 4
    for _ in range(min(count, PROPERTIES_LIMIT)):
        form, name = struct.unpack_from("<HH", data, position)
        position += 4
        if name >= _NAMED:
            kind, size = struct.unpack_from("<II", data, position + 16)
            position += 24 + (_padded(size) if kind else 0)
        single = form & ~_MULTIPLE
        values = 1
        if form & _MULTIPLE or single in (_STRING8, _UNICODE, _OBJECT, _BINARY):
            (values,) = struct.unpack_from("<I", data, position)
            position += 4
        first = None
        for _ in range(min(values, PROPERTIES_LIMIT)):
            size = _SIZES.get(single, 0)
            if not size:
                if single not in (_STRING8, _UNICODE, _OBJECT, _BINARY):
                    raise _Broken
                (size,) = struct.unpack_from("<I", data, position)
                position += 4
            if position + size > len(data):
                raise _Broken
            first = data[position : position + size] if first is None else first
            position += _padded(size)
        yield single, name, first or b""


def _padded(size: int) -> int:
    return size + -size % 4


def _string(form: int, value: bytes, code_page: str) -> str:
    text = decode(value, "utf-16-le" if form == _UNICODE else code_page)
    return text.rstrip("\0")


def _rtf(data: bytes) -> bytes:
    """RTF out of its compression (MS-OXRTFCP)."""
    _, size, kind, _ = struct.unpack_from("<IIII", data)
    if kind == 0x414C454D:  # MELA: not compressed
        return data[16 : 16 + min(size, RTF_LIMIT)]
    if kind != 0x75465A4C:  # LZFu
        raise _Broken
    out = bytearray(_RTF_START)
    end, position = len(_RTF_START) + min(size, RTF_LIMIT), 16
    while position < len(data) and len(out) < end:
        flags = data[position]
        position += 1
        for bit in range(8):
            if not flags >> bit & 1:
                out += data[position : position + 1]
                position += 1
                continue
            (reference,) = struct.unpack_from(">H", data, position)
            position += 2
            # the dictionary is a ring of 4096 bytes that starts as _RTF_START
            distance = (len(out) - (reference >> 4)) % 4096
            if distance == 0:
                return bytes(out[len(_RTF_START) :])
            if distance > len(out):
                raise _Broken
            for _ in range((reference & 15) + 2):
                out.append(out[-distance])
    return bytes(out[len(_RTF_START) : end])
