"""Letters (SOP 5.1): goldens, missing facts, headers, escaping.

After a wanted change of a template: ``UPDATE_GOLDENS=1 pytest tests/adapters/letters``, then read the diff.
"""

import os
import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis.strategies import text

from adapters.letters.bodies import as_text
from adapters.letters.message import MAX_REFERENCES, MAX_SUBJECT, reply_subject
from adapters.letters.words import WORDS
from adapters.letters.writer import TEMPLATES, Envelope, TemplateLetters
from models.errors import MissingFact
from models.letter import (
    ClosingFacts,
    FirstResponseFacts,
    InformationFacts,
    Language,
    LetterFacts,
    LetterKind,
    OtherSegmentFacts,
    QuestionFacts,
    RenderedLetter,
    ResultFacts,
    StatusFacts,
    ToDeskFacts,
    WaitingFacts,
)
from models.settings import Settings
from tests.adapters.letters.test_bodies import hostile

GOLDENS = Path(__file__).parent / "goldens"
LANGUAGES = get_args(Language)
NOW = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
HEADERS, MIME = ["From", "To", "Subject", "Date", "Message-ID"], ["MIME-Version", "Content-Type"]

# What people add is in the letter's language.
FREE_TEXT: dict[Language, dict[str, str]] = {
    "id": {
        "question": "Apakah lampu LOS pada modem menyala merah?\nBila ya, sejak kapan?",
        "answer": "Perubahan paket dapat diajukan melalui aplikasi pelanggan. Biaya bulanan yang baru & tanggal "
        "berlakunya ditampilkan sebelum pesanan disetujui.\n\nPermohonan juga dapat diajukan di Plasa Telkom.",
        "product": "IndiHome TV: saluran televisi yang dapat diputar ulang",
        "note": "Teknisi sedang menuju lokasi ODP.",
        "cause": "Kabel drop putus di ODP",
        "repair": "Kabel drop disambung ulang dan redaman diukur normal (< 20 dB)",
    },
    "en": {
        "question": "Is the LOS light on your modem red?\nIf it is, since when?",
        "answer": "You can change your package in the customer app. The new monthly price & its starting date are "
        "shown before you confirm the order.\n\nYou can also apply at a Plasa Telkom.",
        "product": "IndiHome TV: channels with replay",
        "note": "A technician is on the way to the distribution point.",
        "cause": "The drop cable was cut at the distribution point",
        "repair": "The drop cable was spliced; the attenuation is normal (< 20 dB)",
    },
}


def all_facts(language: Language = "id") -> list[LetterFacts]:
    """One letter of each kind, every field filled."""
    said = FREE_TEXT[language]
    return [
        FirstResponseFacts(received_at=NOW - timedelta(minutes=2)),
        QuestionFacts(missing=("service_number", "customer", "detail"), question=said["question"]),
        InformationFacts(answer=said["answer"], related_products=(said["product"], "Telepon Rumah")),
        StatusFacts(
            ticket_id="INC20261124001",
            unit="Access Network",
            state="in_progress",
            since=NOW - timedelta(hours=1),
            next_update_at=NOW + timedelta(hours=6),
            note=said["note"],
        ),
        WaitingFacts(
            since=NOW - timedelta(hours=6),
            next_update_at=NOW + timedelta(hours=6),
            ticket_id="INC20261124001",
            unit="Access Network",
        ),
        ResultFacts(cause=said["cause"], repair=said["repair"]),
        OtherSegmentFacts(
            received_at=NOW - timedelta(minutes=2),
            desk="Enterprise Care",
            desk_address="enterprise.care@telkom.example",
        ),
        ToDeskFacts(desk="Enterprise Care", segment="DES", customer_address="rina@surel.example"),
        ClosingFacts(answer_by=NOW + timedelta(hours=48)),
    ]


EACH_KIND = pytest.mark.parametrize("facts", all_facts(), ids=lambda facts: facts.kind.value)
EACH_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


def write(facts: LetterFacts, writer: TemplateLetters | None = None, **changes: Any) -> RenderedLetter:
    arguments: dict[str, Any] = {
        "language": "id",
        "reference": "JKT-0000123",
        "recipient": "rina@surel.example",
        "recipient_name": "Rina Wulandari",
        "sender": "layanan@telkom.example",
        "subject": "Internet mati",
        "message_id": "<JKT-0000123.5.1@telkom.example>",
        "in_reply_to": "<mail-2@surel.example>",
        "references": ("<mail-1@surel.example>",),
        "now": NOW,
        "automatic": True,
    }
    return (writer or TemplateLetters(settings())).write(facts, Envelope(**arguments | changes))


def moment(language: Language, at: datetime) -> str:
    return as_text(WORDS[language].moment(at)).strip()


def parse(letter: RenderedLetter) -> EmailMessage:
    message = message_from_bytes(letter.raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not [defect for part in message.walk() for defect in part.defects]
    return message


def bodies(letter: RenderedLetter) -> tuple[str, str]:
    plain, html = parse(letter).iter_parts()
    assert [part.get_content_type() for part in (plain, html)] == ["text/plain", "text/html"]
    return plain.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")


def tags(html: str) -> set[str]:
    """The start tags, as they are written, of a page whose elements all end where they should."""
    found: set[str] = set()
    open_tags: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            found.add(self.get_starttag_text() or "")
            if tag not in ("meta", "br"):
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    Reader().feed(html)
    assert open_tags == []
    return found


# --- the letters themselves


@EACH_LANGUAGE
@pytest.mark.parametrize("kind", LetterKind)
def test_letter_is_the_golden_one(language: Language, kind: LetterKind) -> None:
    (facts,) = [facts for facts in all_facts(language) if facts.kind is kind]
    raw = write(facts, language=language).raw
    golden = GOLDENS / language / f"{kind}.eml"
    if os.environ.get("UPDATE_GOLDENS"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_bytes(raw)
    assert raw == golden.read_bytes()


@EACH_LANGUAGE
def test_a_first_response_that_is_late_says_so(language: Language) -> None:
    raw = write(FirstResponseFacts(received_at=NOW - timedelta(days=4), late=True), language=language).raw
    golden = GOLDENS / language / "first_response_late.eml"
    if os.environ.get("UPDATE_GOLDENS"):
        golden.write_bytes(raw)
    assert raw == golden.read_bytes()


@EACH_LANGUAGE
@EACH_KIND
def test_both_bodies_tell_every_fact(facts: LetterFacts, language: Language) -> None:
    for body in bodies(write(facts, language=language)):
        flat = " ".join(unescape(re.sub(r"</?[a-z][^>]*>", " ", body)).split())
        for name, value in facts:
            parts = value if isinstance(value, tuple) else (value,)
            for part in parts if name not in ("missing", "state", "late") else ():
                said = moment(language, part.astimezone(settings().zone)) if isinstance(part, datetime) else part
                assert " ".join(said.split()) in flat
        assert "JKT-0000123" in flat
        assert settings().sender_name in flat


@EACH_LANGUAGE
def test_each_state_and_each_request_has_words_of_its_own(language: Language) -> None:
    status = next(facts for facts in all_facts() if isinstance(facts, StatusFacts))
    states = get_args(StatusFacts.model_fields["state"].annotation)
    letters = {bodies(write(status.model_copy(update={"state": each}), language=language))[0] for each in states}
    assert len(letters) == len(states) == 6
    requests = ("service_number", "customer", "detail")
    letters = {bodies(write(QuestionFacts(missing=(each,)), language=language))[0] for each in requests}
    assert len(letters) == 3


@EACH_LANGUAGE
@EACH_KIND
def test_html_is_whole_and_needs_nothing_from_outside(facts: LetterFacts, language: Language) -> None:
    html = bodies(write(facts, language=language))[1]
    assert tags(html)
    assert not re.search(r"<img|<script|<link|src=|url\(|https?:", html)
    assert f'<html lang="{language}">' in html
    assert "color-scheme" in html


@EACH_KIND
def test_optional_words_leave_no_hole(facts: LetterFacts) -> None:
    optional = {name: "" for name, field in type(facts).model_fields.items() if not field.is_required()}
    text, html = bodies(write(facts.model_copy(update=optional)))
    assert "\n\n\n" not in text
    assert "<p></p>" not in html


# --- missing facts


def emptied() -> list[Any]:
    cases = []
    for facts in all_facts():
        for name, value in facts:
            if type(facts).model_fields[name].is_required() and isinstance(value, str | tuple):
                for empty in ("", " \n") if isinstance(value, str) else ((), ("",)):
                    case = facts.model_copy(update={name: empty})
                    cases.append(pytest.param(case, name, id=f"{facts.kind}-{name}-{empty!r}"))
    return cases


@pytest.mark.parametrize(("facts", "name"), emptied())
def test_empty_fact_is_missing_before_anything_is_rendered(facts: LetterFacts, name: str, tmp_path: Path) -> None:
    nothing_to_render = TemplateLetters(settings(), folder=tmp_path)
    with pytest.raises(MissingFact) as raised:
        write(facts, nothing_to_render)
    assert (raised.value.letter, raised.value.fact) == (facts.kind, name)


@EACH_LANGUAGE
@EACH_KIND
def test_every_needed_field_is_used_by_its_template(facts: LetterFacts, language: Language) -> None:
    for name in (name for name, field in type(facts).model_fields.items() if field.is_required()):
        values = {other: value for other, value in facts if other != name}
        with pytest.raises(MissingFact) as raised:
            write(type(facts).model_construct(**values), language=language)
        assert (raised.value.letter, raised.value.fact) == (facts.kind, name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reference", ""),
        ("message_id", ""),
        ("sender", ""),
        ("recipient", ""),
        ("recipient", "rina"),
        ("recipient", "rina@surel.example\r\nBcc: eve@jahat.example"),
        ("recipient", "rina@surel.example, eve@jahat.example"),
        ("recipient", "rína@surel.example"),
    ],
)
def test_letter_without_a_usable_address_or_reference_is_refused(name: str, value: str) -> None:
    with pytest.raises(MissingFact) as raised:
        write(ClosingFacts(answer_by=NOW), None, **{name: value})
    assert raised.value.fact == name
    assert value == "" or value not in str(raised.value)


# --- the mail


def test_headers_say_who_when_and_what_is_answered() -> None:
    letter = write(all_facts()[0])
    message = parse(letter)
    assert message.keys() == [*HEADERS, "In-Reply-To", "References", "Auto-Submitted", *MIME]
    assert message["From"] == "Layanan Pelanggan Telkom <layanan@telkom.example>"
    assert message["To"] == "Rina Wulandari <rina@surel.example>"
    assert message["Subject"] == letter.subject == "Re: Internet mati [JKT-0000123]"
    assert message["Date"].datetime == NOW
    assert str(message["Date"]) == "Tue, 24 Nov 2026 14:30:00 +0700"
    assert message["Message-ID"] == letter.message_id
    assert message["In-Reply-To"] == "<mail-2@surel.example>"
    assert message["References"].split() == ["<mail-1@surel.example>", "<mail-2@surel.example>"]
    assert (letter.kind, letter.recipient) == ("first_response", "rina@surel.example")


@pytest.mark.parametrize(
    ("automatic", "in_reply_to", "expected"),
    [
        (True, "<mail-2@surel.example>", "auto-replied"),
        (True, "", "auto-generated"),
        (False, "<mail-2@surel.example>", None),
    ],
)
def test_auto_submitted_is_rfc_3834s(automatic: bool, in_reply_to: str, expected: str | None) -> None:
    message = parse(write(all_facts()[0], automatic=automatic, in_reply_to=in_reply_to))
    assert message["Auto-Submitted"] == expected
    assert ("In-Reply-To" in message) == bool(in_reply_to)


@pytest.mark.parametrize("name", ["Zoë Łukasiewicz-Mwangi", "山田太郎" * 12, 'Budi "Bos", S.T.', "A <x> B"])
def test_name_comes_back_whole(name: str) -> None:
    raw = write(all_facts()[0], recipient_name=name).raw
    value = str(make_header(decode_header(message_from_bytes(raw)["To"])))
    assert value.endswith(" <rina@surel.example>")
    assert parseaddr(value)[0].strip() == name
    assert max(len(line) for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n")) <= 78


TAGS = set[str]().union(*(tags(bodies(write(facts))[1]) for facts in all_facts()))
INJECTION = "Halo\r\nBcc: eve@jahat.example\r\n\r\n<b>isi</b>\x00\u2028\u202e"


WRITER = TemplateLetters(settings())


@given(subject=text(max_size=200), name=text(max_size=100))
@example(subject="=?utf-8?q?=0D=0ABcc:_eve?=", name="=?utf-8?q?=0D=0ABcc:_eve?=")
@example(subject="Halo\r\nBcc: eve", name="Eve\r\nBcc: eve")
@example(subject="panjang sekali, " * 12, name="(komentar)")
@settings_of_hypothesis(max_examples=100)
def test_no_subject_or_name_adds_or_breaks_a_header(subject: str, name: str) -> None:
    letter = write(all_facts()[0], WRITER, subject=subject, recipient_name=name)
    message = message_from_bytes(letter.raw)
    assert message.keys() == [*HEADERS, "In-Reply-To", "References", "Auto-Submitted", *MIME]
    assert parseaddr(message["To"])[1] == "rina@surel.example"
    if "=?" not in subject:
        assert re.sub(r"\n\s", " ", str(make_header(decode_header(message["Subject"])))) == letter.subject


@EACH_KIND
def test_nothing_from_outside_becomes_a_header(facts: LetterFacts) -> None:
    letter = write(
        facts,
        TemplateLetters(settings(sender_name=INJECTION)),
        subject=INJECTION,
        recipient_name=INJECTION.replace("@", ""),
        in_reply_to="<a@b>\r\nBcc: eve@jahat.example",
        references=("<c@d>\nBcc: eve@jahat.example",),
    )
    assert parse(letter).keys() == [*HEADERS, "Auto-Submitted", *MIME]
    assert letter.subject == "Re: Halo Bcc: <b>isi</b> [JKT-0000123]"


def test_bad_reference_alone_is_left_out() -> None:
    message = parse(
        write(all_facts()[0], references=("<a@b>", "c@d", "<e@f>\nX: y", "<a@b>", "<mail-2@surel.example>"))
    )
    assert message["References"].split() == ["<a@b>", "<mail-2@surel.example>"]
    assert "X" not in message


@pytest.mark.parametrize("width", [20, 90, 400])
def test_long_thread_keeps_its_first_and_last_ids(width: int) -> None:
    ids = tuple(f"<{number:04}{'x' * width}@surel.example>" for number in range(60))
    raw = write(all_facts()[0], references=ids).raw
    message = parse(write(all_facts()[0], references=ids))
    kept = message["References"].split()
    assert kept[0] == ids[0]
    assert kept[1:] == [*ids, "<mail-2@surel.example>"][-len(kept) + 1 :]
    assert len("References: " + " ".join(kept)) <= MAX_REFERENCES
    assert len("References: " + " ".join([*kept, ids[1]])) > MAX_REFERENCES or width == 400
    assert max(map(len, raw.split(b"\r\n"))) <= MAX_REFERENCES


def test_long_message_id_stays_whole() -> None:
    """Python's newer header classes make an encoded word of it, which no mail program matches."""
    long = f"<{'A' * 120}@prod.outlook.example>"
    raw = write(all_facts()[0], in_reply_to=long, message_id=long).raw
    assert f"\r\nIn-Reply-To: {long}\r\n".encode() in raw
    assert f"\r\nMessage-ID: {long}\r\n".encode() in raw


@EACH_LANGUAGE
@EACH_KIND
def test_equal_input_gives_equal_bytes(facts: LetterFacts, language: Language) -> None:
    first, second = (write(facts, TemplateLetters(settings()), language=language) for _ in range(2))
    assert first == second


def test_another_letter_has_another_boundary() -> None:
    first, second = (parse(write(all_facts()[0], message_id=f"<{n}@telkom.example>")).get_boundary() for n in (1, 2))
    assert first != second


@EACH_KIND
def test_lines_end_in_crlf_and_bytes_are_ascii(facts: LetterFacts) -> None:
    raw = write(facts, subject="Gangguan “parah” — tolong", recipient_name="Dé Ayu").raw
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()


# --- the subject


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Internet mati", "Re: Internet mati [R]"),
        ("Re: Internet mati [R]", "Re: Internet mati [R]"),
        ("RE: Re : Bls: re[2]: Internet mati", "Re: Internet mati [R]"),
        ("Fwd: Re: Internet mati", "Re: Internet mati [R]"),
        ("Re: [R] Internet mati", "Re: Internet mati [R]"),
        ("Internet mati [BDG-0000009]", "Re: Internet mati [R]"),
        ("Tagihan [URGENT] re: lunas", "Re: Tagihan [URGENT] re: lunas [R]"),
        ("Rekening: salah", "Re: Rekening: salah [R]"),
        ("  banyak \t spasi\n di sini ", "Re: banyak spasi di sini [R]"),
        ("Klik https://evil.example/x segera", "Re: Klik segera [R]"),
        ("Klik www.evil.example. atau (HTTP://evil.example)", "Re: Klik atau [R]"),
        ("Menang! evil.example/hadiah tulis ke a@evil.example", "Re: Menang! tulis ke [R]"),
        (
            "PT.Maju no. 1/2, indihome.co.id lambat s/d 10.30/11.00",
            "Re: PT.Maju no. 1/2, indihome.co.id lambat s/d 10.30/11.00 [R]",
        ),
    ],
)
def test_subject_has_one_re_and_one_reference(subject: str, expected: str) -> None:
    reference = "JKT-0000123"
    reply = reply_subject(subject.replace("[R]", f"[{reference}]"), reference, otherwise="Layanan")
    assert reply == expected.replace("[R]", f"[{reference}]")


@pytest.mark.parametrize("subject", ["", "  ", "Re:", "Re: [JKT-0000123]", "\r\n", "Re: https://evil.example"])
def test_empty_subject_becomes_the_services_name(subject: str) -> None:
    assert write(all_facts()[0], subject=subject).subject == "Re: Layanan Pelanggan Telkom [JKT-0000123]"


@pytest.mark.parametrize("letter", ["x", "é", "😀"])
def test_long_subject_is_cut_before_the_reference(letter: str) -> None:
    rendered = write(all_facts()[0], subject=letter * 5000)
    assert rendered.subject == f"Re: {letter * (MAX_SUBJECT - 1)}… [JKT-0000123]"
    assert parse(rendered)["Subject"] == rendered.subject


# --- the words


@pytest.mark.parametrize(
    ("hour", "indonesian", "english"),
    [
        (0, "Selamat malam", "Good evening"),
        (3, "Selamat malam", "Good evening"),
        (4, "Selamat pagi", "Good morning"),
        (10, "Selamat pagi", "Good morning"),
        (11, "Selamat siang", "Good morning"),
        (12, "Selamat siang", "Good afternoon"),
        (15, "Selamat sore", "Good afternoon"),
        (18, "Selamat malam", "Good evening"),
        (23, "Selamat malam", "Good evening"),
    ],
)
def test_greeting_follows_the_sites_clock(hour: int, indonesian: str, english: str) -> None:
    now = datetime(2026, 11, 24, hour, 59, tzinfo=settings().zone).astimezone(UTC)
    for language, greeting in (("id", indonesian), ("en", english)):
        for body in bodies(write(all_facts()[0], language=language, now=now)):
            assert f"{greeting}, " in body


@pytest.mark.parametrize(
    ("name", "indonesian", "english"),
    [
        ("Rina Wulandari", ", Bapak/Ibu Rina Wulandari,", ", Rina Wulandari,"),
        ("joko", ", Bapak/Ibu Joko,", ", Joko,"),
        ("Bu Ning", ", Bu Ning,", ", Bu Ning,"),
        ("", ", Bapak/Ibu Pelanggan,", ","),
        ("rina@surel.example", ", Bapak/Ibu Pelanggan,", ","),
        ("Menangkan hadiah www.jahat.example", ", Bapak/Ibu Pelanggan,", ","),
    ],
)
def test_salutation_names_the_customer(name: str, indonesian: str, english: str) -> None:
    assert bodies(write(all_facts()[0], recipient_name=name))[0].startswith(f"Selamat siang{indonesian}\n")
    text = bodies(write(all_facts()[0], recipient_name=name, language="en"))[0]
    assert text.startswith(f"Good afternoon{english}\n")


@pytest.mark.parametrize(
    ("zone", "indonesian", "english"),
    [
        ("Asia/Jakarta", "1 Mei 2026 pukul 07.05 WIB", "1 May 2026 at 07:05 WIB"),
        ("Asia/Makassar", "1 Mei 2026 pukul 08.05 WITA", "1 May 2026 at 08:05 WITA"),
        ("Asia/Jayapura", "1 Mei 2026 pukul 09.05 WIT", "1 May 2026 at 09:05 WIT"),
    ],
)
def test_times_are_the_sites(zone: str, indonesian: str, english: str) -> None:
    facts = ClosingFacts(answer_by=datetime(2026, 5, 1, 0, 5, tzinfo=UTC))
    box = {"address": "layanan@telkom.example", "user": "u", "password": "p", "timezone": zone}
    for of_zone in (settings(timezone=zone), settings(mailboxes=[box])):
        for language, expected in (("id", indonesian), ("en", english)):
            for body in bodies(write(facts, TemplateLetters(of_zone), language=language)):
                assert expected in " ".join(as_text(body).split())


# --- text from outside


@EACH_LANGUAGE
@EACH_KIND
def test_markup_from_outside_is_shown_not_obeyed(facts: LetterFacts, language: Language) -> None:
    evil = """<script>alert("X")</script> & 'y' {{ reference }}"""
    changes: dict[str, Any] = {
        name: (evil,) if name == "related_products" else evil
        for name, value in facts
        if name not in ("missing", "state", "desk_address") and isinstance(value, str | tuple)
    }
    letter = write(facts.model_copy(update=changes), language=language, subject=evil, recipient_name=evil)
    text, html = bodies(letter)
    assert "<script" not in html
    shown = "&lt;script&gt;alert(&#34;X&#34;)&lt;/script&gt; &amp; &#39;y&#39; {{ reference }}"
    assert html.count(shown) >= 2 + len(changes)
    assert " ".join(text.split()).count(evil) >= 1 + len(changes)


@given(evil=hostile())
@settings_of_hypothesis(max_examples=50)
def test_nothing_that_people_write_makes_a_tag(evil: str) -> None:
    """But paragraphs, their lines and lists."""
    for facts in all_facts():
        changes = {
            name: (evil,) if name == "related_products" else evil
            for name, value in facts
            if name not in ("missing", "state") and isinstance(value, str | tuple)
        }
        text, html = bodies(write(facts.model_copy(update=changes), WRITER, subject=evil, recipient_name=evil))
        links = {tag for tag in tags(html) if tag.startswith("<a ")}
        assert tags(html) - links - {"<p>", "<br>", "<ul>", "<li>"} <= TAGS
        assert all(re.fullmatch(r'<a href="mailto:[^"?&]*">', link) for link in links)
        assert not changes or all(part in text for part in evil.split())


def test_paragraphs_and_lines_are_kept() -> None:
    facts = InformationFacts(answer="Satu\r\ndua\r\n \r\n\r\nTiga", related_products=("Hosting",))
    text, html = bodies(write(facts))
    assert "\n\nSatu\ndua\n\nTiga\n\n" in text
    assert "<p>Satu<br>dua</p>\n<p>Tiga</p>" in html


@EACH_LANGUAGE
def test_text_is_wrapped_and_long_words_stay_whole(language: Language) -> None:
    address = "https://telkom.example/" + "a" * 90
    facts = InformationFacts(answer="kata " * 60 + address, related_products=("produk " * 20,))
    text = bodies(write(facts, language=language, recipient_name="Nama " * 12))[0]
    lines = text.splitlines()
    assert address in lines
    assert max(len(line) for line in lines if line != address) <= 78
    item = next(number for number, line in enumerate(lines) if line.startswith("- produk"))
    assert lines[item + 1].startswith("  produk")


def test_every_template_belongs_to_a_letter() -> None:
    kinds = {f"{kind}.jinja" for kind in LetterKind}
    for language in LANGUAGES:
        found = {path.name for path in (TEMPLATES / language).glob("*.jinja")}
        assert {name for name in found if not name.startswith("_")} == kinds
