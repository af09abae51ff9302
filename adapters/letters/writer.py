"""The letters to customers and desks: facts in, finished mail out.

The words stand in ``templates/<language>/<kind>.jinja``, one for each :class:`models.letter.LetterKind`, with
salutation and signature (SOP 5.1) in ``_letter.jinja``; the look of the HTML in ``templates/_layout.html.jinja``.
"""

import re
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Protocol, get_args

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


class LetterWriter(Protocol):
    """Writes letters."""

    def write(
        self,
        facts: LetterFacts,
        *,
        language: Language,
        reference: str,
        recipient: str,
        recipient_name: str,
        sender: str,
        subject: str,
        message_id: str,
        in_reply_to: str,
        references: tuple[str, ...],
        now: datetime,
        automatic: bool,
        attached: tuple[bytes, ...] = (),
        token: str = "",
        conversation: str = "",
        copies: tuple[str, ...] = (),
    ) -> RenderedLetter:
        """Write one letter; equal arguments give equal bytes.

        Args:
            facts: What the letter tells; their class chooses the letter.
            language: The customer's.
            reference: The case's, such as ``JKT-0000123``; the answer is found by it.
            recipient: The customer's address.
            recipient_name: The customer's name; empty where it is not known.
            sender: Address of the site's mailbox.
            subject: The customer's own; may be empty.
            message_id: The letter's own, with angle brackets.
            in_reply_to: Message-ID of the mail that is answered; empty: none.
            references: Message-IDs of the thread so far, oldest first.
            now: Time of writing.
            automatic: No person has read this letter (RFC 3834).
            attached: Raw mails that go with it.
            token: Signs the reference in the Subject.
            conversation: Outlook's, of the mail that is answered.
            copies: Addresses of those who get a copy (Cc).

        Raises:
            MissingFact: Something that the letter needs is empty or unusable; nothing was rendered.
        """
        ...


class TemplateLetters:
    """Letters from the templates in ``folder``, with times in the site's zone."""

    def __init__(self, settings: Settings, folder: Path = TEMPLATES) -> None:
        self._settings = settings
        self._templates = {language: self._environment(folder, language) for language in get_args(Language)}

    def write(
        self,
        facts: LetterFacts,
        *,
        language: Language,
        reference: str,
        recipient: str,
        recipient_name: str,
        sender: str,
        subject: str,
        message_id: str,
        in_reply_to: str,
        references: tuple[str, ...],
        now: datetime,
        automatic: bool,
        attached: tuple[bytes, ...] = (),
        token: str = "",
        conversation: str = "",
        copies: tuple[str, ...] = (),
    ) -> RenderedLetter:
        """See :meth:`LetterWriter.write`."""
        kind = facts.kind
        _check(facts, reference=reference, message_id=message_id)
        for role, address in (("recipient", recipient), ("sender", sender), *(("copies", one) for one in copies)):
            if not ADDRESS.fullmatch(address):
                raise MissingFact(kind, role)

        service = one_line(self._settings.sender_name)
        zone = self._settings.zone_of(sender)
        now = now.astimezone(zone)
        name = _name(recipient_name)
        subject = reply_subject(subject, f"{reference}-{token}" if token else reference, otherwise=service)
        words = {
            **{name: fact.astimezone(zone) if isinstance(fact, datetime) else fact for name, fact in facts},
            "language": language,
            "reference": whole(reference),
            "salutation": WORDS[language].salutation(now, name),
            "sender": sender,
            "service": service,
            "subject": subject,
        }
        try:
            letter = self._templates[language].get_template(f"{kind}.jinja").render(words)
        except UndefinedError as error:
            raise MissingFact(kind, re.findall(r"'([^']+)'", str(error))[-1]) from error

        html = self._templates[language].get_template("_layout.html.jinja").render(words, blocks=as_blocks(letter))
        headers = {
            "From": mailbox("From", service, sender),
            "To": mailbox("To", name, recipient),
            **({"Cc": ",\n ".join(copies)} if copies else {}),
            "Subject": encoded("Subject", subject),
            **self._reply_to(sender, f"{reference}-{token}" if token else ""),
            "Date": format_datetime(now),
            "Message-ID": message_id,
            **thread(in_reply_to, references),
        }
        if conversation:
            headers["Thread-Index"] = thread_index(conversation, message_id)
        if automatic:
            headers["Auto-Submitted"] = "auto-replied" if "In-Reply-To" in headers else "auto-generated"
        return RenderedLetter(
            kind=kind,
            message_id=message_id,
            recipient=recipient,
            subject=subject,
            raw=compose(headers, as_text(letter), html, attached),
        )

    def _reply_to(self, sender: str, signed: str) -> dict[str, str]:
        """Where an answer finds its case even if its program changes Subject and thread."""
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
    """Find what is missing. Facts with a default may be empty."""
    fields = type(facts).model_fields
    needed = {name: value for name, value in facts if fields[name].is_required()}
    for name, value in {**needed, **others}.items():
        parts = value if isinstance(value, tuple) else (value,)
        if not parts or any(isinstance(part, str) and not part.strip() for part in parts):
            raise MissingFact(facts.kind, name)


def _name(name: str) -> str:
    """The name as a letter may repeat it. A link or address in it is no name: nobody may send links by us."""
    name = one_line(name)
    return "" if LINK.search(name) else name[:MAX_NAME].rstrip()
