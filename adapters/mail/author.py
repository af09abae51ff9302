"""Who wrote a mail that a group of ours, or a form, has passed on under its own address.

Only what stands in From decides whether anybody else is looked for: From is what mail servers check (DMARC). A mail
from a customer's own address is theirs, whatever its Reply-To or ``X-Original-…`` say.
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
"""Where lists name their address: RFC 2369, Mailman, Google and Yahoo, Majordomo, ezmlm."""
_LIST_ID = re.compile(r"<\s*([^<>\s]{1,255})\s*>\s*$")
_AUTHORS = ("X-Original-From", "X-Original-Sender", "Reply-To")
"""Where a list that writes its own address in From leaves the author's. Google writes the first two itself, Sympa the
first; Mailman puts the author into Reply-To, which comes last because the author may have had one of their own."""
_FOOTER = re.compile(r"(?m)^(?:--|_{5,}|-{5,}|={5,})[ \t]*$")
_FOOTER_LIMIT = 2_000
"""Characters of a group's footer."""


class Author(NamedTuple):
    """Who wrote a mail, and what stands in From in their place."""

    name: str
    address: str
    passed_on: PassedOn = ""


def author(message: Message, name: str, address: str, ours: Ours) -> Author:
    """The author of a mail from ``address``: behind our own group, or a form, the one other person it names.

    Where nobody or several are named it stays the group's or the form's, and a person looks.
    """
    found = Author(name, address)
    if ours.has(address) and is_of_our_group(message, ours):
        found = _behind_group(message, ours) or found
    if found.address in ours.forms and (one := _only(message, "Reply-To", ours)):
        return Author(*one, "form")
    return found


def _behind_group(message: Message, ours: Ours) -> Author | None:
    for header in _AUTHORS:
        named = {address: name for name, address in addresses(message.get_all(header, []))}
        others = {address: name for address, name in named.items() if not ours.has(address)}
        if len(others) == 1:
            ((address, name),) = others.items()
            return Author(name, address, "group")
        if others or (named and header != "Reply-To"):
            # several, or an address of ours: then Reply-To is not the group's word, but perhaps a form's
            return None
    return None


def _only(message: Message, header: str, ours: Ours) -> tuple[str, str] | None:
    """Name and address of the one who stands there and is neither of us nor a form."""
    found = {address: name for name, address in addresses(message.get_all(header, []))}
    others = [(name, one) for one, name in found.items() if not ours.has(one) and one not in ours.forms]
    return others[0] if len(others) == 1 else None


def is_of_our_group(message: Message, ours: Ours) -> bool:
    """Whether a mail came by a list, and every list that it names is one of our addresses."""
    return any(True for _ in _lists(message)) and not list_name(message, ours)


def list_name(message: Message, ours: Ours) -> str:
    """The list, none of ours, that a mail came by: its address where it names that; empty where it names none."""
    own = {_as_list_id(address) for address in ours.addresses}
    others = sorted(
        (name for name in _lists(message) if _as_list_id(name) not in own), key=lambda name: "@" not in name
    )
    return next(iter(others), "")[:200]


def _lists(message: Message) -> Iterator[str]:
    """Every list that a mail names, by address or identifier (RFC 2919)."""
    for value in message.get_all("List-Id", [])[:9]:
        text = decode_header(value[:HEADER_LIMIT]).strip()
        found = _LIST_ID.search(text)
        yield (found[1] if found else text).lower()
    for header, pattern in _NAMED.items():
        for value in message.get_all(header, [])[:9]:
            yield from (found.lower() for found in pattern.findall(value[:HEADER_LIMIT]))


def _as_list_id(name: str) -> str:
    """``cs@telkom.example`` as lists are identified: ``cs.telkom.example`` (RFC 2919, 3)."""
    return name.replace("@", ".")


def without_footer(text: str, ours: Ours) -> str:
    """The text without what a group of ours has written below it: a line, and then one of its addresses."""
    *_, last = [None, *_FOOTER.finditer(text, max(0, len(text) - _FOOTER_LIMIT))]
    if last is None:
        return text
    footer = text[last.end() :].lower()
    for own in ours.addresses:
        local, _, domain = own.partition("@")
        if re.search(rf"(?<![\w.]){re.escape(local)}(?:[+-][\w-]{{1,40}})?@{re.escape(domain)}", footer):
            return text[: last.start()].rstrip()
    return text
