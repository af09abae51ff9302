"""A relay for letters that can refuse us for a while, at each stage of a session.

    with Relay(onward=port) as relay:
        relay.refuse("550 5.4.5", "Daily user sending limit exceeded", "mail")
        …
        relay.accept()

It listens on a free loopback port in a thread of its own. What it accepts it hands to the SMTP server at ``onward``,
where there is one, before it says so; ``received`` has it either way.
"""

import asyncio
import smtplib
import threading
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Stage = Literal["greeting", "login", "mail", "rcpt", "data", "letter"]
"""``data`` is the command, ``letter`` the end of the text."""


@dataclass(frozen=True)
class Accepted:
    """A letter that the relay has taken."""

    sender: str
    recipients: tuple[str, ...]
    message_id: str
    raw: bytes


@dataclass(frozen=True)
class _Refusal:
    answer: str
    stage: Stage
    recipients: frozenset[str]
    """Only letters to one of these are refused; empty: all are."""


class Relay:
    """An SMTP server that takes letters until it is told to refuse them; a context manager."""

    def __init__(self, onward: int | None = None, *, user: str = "", password: str = "") -> None:
        self.received: list[Accepted] = []
        self.asked = 0
        """Letters that somebody has begun so far, and refused sessions."""
        self.port = 0
        self._onward, self._login = onward, (user, password)
        self._refusals: tuple[_Refusal, ...] = ()
        self._sessions: set[_Wire] = set()

    def refuse(self, code: str, text: str, stage: Stage = "rcpt", *recipients: str) -> None:
        """From now on answer so, such as ``550 5.7.60``, at this stage; only letters to ``recipients``, if any."""
        answer = "\r\n".join([*(f"{code[:3]}-{line}" for line in text.split("\n")[:-1]), ""])
        answer += f"{code} {text.split(chr(10))[-1]}"
        self._refusals += (_Refusal(answer, stage, frozenset(recipients)),)

    def accept(self) -> None:
        """Take every letter again."""
        self._refusals = ()

    def sent_to(self, recipient: str) -> list[str]:
        """Message-IDs of what was taken for a recipient, in order."""
        return [one.message_id for one in self.received if recipient in one.recipients]

    def __enter__(self) -> "Relay":
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        listening = self._loop.create_server(lambda: _Wire(self, self._loop), "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(60)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        for session in list(self._sessions):
            if session.transport is not None:
                session.transport.close()
        await self._server.wait_closed()

    def answer(self, stage: Stage, *recipients: str) -> str | None:
        """What is said instead of yes."""
        for refusal in self._refusals:
            if refusal.stage == stage and (not refusal.recipients or refusal.recipients.intersection(recipients)):
                return refusal.answer
        return None

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """The sender (aiosmtpd's hook)."""
        self.asked += 1
        if refused := self.answer("mail"):
            return refused
        envelope.mail_from, envelope.mail_options = address, [*options]
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """A recipient (aiosmtpd's hook)."""
        if refused := self.answer("rcpt", address):
            return refused
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The letter (aiosmtpd's hook)."""
        if refused := self.answer("letter", *envelope.rcpt_tos):
            return refused
        raw, sender = envelope.original_content or b"", envelope.mail_from or ""
        if self._onward is not None:
            try:
                await asyncio.to_thread(_hand_on, self._onward, sender, envelope.rcpt_tos, raw)
            except smtplib.SMTPResponseException as error:
                return f"{error.smtp_code} {error.smtp_error!r}"
            except smtplib.SMTPRecipientsRefused as error:
                code, text = next(iter(error.recipients.values()))
                return f"{code} {text.decode('utf-8', 'replace')}"
        said = str(BytesHeaderParser().parsebytes(raw)["Message-ID"] or "")
        self.received.append(Accepted(sender, tuple(envelope.rcpt_tos), said, raw))
        return "250 2.0.0 Ok: queued"

    def logs_in(self, data: object) -> AuthResult:
        """Whether a login is right."""
        given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else None
        if refused := self.answer("login"):
            self.asked += 1
            return AuthResult(success=False, handled=False, message=refused)
        return AuthResult(success=given == self._login, handled=False)


class _Wire(SMTP):
    """One session."""

    def __init__(self, relay: Relay, loop: asyncio.AbstractEventLoop) -> None:
        wants: dict[str, Any] = {}
        if relay._login[0]:
            wants = {"authenticator": lambda *told: relay.logs_in(told[-1]), "auth_require_tls": False}
        super().__init__(relay, hostname="relay.example", enable_SMTPUTF8=True, loop=loop, **wants)
        self._relay = relay

    def connection_made(self, transport: Any) -> None:
        if refused := self._relay.answer("greeting"):
            self._relay.asked += 1
            transport.write(f"{refused}\r\n".encode())
            transport.close()
            return
        self._relay._sessions.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self in self._relay._sessions:
            self._relay._sessions.discard(self)
            super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:
        recipients = self.envelope.rcpt_tos if self.envelope else []
        if refused := self._relay.answer("data", *recipients):
            await self.push(refused)
        else:
            await super().smtp_DATA(arg)


def _hand_on(port: int, sender: str, recipients: list[str], raw: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as smtp:
        utf8 = [] if "".join((sender, *recipients)).isascii() else ["SMTPUTF8"]
        smtp.sendmail(sender, recipients, raw, ["BODY=8BITMIME", *utf8])
