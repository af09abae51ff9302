"""What a mail shows and carries, each hazard in a mail of its own."""

import base64
import hashlib
from email.message import EmailMessage

import pytest

from adapters.mail.body import safe_name
from adapters.mail.parser import parse
from models.mail import Attachment, ParsedMail, Problem
from tests.adapters.mail.test_tnef import ATTACHED, packed

PDF, PNG = b"%PDF-1.4 x", b"\x89PNG\r\n\x1a\n" + bytes(20)
HEAD = b"From: budi@pelanggan.example\r\nMessage-ID: <1@a>\r\nDate: Tue, 3 Mar 2026 10:12:00 +0700\r\n"


def of(*lines: str | bytes) -> ParsedMail:
    """A mail with these header and body lines after the usual header."""
    return parse(HEAD + b"\r\n".join(line if isinstance(line, bytes) else line.encode() for line in lines) + b"\r\n")


def multipart(kind: str, *parts: str) -> ParsedMail:
    body = "".join(f"--b\r\n{part}\r\n" for part in parts)
    return of(f'Content-Type: multipart/{kind}; boundary="b"', "", f"{body}--b--")


def names(mail: ParsedMail) -> list[str]:
    return [item.name for item in mail.attachments]


def test_flowed_paragraphs_are_one_line_and_quotes_stay() -> None:
    mail = of(
        "Content-Type: text/plain; format=flowed",
        "",
        *("Internet saya ", "mati total ", "sejak pagi.", " > bukan kutipan", "> kutipan ", "> dua", "-- ", "Budi"),
    )
    assert mail.text == "Internet saya mati total sejak pagi.\n> bukan kutipan\n> kutipan\n> dua\n--\nBudi"


def test_delsp_takes_the_blank_away() -> None:
    assert of("Content-Type: text/plain; format=flowed; delsp=yes", "", "inter ", "net", "x").text == "internet\nx"


def test_of_alternatives_one_is_read_and_the_rest_are_no_attachments() -> None:
    enriched = "Content-Type: text/enriched\r\n\r\n<bold>hai</bold>"
    mail = multipart(
        "alternative", "Content-Type: text/plain\r\n\r\nhai", enriched, "Content-Type: text/html\r\n\r\nhai"
    )
    assert (mail.text, mail.attachments) == ("hai", ())
    alone = multipart("alternative", enriched)
    assert (alone.text, alone.attachments) == ("hai", ())


def test_an_invitation_tells_what_when_and_where_if_nothing_else_does() -> None:
    lines = (
        *("BEGIN:VCALENDAR", "BEGIN:VTIMEZONE", "DTSTART:16010101T000000", "END:VTIMEZONE", "BEGIN:VEVENT"),
        *("SUMMARY:Kunjungan\\, teknisi", "DTSTART;TZID=Asia/Jakarta:20260303T101200", "LOCATION:Jl. Merdeka 1"),
        *("DESCRIPTION:baris satu\\nbaris ", " dua", "END:VEVENT", "END:VCALENDAR"),
    )
    calendar = "Content-Type: text/calendar; method=REQUEST\r\n\r\n" + "\r\n".join(lines)
    mail = multipart("alternative", calendar)
    assert mail.text == "Kunjungan, teknisi\n03-03-2026 10:12\nJl. Merdeka 1\nbaris satu\nbaris dua"
    assert [item.type for item in mail.attachments] == ["text/calendar"]
    assert multipart("alternative", "Content-Type: text/plain\r\n\r\nhai", calendar).text == "hai"


def test_inline_pictures_are_attachments_and_types_are_by_content() -> None:
    def part(kind: str, name: str, data: bytes) -> str:
        head = f'Content-Type: {kind}; name="{name}"\r\nContent-ID: <x>\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        return head + base64.b64encode(data).decode()

    html = "Content-Type: text/html\r\n\r\n<p>Lihat foto<img src=cid:x>"
    zipped = b"PK\x03\x04" + bytes(30) + b"word/document.xml"
    mail = multipart(
        "related",
        html,
        part("image/jpeg", "foto.jpg", PNG),
        part("text/plain", "bukti.txt", PDF),
        part("application/octet-stream", "surat.docx", zipped),
        part("application/vnd.ms-excel", "tagihan.xlsx", b"PK\x03\x04"),
        part("image/png", "jalan.png", b"MZ\x90\x00"),
        part("text/csv", "data.csv", b"a,b"),
    )
    assert mail.text == "Lihat foto"
    assert [item.type for item in mail.attachments] == [
        "image/png",
        "application/pdf",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.ms-excel",
        "application/x-msdownload",
        "text/csv",
    ]


def test_attachments_are_given_away_to_be_kept() -> None:
    kept: list[bytes] = []

    def keep(data: bytes) -> str:
        kept.append(data)
        return f"hash {len(kept)}"

    mail = EmailMessage()
    mail.set_content("hai")
    mail.add_attachment(PDF, "application", "pdf", filename="a.pdf")
    parsed = parse(mail.as_bytes(), keep)
    assert kept == [PDF]
    assert parsed.attachments == (Attachment(name="a.pdf", type="application/pdf", size=len(PDF), sha256="hash 1"),)


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ('filename="../../etc/passwd"', "passwd"),
        ('filename="C:\\\\foto\\\\a.jpg"', "a.jpg"),
        ('filename="=cmd|x!A1.csv"', "cmd_x!A1.csv"),
        ('filename="@SUM(1).csv"', "SUM(1).csv"),
        ("filename*=utf-8''%1b%5b2Jfoto%e2%80%ae.png", "[2Jfoto.png"),
        ("filename*=x-none''t%e9l%e9phone.txt", "téléphone.txt"),
        ("filename*0*=utf-8''surat%20; filename*1=keluhan.pdf", "surat keluhan.pdf"),
        ('filename="=?utf-8?q?bukti_bayar=2Epdf?="', "bukti bayar.pdf"),
        ("filename=tanpa kutip.pdf", "tanpa kutip.pdf"),
        ('filename="' + "a" * 300 + '.pdf"', "a" * 100 + ".pdf"),
        ('filename=".."', "attachment.pdf"),
    ],
)
def test_names_are_safe(parameter: str, expected: str) -> None:
    part = f"Content-Type: application/pdf\r\nContent-Disposition: attachment; {parameter}\r\n\r\n%PDF-"
    assert names(multipart("mixed", part)) == [expected]


def test_winmail_dat_is_unpacked() -> None:
    part = "Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    body = packed("Internet mati.", "bukti.pdf", PDF)
    mail = multipart("mixed", part + base64.encodebytes(body).decode())
    assert (mail.text, names(mail), mail.problems) == ("Internet mati.", ["bukti.pdf"], ())
    assert mail.attachments[0].sha256 == hashlib.sha256(PDF).hexdigest()
    broken = multipart("mixed", part + base64.encodebytes(body[: body.index(ATTACHED) + 20]).decode())
    assert (broken.text, broken.problems) == ("Internet mati.", (Problem.BROKEN_TNEF,))
    assert "winmail.dat" in names(broken)


def test_what_pgp_signed_is_read_and_what_it_encrypted_is_not() -> None:
    signed = (
        *("-----BEGIN PGP SIGNED MESSAGE-----", "Hash: SHA256", "", "Internet mati.", "- -- ", "Budi"),
        *("-----BEGIN PGP SIGNATURE-----", "", "iQEz", "-----END PGP SIGNATURE-----", "kaki"),
    )
    mail = of("Content-Type: text/plain", "", *signed)
    assert mail.text.split("\n") == ["Internet mati.", "-- ", "Budi", "", "kaki"]
    mail = of("Content-Type: text/plain", "", "-----BEGIN PGP MESSAGE-----", "", "hQEM", "-----END PGP MESSAGE-----")
    assert (mail.text, mail.problems, names(mail)) == ("", (Problem.ENCRYPTED,), ["encrypted.asc"])
    version = "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1"
    mail = multipart("encrypted", version, "Content-Type: application/octet-stream; name=encrypted.asc\r\n\r\nx")
    assert (mail.text, mail.problems, "encrypted.asc" in names(mail)) == ("", (Problem.ENCRYPTED,), True)


def test_a_text_that_is_too_long_is_cut_and_says_so() -> None:
    mail = of("Content-Type: text/plain; charset=utf-8", "", "é" * 700_000)
    assert (len(mail.text), mail.problems) == (500_000, (Problem.TEXT_CUT,))


def test_text_after_a_large_picture_in_html_is_read() -> None:
    picture = base64.b64encode(bytes(3_000_000)).decode()
    mail = of("Content-Type: text/html", "", f'Sebelum<img src="data:image/png;base64,{picture}">sesudah')
    assert (mail.text, mail.problems) == ("Sebelumsesudah", ())


def test_words_where_a_report_has_its_fields_are_read() -> None:
    report = "Content-Type: message/delivery-status\r\n\r\n"
    mail = multipart("report", f"{report}Surat ini tidak sampai kepada\r\nani@a.example", f"{report}Status: 5.0.0")
    assert mail.text == "Surat ini tidak sampai kepada\nani@a.example"


def test_a_name_is_no_longer_than_a_file_systems() -> None:
    for name in (f"{'😀' * 100}.pdf", "😀" * 300, f"a.{'😀' * 30}"):
        assert 0 < len(safe_name(name).encode()) <= 200


@pytest.mark.parametrize(
    ("head", "body", "text"),
    [
        ("text/markdown", "# Internet mati", "# Internet mati"),
        ("text/enriched", "<bold>Internet</bold> mati", "Internet mati"),
        ("text/plain", "<!DOCTYPE html>\n<html><p>Internet</p>mati</html>", "Internet\n\nmati"),
        ("text/plain", "<html> ini tag apa?", "ini tag apa?"),
        ("text/plain", "Ini tag <html> apa?", "Ini tag <html> apa?"),
    ],
)
def test_the_only_text_is_read_in_whatever_form_it_is(head: str, body: str, text: str) -> None:
    mail = parse(f"Subject: x\nContent-Type: {head}\n\n{body}\n".encode())
    assert (mail.text, mail.attachments) == (text, ())


@pytest.mark.parametrize("kind", ["text/rtf", "application/rtf"])
def test_words_in_rtf_are_for_a_person_to_read(kind: str) -> None:
    mail = parse(f"Subject: x\nContent-Type: {kind}\n\n{{\\rtf1 Internet mati}}\n".encode())
    assert (mail.text, len(mail.attachments), Problem.TEXT_IN_RTF in mail.problems) == ("", 1, True)


STUBS = [
    "Your mail client does not support HTML.",
    "This e-mail can't be displayed: please use an HTML-capable program.",
    "Program email Anda tidak mendukung HTML.",
]


@pytest.mark.parametrize(("plain", "text"), [*((stub, "Internet mati") for stub in STUBS), ("Halo", "Halo")])
def test_a_text_that_only_points_at_the_html_is_none(plain: str, text: str) -> None:
    html = "Content-Type: text/html\r\n\r\n<p>Internet mati</p>"
    assert multipart("alternative", f"Content-Type: text/plain\r\n\r\n{plain}", html).text == text
    assert multipart("alternative", f"Content-Type: text/plain\r\n\r\n{plain}").text == plain
