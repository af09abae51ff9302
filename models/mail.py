"""A mail as the service sees it: parsed, decoded, bounded. The raw bytes stay beside it, by content hash.

Held by `tests/adapters/mail/test_parser.py`.
"""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from models.letter import Language


class Automatic(StrEnum):
    """Mail that no customer wrote; it is recorded and never answered."""

    BOUNCE = "bounce"
    DELAYED = "delayed"
    """A letter is late; its server still tries."""
    AUTO_REPLY = "auto_reply"
    LIST = "list"
    FEEDBACK = "feedback"
    RECEIPT = "receipt"
    CHALLENGE = "challenge"
    """A robot asks whether a person sent our letter."""
    CALENDAR = "calendar"
    """An answer to an invitation; an invitation itself is a customer's."""
    SPAM = "spam"


class Problem(StrEnum):
    """What was wrong with a mail, or why not all of it could be read."""

    NO_HEADER = "no_header"
    NO_SENDER = "no_sender"
    NO_DATE = "no_date"
    NO_MESSAGE_ID = "no_message_id"
    REPEATED_HEADERS = "repeated_headers"
    CHARSET_GUESSED = "charset_guessed"
    TRANSFER_ENCODING = "transfer_encoding"
    TOO_DEEP = "too_deep"
    TOO_MANY_PARTS = "too_many_parts"
    TOO_LARGE = "too_large"
    TEXT_CUT = "text_cut"
    BROKEN_TNEF = "broken_tnef"
    TEXT_IN_RTF = "text_in_rtf"
    OPAQUE = "opaque"
    ENCRYPTED = "encrypted"


UNREAD = {
    *(Problem.TOO_DEEP, Problem.TOO_MANY_PARTS, Problem.TOO_LARGE),
    *(Problem.TEXT_IN_RTF, Problem.OPAQUE, Problem.ENCRYPTED),
}
"""With these, the customer's words may be where we did not read: a person looks."""


READ_IN_PART = {Problem.TOO_DEEP, Problem.TOO_MANY_PARTS, Problem.TOO_LARGE, Problem.TEXT_CUT}
"""With these, two mails may differ where we did not read."""


class Doubt(StrEnum):
    """Why it is uncertain that a mail's sender is who the address says: it is taken for forged."""

    DMARC = "dmarc"
    """The domain disowns the mail, as it does where a forwarder has broken what it had signed."""
    SPF = "spf"
    """The domain has no DMARC, and the mail is neither from a server of its own nor signed by it."""
    SEVERAL_SENDERS = "several_senders"
    """Our server's verdict may be of another one than the address that we read."""
    TWO_READINGS = "two_readings"
    """Another program may take another address for the sender's."""
    ODD_DOMAIN = "odd_domain"
    """Some programs turn such a domain into another one, which may be a customer's."""


BY_FORWARDER = frozenset({Doubt.DMARC, Doubt.SPF})
"""Doubts of which a forwarder may be the only cause."""


class Caution(StrEnum):
    """What else a person should know of a mail's sender."""

    TYPED_SENDER = "typed_sender"
    """Nothing shows that the mail is from who has that address."""
    OTHER_ADDRESS = "other_address"
    REPLIES_ELSEWHERE = "replies_elsewhere"
    LOOKALIKE = "lookalike"


class Attachment(BaseModel):
    """One attachment; ``name`` is safe to show and to write."""

    model_config = ConfigDict(frozen=True)
    name: str
    type: str
    """Media type, by the content where that tells; as the sender declared it otherwise."""
    size: int
    sha256: str


class BounceRecipient(BaseModel):
    """What a bounce says of one recipient."""

    model_config = ConfigDict(frozen=True)
    address: str
    action: str
    """``failed``, ``delayed``, ``delivered``, … (RFC 3464, 2.3.3)."""
    status: str = ""
    """Enhanced status code (RFC 3463); empty where there is none."""
    hard: bool
    """Failed for good; sending again does not help."""


PassedOn = Literal["", "group", "form"]
"""What passed a mail on to us: a mailing list of our own, or a contact form."""


class Authentication(BaseModel):
    """What our mail server found out of the sender (RFC 8601): ``pass``, ``fail``, …; empty where it says nothing."""

    model_config = ConfigDict(frozen=True)
    spf: str = ""
    dkim: str = ""
    dmarc: str = ""
    disowned_by: str = ""
    """``spf`` where it fails for the sender's own domain, and neither DMARC nor its signature says more."""


def lower_case(address: str) -> str:
    """The address in lower case; a letter beyond ASCII never becomes one of ASCII, as the Kelvin sign would a k."""
    if address.isascii():
        return address.lower()
    return "".join(low if (low := sign.lower()).isascii() == sign.isascii() else sign for sign in address)


def without_detail(address: str) -> str:
    """The address without what stands behind a plus: ``robot+1@…`` and ``robot+2@…`` are one mailbox (RFC 5233)."""
    local, at, domain = address.rpartition("@")
    # of a gateway's telephone number (“+62812…@…”) nothing would be left
    return f"{local.partition('+')[0] or local}{at}{domain}"


@dataclass(frozen=True)
class Ours:
    """The addresses that the settings name: our own, and those of forms whose Reply-To is the customer."""

    addresses: frozenset[str] = frozenset()
    """Lower case, as all of them."""
    forms: frozenset[str] = frozenset()

    def has(self, address: str) -> bool:
        """Whether an address, lower case, is one of ours, or a folder of it (``layanan+Sent@…``)."""
        return not self.addresses.isdisjoint([address, without_detail(address)])


NOBODY = Ours()


class ParsedMail(BaseModel):
    """What a parser made of one mail."""

    model_config = ConfigDict(frozen=True)
    sha256: str
    """Of the raw bytes."""
    message_id: str
    """With angle brackets; made from the hash where the mail has none."""
    sender: str
    """Who wrote it, lower case, its domain in ASCII where that is so written as IDNA wants it; empty for nobody.

    The address of From; behind a group of ours that writes its own there, or a form that the settings name, its author.
    """
    sender_name: str
    passed_on: PassedOn = ""
    """What stands in From in the author's place."""
    reply_to: tuple[str, ...] = ()
    """Addresses that answers are asked for at."""
    list_name: str = ""
    """Address (or else identifier) of the mailing list that it came by, where that is none of ours."""
    recipients: tuple[str, ...]
    delivered_to: tuple[str, ...] = ()
    """Addresses that mail servers on the way delivered it to, where they say so."""
    subject: str
    bare_subject: str = ""
    """Without the marks of replies and forwards."""
    sent_at: AwareDatetime | None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    conversation: str = ""
    """What the mails of one conversation share, where its sender's program is Outlook."""
    continues: bool = False
    """It answers in that conversation."""
    text: str
    """All of the text that the sender's program shows."""
    new_text: str
    """Without quoted letters and signature; in doubt, text is kept."""
    other_forms: str = ""
    """SHA-256 of the words of alternatives that are not shown; empty where there are none."""
    language: Language
    automatic: Automatic | None = None
    automatic_reason: str = ""
    doubtful: bool = False
    """It is automatic by words, a name or a gateway's mark alone: a person may have written it."""
    of_server: bool = False
    """A mail server's own address (postmaster, …) wrote it, in words alone: a report, or who minds the server."""
    bounce: tuple[BounceRecipient, ...] = ()
    """What a bounce says of each recipient."""
    reported_message_id: str = ""
    """Of a bounce or a complaint: Message-ID of the letter that it reports, where it says so."""
    attachments: tuple[Attachment, ...] = ()
    problems: tuple[Problem, ...] = ()
    authentication: Authentication = Authentication()
    doubts: tuple[Doubt, ...] = ()
    cautions: tuple[Caution, ...] = ()

    @cached_property
    def content(self) -> str:
        """SHA-256 of all that two copies of one mail have in common, whatever way they came.

        Another word anywhere makes another mail: in the Subject, but for marks of replies and forwards, in the text, in
        a name. So does another mail that it answers. What was not read whole is like nothing but its own bytes.
        """
        parts = [
            [self.sender, self.sender_name, self.bare_subject, self.other_forms],
            self.text.split(),
            [(part.name, part.sha256) for part in self.attachments],
            [*self.in_reply_to, *self.references],
            # the address that it was sent to may name a case
            sorted({detail for one in self.recipients if (detail := one.rpartition("@")[0].partition("+")[2])}),
            [self.sha256] * (not READ_IN_PART.isdisjoint(self.problems)),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def forged(self) -> bool:
        """Whether the domain of the sender's address disowns the mail, or another sender stands beside it."""
        return bool(self.doubts)
