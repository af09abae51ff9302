"""Raw mails to :class:`models.mail.ParsedMail`. Anything may come in; only what is no mail at all is refused."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from adapters.mail.authentication import ascii_domain, authentication, warnings
from adapters.mail.body import Body, Keep, sha256
from adapters.mail.charset import HEADER_LIMIT, decode_header
from adapters.mail.conversation import conversation
from adapters.mail.kind import classify
from adapters.mail.parts import read
from adapters.mail.text import bare_subject, language, new_text, replies
from models.mail import SEVERAL_SENDERS, ParsedMail, Problem

Check = Callable[[bytes, Message, str], str]
"""Checks the signatures of a mail's sender (``Signatures.check``)."""
LINE_LIMIT = 998
"""Bytes of a line (RFC 5322, 2.1.1)."""

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")
_ADDRESS = re.compile(r"[^\x00-\x20<>()\[\]:;,\"@\x7f]{1,64}@[^\x00-\x20<>()\[\]:;,\"@\x7f]{1,255}")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"')
_BRACKETED = re.compile(rf"<\s{{0,9}}({_ADDRESS.pattern})\s{{0,9}}>")
_SHOWN_ADDRESS = re.compile(r"[^\s<>,@]{1,64}@[^\s<>,@]{1,255}\s{0,9}(?=<)")
"""An address in the place of a name, without the quotes that it needs."""
_ZONES = {"WIB": "+0700", "WITA": "+0800", "WIT": "+0900"}
_ZONE = re.compile(rf"\b(?:{'|'.join(_ZONES)})$")
"""Indonesia's, as programs name them that do not know RFC 5322."""
_ONCE = ("From", "Subject", "Date", "Message-ID", "Reply-To", "To", "Cc", "In-Reply-To", "References", "Content-Type")
"""Headers that a mail has once at most (RFC 5322, 3.6)."""


def parse(
    raw: bytes,
    keep: Keep = sha256,
    *,
    authserv_id: str = "",
    spam_headers: Sequence[str] = (),
    check: Check | None = None,
) -> ParsedMail:
    """Parse one mail (RFC 5322, MIME). Wrong charsets are guessed, missing headers left empty.

    Args:
        keep: is given every attachment's bytes and returns their SHA-256 (``Store.keep``).
        authserv_id, spam_headers: where our own server says what it found out (settings).
        check: looks at the sender's signatures where our own server says nothing of them.

    Raises:
        Unreadable: there is neither a header nor text.
    """
    message, problems = read(raw)
    body = Body(message, keep)
    hashed = sha256(raw)
    subject = decode_header(message["Subject"] or "")
    outlook = conversation(message["Thread-Index"] or "")
    in_reply_to, references = _ids(message, "In-Reply-To"), _ids(message, "References")
    new = new_text(body.text, subject, answers=bool(in_reply_to or references) or replies(subject))
    verdict = classify(message, subject, body.text, new, spam_headers)
    name, sender = _sender(message)
    results = authentication(message, authserv_id, sender)
    if check and not (results.dkim or results.dmarc):
        results = results.model_copy(update={"dkim_here": check(raw, message, sender)})
    mail = ParsedMail(
        sha256=hashed,
        message_id=next(iter(_ids(message, "Message-ID")), f"<{hashed}@unidentified.invalid>"),
        sender=sender,
        sender_name=name,
        recipients=_recipients(message, "To", "Cc"),
        delivered_to=_recipients(message, "Delivered-To", "X-Original-To"),
        subject=subject,
        bare_subject=bare_subject(subject),
        sent_at=_date(message),
        conversation=outlook.shared,
        continues=outlook.answers,
        in_reply_to=in_reply_to,
        references=references,
        text=body.text,
        new_text=new,
        other_forms=sha256(" ".join(" ".join(body.other_forms).split()).encode()) if body.other_forms else "",
        language=language(f"{subject}\n{new}"),
        automatic=verdict.automatic,
        automatic_reason=verdict.reason,
        doubtful=verdict.doubtful,
        bounce=verdict.recipients,
        reported_message_id=verdict.reported_message_id,
        attachments=tuple(body.attachments),
        authentication=results,
        warnings=(*[SEVERAL_SENDERS] * _has_several_senders(message), *warnings(message, sender, results)),
    )
    found = dict.fromkeys([*problems, *body.problems, *_problems(message, mail)])
    return mail.model_copy(update={"problems": tuple(found)})


def _problems(message: Message, mail: ParsedMail) -> Iterator[Problem]:
    if not mail.sender:
        yield Problem.NO_SENDER
    if mail.sent_at is None:
        yield Problem.NO_DATE
    if not _ids(message, "Message-ID"):
        yield Problem.NO_MESSAGE_ID
    if any(len(message.get_all(name, [])) > 1 for name in _ONCE):
        yield Problem.REPEATED_HEADERS


def _sender(message: Message) -> tuple[str, str]:
    """Name and address; where several could be meant the one in brackets, for a name may look like an address."""
    found = _addresses([message["From"] or ""])
    name, address = next(iter(found), ("", ""))
    if len(found) > 1:
        text = decode_header(_QUOTED.sub("", message["From"][:HEADER_LIMIT]))
        if own := _BRACKETED.search(text):
            name, address = text[: own.start()].strip(), own[1].lower()
    local, at, domain = address.rpartition("@")
    return name, f"{local}{at}{ascii_domain(domain)}"


def _has_several_senders(message: Message) -> bool:
    """Whether addresses of different domains stand in From, where they are no names."""
    shown = [_SHOWN_ADDRESS.sub("", value[:HEADER_LIMIT]) for value in message.get_all("From", [])[:9]]
    return len({address.rpartition("@")[2] for _, address in _addresses(shown)}) > 1


def _addresses(values: Sequence[str]) -> list[tuple[str, str]]:
    """Names and addresses (lower case) of a header; what is no address is left out."""
    value = ", ".join(values)[:HEADER_LIMIT]
    try:
        pairs = getaddresses([value])
    except RecursionError:  # comments within comments
        pairs = []
    found = [(decode_header(who), address.lower()) for who, address in pairs if _ADDRESS.fullmatch(address)]
    return found or [("", address.lower()) for address in _ADDRESS.findall(decode_header(value))]


def _recipients(message: Message, *names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(a for name in names for _, a in _addresses(message.get_all(name, []))))


def _ids(message: Message, name: str) -> tuple[str, ...]:
    value = " ".join(message.get_all(name, []))
    found = dict.fromkeys(_MESSAGE_ID.findall(decode_header(value[-HEADER_LIMIT:])))
    # what is longer than a line is none, and no key of a data base
    return tuple(one for one in found if len(one.encode()) < LINE_LIMIT)


def _date(message: Message) -> datetime | None:
    value = message["Date"] or ""
    try:
        date = parsedate_to_datetime(_ZONE.sub(lambda found: _ZONES[found[0]], value))
        return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)  # -0000 is UTC too
    except (IndexError, OverflowError, TypeError, ValueError):
        return None
