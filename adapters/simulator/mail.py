"""The simulator's mail servers: SMTP for the seeded addresses, and IMAP for their mailboxes.

Held by `tests/adapters/simulator/test_main.py`.
"""

import asyncio
import json
import re
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, Envelope, Session

from adapters.clock import Clock
from adapters.simulator.imap import ImapServer
from adapters.simulator.ports import listening_socket
from adapters.simulator.seed import Seed

PASSWORD = "pw"  # noqa: S105 - of each mailbox without a password in the seed
FAULTS = {
    "4xx": "451 4.7.1 Try later",
    "5xx": "550 5.2.1 Mailbox disabled",
    "once4xx": "451 4.7.1 Greylisted",
    "data4xx": "451 4.3.0 Not now",
    "drop": "",
}
"""Local parts, at any seeded domain, whose mail fails: with this answer to RCPT (``once4xx`` only the first time) or to
the text (``data4xx``), or with the mail accepted and the connection closed before the answer (``drop``)."""

REFUSES_US = "550 5.2.252 This account may not send now"
"""The answer to MAIL while the simulated relay locks our account."""

_REFERENCE = re.compile(r"[A-Z]{3}-\d", re.IGNORECASE)


class MailServer:
    """Carries mail between the contact centre and the seeded customers; none leaves the machine.

    Mail to ``name+Folder@domain`` goes to that folder of ``name@domain``, and mail to the reference of a case
    (``name+JKT-0000001-…@domain``) to the inbox. Each accepted mail is also written to ``folder/mail/NNNNN.eml``, with
    a line in ``folder/mail/index.jsonl``: file, from, to, message_id, at.
    """

    def __init__(self, seed: Seed, folder: Path, clock: Clock) -> None:
        self._seed = seed
        self._folder = folder
        self._clock = clock
        known = [address.lower() for customer in seed.customers for address in customer.addresses]
        known += [box.address.lower() for box in seed.mailboxes]
        domains = {address.rpartition("@")[2] for address in known}
        known += [f"{local}@{domain}" for domain in domains for local in FAULTS]
        self._passwords = dict.fromkeys(known, PASSWORD)
        self._passwords |= {box.address.lower(): box.password for box in seed.mailboxes}
        self._ours = {box.address.lower() for box in seed.mailboxes if box.site}
        self._refusals = 0
        self._greylisted: set[tuple[str | None, str]] = set()
        self._sessions: WeakSet[SMTP] = WeakSet()

    async def start(self) -> None:
        """Listen on the ports that are stored in the folder, or on free ones."""
        self._mails = self._folder / "mail"
        self._mails.mkdir(parents=True, exist_ok=True)
        self._count = sum(1 for _ in self._mails.glob("*.eml"))
        self._imap = ImapServer(self._passwords)
        imap, smtp = (listening_socket(self._folder, wire) for wire in ("imap", "smtp"))
        self._ports = {"imap": imap.getsockname()[1], "smtp": smtp.getsockname()[1]}
        await self._imap.start(imap)
        self._smtp = await asyncio.get_running_loop().create_server(self._session, sock=smtp)

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        self._smtp.close()
        for session in self._sessions:
            if session.transport is not None:
                session.transport.close()
        await self._smtp.wait_closed()
        await self._imap.stop()

    def settings(self) -> dict[str, Any]:
        """The service's settings for these servers: its own mailboxes, and the SMTP relay."""
        imap = {"host": "127.0.0.1", "port": self._ports["imap"], "tls": False}
        return {
            "mailboxes": [
                {
                    "site": box.site,
                    "address": box.address,
                    "user": box.address.lower(),
                    "password": box.password,
                    **imap,
                }
                for box in self._seed.mailboxes
                if box.site
            ],
            "smtp": {"host": "127.0.0.1", "port": self._ports["smtp"], "tls": "none"},
        }

    def _session(self) -> SMTP:
        session = SMTP(self, hostname="localhost", enable_SMTPUTF8=True, loop=asyncio.get_running_loop())
        self._sessions.add(session)
        return session

    def refuse_us(self, letters: int) -> None:
        """Refuse the next ``letters`` attempts of our account to send, like a relay that has locked it."""
        self._refusals = letters

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept or refuse a sender (aiosmtpd's hook)."""
        if self._refusals and address.lower() in self._ours:
            self._refusals -= 1
            return REFUSES_US
        envelope.mail_from, envelope.mail_options = address, [*options]
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept or refuse a recipient (aiosmtpd's hook)."""
        owner, _ = _mailbox_of(address)
        local = owner.partition("@")[0]
        if owner not in self._passwords:
            return "550 5.1.1 No such mailbox"
        if local == "once4xx":
            attempt = (envelope.mail_from, owner)
            if attempt not in self._greylisted:
                self._greylisted.add(attempt)
                return FAULTS[local]
        elif local in ("4xx", "5xx"):
            return FAULTS[local]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Accept a mail and deliver it (aiosmtpd's hook)."""
        places = [_mailbox_of(address) for address in envelope.rcpt_tos]
        faults = {owner.partition("@")[0] for owner, _ in places} & FAULTS.keys()
        if "data4xx" in faults:
            return FAULTS["data4xx"]
        raw = envelope.original_content or b""
        self._record(envelope, raw)
        for owner, folder in dict.fromkeys(places):
            head = f"Return-Path: <{envelope.mail_from or ''}>\r\nDelivered-To: {owner}\r\n"
            await self._imap.deliver(owner, folder, head.encode() + raw, self._clock.now())
        if "drop" in faults and server.transport is not None:
            server.transport.close()
        return "250 2.0.0 Delivered"

    def _record(self, envelope: Envelope, raw: bytes) -> None:
        self._count += 1
        file = self._mails / f"{self._count:05}.eml"
        file.write_bytes(raw)
        line = {
            "file": file.name,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "message_id": str(BytesHeaderParser().parsebytes(raw)["Message-ID"] or ""),
            "at": self._clock.now().isoformat(),
        }
        with (self._mails / "index.jsonl").open("a") as index:
            index.write(json.dumps(line) + "\n")


def _mailbox_of(address: str) -> tuple[str, str]:
    """Mailbox and folder of an address."""
    local, _, domain = address.rpartition("@")
    name, _, folder = local.partition("+")
    return f"{name}@{domain}".lower(), "INBOX" if not folder or _REFERENCE.match(folder) else folder
