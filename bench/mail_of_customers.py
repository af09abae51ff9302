"""Mails as customers write them: each from another address, about a line of its own."""

from itertools import count

_NUMBERS = count(1)
_MATTERS = (
    ("Internet mati", "Internet saya {line} mati total sejak tadi pagi, lampu LOS merah."),
    ("Internet lambat", "Kecepatan internet {line} sangat lambat, hanya 1 Mbps padahal paket saya 50 Mbps."),
    ("Tagihan bulan ini", "Tagihan saya untuk {line} bulan ini naik dua kali lipat, mohon dijelaskan."),
    ("Tanya paket", "Saya pelanggan {line}. Berapa harga paket 100 Mbps dan promo apa saja yang ada sekarang?"),
)
_MORE = (
    "Saya sudah mencoba mematikan dan menghidupkan ulang modem beberapa kali, tetapi keadaannya tetap sama. Anak-anak\n"
    "saya perlu sekolah daring dan saya sendiri bekerja dari rumah, jadi mohon segera dibantu. Kalau petugas perlu\n"
    "datang, saya ada di rumah setiap hari setelah pukul 15.00.\n"
)
_HEADERS = """\
Return-Path: <{sender}>
Received: from mail-{number}.pelanggan.example (mail-{number}.pelanggan.example [192.0.2.17])
\tby mx.telkom.example (Postfix) with ESMTPS id 4Z{number:08d}
\tfor <{to}>; Tue, 3 Mar 2026 10:12:00 +0700 (WIB)
Received: from [198.51.100.4] by mail-{number}.pelanggan.example with ESMTPSA; Tue, 3 Mar 2026 10:11:59 +0700
From: Pelanggan {number} <{sender}>
To: {to}
Subject: {subject}
Message-ID: <CA{number:012d}@mail.pelanggan.example>
Date: Tue, 3 Mar 2026 10:11:58 +0700
MIME-Version: 1.0
X-Mailer: Surat 7.1
Content-Type: text/plain; charset="UTF-8"
Content-Transfer-Encoding: 8bit

"""


def mails(number: int, to: str) -> list[bytes]:
    """So many new ones; each has 1.4 KB and one part of plain text, which any help desk reads with the least work."""
    return [_mail(next(_NUMBERS), to) for _ in range(number)]


def _mail(number: int, to: str) -> bytes:
    subject, matter = _MATTERS[number % len(_MATTERS)]
    sender = f"pelanggan{number}@pelanggan.example"
    head = _HEADERS.format(number=number, sender=sender, to=to, subject=subject)
    text = f"Selamat pagi,\n\n{matter.format(line=f'1{number:011d}')}\n\n{_MORE}\nTerima kasih,\nPelanggan {number}\n"
    return (head + text).encode()
