"""winmail.dat, packed here as MS-OXTNEF says."""

import random
import struct

from adapters.mail.tnef import SIGNATURE, unpack

ATTACHED = b"\x02" + struct.pack("<HH", 0x9005, 6)
"""Where the properties of an attachment start."""


def attribute(level: int, name: int, kind: int, value: bytes) -> bytes:
    return struct.pack("<BHHI", level, name, kind, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def prop(kind: int, name: int, value: bytes) -> bytes:
    return struct.pack("<HHII", kind, name, 1, len(value)) + value + bytes(-len(value) % 4)


def props(*items: bytes) -> bytes:
    return struct.pack("<I", len(items)) + b"".join(items)


def stream(*attributes: bytes) -> bytes:
    return SIGNATURE + b"\x01\x00" + b"".join(attributes)


def packed(text: str, name: str, data: bytes) -> bytes:
    """A text and one file, as Outlook packs them."""
    number = struct.pack("<HHI", 3, 0x0E07, 1)
    named = struct.pack("<HH16sIII", 3, 0x8001, bytes(16), 0, 7, 1)
    body = props(number, named, prop(0x1F, 0x1000, (text + "\0").encode("utf-16-le")))
    file = props(prop(0x1F, 0x3707, (name + "\0").encode("utf-16-le")), prop(0x102, 0x3701, data))
    return stream(
        attribute(1, 0x9007, 6, struct.pack("<II", 1252, 0)),
        attribute(1, 0x9003, 6, body),
        attribute(2, 0x9002, 6, bytes(14)),
        attribute(2, 0x8010, 1, b"KURZ~1.PDF\0"),
        attribute(2, 0x9005, 6, file),
    )


def test_text_and_files() -> None:
    found = unpack(packed("Internet mati – tolong", "bukti bayar.pdf", b"%PDF-"))
    assert (found.text, found.html, found.rtf, found.broken) == ("Internet mati – tolong", "", b"", False)
    assert [(file.name, file.data) for file in found.files] == [("bukti bayar.pdf", b"%PDF-")]


def test_old_attributes_in_the_senders_code_page() -> None:
    found = unpack(
        stream(
            attribute(1, 0x9007, 6, struct.pack("<I", 1251)),
            attribute(1, 0x800C, 2, "Привет\0".encode("cp1251")),
            attribute(2, 0x9002, 6, bytes(14)),
            attribute(2, 0x8010, 1, "счёт.pdf\0".encode("cp1251")),
            attribute(2, 0x800F, 6, b"%PDF-"),
        )
    )
    assert (found.text, [(file.name, file.data) for file in found.files]) == ("Привет", [("счёт.pdf", b"%PDF-")])


def test_html_and_compressed_rtf() -> None:
    # a literal run, a reference into the first dictionary ("{\rtf1\ansi"), and the end mark
    run = b"\x00{\\rtf1 h" + bytes([0b10]) + b"a" + struct.pack(">H", (207 + 9) << 4)
    rtf = struct.pack("<IIII", len(run) + 12, 10, 0x75465A4C, 0) + run
    found = unpack(stream(attribute(1, 0x9003, 6, props(prop(0x102, 0x1013, b"<p>hai"), prop(0x102, 0x1009, rtf)))))
    assert (found.html, found.rtf, found.broken) == ("<p>hai", b"{\\rtf1 ha", False)


def test_what_is_broken_is_read_up_to_there() -> None:
    whole = packed("hai", "a.pdf", b"%PDF-" * 100)
    assert unpack(whole[:-200]).broken
    assert unpack(whole[:-200]).text == "hai"
    assert unpack(b"").broken
    assert unpack(b"bukan tnef").broken


def test_no_bytes_break_it() -> None:
    chance, whole = random.Random(1), packed("hai", "a.pdf", b"%PDF-")
    for _ in range(3_000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.choice((0, 255, chance.randrange(256)))
        unpack(bytes(data))
