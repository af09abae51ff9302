"""Composes a letter as an RFC 5322 message with a plain and an HTML body; equal input gives equal bytes.

Python's email classes are not used here: they rewrite attached mails, turn a Message-ID longer than a line into an
encoded word, which breaks the thread, and fold differently from version to version. Held by
`tests/adapters/letters/test_writer.py`.
"""

import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Mapping, Sequence
from email.header import Header
from email.utils import formataddr
from hashlib import sha256

from adapters.mail.text import bare_subject

MAX_SUBJECT = 120
"""Characters of the customer's subject that a letter repeats."""
MAX_REFERENCES = 998
"""Octets of the References field, its name included (RFC 5322, 2.1.1)."""
MAX_LINE = 998
"""Octets of a line, its end not counted (RFC 5321, 4.5.3.1.6)."""

# two of the greatest length fit into one References field
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,480}>")
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_REFERENCE = re.compile(r"\s*\[[A-Z]{3}-\d+(?:-[a-z]{8})?\]")

LINK = re.compile(r"@|://|www\.|[a-z]\.[a-z]{2,}/", re.IGNORECASE)
"""Text that mail programs turn into a link. A letter repeats none of a mail: a stranger may have written it."""

_NO_LINE = re.compile(rb"[\r\n\0]")
_NEW_FIELD = re.compile(r"[\r\0]|\n(?=[^ \t])")


def one_line(text: str) -> str:
    """``text`` safe for a header: no line ends, control characters or reversals of direction."""
    return _UNPRINTABLE.sub(" ", text).strip()


def reply_subject(subject: str, reference: str, otherwise: str) -> str:
    """``Re: <subject> [<reference>]`` with one ``Re:`` and one reference, without links, cut to its bound.

    ``otherwise`` replaces an empty subject.
    """
    subject = bare_subject(_REFERENCE.sub("", one_line(subject)))
    subject = " ".join(word for word in subject.split() if not LINK.search(word)) or otherwise
    if len(subject) > MAX_SUBJECT:
        subject = subject[: MAX_SUBJECT - 1].rstrip() + "…"
    return f"Re: {subject} [{reference}]"


def encoded(field: str, text: str) -> str:
    """``text`` as the value of ``field``: encoded words where it is not ASCII (RFC 2047), folded."""
    return Header(text, header_name=field, maxlinelen=76).encode()


def mailbox(field: str, name: str, address: str) -> str:
    """The value of ``field`` (From, To): the name, quoted or encoded as it needs, and the address."""
    return formataddr((name, address)) if name.isascii() else f"{encoded(field, name)}\n <{address}>"


def thread(in_reply_to: str, references: tuple[str, ...]) -> dict[str, str]:
    """In-Reply-To and References (RFC 5322, 3.6.4): the first id and as many of the last as fit."""
    if not _MESSAGE_ID.fullmatch(in_reply_to):
        return {}
    chain = [each for each in references if _MESSAGE_ID.fullmatch(each) and each != in_reply_to]
    chain = [*dict.fromkeys(chain), in_reply_to]
    while len("References: " + " ".join(chain)) > MAX_REFERENCES:
        del chain[1]
    return {"In-Reply-To": in_reply_to, "References": "\n ".join(chain)}


def compose(headers: Mapping[str, str], text: str, html: str, mails: Sequence[bytes] = ()) -> bytes:
    """The message: ``headers``, Message-ID among them, over plain text and HTML in UTF-8; CRLF line ends.

    ``mails`` are attached; if they contain bytes beyond ASCII, so does the message.
    """
    # derived, so that equal input gives equal bytes; "=_" occurs in no quoted-printable body
    boundary = "=_" + sha256(headers["Message-ID"].encode()).hexdigest()[:24]
    letter = _multipart("alternative", boundary, [_body("plain", text), _body("html", html)])
    if not mails:
        return _head(headers) + letter
    parts = [letter, *(_attached(number, mail) for number, mail in enumerate(mails, start=1))]
    # derived from the parts themselves, so that none of them can contain it
    boundary = "=_" + sha256(b"".join(parts)).hexdigest()
    more = {} if all(part.isascii() for part in parts) else {"Content-Transfer-Encoding": "8bit"}
    return _head({**headers, **more}) + _multipart("mixed", boundary, parts)


def _head(headers: Mapping[str, str]) -> bytes:
    """The headers, already folded and encoded. A line end within one, which would begin another field, is refused."""
    lines = [f"{field}: {value}\n" for field, value in {**headers, "MIME-Version": "1.0"}.items()]
    if any(_NEW_FIELD.search(line) for line in lines):
        raise ValueError("a header's value contains a line end")
    return "".join(lines).replace("\n", "\r\n").encode("ascii")


def _multipart(subtype: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    between = f"\r\n--{boundary}".encode()
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n'.encode()
    return head + b"".join(between + b"\r\n" + part for part in parts) + between + b"--\r\n"


def _body(subtype: str, body: str) -> bytes:
    """A body as a part. Its lines end in CRLF, and none is longer than 76 octets."""
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    return head.encode() + b2a_qp(body.encode(), istext=True).replace(b"\n", b"\r\n")


def _attached(number: int, mail: bytes) -> bytes:
    """A mail as a part: unchanged, or encoded where SMTP cannot carry its lines (RFC 2045, 2.8)."""
    kind, encoding, body = "message/rfc822", "7bit" if mail.isascii() else "8bit", mail
    if any(len(line) > MAX_LINE or _NO_LINE.search(line) for line in mail.split(b"\r\n")):
        # message/rfc822 may not be encoded (RFC 2046, 5.2.1)
        kind, encoding, body = "application/octet-stream", "base64", encodebytes(mail).replace(b"\n", b"\r\n")
    head = (
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n"
        f'Content-Disposition: attachment; filename="email-{number}.eml"\r\n\r\n'
    )
    return head.encode() + body
