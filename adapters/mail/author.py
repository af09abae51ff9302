"""The author of a mail that a mailing list of ours or a contact form has passed on under its own address.

Only From decides whether to look for another author, because From is what mail servers check (DMARC). A mail from a
customer's own address is the customer's, whatever its Reply-To or ``X-Original-…`` say.
"""

import re
from collections.abc import Iterator
from email.message import Message
from typing import NamedTuple

from adapters.mail.addresses import addresses
from adapters.mail.charset import HEADER_LIMIT, decode_header
from models.mail import Ours, PassedOn

_ADDRESS = r"[^\s<>,;:?\"()@]{1,64}@[^\s<>,;:?\"()@]{1,255}"
_NAMED = {
    "List-Post": re.compile(rf"<mailto:({_ADDRESS})", re.IGNORECASE),
    "X-BeenThere": re.compile(rf"({_ADDRESS})"),
    "Mailing-list": re.compile(rf"\blist ({_ADDRESS})", re.IGNORECASE),
    "X-Mailing-List": re.compile(rf"({_ADDRESS})"),
    "Delivered-To": re.compile(rf"mailing list ({_ADDRESS})", re.IGNORECASE),
}
"""Headers in which lists name their address: RFC 2369, Mailman, Google and Yahoo, Majordomo, ezmlm."""
_LIST_ID = re.compile(r"<\s*([^<>\s]{1,255})\s*>\s*$")
_AUTHORS = ("X-Original-From", "X-Original-Sender", "Reply-To")
"""Headers in which a list that rewrites From keeps the author. Google writes the first two, Sympa the first. Mailman
uses Reply-To, which is tried last because the author may have set one."""
_FOOTER = re.compile(r"(?m)^(?:--|_{5,}|-{5,}|={5,})[ \t]*$")
_FOOTER_LIMIT = 2_000
"""Characters of the longest list footer."""


class Author(NamedTuple):
    """A mail's author, and what passed the mail on under its own address."""

    name: str
    address: str
    passed_on: PassedOn = ""


def author(message: Message, name: str, address: str, ours: Ours) -> Author:
    """The author of a mail from ``address``; if a list of ours or a form passed it on, the one other person it names.

    If it names nobody or several people, the list or form stays the author, and a person decides.
    """
    found = Author(name, address)
    if ours.has(address) and is_of_our_list(message, ours):
        found = _behind_list(message, ours) or found
    if found.address in ours.forms and (one := _only(message, "Reply-To", ours)):
        return Author(*one, "form")
    return found


def _behind_list(message: Message, ours: Ours) -> Author | None:
    for header in _AUTHORS:
        named = {address: name for name, address in addresses(message.get_all(header, []))}
        others = {address: name for address, name in named.items() if not ours.has(address)}
        if len(others) == 1:
            ((address, name),) = others.items()
            return Author(name, address, "group")
        if others or (named and header != "Reply-To"):
            # several people, or an address of ours: then Reply-To is not the list's, but perhaps a form's
            return None
    return None


def _only(message: Message, header: str, ours: Ours) -> tuple[str, str] | None:
    """Name and address of the only person in a header who is neither we nor a form."""
    found = {address: name for name, address in addresses(message.get_all(header, []))}
    others = [(name, one) for one, name in found.items() if not ours.has(one) and one not in ours.forms]
    return others[0] if len(others) == 1 else None


def is_of_our_list(message: Message, ours: Ours) -> bool:
    """Whether the mail came by a mailing list, and all lists that it names are ours."""
    return any(True for _ in _lists(message)) and not list_name(message, ours)


def list_name(message: Message, ours: Ours) -> str:
    """The foreign mailing list that the mail came by: its address, else its identifier; empty without one."""
    own = {_as_list_id(address) for address in ours.addresses}
    others = sorted(
        (name for name in _lists(message) if _as_list_id(name) not in own), key=lambda name: "@" not in name
    )
    return next(iter(others), "")[:200]


def _lists(message: Message) -> Iterator[str]:
    """All mailing lists that the mail names, by address or identifier (RFC 2919)."""
    for value in message.get_all("List-Id", [])[:9]:
        text = decode_header(value[:HEADER_LIMIT]).strip()
        found = _LIST_ID.search(text)
        yield (found[1] if found else text).lower()
    for header, pattern in _NAMED.items():
        for value in message.get_all(header, [])[:9]:
            yield from (found.lower() for found in pattern.findall(value[:HEADER_LIMIT]))


def _as_list_id(name: str) -> str:
    """The identifier of a list: ``cs.telkom.example`` for ``cs@telkom.example`` (RFC 2919, 3)."""
    return name.replace("@", ".")


def without_footer(text: str, ours: Ours) -> str:
    """The text without the footer of a list of ours: a ruled line, and below it one of our addresses."""
    *_, last = [None, *_FOOTER.finditer(text, max(0, len(text) - _FOOTER_LIMIT))]
    if last is None:
        return text
    footer = text[last.end() :].lower()
    for own in ours.addresses:
        local, _, domain = own.partition("@")
        if re.search(rf"(?<![\w.]){re.escape(local)}(?:[+-][\w-]{{1,40}})?@{re.escape(domain)}", footer):
            return text[: last.start()].rstrip()
    return text
