"""Which mail no customer wrote: bounces, automatic replies, lists. It is recorded and never answered."""

import re
from collections.abc import Iterator
from email.message import Message
from typing import NamedTuple

from adapters.mail.charset import decode
from adapters.mail.parts import children, content
from models.mail import Automatic

_ADDRESS = r"[^\x00-\x20<>()\[\]:;,\"'=@\x7f]{1,64}@[^\x00-\x20<>()\[\]:;,\"'=@/\x7f]{1,255}"
_LISTED = re.compile(rf"(?im)^[ \t>*\"-]{{0,20}}(?:rfc822[;:] ?|smtp:|mailto:|to:? )?<?({_ADDRESS})>?")
_RETURNED = re.compile(
    r"(?im)^\W{0,40}(?:(?:received|return-path|message-id): |(?:this is|below this line is|here is)?.{0,30}"
    r"(?:copy of (?:the|your) |original |unsent |returned )(?:message|mail)\b)"
)
_MESSAGE_ID = re.compile(r"(?im)^[ \t>]{0,20}message-id:\s*(<[^<>\s]{1,500}>)")
_DAEMON = re.compile(r"mailer-?daemon|mail delivery (?:sub)?system|\bmdaemon@", re.IGNORECASE)
_POSTMASTER = re.compile(r"postmaster|no-?reply|mail_?service|\bndr@", re.IGNORECASE)
_FAILURE = re.compile(r"deliver|fail|return|error|reject|delay|could not|terkirim|gagal", re.IGNORECASE)
_AUTO_SUBJECT = re.compile(
    r"\W?(?:auto(?:matic|mated|matische)?[- ]?(?:reply|response|answer)\b|out of (?:the )?office\b"
    r"|on (?:vacation|leave)\s*:|(?:balasan|jawaban|respons?) otomatis\b"
    r"|(?:sedang )?(?:cuti|di luar kantor|tidak di kantor)\s*[:(-])",
    re.IGNORECASE,
)
_AUTO_HEADERS = ("X-Autoreply", "X-Auto-Reply", "X-Autorespond", "X-Autoresponder", "X-AutoReply-From")
_RETURNED_TYPES = {"message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers"}


class Verdict(NamedTuple):
    """What kind of mail it is, and why; ``automatic`` is None for a person's."""

    automatic: Automatic | None = None
    reason: str = ""
    failed_recipients: tuple[str, ...] = ()
    reported_message_id: str = ""


def classify(message: Message, subject: str, text: str) -> Verdict:
    """Judge a mail by RFC 3464 and RFC 3834, and by what servers without them write."""
    reports = [part for part in _own_parts(message) if part.get_content_type() == "message/delivery-status"]
    if reason := _bounce_reason(message, subject, bool(reports)):
        failed = tuple(dict.fromkeys(_failed(reports) if reports else _named(message, text)))
        return Verdict(Automatic.BOUNCE, reason, failed, _reported_message_id(message, text))
    if reason := _auto_reply_reason(message, subject):
        return Verdict(Automatic.AUTO_REPLY, reason)
    if reason := _list_reason(message):
        return Verdict(Automatic.LIST, reason)
    return Verdict()


def _own_parts(part: Message) -> Iterator[Message]:
    """Without those of attached letters: who attaches a bounce is no bounce."""
    yield part
    if part.get_content_maintype() == "multipart":
        for child in children(part):
            yield from _own_parts(child)


def _bounce_reason(message: Message, subject: str, reported: bool) -> str:
    if reported or _report_type(message) == "delivery-status":
        return "delivery report (RFC 3464)"
    if "X-Failed-Recipients" in message:
        return "X-Failed-Recipients"
    sender = str(message["From"])
    if _DAEMON.search(sender) or (_POSTMASTER.search(sender) and _FAILURE.search(subject)):
        return "sent by a mail server"
    if _null_return_path(message) and not _auto_reply_reason(message, subject):
        return "null return path"
    return ""


def _auto_reply_reason(message: Message, subject: str) -> str:
    if kind := _report_type(message):
        return f"report: {kind}"
    if value := _auto_submitted(message):
        return f"Auto-Submitted: {value}"
    for name in _AUTO_HEADERS:
        if name in message:
            return name
    if _first(message, "Precedence") in ("auto_reply", "auto-reply"):
        return "Precedence: auto_reply"
    return "subject of an automatic reply" if _AUTO_SUBJECT.match(subject) else ""


def _list_reason(message: Message) -> str:
    for name in ("List-Id", "List-Unsubscribe"):
        if name in message:
            return name
    precedence = _first(message, "Precedence")
    return f"Precedence: {precedence}" if precedence in ("bulk", "list", "junk") else ""


def _failed(reports: list[Message]) -> Iterator[str]:
    """Recipients that a delivery report calls failed (RFC 3464, section 2.3); a delay is no failure."""
    for report in reports:
        for block in children(report):
            action = _first(block, "Action") or ("failed" if _first(block, "Status")[:1] == "5" else "")
            names = f"{block['Original-Recipient']} {block['Final-Recipient']}"
            if action.startswith("fail") and (found := re.search(_ADDRESS, names)):
                yield found[0].lower()


def _named(message: Message, text: str) -> Iterator[str]:
    """Recipients that a bounce without report names: in its header, or at the start of lines of its text."""
    if listed := re.findall(_ADDRESS, str(message["X-Failed-Recipients"])):
        yield from map(str.lower, listed)
        return
    returned = _RETURNED.search(text)
    told = text[: returned.start() if returned else 5_000].lower()
    known = f"{message['From']} {message['To']}".lower()
    for found in (_LISTED.findall(told), re.findall(_ADDRESS, told)[:1]):
        if addresses := [address for item in found if (address := item.rstrip(".")) not in known]:
            yield from addresses
            return


def _reported_message_id(message: Message, text: str) -> str:
    for part in _own_parts(message):
        if part.get_content_type() not in _RETURNED_TYPES:
            continue
        heads = [f"Message-ID: {letter['Message-ID']}" for letter in children(part)]
        if found := _MESSAGE_ID.search("\n".join(heads) or decode(content(part))):
            return found[1]
    found = _MESSAGE_ID.search(text)
    return found[1] if found else ""


def _report_type(message: Message) -> str:
    if message.get_content_type() != "multipart/report":
        return ""
    word = re.match(r"[a-z0-9-]{1,40}", str(message.get_param("report-type", "")).lower())
    return word[0] if word else ""


def _auto_submitted(message: Message) -> str:
    value = _first(message, "Auto-Submitted")
    return "" if value == "no" else value


def _null_return_path(message: Message) -> bool:
    return (message["Return-Path"] or "").strip() == "<>"


def _first(message: Message, name: str) -> str:
    """First word of a header, lower case; empty where there is none."""
    word = re.match(r"\s*([a-z0-9_-]{1,40})", (message[name] or "").lower())
    return word[1] if word else ""
