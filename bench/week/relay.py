"""The SMTP relay of the week: it can refuse our account, and hands on what it takes."""

import asyncio
import smtplib
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, Envelope, Session

from bench.week.calendar import MONDAY, REFUSING, within


@dataclass(frozen=True)
class Taken:
    """A letter that the relay has taken."""

    at: datetime
    message_id: str
    customer: str
    subject: str

    @property
    def kind(self) -> str:
        """Of a letter of ours, as its Message-ID says: ``<jkt-0000001.closing.1.…>``."""
        return self.message_id.split(".")[1] if self.message_id.count(".") > 2 else ""


@dataclass
class Relay:
    """Hands letters on to ``onward``, the port of the simulation's own server."""

    onward: int
    now: datetime = MONDAY
    letters: list[Taken] = field(default_factory=list)
    refused: int = 0

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse our account while it is locked (aiosmtpd's hook)."""
        if within(self.now, REFUSING):
            self.refused += 1
            return "550 5.2.252 SendAsDenied; this account may not send now"
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take a letter, and hand it on with its copy (aiosmtpd's hook)."""
        raw = envelope.original_content or b""
        head = message_from_bytes(raw, policy=policy.default)
        customer = next((one for one in envelope.rcpt_tos if not one.startswith("layanan")), "")
        self.letters.append(Taken(self.now, str(head["Message-ID"]), customer, str(head["Subject"])))
        await asyncio.to_thread(hand_on, self.onward, envelope.mail_from or "", envelope.rcpt_tos, raw)
        return "250 2.0.0 Queued"


def hand_on(port: int, sender: str, recipients: list[str], raw: bytes) -> None:
    """Deliver to the mailboxes of the simulation."""
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        smtp.sendmail(sender, recipients, raw)
