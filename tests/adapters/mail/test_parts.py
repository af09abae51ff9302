"""The tree of parts: written by the standard library and read back, and as no library would write it."""

from collections.abc import Iterator
from email.generator import BytesGenerator
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.mail.parser import parse
from adapters.mail.parts import Part, content, read
from models.mail import Problem

words = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=60).filter(str.strip)
names = st.from_regex(r"[A-Za-z0-9éñ漢][A-Za-z0-9éñ漢 _]{0,20}\.(?:pdf|png|csv)", fullmatch=True)
leaves = st.tuples(names, st.binary(max_size=200))


def leaf(item: tuple[str, bytes]) -> EmailMessage:
    part = EmailMessage()
    part.set_content(item[1], "application", "x-anything", filename=item[0], disposition="attachment")
    return part


def branch(children: list[EmailMessage]) -> EmailMessage:
    part = EmailMessage()
    part.make_mixed()
    for child in children:
        part.attach(child)
    return part


trees = st.recursive(leaves.map(leaf), lambda inner: st.lists(inner, max_size=4).map(branch), max_leaves=12)


def walk(part: EmailMessage) -> Iterator[EmailMessage]:
    return (item for item in part.walk() if isinstance(item, EmailMessage) and not item.is_multipart())


@settings(max_examples=150)
@given(words, st.lists(trees, max_size=3), st.sampled_from(["\n", "\r\n"]))
def test_what_the_library_writes_is_read_back(subject: str, parts: list[EmailMessage], line_end: str) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"] = subject, "Budi <budi@pelanggan.example>"
    mail.set_content("Internet saya mati.")
    mail.make_mixed()
    for part in parts:
        mail.attach(part)
    out = BytesIO()
    BytesGenerator(out, policy=mail.policy.clone(linesep=line_end)).flatten(mail)
    parsed = parse(out.getvalue())
    assert " ".join(parsed.subject.split()) == " ".join(subject.split())
    assert (parsed.text, parsed.sender) == ("Internet saya mati.", "budi@pelanggan.example")
    written = [part.get_content() for top in parts for part in walk(top) if part.get_filename()]
    assert [item.size for item in parsed.attachments] == [len(data) for data in written]


header_lines = st.sampled_from(
    [
        *("From:", "To: ,,;", "Subject: =?utf-8?b?4pyTIA", "Date: 31 Feb", "Message-ID: <", "References: <a@b> <c d>"),
        *(
            'From: "a <b@c.d>',
            "From: =?utf-8?q?a=40b.c?= <x@y.z>",
            "To: undisclosed-recipients:;",
            "To: (((",
            "X: \xe9",
        ),
        *("Content-Type: text/plain; charset*0*=x''%ff", "Content-Type: ;", "Content-Disposition: a; filename*9*='"),
        *(" folded", "\t", "no header", "From : a@b.c", "Content-Transfer-Encoding: 8bit; x", "Received: x; y"),
    ]
)


@settings(max_examples=300)
@given(st.lists(header_lines | words, max_size=15), st.sampled_from(["\n", "\r\n", "\r", "\r\r\n"]))
def test_any_header_is_read(lines: list[str], line_end: str) -> None:
    parsed = parse(line_end.join(["Subject: x", *lines, "", "hai"]).encode("utf-8"))
    assert "hai" in parsed.text or parsed.attachments
    assert "\0" not in parsed.model_dump_json()


@pytest.mark.parametrize(
    "start",
    ["From budi@a.example Tue Mar  3 10:12:00 2026\n", " \r\n\r\n", "\ufeff", ">From x\n"],
    ids=["mbox", "blank lines", "mark", "quoted mbox"],
)
def test_what_stands_before_the_header_is_passed_over(start: str) -> None:
    assert parse(f"{start}From: budi@a.example\n\nhai".encode()).sender == "budi@a.example"


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ("--b\n\nsatu\n--b\n\ndua", ["satu", "dua"]),
        ("--b\n\nsatu\n--b--\n\nsisa\n--b\n\ntiga", ["satu"]),
        ("--b  \n\nsatu\n--bukan\n--\n--b-- \n", ["satu\n--bukan\n--"]),
        ("--b\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\ndalam\n--b\n\nluar", ["dalam", "luar"]),
        ("--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsama\n--b--\n--b--", ["sama"]),
        ("--b\nContent-Type: text/plain\n--b\n\ndua", ["", "dua"]),
    ],
    ids=["unclosed", "after the end", "nearly boundaries", "unclosed within", "same boundary", "no body"],
)
def test_boundaries(body: str, texts: list[str]) -> None:
    root = read(f"Content-Type: multipart/mixed; boundary=b\n\nawal\n{body}".encode()).root

    def leaves_of(part: Part) -> Iterator[str]:
        for child in part.parts:
            yield from leaves_of(child) if child.parts else [content(child).decode().strip()]

    assert list(leaves_of(root)) == texts


def test_letters_in_a_digest_need_no_type() -> None:
    raw = b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: satu\n\nhai\n--b--"
    assert [item.type for item in parse(raw).attachments] == ["message/rfc822"]


@pytest.mark.parametrize(
    ("encoding", "body", "expected", "well"),
    [
        ("base64", "aGFp", b"hai", True),
        ("BASE64 ", "aGF\r\np\r\n!!", b"hai", True),
        ("base64", "aGFpaGFpa", b"haihai", False),
        ("quoted-printable", "h=61=\r\ni =", b"hai ", True),
        ("x-uuencode", "begin 644 a.txt\n#:&%I\n`\nend\n", b"hai", True),
        ("uuencode", "hai", b"hai", False),
        ("x-anything", "hai", b"hai", True),
    ],
)
def test_transfer_encodings(encoding: str, body: str, expected: bytes, well: bool) -> None:
    raw = f"Subject: x\nContent-Type: a/b\nContent-Transfer-Encoding: {encoding}\n\n{body}".encode()
    assert content(read(raw).root) == expected
    assert (Problem.TRANSFER_ENCODING in parse(raw).problems) is not well


def test_headers_hold_no_nul() -> None:
    raw = (Path(__file__).parent / "eml" / "nul_in_header.eml").read_bytes()
    assert parse(raw).reported_message_id == "<c7.1@telkom.example>"


def test_headers_that_stand_twice_are_marked_and_all_recipients_count() -> None:
    mail = parse(b"From: a@b.c\nTo: x@y.z\nFrom: d@e.f\nTo: y@y.z\n\nhai")
    assert (mail.sender, mail.recipients) == ("a@b.c", ("x@y.z", "y@y.z"))
    assert Problem.REPEATED_HEADERS in mail.problems


@pytest.mark.parametrize(
    "words", ["Internet saya mati sejak pagi.\nMohon dicek.", "Halo\n\nInternet mati", "Halo", "Terimakasih"]
)
def test_base64_that_is_none_is_read_as_text(words: str) -> None:
    mail = parse(f"From: a@b.example\nContent-Transfer-Encoding: base64\n\n{words}\n".encode())
    assert mail.text == words
    assert Problem.TRANSFER_ENCODING in mail.problems


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("SW50ZXJuZXQgc2F5YSBtYXRpLg==\n\n-- \nVirus-free", "Internet saya mati."),
        ("SW50ZXJu\nZXQgc2F5YSBt*\nYXRpLg==", "Internet saya mati."),
        ("aGFp", "hai"),
    ],
)
def test_base64_with_something_else_in_it_is_decoded(words: str, expected: str) -> None:
    assert parse(f"From: a@b.example\nContent-Transfer-Encoding: base64\n\n{words}\n".encode()).text == expected


def test_an_attachment_of_text_that_calls_itself_base64_keeps_its_bytes() -> None:
    head = "Content-Type: text/csv; name=a.csv\nContent-Transfer-Encoding: base64"
    kept: list[bytes] = []

    def keep(data: bytes) -> str:
        kept.append(data)
        return "x"

    parse(f"From: a@b.example\n{head}\n\nnomor;tanggal\n122345678901;1 Mei 2026\n".encode(), keep)
    assert kept == [b"nomor;tanggal\n122345678901;1 Mei 2026\n"]


def test_more_headers_than_are_kept_are_no_text_and_hide_none_that_counts() -> None:
    many = "".join(f"X-Trace: {number}\n" for number in range(5_000))
    mail = parse(f"{many}From: a@b.example\nSubject: Internet mati\n{many}\nMohon dicek.\n".encode())
    assert (mail.sender, mail.subject, mail.text) == ("a@b.example", "Internet mati", "Mohon dicek.")
    distinct = "".join(f"X-{number}: x\n" for number in range(5_000))
    assert parse(f"From: a@b.example\n{distinct}\nMohon dicek.\n".encode()).text == "Mohon dicek."
