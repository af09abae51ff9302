"""Mail servers for the tests of EMS: the simulator's, Dovecot and Postfix, and small liars."""

import asyncio
import imaplib
import smtplib
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.clock import SystemClock
from adapters.ems import ImapSmtp, Received
from adapters.mail.parser import parse
from adapters.simulator.mail import MailServer
from adapters.simulator.seed import Seed, SeededCustomer, SeededMailbox
from models.settings import Mailbox, Settings, Smtp
from tests.servers import PASSWORD, eventually

OURS = "layanan@telkom.example"
BUDI = "budi@pelanggan.example"
SEED = Seed(
    mailboxes=[SeededMailbox(address=OURS, password=PASSWORD, site="JKT")],
    customers=[SeededCustomer(customer_id="C1", name="Budi", addresses=[BUDI], service_no="122123456789")],
)


def letter(number: int, to: str = BUDI) -> bytes:
    """A letter whose text tries the wire: dots at line starts."""
    head = f"From: {OURS}\nTo: {to}\nDate: Tue, 3 Mar 2026 10:12:00 +0700\nSubject: Surat {number}\n"
    text = f"{head}Message-ID: <c{number}@telkom.example>\n\nYth. Bapak Budi,\n.satu\n..dua\n.\nSalam\n"
    return text.replace("\n", "\r\n").encode()


@contextmanager
def simulator(folder: Path) -> Iterator[MailServer]:
    """The simulator's mail servers in an event loop of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = MailServer(SEED, folder, SystemClock())
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(60)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass
class World:
    """Mail servers, the settings that lead there, and where anybody may hand mail in."""

    settings: Settings
    relay: int

    @property
    def box(self) -> Mailbox:
        return self.settings.mailboxes[0]

    def ems(self, **smtp: object) -> "closing[ImapSmtp]":
        settings = self.settings.model_copy(update={"smtp": self.settings.smtp.model_copy(update=smtp)})
        return closing(ImapSmtp(settings))

    def write(self, *mails: bytes) -> None:
        """Deliver mails to our mailbox, one after the other."""
        for mail in mails:
            before = self.count()
            with smtplib.SMTP("127.0.0.1", self.relay) as smtp:
                smtp.sendmail(BUDI, [OURS], mail)
            assert self.arrived(before + 1)

    def arrived(self, count: int) -> bool:
        return eventually(lambda: self.count() == count)

    def count(self, address: str = OURS) -> int:
        """How many mails lie in the inbox."""
        with self.imap(address) as imap:
            return len(imap.search(None, "ALL")[1][0].split())

    @contextmanager
    def imap(self, address: str = OURS, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        box = self.box
        client = imaplib.IMAP4_SSL(box.host, box.port) if box.tls else imaplib.IMAP4(box.host, box.port)
        with client:
            client.login(address, PASSWORD)
            client.select(f'"{folder}"')
            yield client

    def mails(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """What lies in a folder; nothing where there is no such folder."""
        with self.imap(address, folder) as imap:
            if imap.state != "SELECTED":
                return []
            found = imap.search(None, "ALL")[1][0].decode().split()
            data = imap.fetch(",".join(found), "(BODY.PEEK[])")[1] if found else []
        return [item[1] for item in data if isinstance(item, tuple)]


def ids(mails: list[Received]) -> list[str]:
    return [parse(mail.raw).message_id for mail in mails]


def logged(log: Path, words: str) -> int:
    return log.read_text().count(words)


LOGIN, LOGOUT, END = "imap-login: Info: Login: ", ">: Info: Disconnected: Logged out ", ">: Info: Disconnected: "
LETTERS = "auth=1 mail=3 "
"""How Postfix ends its line on a session with one login and three letters."""


def call(name: str) -> Callable[[ImapSmtp, Mailbox], object]:
    return {
        "fetch": lambda ems, box: ems.fetch(box, 9),
        "settle": lambda ems, box: ems.settle(box, 1, [1], []),
        "has_copy": lambda ems, box: ems.has_copy("<c1@telkom.example>", box),
        "send": lambda ems, _: ems.send(letter(1), OURS, [BUDI]),
    }[name]


def liar(port: int, seconds: float = 30) -> tuple[ImapSmtp, Mailbox]:
    """The way to a small liar; for so long its SMTP may be silent."""
    box = Mailbox(address=OURS, host="127.0.0.1", port=port, tls=False, user=OURS, password=PASSWORD)
    return ImapSmtp(Settings(mailboxes=[box], smtp=Smtp(port=port, tls="none", timeout=seconds))), box
