"""What a customer newly wrote, told from older letters and signatures, as mail programs of two languages write them."""

import json
import re
import time
from collections import Counter
from pathlib import Path

import pytest

from adapters.mail.html_text import html_text
from adapters.mail.text import new_text, replies
from tests.adapters.mail.test_parser import CORPUS, needs_corpus, squeezed
from tests.pace import in_time

WROTE = "On Tue, 3 Mar 2026 at 10:12, Ani <ani@a.example> wrote:"
MENULIS = "Pada tanggal Sel, 3 Mar 2026 pukul 10.12 Ani <ani@a.example> menulis:"


NOTICE = "Pesan ini bersifat rahasia dan hanya untuk penerima yang dituju; bila salah kirim, mohon hapus surel ini."

REMARKS = [
    "Kalau bisa kirim pesan lewat WhatsApp saja ke nomor istri saya, karena saya sering di luar kota dan tanpa sinyal.",
    "I got your e-mail in error and it is confidential, please delete my address from the list of recipients at once.",
    "Teknisi tadi bilang data ini rahasia dan hanya untuk penerima paket, padahal paketnya belum dikirim kemari.",
    "Modem yang rahasia kata sandinya saja ditulis dalam pesan, padahal tetangga sebelah rumah bisa ikut membacanya.",
    "Kalau salah kirim, surel yang kemarin dihapus, lampirannya dipakai lagi untuk kunjungan teknisi di hari Senin.",
]
OWN = [
    "Tolong Segera Datang",
    "Pelanggan 122345678901",
    "Internet Kantor Sangat Lambat Sejak Kemarin Sore Sampai Hari Ini",
    "HP 0812 0000 1111, " * 20 + "HP 0812 0000 1111",
]
"""What is no part of a signature: a request, a number that is no telephone's, too many words, too long a line."""


@pytest.mark.parametrize(
    "attribution",
    [
        MENULIS,
        "Pada Sel, 3 Mar 2026 pukul 10.12, Ani\n<ani@a.example> menulis:",
        "Pada Selasa, 3 Maret 2026 10.12.33 WIB, Ani <\nani@a.example>\nmenulis:",
        "Pada 03/03/2026 10.12, Ani menulis:",
        "Ani <ani@a.example> menulis pada Sel, 3 Mar 2026 pukul 10.12:",
        "Sel, 3 Mar 2026 10.12 Ani <ani@a.example\n>:",
        "2026-03-03 10:12 GMT+07:00 Ani <ani@a.example>:",
        "2026/3/3 Ani <ani@a.example>",
        WROTE,
        "On 3 Mar 2026, at 10.12, Ani <ani@a.example <mailto:ani@a.example>> wrote:",
        "On Monday, ani@a.example wrote:",
        "Ani <ani@a.example> wrote:",
        "---- On Tue, 03 Mar 2026 10:12:00 +0700 Ani <ani@a.example> wrote ----",
        "On Tue, 03 Mar 2026 10:12:00 +0700 Ani <ani@a.example> wrote",
        "---- Ani wrote ----",
        "On Tue, Mar 3, 2026 at 10:12 AM Ani\n\n<\nmailto:Ani <ani@a.example>\n> wrote:",
        "Am 03.03.2026 um 10:12 schrieb Ani:",
        "Le mar. 3 mars 2026 à 10:12, Ani <ani@a.example>\na écrit :",
        "Ani <ani@a.example> pada 3 Maret 2026 10.12 menulis:",
        "Quoting Ani <ani@a.example>:",
        "Mengutip Ani:",
        "Op 3 mrt. 2026, om 10:12 heeft Ani <ani@a.example> het volgende geschreven:",
    ],
)
def test_an_attribution_ends_what_is_new(attribution: str) -> None:
    assert new_text(f"Masih mati.\n\n{attribution}\n\n> Sudah selesai.", "Re: x") == "Masih mati."


@pytest.mark.parametrize(
    "head",
    [
        "-----Pesan Asli-----\nDari: Ani",
        "*Dari:* Ani\n*Dikirim:* Senin\n*Kepada:* Budi\n",
        "Dari: Ani\nDikirim: Selasa, 03 Maret 2026 10:12\nKepada: Budi\nSubjek: Keluhan\n",
        "-------- Pesan dari Ani --------\nDari: Ani <ani@a.example>\nTanggal: 03/03/26 10.12 (GMT+07:00)\nKe: Budi\n",
        "________________________________\nFrom: Ani\nSent: Tuesday, March 3, 2026 10:12\n\nTo: Budi\n",
        "-------- Pesan asli --------Dari: Ani Tanggal: 03/03/26 10.12",
        "Pada Sel, 3 Mar 2026 pada 10:12, Ani<ani@a.example> menulis:   Yth. Budi,\n",
        "On 3 March 2026 you wrote:\n",
        "  Date: Tue, 3 Mar 2026 10:12:00 +0700\n  To: budi@b.example\n",
        "Von: Ani\nGesendet: Dienstag, 3. März 2026\nAn: Budi\nBetreff: x\n",
        "====\n\nMessage du : 03/03/2026 10:12\nDe : Ani <ani@a.example>\nA : Budi\n",
    ],
)
def test_the_head_of_a_copied_letter_ends_what_is_new(head: str) -> None:
    assert new_text(f"Masih mati.\n\n{head}\nSudah selesai.", "RE: x") == "Masih mati."


@pytest.mark.parametrize(
    "signature",
    [
        "Dikirim dari iPhone saya",
        "Sent from my Galaxy",
        "Dapatkan Outlook untuk iOS <https://aka.ms/x>",
        "Sent from Outlook for Android<https://aka.ms/x>",
        "Dikirim dari vivo saya",
        "Yahoo Mail: Search, Organize, Conquer <https://mail.example/x>",
        "Sent with Pos (https://pos.example/?sig)",
        f"Terkirim dari Yahoo Mail\n\n{WROTE}\nhai",
        "-- \nBudi\n\n\nPT Maju" + "\n\nJl. Melati" * 10,
        "______\nwarga mailing list\nwarga@lists.example",
        "Dikirim dari ponsel cerdas Samsung Galaxy saya.",
        "Sent from my iPhone\n\n*Budi Santoso*\nKepala Gudang, PT Maju\nJl. Melati No. 3\nTel: +62 21 555 0100",
        "Sent from my iPhone\n\nRegards,\n\n" + NOTICE,
        "-- \nBudi\n\n" + NOTICE,
        "-- \nbudi.\nMob: 8485827731",
        f"-- \nBudi\n\n{NOTICE}\n\n"
        + "Bila salah kirim, harap surel ini dengan lampirannya segera dihapus dari komputer Anda.",
        "-- \nBudi\n> Apakah lampu LOS merah\n> masih menyala pagi ini?",
        "-- \nBudi\n\nDari: Ani\nDikirim: Selasa\nKepada: Budi\n\nPerbaikan akan selesai hari ini juga.",
        "-- \nBudi\nSent from my iPhone. Please excuse my brevity.",
        f"Sent from my iPhone\n\n-- \nBudi\n\n{WROTE}\nhai",
    ],
)
def test_a_signature_is_not_new(signature: str) -> None:
    assert new_text(f"Masih mati.\n\n{signature}", "Re: x") == "Masih mati."


@pytest.mark.parametrize(
    "text",
    [
        "> hai\n> apa kabar",
        "",
        "Mohon pindahkan telepon:\nDari: Jl. Melati 3\nKe: Jl. Mawar 5\nTanggal: 3 Maret 2026 pukul 10.00",
        "Data saya\nNama: Budi\nDari: budi@b.example\nUntuk: Telkom\nTanggal: 3 Maret 10:00\nInternet mati.",
        "Pada tanggal 3 Maret 2026 pukul 10.12 saya menulis:\nlampu LOS merah.",
        "On 3 March 2026 I wrote:\nthe light is red.",
        "Tanggal 3/3 pukul 10.12 saya kirim ke Telkom <cs@a.example> yang isinya:\nlampu merah.",
        "Ini yang tertulis:\n-------- Isi Formulir --------\nInternet mati.",
        "Dikirim dari desa, di mana sinyal tidak ada.\nTolong.",
        "Dari: Bandung\nInternet mati.",
        "Modem kembali.\n\nDikirim lewat Pos (https://pos.example/resi)",
        "Internet mati.\n\nDikirim dari iPhone saya\n\nNomor saya 122123456789",
        "a\n--\n" + "baris\n" * 14 + "baris",
        "Pilihan:\n___\nA. mailing",
        "Perangkat belum tiba.\nDikirim dari gudang Bekasi",
        "Internet mati.\nDikirim dari ponsel istri karena wifi mati",
        "Internet mati.\n\nSent from my iPhone\n\nBudi Santoso\nJl. Melati 3\nHP 0812 0000 1111",
        "Internet mati.\n\nSent from my iPhone\n\nKepala Gudang",
        *(f"Internet mati.\n\nSent from my iPhone\n\nKepala Gudang\nHP 0812 0000 1111\n{own}" for own in OWN),
        "Internet mati.\n\nSent from my iPhone\n\nPesan ini rahasia.",
        "Internet mati.\n--\nBudi\n\nNB: kami pulang jam lima.",
        "Internet mati.\n--\nNama: Budi Santoso",
        "Internet mati.\n--\n" + "BUDI " * 99 + "S",
        *(f"Internet mati.\n--\nBudi\n\n{remark}" for remark in REMARKS),
        *(f"Internet mati.\n\nSent from my iPhone\n\n{remark}" for remark in REMARKS),
        "Internet mati.\n--\nBudi\n\nThis message is confidential.",
        "Ini lagi:\n--- Pesan asli saya sudah hilang\nInternet mati.",
        "Ini lagi:\nTeknisi Ani <ani@a.example> menulis:  besok pukul 10:12 datang.",
        "Ini lagi:\nKata teknisi pukul 10:12 Ani <ani@a.example> menulis:  besok datang.",
        "Ini lagi:\nTeknisi Ani <ani@a.example> besok pagi menulis:\nkabel putus.",
        "Ini lagi:\nPada hari Senin Ani <ani@a.example> menulis:  besok datang.",
        "Internet mati.\n--\nBudi 122345678901",
        "Pada 2 Maret 2026 teknisi menulis:\nganti modem\n\nTetapi belum.",
    ],
)
def test_in_doubt_it_is_new(text: str) -> None:
    assert new_text(text, "x") == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Masih mati.\nNomor saya 122123456789\n{WROTE}\n> hai", "Masih mati.\nNomor saya 122123456789"),
        (f"Pada 3 Maret 2026 mati lagi.\n{MENULIS}\n> hai", "Pada 3 Maret 2026 mati lagi."),
        ("mati sejak 3/3/2026 10:12\nAni\n<ani@a.example> wrote:\n> hai", "mati sejak 3/3/2026 10:12\nAni"),
        (f"Masih mati. {WROTE}\n> hai", "Masih mati."),
        (f"Halo\nmasih mati--- {WROTE}\n> hai", "Halo\nmasih mati"),
    ],
    ids=["number", "date", "name", "line", "second line"],
)
def test_what_stands_right_above_an_attribution_is_new(text: str, expected: str) -> None:
    assert new_text(text, "Re: x") == expected


COPY = "From: Ani <ani@a.example>\nSent: Tuesday, March 3, 2026 10:12\nTo: Budi\nSubject: x\n\nNomor Anda?\n"


@pytest.mark.parametrize(
    "words", ["Jawaban saya ada di bawah.", "See my answers in red", "Komentar kami tulis merah.", "Please see below."]
)
def test_answers_within_a_copy_that_is_not_marked_are_new(words: str) -> None:
    text = f"{words}\n\n{COPY}122123456789"
    assert new_text(text, "RE: x") == text
    marked = f"{words}\n\n{WROTE}\nNomor Anda?\n122123456789"
    assert new_text(marked, "RE: x") == marked


@pytest.mark.parametrize(
    "words", ["Please see the results below:\n- 3 Mbps", "Rumah di bawah jembatan.", "In red: LOS"]
)
def test_who_says_below_of_something_else_has_answered_above(words: str) -> None:
    assert new_text(f"{words}\n\n{COPY}", "RE: x") == words


@pytest.mark.parametrize(
    "text", [COPY, f"{WROTE}\n> Sudah selesai.\n> Salam", "> Paket habis\n> hubungi 188\nPadahal aktif."]
)
def test_what_a_mail_that_answers_nothing_holds_of_others_words_is_new(text: str) -> None:
    text = f"Saya kutip:\n{text}".strip()
    assert new_text(text, "Laporan", answers=False) == text
    assert new_text(text, "Laporan") != text


@pytest.mark.parametrize("marker", ["Begin forwarded message:", "Mulai pesan yang diteruskan:", "Awal pesan terusan:"])
def test_what_is_passed_on_stays_however_it_is_marked(marker: str) -> None:
    text = f"Tolong.\n\n{marker}\n\n> Dari: Ani\n> Tanggal: 3 Maret 2026 10.12\n> Kepada: Budi\n>\n> Internet mati."
    assert new_text(text, "Re: x") == text


@pytest.mark.parametrize(
    "subject", ["Re: x", "RE: x", "[LUAR] Re: x", "Bls: x", "Balas: x", "Re[2]: x", "AW: x", "回复：x"]
)
def test_subjects_of_answers(subject: str) -> None:
    assert replies(subject)
    assert not replies(subject.replace(":", "").replace("：", ""))


LONG = "> Mohon informasikan nomor layanan dan alamat lengkap pemasangan,"


@pytest.mark.parametrize(
    ("quoted", "rest"),
    [
        (LONG, "supaya teknisi dapat datang"),
        ("> Lihat tiket (https://t.example/", "a=1)"),
        ("> Lihat", "(https://t.example) >"),
    ],
)
def test_the_rest_of_a_quoted_line_is_not_new(quoted: str, rest: str) -> None:
    assert new_text(f"Baik.\n\n{WROTE}\n{quoted}\n{rest}\n> Salam", "Re: x") == "Baik."


@pytest.mark.parametrize(
    ("quoted", "answer"),
    [
        (LONG, "122123456789"),
        (LONG, "Supaya jelas: Jl. Melati 3"),
        (LONG.replace(",", "?"), "jalan melati 3"),
        ("> Nomor layanan.", "nomornya 122123456789"),
    ],
)
def test_an_answer_below_a_quoted_line_is_new(quoted: str, answer: str) -> None:
    assert new_text(f"Halo\n\n{WROTE}\n{quoted}\n{answer}\n> Salam", "Re: x") == f"Halo\n\n{answer}"


def test_an_answer_where_nothing_is_written_above_is_new() -> None:
    assert (
        new_text(f"{WROTE}\n{LONG}\nsupaya jelas, jalan melati 3\n> Salam", "Re: x") == "supaya jelas, jalan melati 3"
    )


@pytest.mark.parametrize(
    "line",
    [
        "1:1 " + "a@" * 290 + ":",
        "On 1 " + "On 1 a@b " * 60 + "wrote:",
        "x 1 a@b> wrote 1" * 35 + ":",
        "1234 a@b:",
        "--1a--",
        "--",
        "__",
        "Date: 1@",
        "> a (\nb )",
        "--\nbaris satu\n\nbaris dua",
        "Sent from my iPhone",
        "Sent from " + "A " * 9 + "!",
        "1 a@b> wrote:" * 20 + " ",
        "<\nmailto:" + "<mailto:" * 30,
        "www.a@www. " * 20,
        "",
    ],
)
def test_hostile_text_takes_no_time(line: str) -> None:
    began = time.thread_time()
    new_text("hai\n" + (line + "\n") * (1_000_000 // (len(line) + 1)), "x")
    assert in_time(time.thread_time() - began, 2)


def pairs(source: str) -> list[tuple[str, str]]:
    """Of every real reply: ours and the reference; HTML is compared as the text that it shows."""
    found = []
    for row in map(json.loads, (CORPUS / "quotes" / f"{source}.jsonl").read_text().splitlines()):
        is_html = row["html"] not in (None, "None")
        text = html_text(row["html"]) if is_html else row["text"]
        found.append((new_text(text, ""), html_text(row["expected"]) if is_html else row["expected"]))
    return found


def unsigned(text: str) -> str:
    """Without what some of the references take for a signature and others for new."""
    return re.sub(r"(?ms)^(?:(?:-- ?|__)$.*|Sent from [^\n]*\s*\Z)", "", text)


def test_replies_of_our_own() -> None:
    """Mail as the programs of many makers write it: nothing else is new, and nothing new is lost."""
    rows = list(map(json.loads, (Path(__file__).parent / "replies.jsonl").read_text().splitlines()))
    texts = [html_text(row["html"]) if "html" in row else row["text"] for row in rows]
    found = [
        squeezed(new_text(text, row["subject"], answers=replies(row["subject"])))
        for text, row in zip(texts, rows, strict=True)
    ]
    assert [row["client"] for row, new in zip(rows, found, strict=True) if new != squeezed(row["new"])] == []


@needs_corpus
@pytest.mark.parametrize(
    ("source", "equal", "equal_unsigned"), [("crisp", 29, 29), ("talon", 42, 42), ("unquotemail", 84, 93)]
)
def test_new_text_of_real_replies(source: str, equal: int, equal_unsigned: int) -> None:
    """``unquotemail`` takes signatures for new text, the others do not: of one mail, two sets have other references."""
    rows = pairs(source)
    assert sum(squeezed(new) == squeezed(expected) for new, expected in rows) >= equal
    assert sum(squeezed(unsigned(new)) == squeezed(unsigned(expected)) for new, expected in rows) >= equal_unsigned


@needs_corpus
def test_new_text_of_real_replies_is_not_cut() -> None:
    """Of the words that are new by the references, fewer than one of two hundred is lost."""
    words: Counter[str] = Counter()
    for new, expected in (pair for source in ("crisp", "talon", "unquotemail") for pair in pairs(source)):
        if "Wed, 4/4/12" in expected:
            continue  # this reference takes the whole older letter for new
        wanted = Counter(unsigned(expected).split())
        words["lost"] += (wanted - Counter(new.split())).total()
        words["all"] += wanted.total()
    assert words["all"] > 5_000
    assert words["lost"] / words["all"] < 0.005
