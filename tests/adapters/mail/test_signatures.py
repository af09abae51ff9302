"""DKIM signatures of real mails, signed here by dkimpy with real keys; a DNS of our own, and none at all."""

import base64
import re
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import dkim
import pytest
from dns.resolver import NXDOMAIN, NoNameservers, Resolver
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from adapters.mail import signatures
from adapters.mail.authentication import warnings
from adapters.mail.parser import parse
from adapters.mail.parts import read
from adapters.mail.signatures import BODY_LIMIT, KEY_LIMIT, WAITING, Signatures, txt
from models.errors import Unavailable
from models.mail import Authentication
from tests.pace import in_time

SENDER = "budi@example.com"
MAIL = (
    b"From: Budi <budi@example.com>\r\nTo: layanan@telkom.example\r\nSubject: Internet mati\r\n"
    b"Message-ID: <1@example.com>\r\nDate: Tue, 3 Mar 2026 10:12:00 +0700\r\n\r\n"
    b"Internet  saya \t mati. \r\n\r\nTerima kasih\r\n\r\n\r\n"
)
NAME = "s1._domainkey.example.com."
sign: Any = dkim.sign


def rsa(bits: int) -> tuple[bytes, bytes]:
    """A key, and what DNS says of it."""
    key = subprocess.run(["openssl", "genrsa", str(bits)], check=True, capture_output=True).stdout
    public = ["openssl", "rsa", "-pubout", "-outform", "DER"]
    der = subprocess.run(public, check=True, capture_output=True, input=key).stdout
    return key, b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)


KEY, RECORD = rsa(2048)


def signed(raw: bytes = MAIL, domain: bytes = b"example.com", key: bytes = KEY, **more: Any) -> bytes:
    header: bytes = sign(raw, b"s1", domain, key, **{"include_headers": [b"from", b"subject", b"to"]} | more)
    return header + raw


def result(raw: bytes, record: bytes | Exception | None = RECORD, sender: str = SENDER) -> str:
    def dns(name: str, seconds: float) -> bytes | None:
        assert name.startswith("s1._domainkey.")
        assert 0 < seconds <= 2
        if isinstance(record, Exception):
            raise record
        return record

    return Signatures(2, dns).check(raw, read(raw).root, sender)


@pytest.mark.parametrize("body", [b"relaxed", b"simple"])
@pytest.mark.parametrize("header", [b"relaxed", b"simple"])
def test_a_signature_of_the_senders_domain_holds_until_a_byte_is_changed(header: bytes, body: bytes) -> None:
    raw = signed(canonicalize=(header, body))
    assert result(raw) == result(raw.replace(b"\r\n", b"\n")) == "pass"
    assert result(raw, sender="Budi@EXAMPLE.com") == "pass"
    for old, new in (
        (b"mati.", b"hidup"),
        (b"Subject: I", b"Subject: i"),
        (b"Budi <", b"Bude <"),
        (b"d=example", b"d=Example"),
    ):
        assert result(raw.replace(old, new)) == "fail"
    if body == b"relaxed":
        assert result(raw.replace(b"Internet  saya \t mati. ", b"Internet saya mati.")) == "pass"


def test_ed25519() -> None:
    key = SigningKey.generate()
    record = b"v=DKIM1; k=ed25519; p=" + base64.b64encode(bytes(key.verify_key))
    raw = signed(key=base64.b64encode(bytes(key)), signature_algorithm=b"ed25519-sha256")
    assert result(raw, record) == "pass"
    assert result(raw.replace(b"mati", b"Mati"), record) == "fail"
    assert result(raw, record[:-8]) == result(raw, RECORD) == "fail"


def test_other_domains_are_not_asked_for_their_keys() -> None:
    """Not even those above and below: nobody tells us here where a domain's owner changes."""
    for domain in (b"evil.example", b"mail.example.com", b"com"):
        assert result(signed(domain=domain), AssertionError()) == "none"
    assert result(MAIL, Unavailable("dns", "x")) == "none"
    assert result(signed(), Unavailable("dns", "x"), sender="") == "none"


def test_one_of_several_signatures_is_enough_and_few_are_tried() -> None:
    others = b"".join(signed(domain=b"list.example")[: -len(MAIL)] for _ in range(5))
    broken = re.sub(rb"bh=[^;]+", b"bh=AAAA", signed()[: -len(MAIL)])
    assert result(others + broken + signed()) == "pass"
    assert result(broken + broken + signed()) == "fail"
    assert result(others + MAIL) == "none"


@pytest.mark.parametrize(
    ("raw", "record"),
    [
        (signed(length=True), RECORD),
        (signed(length=True) + b"<h1>Transfer ke rekening 123</h1>", RECORD),
        (signed(signature_algorithm=b"rsa-sha1"), RECORD),
        (signed(include_headers=[b"from"]), RECORD),
        (signed(), RECORD + b"; t=s:y"),
    ],
    ids=["l=", "l= and more text", "SHA-1", "subject left out", "trial"],
)
def test_a_signature_for_less_than_all_is_no_pass(raw: bytes, record: bytes) -> None:
    assert result(raw, record) == "policy"


def test_a_signature_that_leaves_the_sender_out_is_none_that_counts() -> None:
    raw = signed(MAIL.replace(b"From:", b"Form:"), include_headers=[b"from", b"subject"])
    assert result(raw.replace(b"Form:", b"From:")) == "fail"
    assert result(re.sub(rb"h=from : ", b"h=", signed())) == "fail"


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: b"From: korban@example.com\r\n" + raw,
        lambda raw: b"From : korban@example.com\r\n" + raw,
        lambda raw: b"Subject: lain\r\n" + raw,
        lambda raw: b"Content-Type: text/html\r\nContent-Type: text/plain\r\n" + raw,
        lambda raw: raw.replace(b"\r\n\r\n", b"\r\nFrom sini: transfer ke rekening 123\r\n\r\n", 1),
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: raw.replace(b"\r\n\r\n", b"\r\nbukan header\r\n\r\n", 1),
        lambda raw: b"X: y\r\n" * 600 + raw,
        lambda raw: b"X: " + b"y" * 100_000 + b"\r\n" + raw,
        lambda raw: raw + b"x" * BODY_LIMIT,
    ],
    ids=["From", "From :", "Subject", "Content-Type", "mbox", "BOM", "no header", "many", "long", "large"],
)
def test_what_programs_read_differently_is_not_tried(change: Callable[[bytes], bytes]) -> None:
    assert result(change(signed()), Unavailable("dns", "x")) == "neutral"


RSA_OF = b"v=DKIM1; p="
KEYS = {
    "none": None,
    "empty": b"",
    "revoked": b"v=DKIM1; p=",
    "no list": b"halo",
    "twice": b"p=a; p=b",
    "version": b"v=DKIM2; " + RECORD[9:],
    "algorithm": b"v=DKIM1; k=dsa; p=AAAA",
    "no base64": b"v=DKIM1; p=A",
    "letters": "v=DKIM1; p=ü".encode(),
    "bytes": bytes(range(256)),
    "ed25519": b"v=DKIM1; k=ed25519; p=AAAA",
    "no key": b"v=DKIM1; k=ed25519",
    "service": RECORD + b"; s=tlsrpt",
    "other service": RECORD + b"; s=web",
    "modulus 0": RSA_OF + base64.b64encode(bytes.fromhex("3006020100020103")),
    "modulus 1": RSA_OF + base64.b64encode(bytes.fromhex("3006020101020103")),
    "DER without end": RSA_OF + base64.b64encode(b"\x30\x84\xff\xff\xff\xff" + b"\x02\x84\xff\xff\xff\xff"),
    "null": RSA_OF + base64.b64encode(bytes.fromhex("300a3006060100050101030100")),
    "large": RECORD + b" " * KEY_LIMIT,
}


@pytest.mark.parametrize("record", KEYS.values(), ids=KEYS.keys())
def test_a_broken_key_is_a_failure_and_no_more(record: bytes | None) -> None:
    assert result(signed(), record) == "fail"


def test_a_short_key_is_no_key() -> None:
    key, record = rsa(768)
    assert result(signed(key=key), record) == "fail"


TAGS = ["v", "a", "c", "d", "i", "l", "q", "s", "t", "x", "h", "bh", "b", "z", ""]
VALUES = [
    "1",
    "rsa-sha256",
    "ed25519-sha256",
    "example.com",
    "@example.com",
    "from:subject",
    "AAAA",
    "9" * 90,
    "-1",
    "",
    "ü",
    "a/b/c",
]


@given(st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(VALUES) | st.text(max_size=20)), max_size=12))
def test_any_signature_has_a_result(tags: list[tuple[str, str]]) -> None:
    whole = {"v": "1", "a": "rsa-sha256", "d": "example.com", "s": "s1", "h": "from", "bh": "AAAA", "b": "AAAA"}
    value = "; ".join(f"{name}={text}" for name, text in (whole | dict(tags)).items())
    raw = b"DKIM-Signature: " + value.replace("\n", " ").encode("utf-8", "replace") + b"\r\n" + MAIL
    checked = Signatures(2, lambda *_: RECORD).check(raw, read(raw).root, SENDER)
    assert checked in {"fail", "none", "neutral"}


SIGNATURE = signed(canonicalize=(b"relaxed", b"relaxed"))[: -len(MAIL)]
HOSTILE = {
    "blanks in the text": (b"", SIGNATURE, b" " * (BODY_LIMIT - 1_000) + b"x"),
    "words": (b"", SIGNATURE, b"a  " * (BODY_LIMIT // 3 - 1_000)),
    "lines": (b"", SIGNATURE, b"\n" * (BODY_LIMIT - 1_000)),
    "blanks in the signature": (b"", SIGNATURE.rpartition(b"b=")[0] + b"b=A" + b" " * 3_400 + b"!\r\n", b"x"),
    "lines in the signature": (b"", SIGNATURE.rpartition(b"b=")[0] + b"b" + b"\r\n " * 1_100 + b"=A\r\n", b"x"),
    "names in the signature": (b"X: y\r\n" * 490, SIGNATURE.replace(b"h=from", b"h=" + b"a:b:" * 800 + b"from"), b"x"),
    "folded": (b"X: y" + b"\r\n z" * 20_000 + b"\r\n", SIGNATURE, b"x"),
}


@pytest.mark.parametrize(("headers", "signature", "body"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_mails_take_no_time(headers: bytes, signature: bytes, body: bytes) -> None:
    raw = headers + signature * 2 + MAIL.replace(b"mati.", body)
    began = time.thread_time()
    assert result(raw) == "fail"
    assert in_time(time.thread_time() - began, 2)


def test_the_largest_key_takes_little_time() -> None:
    der = b"\xff" * 540
    numbers = b"\x02\x82" + len(der).to_bytes(2, "big") + der
    record = RSA_OF + base64.b64encode(b"\x30\x82" + (2 * len(numbers)).to_bytes(2, "big") + numbers * 2)
    assert KEY_LIMIT - 60 < len(record) <= KEY_LIMIT
    began = time.thread_time()
    assert result(signed(), record) == "fail"
    assert in_time(time.thread_time() - began, 1)


def test_a_key_that_nobody_gives_is_waited_for_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    asked: list[float] = []

    def dns(_name: str, seconds: float) -> bytes:
        nonlocal now
        now += seconds
        asked.append(seconds)
        raise Unavailable("dns", "x")

    monkeypatch.setattr(time, "monotonic", lambda: now)
    checks, raw = Signatures(2, dns), signed()[: -len(MAIL)] + signed()
    root = read(raw).root
    assert {checks.check(raw, root, SENDER) for _ in range(50)} == {"temperror"}
    assert sum(asked) == WAITING, "each mail waits once, and all of them no more than a part of a minute"
    assert set(asked) == {2}
    now += 61
    checks.check(raw, root, SENDER)
    assert len(asked) == WAITING / 2 + 1


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([SimpleNamespace(strings=(b"v=DKIM1; ", b"p=A"))], b"v=DKIM1; p=A"),
        (None, None),
        (NXDOMAIN, None),
        (NoNameservers, Unavailable),
        (OSError, Unavailable),
    ],
)
def test_what_dns_says(said: Any, expected: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(name: str, kind: str, *, lifetime: float, **_: bool) -> Any:
        assert (name, kind, lifetime) == (NAME, "TXT", 1)
        if isinstance(said, type):
            raise said
        return SimpleNamespace(rrset=said)

    monkeypatch.setattr(signatures, "_resolver", lambda: SimpleNamespace(resolve=resolve))
    with pytest.raises(expected) if expected is Unavailable else nullcontext():
        assert txt(NAME, 1) == expected


def test_a_resolver_that_says_nothing_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver = Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], silent.getsockname()[1]
        monkeypatch.setattr(signatures, "_resolver", lambda: resolver)
        began = time.monotonic()
        raw = signed()
        assert Signatures(0.3).check(raw, read(raw).root, SENDER) == "temperror"
        assert time.monotonic() - began < 5, "by itself it waits for five seconds"


@pytest.mark.parametrize(
    ("header", "asked"), [("dmarc=fail", False), ("dkim=none", False), ("spf=pass", True), ("", True)]
)
def test_our_own_servers_word_stands(header: str, asked: bool) -> None:
    results = f"Authentication-Results: mx.telkom.example; {header}\r\n".encode() if header else b""
    mail = parse(results + signed(), authserv_id="mx.telkom.example", check=lambda *_: "pass")
    assert mail.authentication.dkim_here == ("pass" if asked else "")
    assert mail.forged == (header == "dmarc=fail")


def test_only_what_speaks_against_a_sender_is_a_warning() -> None:
    warned = {
        found: list(warnings(read(MAIL).root, SENDER, Authentication(dkim_here=found)))
        for found in ("pass", "none", "neutral", "temperror", "policy", "fail")
    }
    assert [found for found, words in warned.items() if words] == ["policy", "fail"]
    assert warned["fail"] == ["DKIM: fail (diperiksa di sini / checked here)"]
