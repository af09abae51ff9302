"""Parsing alone: every message of ``../shared/mail``, by our parser and by the standard library's.

    python -m bench.mail_parsing [--rounds 5]

The standard library does less: ``policy.default`` gives headers, the text of a body part and the attachments' bytes,
and neither their hashes, new text, language nor the kind of mail. What it raises on is counted and left out.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from adapters.mail.parser import parse

CORPUS = Path(__file__).parents[2] / "shared" / "mail" / "messages"


def main() -> None:
    """Mails a second of CPU time, and what could not be read."""
    parser = argparse.ArgumentParser(prog="python -m bench.mail_parsing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    mails = [file.read_bytes() for file in sorted(CORPUS.glob("*/*"))]
    if not mails:
        raise SystemExit(f"{CORPUS} is missing")
    print(f"{os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}")
    print(f"{len(mails)} mails, {sum(map(len, mails)) / 1e6:.1f} MB")
    figures = {
        "parse": measured(parse, mails, options.rounds),
        "policy.default": measured(library, mails, options.rounds),
    }
    print(f"{'':<16} {'ms a mail':>10} {'mails/s':>9} {'raised':>7}")
    for name, (seconds, raised) in figures.items():
        print(f"{name:<16} {seconds / len(mails) * 1000:>10.2f} {len(mails) / seconds:>9.0f} {raised:>7}")
    print(f"ratio {figures['policy.default'][0] / figures['parse'][0]:.1f}")


def measured(read: Callable[[bytes], object], mails: list[bytes], rounds: int) -> tuple[float, int]:
    """Median CPU seconds for all mails, and how many raised; the first round warms up."""
    times, raised = [], 0
    for _ in range(rounds + 1):
        raised = 0
        began = time.process_time()
        for raw in mails:
            try:
                read(raw)
            except Exception:  # noqa: BLE001 - what the library raises is a figure here
                raised += 1
        times.append(time.process_time() - began)
    return statistics.median(times[1:]), raised


def library(raw: bytes) -> object:
    """The same fields by the standard library, as its documentation shows."""
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    headers = [str(message[name]) for name in ("From", "To", "Cc", "Subject", "Date", "Message-ID", "References")]
    body = message.get_body(("plain", "html"))
    text = body.get_content() if body else ""
    return headers, text, [(part.get_filename(), part.get_content()) for part in message.iter_attachments()]


if __name__ == "__main__":
    main()
