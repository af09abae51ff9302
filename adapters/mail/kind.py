"""Which mail no customer wrote: bounces, automatic replies, lists and the like. It is recorded and never answered."""

import re
from collections.abc import Iterator, Sequence
from email.message import Message
from typing import NamedTuple

from adapters.mail.bounce import first, recipients, rejected, reported_message_id
from adapters.mail.parts import children, content
from models.mail import Automatic, BounceRecipient

_DAEMON = re.compile(r"mailer-?daemon|mail delivery (?:sub)?system|\bmdaemon@", re.IGNORECASE)
_POSTMASTER = re.compile(r"post_?master|no-?reply|mail_?service|\bndr@", re.IGNORECASE)
_FAILURE = re.compile(r"deliver|fail|return|error|reject|delay|could not|terkirim|gagal", re.IGNORECASE)
_GIVEN_UP = re.compile(r"delivery fail(?:ed|ure)|undeliver(?:ed|able)|non remis", re.IGNORECASE)
_SAYS_SO = re.compile(
    r"(?s)\W*(?:your (?:message|e-?mail)\b.{0,200}?could not be delivered to|could not deliver (?:your )?message"
    r"|votre message n'a pas pu)",
    re.IGNORECASE,
)
"""How a filter before a mail server begins, which has no address that tells it from a person."""
_TRANSCRIPT = re.compile(r"\brcpt to: ?<?\w|\bcould not be delivered to\b", re.IGNORECASE)
_COMPLAINT = re.compile(r"\s*complaint about message from [\d.:a-f]+\s*$", re.IGNORECASE)
"""How Outlook.com's junk mail reporting begins, which sends no report of RFC 5965."""
_AUTO_SUBJECT = re.compile(
    r"\W?(?:auto(?:matic|mated|matische)?[- ]?(?:reply|response|answer)\b|out of (?:the )?office\b"
    r"|on (?:vacation|leave)\s*:|(?:balasan|jawaban|respons?) otomatis\b"
    r"|(?:sedang )?(?:cuti|di luar kantor|tidak di kantor)\s*[:(-])",
    re.IGNORECASE,
)
_DELAY = re.compile(
    r"delay|tertunda|still (?:being )?(?:retried|trying)|warning: .{0,40}not (?:yet )?(?:sent|delivered)", re.IGNORECASE
)
_CHALLENGE = re.compile(
    r"please confirm (?:your|that you|this) (?:message|e-?mail|sen)|confirm your e-?mail to|verify your message",
    re.IGNORECASE,
)
_CHALLENGE_HEADERS = ("X-TMDA-Confirm", "X-Boxbe-Challenge", "X-Challenge", "X-SpamArrest", "X-Spamblocker-Challenge")
_CALENDAR_ANSWER = re.compile(rb"(?im)^METHOD:(?:REPLY|COUNTER|DECLINECOUNTER)\b")
_REPORTS = {
    "disposition-notification": Automatic.RECEIPT,
    "feedback-report": Automatic.FEEDBACK,
    "feedback_report": Automatic.FEEDBACK,
}
"""Types of multipart/report (RFC 8098, RFC 5965)."""
_LIST_HEADERS = ("List-Id", "List-Unsubscribe", "X-Mailman-Version", "X-MLServer")
_AUTO_HEADERS = ("X-Autoreply", "X-Auto-Reply", "X-Autorespond", "X-Autoresponder", "X-AutoReply-From")


class Verdict(NamedTuple):
    """What kind of mail it is, and why; ``automatic`` is None for a person's."""

    automatic: Automatic | None = None
    reason: str = ""
    recipients: tuple[BounceRecipient, ...] = ()
    reported_message_id: str = ""


def classify(message: Message, subject: str, text: str, spam_headers: Sequence[str] = ()) -> Verdict:
    """Judge a mail by RFC 3464, 3834, 5965 and 8098, and by what servers without them write.

    Args:
        spam_headers: headers in which our own server says that a mail is spam, by a value that begins with "yes".
    """
    parts = list(_own_parts(message))
    for judge in (_report, _bounce, _answer_of_a_program):
        if verdict := judge(message, parts, subject, text):
            return verdict
    if reason := _list_reason(message):
        return Verdict(Automatic.LIST, reason)
    if name := next((name for name in spam_headers if first(message, name) == "yes"), ""):
        return Verdict(Automatic.SPAM, name)
    return Verdict()


def _own_parts(part: Message) -> Iterator[Message]:
    """Without those of attached letters: who attaches a bounce is no bounce."""
    yield part
    if part.get_content_maintype() == "multipart":
        for child in children(part):
            yield from _own_parts(child)


def _report(message: Message, parts: list[Message], subject: str, text: str) -> Verdict | None:
    if named := rejected(parts, text):
        return Verdict(Automatic.BOUNCE, "rejected by the recipient's filter (RFC 5429)", *named)
    if (kind := _report_type(message)) in _REPORTS:
        return Verdict(_REPORTS[kind], f"report: {kind}")
    types = {part.get_content_type() for part in parts}
    if "message/feedback-report" in types:
        return Verdict(Automatic.FEEDBACK, "feedback report (RFC 5965)")
    if "message/rfc822" in types and _COMPLAINT.match(subject):
        return Verdict(Automatic.FEEDBACK, "complaint about a message")
    if "message/disposition-notification" in types:
        return Verdict(Automatic.RECEIPT, "read receipt (RFC 8098)")
    return None


def _bounce(message: Message, parts: list[Message], subject: str, text: str) -> Verdict | None:
    reason = _bounce_reason(message, parts, subject, text[:3_000])
    if not reason:
        return None
    delayed = bool(_DELAY.search(subject))
    named = recipients(message, parts, text, delayed=delayed)
    actions = {recipient.action for recipient in named}
    kind = Automatic.DELAYED if delayed and not named else Automatic.BOUNCE
    if actions and "failed" not in actions:
        kind = Automatic.DELAYED if "delayed" in actions else Automatic.RECEIPT
    return Verdict(kind, reason, named, reported_message_id(parts, text))


def _bounce_reason(message: Message, parts: list[Message], subject: str, text: str) -> str:
    reported = any(part.get_content_type() == "message/delivery-status" for part in parts)
    if reported or _report_type(message) == "delivery-status":
        return "delivery report (RFC 3464)"
    if "X-Failed-Recipients" in message:
        return "X-Failed-Recipients"
    sender = str(message["From"])
    failed = _FAILURE.search(subject) or _TRANSCRIPT.search(text)
    if _DAEMON.search(sender) or (_POSTMASTER.search(sender) and failed):
        return "sent by a mail server"
    back = (message["Return-Path"] or "").strip()
    if (back == "<>" or _DAEMON.search(back)) and not _auto_reply_reason(message, subject):
        return "null return path"
    return "says that a letter was not delivered" if _GIVEN_UP.search(subject) and _SAYS_SO.match(text) else ""


def _answer_of_a_program(message: Message, parts: list[Message], subject: str, _text: str) -> Verdict | None:
    if any(map(_is_calendar_answer, parts)):
        return Verdict(Automatic.CALENDAR, "answer to an invitation")
    if name := next((name for name in _CHALLENGE_HEADERS if name in message), ""):
        return Verdict(Automatic.CHALLENGE, name)
    if _CHALLENGE.search(subject):
        return Verdict(Automatic.CHALLENGE, "asks to confirm a mail")
    if reason := _auto_reply_reason(message, subject):
        return Verdict(Automatic.AUTO_REPLY, reason)
    return None


def _is_calendar_answer(part: Message) -> bool:
    if part.get_content_type() != "text/calendar":
        return False
    method = str(part.get_param("method", "")).lower()
    return method in {"reply", "counter", "declinecounter"} or bool(_CALENDAR_ANSWER.search(content(part)[:20_000]))


def _auto_reply_reason(message: Message, subject: str) -> str:
    if kind := _report_type(message):
        return f"report: {kind}"
    if (value := first(message, "Auto-Submitted")) not in {"", "no"}:
        return f"Auto-Submitted: {value}"
    for name in _AUTO_HEADERS:
        if name in message:
            return name
    if first(message, "Precedence") in ("auto_reply", "auto-reply"):
        return "Precedence: auto_reply"
    return "subject of an automatic reply" if _AUTO_SUBJECT.match(subject) else ""


def _list_reason(message: Message) -> str:
    if name := next((name for name in _LIST_HEADERS if name in message), ""):
        return name
    precedence = first(message, "Precedence")
    return f"Precedence: {precedence}" if precedence in ("bulk", "list", "junk") else ""


def _report_type(message: Message) -> str:
    if message.get_content_type() != "multipart/report":
        return ""
    word = re.match(r"[a-z0-9_-]{1,40}", str(message.get_param("report-type", "")).lower())
    return word[0] if word else ""
