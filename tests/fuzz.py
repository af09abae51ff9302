"""Fuzzing of the mail parser: ``python -m tests.fuzz [COUNT] [SEED]``, or ``make fuzz``.

Mutated mails, our own and the corpus's where it is there. What raises, takes more than two seconds or cannot be
stored is written to ``.layanan/fuzz/``, from where it becomes an ``.eml`` of our own; the call then ends with 1.
"""

import hashlib
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from adapters.mail.parser import parse
from models.errors import Unreadable

ROOT = Path(__file__).parents[1]
COUNT, SEED = 20_000, 1
LARGEST = 60_000
"""Bytes of a mail that is mutated; larger ones are cut."""
TOKENS = (
    *(
        b"\r\n",
        b"\n",
        b"\n\n",
        b"\r",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"--",
        b"\n--b\n",
        b"\n--b--\n",
        b"=",
        b"=\n",
        b"===",
    ),
    *(b"=?utf-8?b?", b"=?x?q?=", b"?=", b"''", b"*0*=", b'"', b"<", b">", b"(", b"\\", b";", b"+AAA-", b"\x1b$B"),
    *(b"<!--", b"<table>", b"<blockquote type=cite>", b"&#x110000;", b"\n> ", b"begin 644 x\n", b"BEGIN:VEVENT\n"),
    *(b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Type: message/rfc822\n\n", b"\nTo: ", b"\nFrom: ,"),
    *(b"Content-Type: message/delivery-status\n\n", b"Content-Type: application/ms-tnef\n", b"\x78\x9f\x3e\x22"),
    *(b"Content-Type: application/pkcs7-mime\n", b"0\x80", b"Content-Transfer-Encoding: base64\n", b"charset=utf-7"),
    *(b"Date: Mon, 99 Foo 99999 99:99 +9999\n", b"-----BEGIN PGP SIGNED MESSAGE-----\n", b"format=flowed; delsp=yes"),
)


def mails() -> list[bytes]:
    """What is mutated."""
    files = [*ROOT.glob("tests/**/*.eml"), *(ROOT.parent / "shared" / "mail" / "messages").glob("*/*.eml")]
    return [file.read_bytes()[:LARGEST] for file in sorted(files)]


def mutated(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """A mail with a few changes: bytes, pieces gone, doubled or of another mail, and what parsers stumble over."""
    mail = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 8)):
        # the beginning has the header, where most of the parsing is
        at = chance.randrange(min(len(mail), chance.choice((300, 3_000, LARGEST))) + 1)
        end = at + chance.choice((1, 2, 10, 100, 1_000))
        match chance.randrange(6):
            case 0:
                mail[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del mail[at:end]
            case 2:
                mail[at:at] = mail[at:end]
            case 3:
                other = chance.choice(seeds)
                start = chance.randrange(len(other) + 1)
                mail[at:at] = other[start : start + end - at]
            case _:
                mail[at:at] = chance.choice(TOKENS)
    return bytes(mail)


def problem(raw: bytes) -> str:
    """What is wrong with how ``raw`` is parsed; empty: nothing."""
    began = time.process_time()
    try:
        stored = parse(raw).model_dump_json()
    except Unreadable:
        return ""
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        return f"{type(error).__name__}: {error}"
    if time.process_time() - began > 2:
        return "slow"
    return "a NUL is left" if "\\u0000" in stored else ""


def main(arguments: Sequence[str]) -> int:
    """Fuzz, say what was found, and return the exit code."""
    count, seed = (*map(int, arguments), *(COUNT, SEED)[len(arguments) :])
    seeds, chance, found = mails(), random.Random(seed), 0
    began = time.monotonic()
    for _ in range(count):
        raw = mutated(seeds, chance)
        if what := problem(raw):
            found += 1
            file = ROOT / ".layanan" / "fuzz" / f"{hashlib.sha256(raw).hexdigest()[:16]}.eml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(raw)
            print(f"{file}: {what}")
    print(f"{count} inputs from {len(seeds)} mails in {time.monotonic() - began:.0f} s: {found} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
