"""Writes the letters to customers and segment desks: from facts to a finished mail.

The words are in ``templates/<language>/<kind>.jinja``, one for each :class:`models.letter.LetterKind`, with
salutation and signature (SOP 5.1) in ``_letter.jinja``; the look of the HTML in ``templates/_layout.html.jinja``.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError

from adapters.letters.bodies import as_blocks, as_text, link, strong, whole
from adapters.letters.message import LINK, compose, encoded, mailbox, one_line, reply_subject, thread
from adapters.letters.words import WORDS
from adapters.mail.conversation import thread_index
from models.errors import MissingFact
from models.letter import Language, LetterFacts, RenderedLetter
from models.settings import Settings

TEMPLATES = Path(__file__).parents[2] / "templates"
MAX_NAME = 64

ADDRESS = re.compile(r"[!#-'*+\-./0-9=?A-Z^-~]+@[A-Za-z0-9._-]+")
"""An address that a letter can go to."""


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """Everything that a letter needs besides its facts."""

    language: Language
    """The customer's."""
    reference: str
    """The case's, such as ``JKT-0000123``. The customer's answer is matched by it."""
    token: str = ""
    """Signs the reference in the Subject."""
    recipient: str
    recipient_name: str
    """Empty if unknown."""
    sender: str
    """Address of the site's mailbox."""
    copies: tuple[str, ...] = ()
    """Addresses in Cc."""
    subject: str
    """The customer's; may be empty."""
    message_id: str
    """The letter's own, with angle brackets."""
    in_reply_to: str
    """Message-ID of the mail that it answers; may be empty."""
    references: tuple[str, ...]
    """Message-IDs of the thread so far, oldest first."""
    conversation: str = ""
    """Outlook's identifier of the conversation."""
    now: datetime
    automatic: bool
    """Whether no person has read the letter (RFC 3834)."""
    attached: tuple[bytes, ...] = ()
    """Raw mails to attach."""


class TemplateLetters:
    """Writes letters from the templates in ``folder``, with times in the site's time zone."""

    def __init__(self, settings: Settings, folder: Path = TEMPLATES) -> None:
        self._settings = settings
        self._templates = {language: self._environment(folder, language) for language in get_args(Language)}

    def write(self, facts: LetterFacts, to: Envelope) -> RenderedLetter:
        """Write one letter; the class of ``facts`` chooses the template. Equal arguments give equal bytes.

        Raises:
            MissingFact: a required fact, reference, Message-ID or address is empty or unusable.
        """
        _check(facts, reference=to.reference, message_id=to.message_id)
        _check_addresses(facts, recipient=(to.recipient,), sender=(to.sender,), copies=to.copies)
        service = one_line(self._settings.sender_name)
        now, name = to.now.astimezone(self._settings.zone_of(to.sender)), _name(to.recipient_name)
        signed = f"{to.reference}-{to.token}" if to.token else ""
        subject = reply_subject(to.subject, signed or to.reference, otherwise=service)
        known = {"reference": whole(to.reference), "sender": to.sender, "service": service, "subject": subject}
        known["salutation"] = WORDS[to.language].salutation(now, name)
        text, html = self._rendered(facts, to.language, known)
        headers = {
            "From": mailbox("From", service, to.sender),
            "To": mailbox("To", name, to.recipient),
            **({"Cc": ",\n ".join(to.copies)} if to.copies else {}),
            "Subject": encoded("Subject", subject),
            **self._reply_to(to.sender, signed),
            "Date": format_datetime(now),
            "Message-ID": to.message_id,
            **thread(to.in_reply_to, to.references),
        }
        if to.conversation:
            headers["Thread-Index"] = thread_index(to.conversation, to.message_id)
        if to.automatic:
            headers["Auto-Submitted"] = "auto-replied" if "In-Reply-To" in headers else "auto-generated"
        return RenderedLetter(
            kind=facts.kind,
            message_id=to.message_id,
            recipient=to.recipient,
            subject=subject,
            raw=compose(headers, text, html, to.attached),
        )

    def _rendered(self, facts: LetterFacts, language: Language, known: dict[str, str]) -> tuple[str, str]:
        """The letter as plain text and as HTML. Times are in the site's time zone."""
        zone = self._settings.zone_of(known["sender"])
        words = {name: fact.astimezone(zone) if isinstance(fact, datetime) else fact for name, fact in facts}
        words |= {"language": language, **known}
        templates = self._templates[language]
        try:
            letter = templates.get_template(f"{facts.kind}.jinja").render(words)
        except UndefinedError as error:
            raise MissingFact(facts.kind, re.findall(r"'([^']+)'", str(error))[-1]) from error
        return as_text(letter), templates.get_template("_layout.html.jinja").render(words, blocks=as_blocks(letter))

    def _reply_to(self, sender: str, signed: str) -> dict[str, str]:
        """A Reply-To by which an answer finds its case even if a mail program changes Subject and thread."""
        local, _, domain = sender.rpartition("@")
        return {"Reply-To": f"{local}+{signed}@{domain}"} if signed and self._settings.reply_to_reference else {}

    def _environment(self, folder: Path, language: Language) -> Environment:
        environment = Environment(
            loader=FileSystemLoader((folder / language, folder)),
            undefined=StrictUndefined,
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {"link": link, "moment": WORDS[language].moment, "strong": strong}
        return environment


def _check(facts: LetterFacts, **others: str) -> None:
    """Refuse an empty fact or argument. Facts with a default may be empty."""
    fields = type(facts).model_fields
    needed = {name: value for name, value in facts if fields[name].is_required()}
    for name, value in {**needed, **others}.items():
        parts = value if isinstance(value, tuple) else (value,)
        if not parts or any(isinstance(part, str) and not part.strip() for part in parts):
            raise MissingFact(facts.kind, name)


def _check_addresses(facts: LetterFacts, **roles: tuple[str, ...]) -> None:
    for role, addresses in roles.items():
        if not all(map(ADDRESS.fullmatch, addresses)):
            raise MissingFact(facts.kind, role)


def _name(name: str) -> str:
    """The name as a letter may repeat it; empty if it contains a link or address, which we must not spread."""
    name = one_line(name)
    return "" if LINK.search(name) else name[:MAX_NAME].rstrip()
