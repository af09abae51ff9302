"""No mail takes more than 2 s or 256 MB, however it is made."""

import base64
import resource
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.mail.parser import parse
from adapters.mail.tnef import FILES_LIMIT, SIGNATURE
from models.mail import Problem
from tests.pace import in_time

HEAD = b"From: budi@pelanggan.example\r\nSubject: hai\r\nMIME-Version: 1.0\r\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
SIZE = 50_000_000
TNEF = SIGNATURE + b"\0\0"
DAEMON = b"From: mailer-daemon@x\nSubject: failed\n\n"
SMIME = HEAD + b"Content-Type: application/pkcs7-mime\r\n\r\n\x30\x80"


def of(kind: bytes, body: bytes) -> bytes:
    return HEAD + b"Content-Type: " + kind + b"\r\n\r\n" + body


def nested(levels: int) -> bytes:
    return HEAD + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(levels))


def attribute(kind: int, value: bytes = b"") -> bytes:
    return b"\1" + struct.pack("<HHI", kind, 0, len(value)) + value + b"\0\0"


def rtf_that_grows() -> bytes:
    """A TNEF property: 100 kB of RTF that say again and again what stands right before."""
    packed, end = b"", 207
    for _ in range(8_000):
        references = [struct.pack(">H", (end + 17 * n - 1) % 4096 << 4 | 15) for n in range(8)]
        packed, end = packed + b"\xff" + b"".join(references), end + 8 * 17
    value = struct.pack("<IIII", 0, 2**31, 0x75465A4C, 0) + packed
    return struct.pack("<HHII", 0x102, 0x1009, 1, len(value)) + value + b"\0" * (-len(value) % 4)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "1,000 nested parts": lambda: nested(1_000) + b"\nx",
    "100,000 nested letters": lambda: HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 100_000,
    "100,000 parts": lambda: MIXED + b"--b\r\n\r\nx\r\n" * 100_000,
    "lines like boundaries": lambda: MIXED + b"--b\n\nx\n" + b"--\n" * 10_000_000,
    "a header of 1 MB": lambda: b"Subject: " + b"hai " * 250_000 + b"\n\nx",
    "200,000 headers": lambda: HEAD + b"X: y\n" * 200_000 + b"\nx",
    "a folded header": lambda: b"Subject: hai" + b"\n x" * 300_000 + b"\n\nx",
    "encoded words": lambda: b"Subject: " + b"=?utf-8?q?=41?= " * 60_000 + b"\n\nx",
    "addresses": lambda: b"From: a@b.c\nTo: " + b'"a\\"b" <a@b.c>, ' * 60_000 + b"\n\nx",
    "an open quote": lambda: b'From: a@b.c, d@e.f "' + b'\\"' * 29_000 + b"\n\nx",
    "comments": lambda: b"From: " + b"(" * 60_000 + b"\nDate: " + b"(" * 60_000 + b"\n\nx",
    "message ids": lambda: b"Message-ID: " + b"<" * 60_000 + b"\nReferences: " + b"<a" * 30_000 + b"\n\nx",
    "parameters": lambda: of(b"multipart/mixed" + b';a="b' * 200_000, b"x"),
    "parameters in pieces": lambda: of(b"a/b" + b"".join(b";a*%d*=b" % n for n in range(100_000)), b"x"),
    "base64 junk": lambda: of(b"a/b\r\nContent-Transfer-Encoding: base64", b"A=B\xff" * 5_000_000),
    "quoted-printable": lambda: of(
        b"text/plain\r\nContent-Transfer-Encoding: quoted-printable", b"=4=\n=\r" * 5_000_000
    ),
    "uuencode": lambda: of(b"a/b\r\nContent-Transfer-Encoding: uuencode", b"begin 644 x\n" + b"M#\n" * 1_000_000),
    "signatures": lambda: of(b"text/plain", b"-----BEGIN PGP SIGNED MESSAGE-----\n\n" * 30_000),
    "blanks": lambda: of(b"text/plain", b" \t" * 400_000 + b"x"),
    "empty lines": lambda: of(b"text/plain", b"\n" * 400_000 + b"x"),
    "attributions": lambda: of(b"text/plain", b"On 3 Mar 2026 a@b wrote " * 40_000),
    "quotes": lambda: of(b"text/plain", b"> x\n\n" * 200_000),
    "letter heads": lambda: of(b"text/plain", b"From: x\n" * 100_000),
    "addresses in text": lambda: b"From: mailer-daemon@x\n\n" + b"to: <a@b.c> copy of the " * 40_000,
    "a bounce of 40,000": lambda: (
        DAEMON + b"".join(b"u%d@b.c\n" % n for n in range(40_000)) + b"copy of the original message"
    ),
    "a header of recipients": lambda: (
        b"X-Failed-Recipients: "
        + b"".join(b"u%d@b.c," % n for n in range(9_000))
        + b"\n\n"
        + b"word \n" * 80_000
        + b"x"
    ),
    "a bounce of empty lines": lambda: DAEMON + b"x" + b"\n" * 490_000 + b"x",
    "a bounce of short lines": lambda: DAEMON + b"!\n" * 249_000 + b"x",
    "reports": lambda: MIXED + (b"--b\r\nContent-Type: message/delivery-status\r\n\r\n" + b"a:\n\n" * 900) * 990,
    "reports of many": lambda: (
        MIXED
        + b"--b\r\nContent-Type: message/delivery-status\r\n\r\n".join(
            b"".join(b"Final-Recipient: %d.%d@b\nAction: failed\n\n" % (m, n) for n in range(500)) for m in range(900)
        )
    ),
    "wrong charset": lambda: of(b"text/plain; charset=gb2312", bytes(range(128, 255)) * 8_000),
    "1,000 wrong charsets": lambda: (
        MIXED + (b"--b\r\nContent-Type: a/b; name*=x''%e9%e8" + b"%e7" * 900 + b"\r\n\r\n") * 999
    ),
    "utf-7": lambda: of(b"text/plain; charset=utf-7", b"+2AA-" + b"+AAA" * 250_000),
    "HTML 100,000 deep": lambda: of(b"text/html", b"<div>" * 100_000 + b"x" + b"</div>" * 100_000),
    "HTML that grows": lambda: of(b"text/html", b"".join(b"<p><font id=%d>x" % n for n in range(50_000))),
    "1,000 parts of HTML": lambda: (
        MIXED + (b"--b\r\nContent-Type: text/html\r\n\r\n" + b"<p>" * 15_000 + b"\r\n") * 999
    ),
    "ends of links": lambda: of(b"text/html", b"x</a>" * 200_000),
    "24 large parts of HTML": lambda: (
        MIXED + (b"--b\r\nContent-Type: text/html\r\n\r\n" + b"<b> " * 250_000 + b"\r\n") * 24
    ),
    "a flowed paragraph": lambda: of(b"text/plain; format=flowed", b"a \n" * 330_000),
    "calendars": lambda: (
        MIXED + (b"--b\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VEVENT\nSUMMARY:" + b"a\\," * 9_000 + b"\r\n") * 900
    ),
    "100 texts in RTF": lambda: of(
        b"application/ms-tnef", TNEF + attribute(0x9003, struct.pack("<I", 100) + rtf_that_grows() * 100)
    ),
    "40 times winmail.dat": lambda: (
        MIXED
        + (
            b"--b\r\nContent-Type: application/ms-tnef\r\n\r\n"
            + TNEF
            + attribute(0x9003, struct.pack("<I", 1) + rtf_that_grows())
            + b"\r\n"
        )
        * 40
    ),
    "1,000,000 packed files": lambda: of(b"application/ms-tnef", TNEF + attribute(0x9002) * 1_000_000),
    "a calendar": lambda: of(b"text/calendar", b"BEGIN:VEVENT\n" + b"SUMMARY;" * 100_000 + b"\r\n X" * 100_000),
    "BER values": lambda: (
        SMIME + bytes.fromhex("06092a864886f70d010702") + b"\xa0\x80\x30\x80" + b"\x04\x00" * 5_000_000
    ),
    "report fields": lambda: of(b"message/delivery-status", b"x\n" * 5_000_000),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_mails_take_no_time(make: Callable[[], bytes]) -> None:
    raw = make()
    began = time.thread_time()
    parse(raw)
    assert in_time(time.thread_time() - began, 2)


def test_what_is_beyond_the_limits_is_said() -> None:
    mail = parse(nested(60) + b"\nx")
    assert Problem.TOO_DEEP in mail.problems
    assert [item.type for item in mail.attachments] == ["multipart/mixed"]
    mail = parse(MIXED + b"--b\r\n\r\nhai\r\n" + b"--b\r\nContent-Type: a/b\r\n\r\nx\r\n" * 1_500 + b"--b--")
    assert Problem.TOO_MANY_PARTS in mail.problems
    assert (mail.text, len(mail.attachments)) == ("hai", 999)
    mail = parse(HOSTILE["1,000,000 packed files"]())
    assert Problem.BROKEN_TNEF in mail.problems
    assert len(mail.attachments) == FILES_LIMIT + 1, "and the whole"
    mail = parse(HOSTILE["40 times winmail.dat"]())
    assert Problem.TOO_MANY_PARTS in mail.problems
    assert len(mail.attachments) == 40


def large_mails() -> dict[str, bytes]:
    line = base64.b64encode(bytes(range(57))) + b"\r\n"
    part = b"--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return {
        "attachment": MIXED
        + b"--b\r\n\r\nInternet saya mati sejak kemarin.\r\n"
        + part
        + line * (SIZE // len(line))
        + b"--b--",
        "text": of(b"text/plain", b"Internet saya mati sejak kemarin.\r\n" * (SIZE // 35)),
        "html": of(b"text/html", b"<p>Internet <b>saya</b> mati.\r\n" * (SIZE // 31)),
        "packed": of(
            b"application/ms-tnef", TNEF + attribute(0x9002) + attribute(0x800F, bytes(range(255)) * (SIZE // 255))
        ),
        "returned header": b"From: mailer-daemon@x\nContent-Type: text/rfc822-headers\n\n" + b"x: y\n" * (SIZE // 5),
        "uuencode": of(
            b"a/b\r\nContent-Transfer-Encoding: uuencode", b"begin 644 x\n" + b"M#\n" * (SIZE // 3) + b"end\n"
        ),
        "noise": bytes(range(256)) * (2 * SIZE // 256),
    }


@pytest.mark.parametrize("name", ["attachment", "text", "html", "packed", "returned header", "uuencode", "noise"])
def test_a_large_mail_takes_no_more_than_256_mb(tmp_path: Path, name: str) -> None:
    """In a process of its own, the command line, with all that it loads."""
    file = tmp_path / "large.eml"
    file.write_bytes(large_mails()[name])
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    # getrusage would count what this process had when it forked
    code = (
        "import layanan, sys; layanan.main(['mail', 'inspect', '--json', sys.argv[1]]);"
        "print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert int(done.stderr.split()[-1]) / 1024 < 256
    took = after.ru_utime + after.ru_stime - began.ru_utime - began.ru_stime
    assert in_time(took, 3), "two seconds, and the start of Python"
