"""What a bounce says about a letter and each recipient (RFC 3464, or the prose of servers that do not follow it)."""

import re
from collections.abc import Iterable, Iterator
from email.message import Message
from itertools import islice

from adapters.mail.addresses import addresses
from adapters.mail.charset import decode, decode_header
from adapters.mail.parts import children, content, fields
from models.mail import BounceRecipient, lower_case

RECIPIENTS_LIMIT = 100
"""Recipients that are read from one bounce: a letter of ours has one, and its copy."""
REPORTS_LIMIT = 10
"""Reports that are read from one bounce."""
HEADERS_LIMIT = 100_000
"""Bytes of a returned letter's header that are read."""
WORDS_LIMIT = 20_000
"""Characters of text that are read."""

_ADDRESS = r"[^\x00-\x20<>()\[\]:;,\"'=@\x7f]{1,64}@[^\x00-\x20<>()\[\]:;,\"'=@/\x7f]{1,255}"
_BEFORE = r"rfc822[;:] ?|smtp:|mailto:|rcpt to: ?|to:? |unknown user: ?|\(expanded from: ?"
_LISTED = re.compile(rf"(?im)^[ \t>*\"[-]{{0,20}}(?:{_BEFORE})?<?({_ADDRESS})>?")
_MENTIONED = re.compile(
    r"(?im)(?:\b(?:(?:un)?deliver\w{0,4}\s{1,3}(?:(?:your|the|this)\s)?(?:(?:mail|message)\s)?to:?"
    r"|failed (?:to|for):?|(?:di|ter)kirim ke(?:pada)?|addressed(?: to|,)|to:|generated from|mailbox|smtp[:=]"
    r"|(?:reject|refus|unknown|invalid|no such)(?:ed|s)? (?:recipient|user|address|mailbox)"
    r"|(?:attempts|address(?:es)?|recipients?|userid|full|errors?|for|failed|size|quota|host):)"
    rf"|^\s?[45]\d\d[ -](?:[245]\.\d\.\d{{1,3}} )?(?:[^\n@]{{0,60}} for)?)[\s<'\[]{{0,10}}({_ADDRESS})"
)
"""A recipient in a sentence. Other addresses in it are contacts or examples."""
_PROSE = re.compile(r"\b(?:if|at|from|by|contact)\s{1,4}$", re.IGNORECASE)
"""Words that show that the address on the next line belongs to a sentence, not to a list."""
_BARE = re.compile(
    r"(?im)\b(?:recipients?|not delivered)\b[^\n]{0,200}:[ \t]*\n\s{0,20}([a-z0-9][\w.-]{0,63})(?:[ \t]*$|[ \t]{3})"
)
"""A recipient without a domain; it is local to the server."""
_RETURNED = re.compile(
    r"(?im)^\W{0,40}(?:(?:received|return-path|message-id): |(?:this is|below this line is|here is)?.{0,30}"
    r"(?:copy of (?:the|your) |original |unsent |returned )(?:message|mail)\b(?! was received))"
)
_MESSAGE_ID = re.compile(r"(?im)^[ \t>]{0,20}message-id:\s*(<[^<>\s]{1,500}>)")
_STATUS = re.compile(r"(?<![\d.])([245])\.([0-7])\.(\d{1,3})(?!\d|\.\d)")
"""An enhanced status code (RFC 3463), and not the version of a mail server."""
_REPLY = re.compile(r"(?<![\d.#-])([45])\d\d[ -](?=\D)")
_REJECTED = re.compile(r"\s*automatic-action/mdn-sent-automatically\s*;\s*deleted\b", re.IGNORECASE)
_FINAL = re.compile(r"(?im)^[ \t>]{0,9}Final-Recipient:[ \t]*rfc822[ \t]*;")
_FOLLOWS = re.compile(r"(?im)\brecipient(?:s|\(s\))?:[ \t]*$")
"""The line before the failed recipients, below a copy of the letter's header."""
_ACTIONS = {"failed", "delayed", "delivered", "relayed", "expanded"}
_RETURNED_TYPES = {"message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers"}


def recipients(message: Message, parts: list[Message], text: str, *, delayed: bool) -> tuple[BounceRecipient, ...]:
    """Each recipient that the bounce names, once; ``delayed`` decides their action if there is no report."""
    reports = [part for part in parts if part.get_content_type() == "message/delivery-status"][:REPORTS_LIMIT]
    told = text[:WORDS_LIMIT]
    for named in (
        _reported((block for report in reports for block in children(report)), told),
        _reported(_fields_within(text), told),
        _named(message, told, delayed=delayed),
        _returned_to(parts, told, delayed=delayed),
    ):
        if found := list(islice(named, RECIPIENTS_LIMIT)):
            return tuple({recipient.address: recipient for recipient in reversed(found)}.values())[::-1]
    return ()


def reported_message_id(parts: list[Message], text: str) -> str:
    """Message-ID of the reported letter; empty if the bounce does not name it."""
    for part in parts:
        if part.get_content_type() not in _RETURNED_TYPES:
            continue
        heads = [f"Message-ID: {letter['Message-ID']}" for letter in children(part)]
        if found := _MESSAGE_ID.search("\n".join(heads) or decode(content(part, HEADERS_LIMIT))):
            return found[1]
    found = _MESSAGE_ID.search(text)
    return found[1] if found else ""


def rejected(parts: list[Message], text: str) -> tuple[tuple[BounceRecipient, ...], str] | None:
    """Recipients and Message-ID if a filter rejected a letter by means of a read receipt (RFC 5429, 2.1.1)."""
    receipts = [part for part in parts if part.get_content_type() == "message/disposition-notification"]
    for part in receipts[:REPORTS_LIMIT]:
        for block in children(part):
            address = _reported_address(block)
            if address and _REJECTED.match(str(block["Disposition"])):
                letter = _MESSAGE_ID.search(f"Message-ID: {block['Original-Message-ID']}")
                known = letter[1] if letter else reported_message_id(parts, text)
                return (_recipient(address[0], "failed", "", text),), known
    return None


def _reported_address(block: Message) -> re.Match[str] | None:
    named = f"{block['Original-Recipient']} {block['Final-Recipient']}"
    # sendmail copies a non-ASCII local part as it was encoded in the header
    return re.search(_ADDRESS, named) or re.search(_ADDRESS, decode_header(named))


def _reported(blocks: Iterable[Message], told: str) -> Iterator[BounceRecipient]:
    """Recipients of delivery reports (RFC 3464, section 2.3)."""
    for block in blocks:
        address = _reported_address(block)
        if not address:
            continue
        status = _status(f"{block['Status']} ; {block['Diagnostic-Code']}")
        action = first(block, "Action")
        if action not in _ACTIONS:
            action = {"5": "failed", "4": "delayed"}.get(status[:1], "failed" if action else "")
        if action:
            status = _said_of(address[0], status, told) if _is_vague(status) else status
            yield _recipient(address[0], action, status, str(block["Diagnostic-Code"]))


def _is_vague(status: str) -> bool:
    return not status or status.endswith(".0.0")


def _said_of(address: str, status: str, told: str) -> str:
    """The status that the server's prose gives for an address, if its report is vague (OpenSMTPD)."""
    lines = re.finditer(rf"{re.escape(address)}[^\n]*(?:\n[ \t]+\S[^\n]*)*", told, re.IGNORECASE)
    codes = (_status(line[0]) for line in islice(lines, RECIPIENTS_LIMIT))
    return next((code for code in codes if code.startswith(status[:1]) and not _is_vague(code)), status)


def _fields_within(text: str) -> Iterator[Message]:
    """The report's fields, if the server wrote them into its text or the boundaries were lost."""
    if found := _FINAL.search(text):
        start = max(0, text.rfind("\n\n", 0, found.start()))
        yield from fields(text[start : start + WORDS_LIMIT].encode("utf-8", "replace"))


def _returned_to(parts: list[Message], told: str, *, delayed: bool) -> Iterator[BounceRecipient]:
    """The recipient of the returned letter, if it has only one and did not go through a list."""
    action = "delayed" if delayed else "failed"
    heads = [head for part in parts if part.get_content_type() in _RETURNED_TYPES for head in _heads(part)]
    if not heads and (returned := _RETURNED.search(told)):
        after = told[returned.start() :]
        heads = list(islice(fields(after[after.find("\n") + 1 :].lstrip().encode("utf-8", "replace")), 1))
    for head in heads[:1]:
        named = {address for _, address in addresses(head.get_all("To", []))}
        if len(named) == 1 and "List-Id" not in head:
            yield _recipient(named.pop(), action, _status(told), told)


def _heads(part: Message) -> list[Message]:
    """The header of a returned letter."""
    return children(part) or list(islice(fields(content(part, HEADERS_LIMIT)), 1))


def _named(message: Message, text: str, *, delayed: bool) -> Iterator[BounceRecipient]:
    """Recipients that a bounce without a report names: in its header, at the start of lines, or in sentences."""
    returned = _RETURNED.search(text)
    told = text[: returned.start() if returned else 5_000]
    if (follow := _FOLLOWS.search(told)) and re.search(_ADDRESS, told[follow.end() :]):
        told = told[follow.end() :]
    action = "delayed" if delayed else "failed"
    known = f"{message['From']} {message['To']}".lower()
    listed = re.findall(_ADDRESS, str(message["X-Failed-Recipients"]))
    lines = [
        found[1]
        for found in _LISTED.finditer(told)
        if not _PROSE.search(told, max(0, found.start() - 20), found.start())
    ]
    for found in (listed, lines, _MENTIONED.findall(told)):
        addresses = [address for item in found if (address := item.rstrip(".").lower()) not in known or found is listed]
        if addresses:
            yield from (_recipient(address, action, _status(told), told) for address in addresses)
            return
    host = re.search(r"@([\w.-]{1,255})", str(message["From"]))
    if host and (bare := _BARE.search(told)):
        yield _recipient(f"{bare[1]}@{host[1]}", action, _status(told), told)


def _recipient(address: str, action: str, status: str, said: str) -> BounceRecipient:
    """``hard`` follows the class of the status (RFC 3463) or the quoted SMTP reply; in doubt, a failure is hard."""
    digit = status[:1]
    if not digit and (reply := _REPLY.search(said)):
        digit = reply[1]
    return BounceRecipient(
        address=lower_case(address), action=action, status=status, hard=action == "failed" and digit != "4"
    )


def _status(text: str) -> str:
    """The most specific enhanced status code in a text: any other rather than ``5.0.0``."""
    codes = [".".join(found) for found in _STATUS.findall(text[:WORDS_LIMIT])]
    # in a quoted session, earlier successes say nothing
    codes = [code for code in codes if code[0] != "2"] or codes
    return next((code for code in codes if not code.endswith(".0.0")), next(iter(codes), ""))


def first(message: Message, name: str) -> str:
    """First word of a header after its comments, lower case; empty without one."""
    word = re.match(r"\s*+(?:\([^()]*+\)\s*+)*+([a-z0-9_-]{1,40})", (message[name] or "").lower())
    return word[1] if word else ""
