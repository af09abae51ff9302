"""Raw mails to :class:`models.mail.ParsedMail`. Anything may come in; only what is no mail at all is refused."""

import hashlib
import mimetypes
import re
from datetime import UTC, datetime
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from typing import NamedTuple

from adapters.mail.charset import HEADER_LIMIT, decode, decode_header
from adapters.mail.kind import classify
from adapters.mail.parts import children, content, filename, read
from adapters.mail.text import html_text, language, new_text
from models.mail import Attachment, ParsedMail

TEXT_LIMIT = 500_000
"""Characters of text that are kept; the raw mail stays beside it."""

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")
_ADDRESS = re.compile(r"[^\x00-\x20<>()\[\]:;,\"@\x7f]{1,64}@[^\x00-\x20<>()\[\]:;,\"@\x7f]{1,255}")
# Parts that programs write for programs: adapters.mail.kind judges them, nobody reads them.
_MACHINE_PARTS = {
    "message/delivery-status",
    "message/disposition-notification",
    "message/feedback-report",
    "text/rfc822-headers",
}


class _Shown(NamedTuple):
    texts: list[str]
    attachments: list[Attachment]


def parse(raw: bytes) -> ParsedMail:
    """Parse one mail (RFC 5322, MIME). Wrong charsets are guessed, missing headers left empty.

    Raises:
        Unreadable: there is no header at all, or parts are nested too deep.
    """
    message = read(raw)
    shown = _shown(message)
    sha256 = hashlib.sha256(raw).hexdigest()
    subject = decode_header(message["Subject"] or "")
    text = "\n\n".join(shown.texts)[:TEXT_LIMIT]
    new = new_text(text, subject)
    verdict = classify(message, subject, text)
    name, sender = next(iter(_addresses(message, "From")), ("", ""))
    return ParsedMail(
        sha256=sha256,
        message_id=next(iter(_ids(message, "Message-ID")), f"<{sha256}@unidentified.invalid>"),
        sender=sender,
        sender_name=name,
        recipients=tuple(dict.fromkeys(a for key in ("To", "Cc") for _, a in _addresses(message, key))),
        subject=subject,
        sent_at=_date(message),
        in_reply_to=_ids(message, "In-Reply-To"),
        references=_ids(message, "References"),
        text=text,
        new_text=new,
        language=language(f"{subject}\n{new}"),
        automatic=verdict.automatic,
        automatic_reason=verdict.reason,
        failed_recipients=verdict.failed_recipients,
        reported_message_id=verdict.reported_message_id,
        attachments=tuple(shown.attachments),
    )


def _shown(part: Message) -> _Shown:
    """What a mail program shows of ``part``; of alternatives the first that says something (RFC 2046, 5.1.4)."""
    kind = part.get_content_type()
    multipart = part.get_content_maintype() == "multipart"
    if multipart and part.is_multipart():
        pieces = [_shown(child) for child in children(part)]
        texts = [text for piece in pieces for text in piece.texts if text]
        attachments = [item for piece in pieces for item in piece.attachments]
        return _Shown(texts[:1] if kind == "multipart/alternative" else texts, attachments)
    if kind in _MACHINE_PARTS:
        return _Shown([], [])
    data, name = content(part), filename(part)
    # A multipart without parts is one that lost its boundary: what it holds is shown.
    readable = kind in ("text/plain", "text/html") or multipart
    if readable and not name and part.get_content_disposition() != "attachment":
        text = decode(data, part.get_content_charset()).replace("\r\n", "\n")
        return _Shown([html_text(text) if kind == "text/html" else text.strip()], [])
    return _Shown([], [_attachment(kind, name, data)])


def _attachment(kind: str, name: str, data: bytes) -> Attachment:
    kind = decode_header(kind)[:100]
    extension = ".eml" if kind == "message/rfc822" else mimetypes.guess_extension(kind) or ".bin"
    sha256 = hashlib.sha256(data).hexdigest()
    return Attachment(name=name or f"attachment{extension}", type=kind, size=len(data), sha256=sha256)


def _addresses(message: Message, name: str) -> list[tuple[str, str]]:
    """Names and addresses (lower case) of a header; what is no address is left out."""
    value = (message[name] or "")[:HEADER_LIMIT]
    try:
        pairs = getaddresses([value])
    except RecursionError:  # comments within comments
        pairs = []
    found = [(decode_header(who), address.lower()) for who, address in pairs if _ADDRESS.fullmatch(address)]
    return found or [("", address.lower()) for address in _ADDRESS.findall(decode_header(value))]


def _ids(message: Message, name: str) -> tuple[str, ...]:
    value = " ".join(message.get_all(name, []))
    return tuple(dict.fromkeys(_MESSAGE_ID.findall(decode_header(value[-HEADER_LIMIT:]))))


def _date(message: Message) -> datetime | None:
    try:
        date = parsedate_to_datetime(message["Date"] or "")
        return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)  # -0000 is UTC too
    except (IndexError, OverflowError, TypeError, ValueError):
        return None
