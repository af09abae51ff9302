"""The parser on letters of our own, one for each hazard, and on the corpus of other people's mail where it is there."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.mail.parser import parse
from models.errors import Unreadable
from models.mail import Automatic, Caution, ParsedMail, Problem
from tests.pace import in_time

MAILS = Path(__file__).parent / "eml"
CORPUS = Path(__file__).parents[4] / "shared" / "mail"
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"NOT TESTED on real mail: {CORPUS} is missing")


def mail(name: str) -> ParsedMail:
    return parse((MAILS / f"{name}.eml").read_bytes())


def test_a_plain_mail() -> None:
    raw = (MAILS / "plain.eml").read_bytes()
    parsed = parse(raw)
    assert parsed.sha256 == hashlib.sha256(raw).hexdigest()
    assert parsed.message_id == "<a1@pelanggan.example>"
    assert (parsed.sender_name, parsed.sender) == ("Budi Santoso", "budi@pelanggan.example")
    assert parsed.recipients == ("layanan@telkom.example", "ani@pelanggan.example")
    assert parsed.subject == "Internet mati"
    assert parsed.sent_at is not None
    assert parsed.sent_at.isoformat() == "2026-03-03T03:12:00+00:00"
    assert parsed.in_reply_to == ("<c7.1@telkom.example>",)
    assert parsed.references == ("<c7.0@telkom.example>", "<c7.1@telkom.example>")
    assert parsed.text.startswith("Selamat pagi,\n\nInternet saya mati")
    assert parsed.new_text == parsed.text
    assert (parsed.language, parsed.automatic, parsed.attachments) == ("id", None, ())


def test_missing_headers_are_empty_and_the_message_id_is_made_from_the_bytes() -> None:
    parsed = mail("missing_headers")
    assert (parsed.sender, parsed.sender_name, parsed.recipients, parsed.sent_at) == ("", "", (), None)
    assert parsed.message_id == f"<{parsed.sha256}@unidentified.invalid>"
    assert parsed.text == "Internet saya mati."


def test_raw_8_bit_headers_lose_no_letter() -> None:
    parsed = mail("raw_8bit_headers")
    assert parsed.subject == "Connexion très lente à lécole du réseau"
    assert (parsed.sender_name[:5], parsed.sender) == ("André", "andre@pelanggan.example")
    assert parsed.text == "Débit très faible."


def test_wrong_and_unknown_charsets_are_guessed() -> None:
    assert mail("utf8_called_ascii").text == "Tagihan saya salah – mohon dicek “segera”."
    assert mail("unknown_charset").text.startswith("Здравствуйте, интернет не работает")


def test_encoded_words_in_broken_forms() -> None:
    parsed = mail("broken_words")
    assert parsed.sender_name == "Sari Dewi"
    assert parsed.subject.startswith("Gangguan – layanan di Bandung")


def test_a_blank_before_a_colon_ends_no_header_and_the_text_stays_as_it_is() -> None:
    parsed = mail("blank_before_colon")
    assert (parsed.sender, parsed.subject, parsed.text) == ("budi@pelanggan.example", "Lambat", "Rumah : Bandung")
    assert parsed.message_id == "<a4@pelanggan.example>"


def test_html_alone_becomes_readable_text() -> None:
    assert mail("html_only").text == "Selamat siang,\n\nMohon info paket:\n\n- 50 Mbps\n- 100 Mbps\n\nKota | Bandung"


def test_an_attached_letter_is_no_text() -> None:
    parsed = mail("attached_letter")
    assert parsed.text == "Surat saya terlampir."
    (attached,) = parsed.attachments
    assert (attached.name, attached.type) == ("attachment.eml", "message/rfc822")


def test_attachments_have_safe_names_sizes_and_hashes() -> None:
    parsed = mail("attachments")
    assert parsed.text == "Terlampir bukti bayar – terima kasih."
    names = [(item.name, item.type, item.size) for item in parsed.attachments]
    assert names == [
        ("passwd", "application/pdf", 8),
        ("foto rumahgpj.exe", "image/jpeg", 4),
        ("data_1.csv", "text/csv", 3),
        ("attachment.txt", "text/plain", 7),
    ]
    assert parsed.attachments[0].sha256 == hashlib.sha256(b"%PDF-1.4").hexdigest()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gmail_reply", "Belum bisa juga."),
        ("gmail_html_reply", "Belum bisa juga, mohon teknisi datang."),
        ("outlook_reply", "Masih mati, tolong dicek lagi.\n\nBudi"),
        ("answers_between_quotes", "122123456789\nSince yesterday morning."),
    ],
)
def test_new_text_is_without_quoted_letters(name: str, expected: str) -> None:
    assert mail(name).new_text == expected


@pytest.mark.parametrize("name", ["own_words_like_quotes", "forward"])
def test_in_doubt_text_is_kept(name: str) -> None:
    parsed = mail(name)
    assert parsed.new_text == parsed.text


@pytest.mark.parametrize(
    ("name", "automatic", "failed", "reported"),
    [
        ("bounce", Automatic.BOUNCE, ("ani@pelanggan.example",), "<c7.1@telkom.example>"),
        ("delayed", Automatic.DELAYED, (), "<c7.1@telkom.example>"),
        ("bounce_old", Automatic.BOUNCE, ("ani@pelanggan.example",), "<c7.1@telkom.example>"),
        ("bounce_by_gateway", Automatic.BOUNCE, ("ani@pelanggan.example",), "<c7.1@telkom.example>"),
        (
            "bounce_by_sendmail",
            Automatic.BOUNCE,
            ("ani@toko.example", "ani@pelanggan.example"),
            "<c7.1@telkom.example>",
        ),
        ("rejected_by_filter", Automatic.BOUNCE, ("ani@pelanggan.example",), "<c7.1@telkom.example>"),
        ("bounce_by_virus_scanner", Automatic.BOUNCE, ("ani@pelanggan.example",), "<c7.1@telkom.example>"),
        ("bounce_return_path", Automatic.BOUNCE, ("ani@pelanggan.example",), "<c7.1@telkom.example>"),
        ("bounce_as_complaint", None, (), ""),
        ("complaint_of_provider", Automatic.FEEDBACK, (), "<c7.1@telkom.example>"),
        ("list_digest", Automatic.LIST, (), ""),
        ("list_loop_alert", Automatic.LIST, (), ""),
        ("vacation", Automatic.AUTO_REPLY, (), ""),
        ("vacation_by_subject", Automatic.AUTO_REPLY, (), ""),
        ("receipt", Automatic.RECEIPT, (), ""),
        ("newsletter", Automatic.LIST, (), ""),
        ("from_administrator", None, (), ""),
        ("complaint_with_bounce", None, (), ""),
        ("plain", None, (), ""),
    ],
)
def test_kinds_of_mail(name: str, automatic: Automatic | None, failed: tuple[str, ...], reported: str) -> None:
    parsed = mail(name)
    lost = tuple(recipient.address for recipient in parsed.bounce if recipient.action == "failed")
    assert (parsed.automatic, lost, parsed.reported_message_id) == (automatic, failed, reported)
    assert bool(parsed.automatic_reason) == (automatic is not None)
    assert "@" not in parsed.automatic_reason


def nested(kind: bytes, levels: int) -> bytes:
    parts = b"".join(b"Content-Type: %b; boundary=b%d\n\n--b%d\n" % (kind, n, n) for n in range(levels))
    return b"Subject: x\n" + parts + b"\nhai"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("korban@telkom.example <siti@example.com>", "korban@telkom.example"),
        ("korban@telkom.example (x) <siti@example.com>", "korban@telkom.example (x)"),
        ("Siti, korban@telkom.example <siti@example.com>", "Siti, korban@telkom.example"),
        ("Siti [korban@telkom.example] < Siti@Example.com >", "Siti [korban@telkom.example]"),
    ],
)
def test_the_sender_is_in_brackets_whatever_stands_before_them(value: str, name: str) -> None:
    parsed = parse(f"From: {value}\n\nhai".encode())
    assert (parsed.sender, parsed.sender_name) == ("siti@example.com", name)
    assert Caution.OTHER_ADDRESS in parsed.cautions


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", bytes(range(256)) * 4], ids=["empty", "blank", "noise"])
def test_what_is_no_mail_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(raw)


def test_text_without_a_header_is_a_mail_from_nobody() -> None:
    parsed = mail("no_mail")
    assert (parsed.sender, parsed.text.splitlines()[1]) == ("", "tanpa kepala surat")
    assert parsed.problems[0] is Problem.NO_HEADER


def test_many_levels_are_still_read() -> None:
    assert parse(nested(b"multipart/mixed", 40)).text == "hai"


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: x\nContent-Type: text/html\n\n" + b"<div>" * 100_000 + b"hai",
        b"Subject: x\nContent-Type: text/html\n\n" + b"<div>" * 100_000 + b"hai" + b"</div>" * 100_000,
        b"Subject: " + b"=?a?q?" * 50_000 + b"\n\nhai",
        b"From: " + b"(" * 50_000 + b"\nTo: " + b"a@b.c," * 50_000 + b"\nReferences: " + b"<a@b>" * 50_000 + b"\n\nhai",
        b"From: mailer-daemon@x\n\nhai " + b"On 3:4 a@b <" * 50_000,
        b"Subject: x\n\nhai\n" + b"On 3 Mar a@b wrote\n" * 30_000,
        b"Subject: x\n\nhai\n" + b"> x\n\n" * 100_000,
    ],
    ids=["open divs", "divs", "words", "addresses", "long line", "attributions", "quotes"],
)
def test_no_mail_takes_long(raw: bytes) -> None:
    began = time.thread_time()
    assert "hai" in parse(raw).text
    assert in_time(time.thread_time() - began, 2)


fragments = st.sampled_from(
    [
        b"Subject: ", b"From: ", b"To: ", b"Date: ", b"Content-Type: ", b"text/html", b"multipart/mixed; boundary=b",
        b"multipart/report; report-type=delivery-status; boundary=b", b"message/rfc822", b"message/delivery-status",
        b"\n", b"\n\n", b"\r\n", b"--b\n", b"--b--", b"; charset=", b"utf-7", b"idna", b"x-user", b"base64",
        b"Content-Transfer-Encoding: ", b"quoted-printable", b"x-uuencode",
        b"Content-Disposition: attachment; filename",
        b"*=idna''%ff", b"*0*=utf-8''%e9", b"=?utf-8?b?a?=", b"=?hex?q?=ff?=", b"<a@b>", b"\xff\xfe", b"\x00", b"+2AA-",
        b"Final-Recipient: ", b"Message-ID: ", b"<p>hai", b"> hai\n", b"Mon, 99 Foo 99999 99:99 +9999",
    ]
)  # fmt: skip


@settings(max_examples=400)
@given(st.lists(fragments | st.binary(max_size=8), max_size=40).map(b"".join))
def test_any_bytes_are_parsed_or_unreadable(raw: bytes) -> None:
    try:
        parsed = parse(b"Subject: x\n" + raw)
    except Unreadable:
        return
    stored = parsed.model_dump_json()
    assert "\\u0000" not in stored


@pytest.fixture(scope="module")
def corpus() -> dict[str, ParsedMail | None]:
    """What became of every message of the corpus, by file; None where it was unreadable."""
    parsed: dict[str, ParsedMail | None] = {}
    for file in sorted((CORPUS / "messages").glob("*/*")):
        name = f"{file.parent.name}/{file.name}"
        began = time.thread_time()
        with suppress(Unreadable):
            parsed[name] = None
            parsed[name] = parse(file.read_bytes())
        assert in_time(time.thread_time() - began, 2), name
    return parsed


def lines(file: str) -> Iterator[dict[str, object]]:
    return map(json.loads, (CORPUS / file).read_text().splitlines())


@needs_corpus
def test_real_mail_is_parsed(corpus: dict[str, ParsedMail | None]) -> None:
    assert len(corpus) > 850
    assert [name for name, parsed in corpus.items() if parsed is None] == []
    for parsed in filter(None, corpus.values()):
        parsed.model_dump_json()


@needs_corpus
def test_real_bounces_and_automatic_replies_are_found(corpus: dict[str, ParsedMail | None]) -> None:
    kinds = {str(row["file"]): str(row["bounce"]) for row in lines("expected.jsonl") if row["corpus"] == "sisimai"}
    found = Counter((kind, parsed.automatic) for file, kind in kinds.items() if (parsed := corpus[file]))
    of = Counter(kinds.values())
    # a mail that is only late is a bounce to the reference
    assert (found["bounce", Automatic.BOUNCE] + found["bounce", Automatic.DELAYED]) / of["bounce"] >= 0.98
    assert found["vacation", Automatic.AUTO_REPLY] == of["vacation"]
    assert found["feedback", Automatic.FEEDBACK] / of["feedback"] >= 0.85
    bounces = [parsed for row in lines("labels/flufl.jsonl") if (parsed := corpus[message_of(row)])]
    assert sum(parsed.automatic in {Automatic.BOUNCE, Automatic.DELAYED} for parsed in bounces) / len(bounces) >= 0.97


OTHER_ADDRESSES = {
    "simple_42": "an address with dots in a row is none to the reference; the report says that it failed",
    "yale_01": "the reference makes addresses of a bare name and domains that it knows",
}


@needs_corpus
def test_every_difference_in_the_addresses_of_bounces_is_explained(corpus: dict[str, ParsedMail | None]) -> None:
    """Where the reference's detectors read one file in two ways, one of them is enough."""
    agree: dict[str, bool] = {}
    for row in lines("labels/flufl.jsonl"):
        file = message_of(row)
        parsed = corpus[file]
        named = {recipient.address for recipient in parsed.bounce} if parsed else set()
        agree[file] = agree.get(file, False) or named == {str(address).lower() for address in row["addresses"]}  # type: ignore[attr-defined]
    differ = {Path(file).name.removeprefix("tests_data_").split(".")[0] for file, same in agree.items() if not same}
    assert (len(agree), differ) == (115, set(OTHER_ADDRESSES))


@needs_corpus
def test_whether_a_failure_is_for_good(corpus: dict[str, ParsedMail | None]) -> None:
    """By the class of status or reply that the reference gives."""
    agree: Counter[bool] = Counter()
    for row in lines("expected.jsonl"):
        told = [report["dsn"][:1] or report["reply"][:1] for report in row.get("reports", [])]  # type: ignore[attr-defined]
        parsed = corpus[str(row["file"])] if row["corpus"] == "sisimai" and any(told) else None
        if parsed and parsed.automatic is Automatic.BOUNCE and parsed.bounce:
            agree[("5" in told) == any(recipient.hard for recipient in parsed.bounce)] += 1
    assert agree[True] / agree.total() >= 0.95


@needs_corpus
def test_letters_of_people_are_not_taken_for_automatic(corpus: dict[str, ParsedMail | None]) -> None:
    people = [name for name in corpus if name.startswith(("talon/", "freescout/"))]
    assert len(people) > 20
    assert [name for name in people if (parsed := corpus[name]) and parsed.automatic] == []


def message_of(row: dict[str, object]) -> str:
    return str(row["file"]).removeprefix("messages/")


def squeezed(text: object) -> str:
    return "".join(str(text).split())


@pytest.mark.parametrize(
    ("value", "sender"),
    [
        ("Budi <Budi@Exämple.example>", "budi@xn--exmple-cua.example"),
        ("=?utf-8?q?budi=40ex=C3=A4mple.example?=", "budi@xn--exmple-cua.example"),
        ("a@straße.example", "a@xn--strae-oqa.example"),
        ("x@y.example <büdi@xn--exmple-cua.example>", "büdi@xn--exmple-cua.example"),
        ("a@-ä.example", "a@-ä.example"),
    ],
)
def test_a_domain_is_as_letters_go_to_it(value: str, sender: str) -> None:
    assert parse(f"From: {value}\n\nhai".encode()).sender == sender


@pytest.mark.parametrize(("zone", "hour"), [("WIB", 3), ("WITA", 2), ("WIT", 1), ("+0700", 3), ("", 10)])
def test_a_date_may_name_a_zone_of_indonesia(zone: str, hour: int) -> None:
    sent = parse(f"Subject: x\nDate: Tue, 3 Mar 2026 10:12:00 {zone}\n\nhai".encode()).sent_at
    assert sent is not None
    assert sent.hour == hour


def test_no_sign_in_a_header_turns_its_direction() -> None:
    parsed = parse("From: \u202eidub <a@b.example>\nSubject: \u2066Internet\u2069 mati\x9b31m\n\nhai".encode())
    assert (parsed.sender_name, parsed.subject) == ("idub", "Internet mati 31m")
