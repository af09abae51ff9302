"""Opens signed content and recognises encrypted content: S/MIME (RFC 8551) and inline PGP (RFC 9580).

Nothing is verified or decrypted.
"""

import re
from typing import NamedTuple

_SIGNED = bytes.fromhex("06092a864886f70d010702")  # OID 1.2.840.113549.1.7.2
_DEPTH_LIMIT = 12
_VALUES_LIMIT = 200_000
_OCTETS, _CONSTRUCTED, _OPEN = 0x04, 0x20, 0x80
_BEGIN_SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----\n"
_BEGIN_SIGNATURE = "-----BEGIN PGP SIGNATURE-----\n"
_END_SIGNATURE = "-----END PGP SIGNATURE-----"
_ENCRYPTED = re.compile(r"\s*-----BEGIN PGP MESSAGE-----")


class _Value(NamedTuple):
    """One BER value: the start and end of its content, and the start of the next value."""

    tag: int
    start: int
    end: int
    after: int


def signed_content(data: bytes) -> bytes | None:
    """The content of an opaque S/MIME signature; None without one, as in encrypted mail."""
    try:
        return _Ber(data).signed_content()
    except (IndexError, ValueError):
        return None


class _Ber:
    """Reads BER: DER, and the indefinite lengths and constructed strings that mail programs write.

    Raises:
        IndexError: the data end inside a value.
        ValueError: the data are something else, or have too many values.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = _VALUES_LIMIT

    def signed_content(self) -> bytes | None:
        """RFC 5652, 5.1: ContentInfo, SignedData, EncapsulatedContentInfo, eContent."""
        content_info = self._value(0)
        kind = self._value(content_info.start)
        if self._data[content_info.start : kind.end] != _SIGNED:
            return None
        signed = self._value(self._value(kind.after).start)
        version = self._value(signed.start)
        algorithms = self._value(version.after)
        encapsulated = self._value(algorithms.after)
        inner_kind = self._value(encapsulated.start)
        if inner_kind.after >= encapsulated.end:
            return None
        return self._octets(self._value(self._value(inner_kind.after).start))

    def _value(self, position: int, depth: int = 0) -> _Value:
        self._left -= 1
        if self._left < 0 or depth > _DEPTH_LIMIT:
            raise ValueError("too many values")
        data = self._data
        tag, size = data[position], data[position + 1]
        start = position + 2
        if size == _OPEN:
            end = start
            while data[end : end + 2] != b"\0\0":
                end = self._value(end, depth + 1).after
            return _Value(tag, start, end, end + 2)
        if size > _OPEN:
            start += size & 0x7F
            size = int.from_bytes(data[position + 2 : start], "big")
        if start + size > len(data):
            raise IndexError
        return _Value(tag, start, start + size, start + size)

    def _octets(self, value: _Value) -> bytes:
        if value.tag == _OCTETS:
            return self._data[value.start : value.end]
        if value.tag != _OCTETS | _CONSTRUCTED:
            raise ValueError("no octet string")
        pieces, position = [], value.start
        while position < value.end:
            piece = self._value(position)
            pieces.append(self._data[piece.start : piece.end])
            position = piece.after
        return b"".join(pieces)


def without_armour(text: str) -> str:
    """``text`` without the armour of PGP signatures."""
    pieces, position = [], 0
    while (start := text.find(_BEGIN_SIGNED, position)) >= 0:
        head = text.find("\n\n", start)
        end = text.find(_BEGIN_SIGNATURE, head)
        if head < 0 or end < 0:
            break
        # lines that start with a dash are escaped (RFC 9580, 7.2)
        pieces += [text[position:start], re.sub(r"(?m)^- (?=-)", "", text[head + 2 : end])]
        signature_end = text.find(_END_SIGNATURE, end)
        position = len(text) if signature_end < 0 else signature_end + len(_END_SIGNATURE)
    return "".join([*pieces, text[position:]])


def is_encrypted(text: str) -> bool:
    """Whether ``text`` begins with an encrypted PGP message."""
    return bool(_ENCRYPTED.match(text))
