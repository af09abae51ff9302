"""A parsed mail. Its raw bytes are stored beside it, under their hash.

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
    """Kinds of mail that no customer wrote. It is recorded and never answered."""

    BOUNCE = "bounce"
    DELAYED = "delayed"
    """A letter is delayed; the server still tries."""
    AUTO_REPLY = "auto_reply"
    LIST = "list"
    FEEDBACK = "feedback"
    RECEIPT = "receipt"
    CHALLENGE = "challenge"
    """A robot asks whether a person sent our letter."""
    CALENDAR = "calendar"
    """A reply to an invitation; an invitation itself is a customer's mail."""
    SPAM = "spam"


class Problem(StrEnum):
    """What is wrong with a mail, or why a part of it could not be read."""

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
"""Problems because of which the customer's words may be in an unread part: a person reads the mail."""


READ_IN_PART = {Problem.TOO_DEEP, Problem.TOO_MANY_PARTS, Problem.TOO_LARGE, Problem.TEXT_CUT}
"""Problems because of which two mails may differ in an unread part."""


class Doubt(StrEnum):
    """Why a mail is taken for forged: its sender may not be who the address says."""

    DMARC = "dmarc"
    """The domain disowns the mail. A forwarder that breaks the signature causes that, too."""
    SPF = "spf"
    """The domain has no DMARC, and the mail is neither from its servers nor signed by it."""
    SEVERAL_SENDERS = "several_senders"
    """Our server may have judged another address than the one that we read."""
    TWO_READINGS = "two_readings"
    """Another program may read another sender's address."""
    ODD_DOMAIN = "odd_domain"
    """Some programs turn this domain into another one, which may be a customer's."""


BY_FORWARDER = frozenset({Doubt.DMARC, Doubt.SPF})
"""Doubts that a forwarder alone may cause."""


class Caution(StrEnum):
    """What else a person should know about a mail's sender."""

    TYPED_SENDER = "typed_sender"
    """The sender typed the address into a form; nothing shows that it is theirs."""
    OTHER_ADDRESS = "other_address"
    REPLIES_ELSEWHERE = "replies_elsewhere"
    LOOKALIKE = "lookalike"


class Attachment(BaseModel):
    """One attachment. ``name`` is safe to show and to write."""

    model_config = ConfigDict(frozen=True)
    name: str
    type: str
    """Media type by the content, or else as declared."""
    size: int
    sha256: str


class BounceRecipient(BaseModel):
    """What a bounce says about one recipient."""

    model_config = ConfigDict(frozen=True)
    address: str
    action: str
    """``failed``, ``delayed``, ``delivered``, … (RFC 3464, 2.3.3)."""
    status: str = ""
    """Enhanced status code (RFC 3463); empty without one."""
    hard: bool
    """Whether it failed permanently, so that sending again does not help."""


PassedOn = Literal["", "group", "form"]
"""What passed a mail on to us: a mailing list of ours, or a contact form."""


class Authentication(BaseModel):
    """Our mail server's results for the sender (RFC 8601): ``pass``, ``fail``, …; empty without a result."""

    model_config = ConfigDict(frozen=True)
    spf: str = ""
    dkim: str = ""
    dmarc: str = ""
    disowned_by: str = ""
    """``spf`` if SPF fails for the sender's own domain, and neither DMARC nor a DKIM signature decides."""


def lower_case(address: str) -> str:
    """The address in lower case. A non-ASCII letter never becomes an ASCII one, as the Kelvin sign would become k."""
    if address.isascii():
        return address.lower()
    return "".join(low if (low := sign.lower()).isascii() == sign.isascii() else sign for sign in address)


def without_detail(address: str) -> str:
    """The address without the detail after a plus: ``robot+1@…`` and ``robot+2@…`` are one mailbox (RFC 5233)."""
    local, at, domain = address.rpartition("@")
    # a gateway's telephone number (“+62812…@…”) stays whole
    return f"{local.partition('+')[0] or local}{at}{domain}"


@dataclass(frozen=True)
class Ours:
    """The addresses in the settings: our own, and those of forms whose Reply-To is the customer."""

    addresses: frozenset[str] = frozenset()
    """Lower case, like ``forms``."""
    forms: frozenset[str] = frozenset()

    def has(self, address: str) -> bool:
        """Whether a lower-case address is ours, or a folder of ours (``layanan+Sent@…``)."""
        return not self.addresses.isdisjoint([address, without_detail(address)])


NOBODY = Ours()


class ParsedMail(BaseModel):
    """One mail as the parser returns it."""

    model_config = ConfigDict(frozen=True)
    sha256: str
    """Of the raw bytes."""
    message_id: str
    """With angle brackets; made from the hash if the mail has none."""
    sender: str
    """The author's address in lower case, its domain in ASCII if IDNA allows it; empty for nobody.

    It is the address of From. If a mailing list of ours or a form of the settings rewrote From, it is the author's.
    """
    sender_name: str
    passed_on: PassedOn = ""
    """What put its own address in From in place of the author's."""
    reply_to: tuple[str, ...] = ()
    """Addresses that the sender wants replies at."""
    list_name: str = ""
    """Address, or else identifier, of the foreign mailing list that it came by."""
    recipients: tuple[str, ...]
    delivered_to: tuple[str, ...] = ()
    """Addresses that mail servers on the way name as delivered to."""
    subject: str
    bare_subject: str = ""
    """Without the marks of replies and forwards."""
    sent_at: AwareDatetime | None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    conversation: str = ""
    """Identifier of the conversation, if the sender's program is Outlook."""
    continues: bool = False
    """Whether it is a reply in that conversation."""
    text: str
    """The whole text that a mail program shows."""
    new_text: str
    """The text without quoted mails and signature; in doubt, text is kept."""
    other_forms: str = ""
    """SHA-256 of the words of alternatives that are not shown; empty without any."""
    language: Language
    automatic: Automatic | None = None
    automatic_reason: str = ""
    doubtful: bool = False
    """Only words, a name or a gateway's mark make it automatic: a person may have written it."""
    of_server: bool = False
    """Whether a mail server's own address (postmaster, …) sent it as prose: a report, or the server's administrator."""
    bounce: tuple[BounceRecipient, ...] = ()
    """What a bounce says about each recipient."""
    reported_message_id: str = ""
    """Message-ID of the letter that a bounce or complaint reports; empty if it names none."""
    attachments: tuple[Attachment, ...] = ()
    problems: tuple[Problem, ...] = ()
    authentication: Authentication = Authentication()
    doubts: tuple[Doubt, ...] = ()
    cautions: tuple[Caution, ...] = ()

    @cached_property
    def content(self) -> str:
        """SHA-256 of everything that two copies of one mail share, whatever way they came.

        Another word makes another mail: in the Subject (except the marks of replies and forwards), in the text, or in a
        name. So does a reply to another mail. A mail that was read in part equals only a mail of the same bytes.
        """
        parts = [
            [self.sender, self.sender_name, self.bare_subject, self.other_forms],
            self.text.split(),
            [(part.name, part.sha256) for part in self.attachments],
            [*self.in_reply_to, *self.references],
            # the recipient's address may name a case
            sorted({detail for one in self.recipients if (detail := one.rpartition("@")[0].partition("+")[2])}),
            [self.sha256] * (not READ_IN_PART.isdisjoint(self.problems)),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def forged(self) -> bool:
        """Whether there is any doubt about the sender."""
        return bool(self.doubts)
