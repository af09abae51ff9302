"""The mails of a contact centre's first week, from five kinds of senders, and what customers answer to letters."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from bench.week.calendar import CLOSED, MONDAY, OPEN
from bench.week.letters import Taken

OURS, ALIAS, FORM = "layanan@telkom.example", "bantuan@telkom.example", "formulir@situs.example"
SENDERS = {"direct": 55, "group": 15, "form": 10, "robot": 10, "forwarded": 10}
"""Kinds of senders, and how many of a hundred mails are theirs."""
FIRMS = 20
"""Customers with two links, both of which fail: two mails of the same words, an hour apart."""


@dataclass(frozen=True)
class Mail:
    """A mail of the week: when it comes, from whom, and whether it is one of a person."""

    at: datetime
    kind: str
    raw: bytes
    message_id: str
    told_apart: bool = False
    """It has another's words, and is of another link."""


def customers(mails: int) -> list[dict[str, Any]]:
    """Whoever writes, each with a line or, for firms, two links."""
    people = [
        {
            "customer_id": f"C-{number}",
            "name": f"Pelanggan {number}",
            "addresses": [address(number)],
            "service_no": line(number),
            "line": {"snr_db": 9, "attenuation_db": 55},
        }
        for number in range(mails)
    ]
    firms = [
        {
            "customer_id": f"F-{number}-{link}",
            "name": f"PT Maju {number}",
            "addresses": [firm(number)],
            "service_no": link_number(number, link),
            "product": "Astinet 100 Mbps",
            "segment": "DBS",
        }
        for number in range(FIRMS)
        for link in (1, 2)
    ]
    return people + firms


def address(number: int) -> str:
    return f"pelanggan{number}@pelanggan.example"


def line(number: int) -> str:
    return f"1224{number:08d}"


def firm(number: int) -> str:
    return f"noc@maju{number}.example"


def link_number(number: int, link: int) -> str:
    return f"4700001-00214{number:02d}{link}79"


def week(mails: int, chance: random.Random) -> list[Mail]:
    """The mails that come by themselves, in their order."""
    kinds = chance.choices(list(SENDERS), list(SENDERS.values()), k=mails - 2 * FIRMS)
    alone = [one_of(kind, number, moment(chance), chance) for number, kind in enumerate(kinds)]
    pairs = [mail for number in range(FIRMS) for mail in pair(number, moment(chance))]
    return sorted([*alone, *pairs], key=lambda mail: mail.at)


def moment(chance: random.Random) -> datetime:
    """Some moment of the week; by day four times as likely as by night."""
    while True:
        at = MONDAY + timedelta(minutes=chance.uniform(0, 7 * 24 * 60 - 180))
        if OPEN - 1 <= at.hour < CLOSED + 3 or chance.random() < 0.25:
            return at


MATTERS = (
    ("Internet mati", "Internet saya {line} mati total sejak tadi pagi, lampu LOS merah. Mohon segera diperbaiki."),
    ("Internet lambat", "Kecepatan internet {line} sangat lambat, hanya 1 Mbps padahal paket saya 50 Mbps."),
    ("Tanya paket", "Saya pelanggan {line}. Berapa harga paket 100 Mbps dan promo apa saja yang ada sekarang?"),
    ("Mohon bantuan", "Halo, ada yang mau saya bicarakan soal layanan {line} di rumah, mohon bantuannya ya."),
)
ROBOTS = (
    {"Auto-Submitted": "auto-replied", "Subject": "Di luar kantor"},
    {"List-Id": "<berita.toko.example>", "List-Unsubscribe": "<https://toko.example/u>", "Precedence": "bulk"},
    {"Auto-Submitted": "auto-generated", "Subject": "Laporan harian"},
)


def one_of(kind: str, number: int, at: datetime, chance: random.Random) -> Mail:
    """A customer's or a robot's mail as it comes by this way."""
    subject, text = chance.choice(MATTERS)
    sender, headers = f"Pelanggan {number} <{address(number)}>", {"To": OURS}
    match kind:
        case "group":
            headers = {"To": ALIAS, "List-Id": f"<{ALIAS.replace('@', '.')}>", "Precedence": "list"}
            headers |= {"X-Original-Sender": address(number), "Reply-To": sender}
            sender = f"Pelanggan {number} via Bantuan <{ALIAS}>"
        case "form":
            headers |= {"Reply-To": sender}
            sender = f"Formulir <{FORM}>"
        case "forwarded":
            subject = f"Fwd: {subject}"
            headers |= {
                "Authentication-Results": f"mx.telkom.example; dmarc=fail header.from={domain(address(number))}"
            }
        case "robot":
            sender, text = f"robot{number}@toko.example", "Pesan ini dibuat otomatis."
            robot = chance.choice(ROBOTS)
            subject = robot.get("Subject", "Promo minggu ini")
            headers |= {name: value for name, value in robot.items() if name != "Subject"}
    return written(at, kind, sender, subject, text.format(line=line(number)), headers, f"w{number}")


def pair(number: int, at: datetime) -> tuple[Mail, Mail]:
    """A firm's two links fail: the Subject alone tells the mails apart."""
    one, two = (
        written(
            at + timedelta(hours=hours),
            "direct",
            firm(number),
            f"Link {link_number(number, link)} down",
            "Mohon dicek, link kami mati total. Terima kasih.",
            {"To": OURS},
            f"f{number}.{link}",
            told_apart=True,
        )
        for link, hours in ((1, 0), (2, 1))
    )
    return one, two


def written(
    at: datetime,
    kind: str,
    sender: str,
    subject: str,
    text: str,
    headers: dict[str, str],
    name: str,
    told_apart: bool = False,
) -> Mail:
    """The mail's bytes."""
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["Date"] = sender, subject, format_datetime(at)
    mail["Message-ID"] = f"<{name}.{at:%d%H%M%S}@pelanggan.example>"
    for header, value in headers.items():
        mail[header] = value
    mail.set_content(text)
    return Mail(at, kind, mail.as_bytes(), str(mail["Message-ID"]), told_apart)


def domain(of: str) -> str:
    return of.rpartition("@")[2]


def reactions(letters: Sequence[Taken], at: datetime, chance: random.Random) -> Iterator[Mail]:
    """What customers write back to letters: thanks to some closing letters, a question to some others."""
    for letter in letters:
        text = {"closing": "Terima kasih, sudah normal.", "inform_status": "Sudah sampai mana perbaikannya?"}.get(
            letter.kind
        )
        if text and letter.customer and chance.random() < (0.4 if letter.kind == "closing" else 0.1):
            headers = {"To": OURS, "In-Reply-To": letter.message_id, "References": letter.message_id}
            name = letter.message_id.strip("<>").partition("@")[0]
            yield written(at, "direct", letter.customer, f"Re: {letter.subject}", text, headers, name)
