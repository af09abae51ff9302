"""Parses raw mails to :class:`models.mail.ParsedMail`. Any bytes are accepted unless they are no mail at all."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from adapters.analyser.language import language
from adapters.mail.addresses import ADDRESS, addresses
from adapters.mail.authentication import ascii_domain, authentication, cautions, doubts, is_disowned_before
from adapters.mail.author import author, is_of_our_list, list_name, without_footer
from adapters.mail.body import Body, Keep, sha256
from adapters.mail.charset import HEADER_LIMIT, decode_header
from adapters.mail.conversation import conversation
from adapters.mail.kind import classify, is_server_in_plain_words
from adapters.mail.parts import read
from adapters.mail.text import bare_subject, new_text, replies
from models.mail import NOBODY, Authentication, Caution, Doubt, Ours, ParsedMail, PassedOn, Problem, lower_case

LINE_LIMIT = 998
"""Bytes of a line (RFC 5322, 2.1.1)."""

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"')
_BRACKETED = re.compile(rf"<\s{{0,9}}({ADDRESS.pattern})\s{{0,9}}>")
_NAME = re.compile(rf"{_QUOTED.pattern}(?!@)|=\?[^?\s]{{1,40}}\?[bq]\?[^?]{{0,999}}\?=", re.IGNORECASE)
"""A quoted or encoded display name."""
_BETWEEN_ADDRESSES = re.compile(r"[\s<>,;:()]+")
_SHOWN_ADDRESS = re.compile(r"[^\s<>,@]{1,64}@[^\s<>,@]{1,255}\s{0,9}(?=<)")
"""An address as a display name without the required quotes."""
_ZONES = {"WIB": "+0700", "WITA": "+0800", "WIT": "+0900"}
_ZONE = re.compile(rf"\b(?:{'|'.join(_ZONES)})$")
"""Indonesian time zones, as programs write them that do not follow RFC 5322."""
_ONCE = ("From", "Subject", "Date", "Message-ID", "Reply-To", "To", "Cc", "In-Reply-To", "References", "Content-Type")
"""Headers that a mail may have only once (RFC 5322, 3.6)."""


def parse(
    raw: bytes, keep: Keep = sha256, *, authserv_id: str = "", spam_headers: Sequence[str] = (), ours: Ours = NOBODY
) -> ParsedMail:
    """Parse one mail (RFC 5322, MIME). If a charset is wrong, it is guessed; a missing header stays empty.

    Args:
        keep: stores an attachment's bytes and returns their SHA-256 (``Store.keep``).
        authserv_id, spam_headers: names by which our own server marks its results (settings).
        ours: our addresses and forms, to find the author of a mail that a list of ours or a form passed on.

    Raises:
        Unreadable: there is neither a header nor text.
    """
    message, problems = read(raw)
    body = Body(message, keep)
    hashed = sha256(raw)
    subject = decode_header(message["Subject"] or "")
    writer = _writer(message, authserv_id, ours)
    text = without_footer(body.text, ours) if is_of_our_list(message, ours) else body.text
    threading = _threading(message)
    answers = threading["in_reply_to"] or threading["references"] or replies(subject)
    new = new_text(text, subject, answers=bool(answers))
    verdict = classify(message, subject, text, new, spam_headers, ours, by_form=writer.passed_on == "form")
    mail = ParsedMail(
        sha256=hashed,
        message_id=next(iter(_ids(message, "Message-ID")), f"<{hashed}@unidentified.invalid>"),
        **writer._asdict(),
        subject=subject,
        bare_subject=bare_subject(subject),
        sent_at=_date(message),
        **_recipients(message),
        **threading,
        list_name=list_name(message, ours),
        text=body.text,
        new_text=new,
        other_forms=sha256(" ".join(" ".join(body.other_forms).split()).encode()) if body.other_forms else "",
        language=language(f"{subject}\n{new}"),
        **verdict._asdict(),
        of_server=is_server_in_plain_words(message),
        attachments=tuple(body.attachments),
    )
    found = dict.fromkeys([*problems, *body.problems, *_problems(message, mail)])
    return mail.model_copy(update={"problems": tuple(found)})


def _recipients(message: Message) -> dict[str, Any]:
    return {
        "reply_to": _addresses(message, "Reply-To"),
        "recipients": _addresses(message, "To", "Cc"),
        "delivered_to": _addresses(message, "Delivered-To", "X-Original-To"),
    }


def _threading(message: Message) -> dict[str, Any]:
    """The fields that tie a mail to earlier ones."""
    outlook = conversation(message["Thread-Index"] or "")
    return {
        "conversation": outlook.shared,
        "continues": outlook.answers,
        "in_reply_to": _ids(message, "In-Reply-To"),
        "references": _ids(message, "References"),
    }


class _Writer(NamedTuple):
    """A mail's author and the doubts about them, with the names of :class:`ParsedMail`."""

    sender_name: str
    sender: str
    passed_on: PassedOn
    authentication: Authentication
    doubts: tuple[Doubt, ...]
    cautions: tuple[Caution, ...]


def _writer(message: Message, authserv_id: str, ours: Ours) -> _Writer:
    shown_name, written = _sender(message)
    shown = _as_sent_to(written)
    name, address, passed_on = author(message, shown_name, shown, ours)
    address = _as_sent_to(address)
    results = authentication(message, authserv_id, shown)
    if passed_on and is_disowned_before(message, address):
        results = results.model_copy(update={"dmarc": "fail"})
    several = _has_several_senders(message, shown, address)
    two_readings = not several and _is_read_in_two_ways(message, written, address)
    doubtful = [Doubt.SEVERAL_SENDERS] * several + [Doubt.TWO_READINGS] * two_readings
    typed = [Caution.TYPED_SENDER] * (passed_on == "form")
    return _Writer(
        name,
        address,
        passed_on,
        results,
        doubts=(*doubtful, *doubts(address or shown, results)),
        cautions=(*typed, *cautions(message, shown, address or shown)),
    )


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
    """Name and address; of several, the address in brackets, because a name may look like an address."""
    found = addresses([message["From"] or ""])
    name, address = next(iter(found), ("", ""))
    if len(found) > 1:
        text = decode_header(_QUOTED.sub("", message["From"][:HEADER_LIMIT]))
        if own := _BRACKETED.search(text):
            name, address = text[: own.start()].strip(), lower_case(own[1])
    return name, address


def _as_sent_to(address: str) -> str:
    """The address with its domain in the form that letters are sent to."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{ascii_domain(domain)}"


def _is_read_in_two_ways(message: Message, sender: str, author: str) -> bool:
    """Whether another program may read another sender in From.

    That is so if From is repeated, if it contains another address outside quoted names, or if its address appears only
    after decoding, where most programs find none. A mailing list may name the author.
    """
    values = message.get_all("From", [])
    if len(values) != 1:
        return len(values) > 1
    shown = _BETWEEN_ADDRESSES.split(_NAME.sub(" ", str(values[0])[:HEADER_LIMIT]))
    found = {lower_case(word) for word in shown if "@" in word}
    return bool(sender) and found not in ({sender}, {sender, author})


def _has_several_senders(message: Message, sender: str, author: str) -> bool:
    """Whether From has addresses of different domains that are no names. A mailing list may name the author."""
    shown = [_SHOWN_ADDRESS.sub("", value[:HEADER_LIMIT]) for value in message.get_all("From", [])[:9]]
    domains = {ascii_domain(address.rpartition("@")[2]) for _, address in addresses(shown)}
    return len(domains) > 1 and domains != {sender.rpartition("@")[2], author.rpartition("@")[2]}


def _addresses(message: Message, *names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(a for name in names for _, a in addresses(message.get_all(name, []))))


def _ids(message: Message, name: str) -> tuple[str, ...]:
    value = " ".join(message.get_all(name, []))
    found = dict.fromkeys(_MESSAGE_ID.findall(decode_header(value[-HEADER_LIMIT:])))
    # an id longer than a line is invalid, and no database key
    return tuple(one for one in found if len(one.encode()) < LINE_LIMIT)


def _date(message: Message) -> datetime | None:
    value = message["Date"] or ""
    try:
        date = parsedate_to_datetime(_ZONE.sub(lambda found: _ZONES[found[0]], value))
        return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)  # -0000 is UTC too
    except (IndexError, OverflowError, TypeError, ValueError):
        return None
