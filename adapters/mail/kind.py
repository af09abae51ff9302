"""Recognises mail that no customer wrote: bounces, automatic replies, list mail and others. It is never answered."""

import re
from collections.abc import Callable, Sequence
from email.message import Message
from typing import NamedTuple

from adapters.mail.addresses import addresses
from adapters.mail.author import is_of_our_list
from adapters.mail.bounce import first, recipients, rejected, reported_message_id
from adapters.mail.parts import children, content, read
from adapters.mail.text import forwards, replies
from models.mail import NOBODY, Automatic, BounceRecipient, Ours

_WORDS_LIMIT = 20_000
"""Characters that are searched for a program's typical words."""
_DAEMON = re.compile(r"mailer-?daemon|mail delivery (?:sub)?system|\bmdaemon@", re.IGNORECASE)
_POSTMASTER = re.compile(r"post_?master|no-?reply|mail_?service|\bndr@", re.IGNORECASE)
_FAILURE = re.compile(r"deliver|fail|return|error|reject|delay|could not|terkirim|gagal", re.IGNORECASE)
_CODE = re.compile(r"(?<![\d.])[45]\.[0-7]\.\d{1,3}(?!\d|\.\d)")
"""An enhanced status code (RFC 3463), which is in a report of any language."""
_SERVER = re.compile(
    r"(?:post_?master|mailer-?daemon|mail-?daemon|mdaemon|ndr|bounces?|root|microsoftexchange[0-9a-f]{32})(?:[+-][^@]*)?@"
)
"""Addresses of mail servers themselves."""
_SERVERS_NAME = re.compile(r"\W*(?:(?:system|mail|e-?mail) administrator|post ?master)\W*", re.IGNORECASE)
"""Names that mail servers use with any address."""
_GIVEN_UP = re.compile(r"delivery fail(?:ed|ure)|undeliver(?:ed|able)|non-delivery|non remis", re.IGNORECASE)
_SAYS_SO = re.compile(
    r"(?s)\W*(?:your (?:message|e-?mail)\b.{0,200}?could not be delivered to|could not deliver (?:your )?message"
    r"|non-delivery report\b.{0,50}could not be delivered to|votre message n'a pas pu)",
    re.IGNORECASE,
)
"""The beginning of a report by a mail filter whose address looks like a person's."""
_TRANSCRIPT = re.compile(
    r"\brcpt to: ?<?\w|\bcould not be delivered\b|\bundeliver(?:ed|able)\b"
    r"|\b(?:tidak|gagal) (?:dapat |bisa )?(?:di|ter)kirim\b",
    re.IGNORECASE,
)
_COMPLAINT = re.compile(r"\s*complaint about message from [\d.:a-f]+\s*$", re.IGNORECASE)
"""The subject of Outlook.com's junk mail reports, which do not follow RFC 5965."""
_AUTO_SUBJECT = re.compile(
    r"\W?(?:(?:re|bls|balas|aw|sv)\s?:\s?){0,3}\W?(?:"
    # a customer who complains about automatic replies continues the sentence
    r"(?:auto(?:matic|mated|matische)?[- ]?(?:reply|response|answer)|(?:balasan|jawaban|respons?) otomatis"
    r"|out of (?:the )?office(?: (?:auto[- ]?reply|reply|message|notification))?)\s*(?:[^\w\s]|$)"
    r"|(?:auto|auto ?balas|(?:pesan )?otomatis|(?:balasan|jawapan) automatik|on (?:vacation|leave|holiday)"
    r"|(?:sedang )?(?:cuti|di luar kantor|tidak di kantor)|abwesenheits(?:notiz|assistent)|automatische antwort"
    r"|automatisch antwoord|r[eé]ponse automatique|respuesta autom[aá]tica|resposta autom[aá]tica|risposta automatica"
    r"|auto(?:mati(?:sk|skt) )?svar|otomatik yan[ıi]t|自动(?:回复|答复)|自動(?:応答|返信|回覆))\s?[:：\])]"
    r"|(?:(?:(?:i(?: a|['’])m|currently) ){0,2}(?:out of (?:the )?office|on (?:vacation|leave|holiday))"
    r"|(?:(?:saya|kami|sedang) ){1,2}(?:cuti|di luar kantor|tidak di kantor))"
    r"(?: (?:until|till|sampai|hingga|s/d)(?: (?:tanggal|tgl\.?))?(?: [\w/.-]{1,12}){1,3})?\W*$)",
    re.IGNORECASE,
)
_LETTER = r"(?:e-?mail|pesan|surel|surat|balasan)"
_TAKES_NO_ANSWER = re.compile(
    rf"(?:^|[.!]\s)\W{{0,10}}(?:(?:ini (?:adalah|merupakan) {_LETTER}|{_LETTER} ini)(?: (?:adalah|merupakan|telah|yang"
    r"|dikirim(?:kan)?|dibuat|secara|oleh|sistem|kami|balasan|pesan|e-?mail)){0,8} otomatis"
    rf"|(?:(?:mohon|harap)(?: untuk)? (?:tidak|jangan)|jangan) (?:mem)?balas {_LETTER} ini"
    r"|this (?:e-?mail|message|is) (?:(?:is|was|has been|an?|sent|generated) ){0,3}auto(?:mated|matic(?:ally)?)"
    r"(?:[- ](?:generated|sent|e-?mail|message|reply|response|notification)){0,3}"
    r"|(?:please )?do not reply (?:directly )?to this (?:e-?mail|message))"
    r"(?=\s*(?:[.,;:!)*]|$|(?:dan|and|karena|by|from|oleh|dari|as|since|because)\b))",
    re.IGNORECASE | re.MULTILINE,
)
"""A program says that it is one. A request not to be answered “with a template” is a customer's."""
_DELAY = re.compile(
    r"delay|tertunda|still (?:being )?(?:retried|trying)|warning: .{0,40}not (?:yet )?(?:been )?(?:sen[dt]|delivered)",
    re.IGNORECASE,
)
_READ_SUBJECT = re.compile(r"(?:not read|read|(?:tidak |belum )?dibaca)\s?:", re.IGNORECASE)
_READ_TEXT = re.compile(
    r"(?s)\W*(?:your message|pesan anda)\s.{0,600}?\s(?:was (?:read|deleted)|(?:telah |sudah )?di(?:baca|hapus))"
    r" (?:on|pada|without|tanpa)\b",
    re.IGNORECASE,
)
"""Outlook's words for a read letter, if its server sends no report of RFC 8098."""
_CHALLENGE = re.compile(
    r"please confirm (?:your|this|that you sent (?:the|this|your|an?)) (?:message|e-?mail)|confirm your e-?mail to"
    r"|verify your message",
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
_LISTS = ("List-Id", "X-Mailman-Version", "X-MLServer")
_LIST_HEADERS = (*_LISTS, "X-BeenThere", "Mailing-list", "X-Google-Group-Id", "List-Post", "List-Unsubscribe")
_UNSUBSCRIBE = re.compile(
    r"unsubscribe|opt(?:ing)?[- ]?out|in your browser|di (?:browser|peramban)|berhenti berlangganan (?:dari|<http)"
    r"|(?:tidak (?:ingin|mau)|berhenti) (?:lagi )?menerima (?:e-?mail|surel|newsletter)",
    re.IGNORECASE,
)
"""Words that every mass mailing contains; a gateway adds list headers to a person's mail, too."""
_AUTO_HEADERS = (
    *("X-Autoreply", "X-Auto-Reply", "X-Autorespond", "X-Autoresponder", "X-AutoReply-From", "X-Autoresponse"),
    *("X-Mail-Autoreply", "X-Autogenerated", "X-FC-MachineGenerated"),
)
_AUTO_VALUES = {
    "Precedence": ("auto_reply", "auto-reply"),
    "X-Precedence": ("auto_reply", "auto-reply"),
    "Preference": ("auto_reply", "auto-reply"),
    "X-POST-MessageClass": ("9",),
    "Delivered-To": ("autoresponder",),
}
"""First words of headers that mark an automatic reply."""


class Verdict(NamedTuple):
    """A mail's kind and its reason, named as in :class:`ParsedMail`; ``automatic`` is None for a person's mail."""

    automatic: Automatic | None = None
    automatic_reason: str = ""
    bounce: tuple[BounceRecipient, ...] = ()
    reported_message_id: str = ""
    doubtful: bool = False
    """Only words, a name or a gateway's mark suggest it: a person may have written the mail."""


_Judge = Callable[[Message, list[Message], str, str], Verdict | None]


def classify(
    message: Message,
    subject: str,
    text: str,
    new: str,
    spam_headers: Sequence[str] = (),
    ours: Ours = NOBODY,
    *,
    by_form: bool = False,
) -> Verdict:
    """Classify a mail by RFC 3464, 3834, 5965 and 8098, and by the words of servers that do not follow them.

    Args:
        text, new: its whole text, and its text without quoted mails.
        spam_headers: headers in which our own server marks spam with a value that begins with "yes".
        ours: our addresses; the headers of a mailing list of ours make no list mail.
        by_form: a contact form that the settings name has sent it, so that a program sent it means nothing.
    """
    parts = list(message.walk())
    judges: tuple[_Judge, ...] = (_report, _bounce) if by_form else (_report, _bounce, _answer_of_a_program)
    for judge in judges:
        if verdict := judge(message, parts, subject, text):
            if verdict.automatic is Automatic.AUTO_REPLY and _is_forwarded_by_rule(message, ours):
                return verdict._replace(
                    automatic_reason=f"{verdict.automatic_reason}, perhaps by our own forwarding", doubtful=True
                )
            return verdict
    # a reply may quote the footer that a list wrote below another mail
    said = new if "In-Reply-To" in message or "References" in message or replies(subject) else text
    if not by_form and (reason := _list_reason(message, said, ours)):
        return Verdict(Automatic.LIST, reason, doubtful=reason not in _LISTS and not _UNSUBSCRIBE.search(text))
    if name := next((name for name in spam_headers if first(message, name) == "yes"), ""):
        return Verdict(Automatic.SPAM, name)
    if by_form:
        return Verdict()
    if _TAKES_NO_ANSWER.search(new[:_WORDS_LIMIT]) and not forwards(subject):
        return Verdict(Automatic.AUTO_REPLY, "says that a program wrote it", doubtful=True)
    return Verdict()


def _report(message: Message, parts: list[Message], subject: str, text: str) -> Verdict | None:
    if named := rejected(parts, text):
        return Verdict(Automatic.BOUNCE, "rejected by the recipient's filter (RFC 5429)", *named)
    if (kind := _report_type(message)) in _REPORTS:
        return Verdict(_REPORTS[kind], f"report: {kind}", (), reported_message_id(parts, text))
    types = {part.get_content_type() for part in parts}
    if "message/feedback-report" in types:
        return Verdict(Automatic.FEEDBACK, "feedback report (RFC 5965)", (), reported_message_id(parts, text))
    if "message/rfc822" in types and _COMPLAINT.match(subject):
        return Verdict(Automatic.FEEDBACK, "complaint about a message", (), reported_message_id(parts, text))
    if "message/disposition-notification" in types:
        return Verdict(Automatic.RECEIPT, "read receipt (RFC 8098)")
    if _READ_SUBJECT.match(subject) and _READ_TEXT.match(text[:1_000]):
        return Verdict(Automatic.RECEIPT, "says that a letter was read", doubtful=True)
    return None


def _bounce(message: Message, parts: list[Message], subject: str, text: str) -> Verdict | None:
    reason, doubtful = _bounce_reason(message, parts, subject, text[:3_000])
    if not reason:
        return None
    delayed = bool(_DELAY.search(subject))
    if report := _wrapped_report(message, parts):
        parts = list(report.walk())
    named = recipients(message, parts, text, delayed=delayed)
    actions = {recipient.action for recipient in named} or {"delayed" if delayed else "failed"}
    kind = Automatic.BOUNCE
    if "failed" not in actions:
        kind = Automatic.DELAYED if "delayed" in actions else Automatic.RECEIPT
    return Verdict(kind, reason, named, reported_message_id(parts, text), doubtful=doubtful)


def _wrapped_report(message: Message, parts: list[Message]) -> Message | None:
    """A delivery report that a filter or server on the way has wrapped in a mail of its own to add a notice."""
    has_own = any(part.get_content_type() == "message/delivery-status" for part in parts)
    for part in parts:
        head = next(iter(children(part)), None) if part.get_content_type() == "message/rfc822" else None
        if head is None or _report_type(head) != "delivery-status":
            continue
        # we send no reports, so a report inside another server's mail is what that server passes on
        by_servers = not has_own and all(_DAEMON.search(str(one["From"])) for one in (head, message))
        if by_servers or head["From"] == message["From"]:
            return read(content(part))[0]
    return None


def _bounce_reason(message: Message, parts: list[Message], subject: str, text: str) -> tuple[str, bool]:
    """The reason to call it a bounce, and whether a person may still have written it."""
    reported = any(part.get_content_type() == "message/delivery-status" for part in parts)
    if reported or _report_type(message) == "delivery-status":
        return "delivery report (RFC 3464)", False
    if "X-Failed-Recipients" in message:
        return "X-Failed-Recipients", False
    sender = str(message["From"])
    if _DAEMON.search(sender):
        return "sent by a mail server", False
    if _POSTMASTER.search(sender) and (_FAILURE.search(subject) or _TRANSCRIPT.search(text)):
        return "sent by a mail server", True
    if _is_a_servers(message) and _CODE.search(text):
        return "sent by a mail server", True
    back = (message["Return-Path"] or "").strip()
    if (back == "<>" or _DAEMON.search(back)) and not _auto_reply_reason(message, subject)[0]:
        return "null return path", True
    if _GIVEN_UP.search(subject) and _SAYS_SO.match(text):
        return "says that a letter was not delivered", True
    return "", False


def _answer_of_a_program(message: Message, parts: list[Message], subject: str, _text: str) -> Verdict | None:
    if any(map(_is_calendar_answer, parts)):
        return Verdict(Automatic.CALENDAR, "answer to an invitation")
    if name := next((name for name in _CHALLENGE_HEADERS if name in message), ""):
        return Verdict(Automatic.CHALLENGE, name)
    if _CHALLENGE.search(subject):
        return Verdict(Automatic.CHALLENGE, "asks to confirm a mail", doubtful=True)
    reason, doubtful = _auto_reply_reason(message, subject)
    return Verdict(Automatic.AUTO_REPLY, reason, doubtful=doubtful) if reason else None


def _is_calendar_answer(part: Message) -> bool:
    if part.get_content_type() != "text/calendar":
        return False
    method = str(part.get_param("method", "")).lower()
    return method in {"reply", "counter", "declinecounter"} or bool(_CALENDAR_ANSWER.search(content(part)[:20_000]))


def _auto_reply_reason(message: Message, subject: str) -> tuple[str, bool]:
    """The reason to call it an automatic reply, and whether a person may still have written it."""
    if kind := _report_type(message):
        return f"report: {kind}", False
    if (value := first(message, "Auto-Submitted")) not in {"", "no"}:
        return f"Auto-Submitted: {value}", False
    for name in _AUTO_HEADERS:
        if name in message:
            return name, False
    for name, values in _AUTO_VALUES.items():
        if (value := first(message, name)) in values:
            return f"{name}: {value}", False
    return ("subject of an automatic reply", True) if _AUTO_SUBJECT.match(subject) else ("", False)


def is_server_in_plain_words(message: Message) -> bool:
    """Whether a mail server's own address sent prose, in any language, without a report for programs."""
    marks = {"message/delivery-status", "message/disposition-notification", "message/feedback-report"}
    if "X-Failed-Recipients" in message or _report_type(message):
        return False
    if marks & {part.get_content_type() for part in message.walk()}:
        return False
    return bool(_DAEMON.search(str(message["From"]))) or _is_a_servers(message)


def _is_a_servers(message: Message) -> bool:
    found = addresses([str(message["From"])])[:1]
    return any(_SERVER.match(address) or _SERVERS_NAME.fullmatch(name) for name, address in found)


def _is_forwarded_by_rule(message: Message, ours: Ours) -> bool:
    """Whether an Exchange rule of our mailbox forwarded it; then the mark of a program may be the rule's."""
    passed = addresses([message["X-MS-Exchange-Inbox-Rules-Loop"] or "", message["Resent-From"] or ""])
    return first(message, "Auto-Submitted") == "auto-generated" and any(ours.has(address) for _, address in passed)


def _list_reason(message: Message, text: str, ours: Ours) -> str:
    if is_of_our_list(message, ours):
        return "mailing through a group of ours" if _UNSUBSCRIBE.search(text) else ""
    if name := next((name for name in _LIST_HEADERS if name in message), ""):
        return name
    precedence = first(message, "Precedence")
    return f"Precedence: {precedence}" if precedence in ("bulk", "list", "junk") else ""


def _report_type(message: Message) -> str:
    if message.get_content_type() != "multipart/report":
        return ""
    word = re.match(r"[a-z0-9_-]{1,40}", str(message.get_param("report-type", "")).lower())
    return word[0] if word else ""
