"""The SMTP relay that letters leave by."""

import logging
import math
import re
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

from adapters.ems.login import NoToken, bearer
from adapters.ems.pool import Pool, again
from adapters.ems.protocol import NotLetIn, UsOrRecipient
from adapters.ems.refusals import concerns
from adapters.ems.signing import signed
from models.errors import Deferred, OutcomeUnknown, Refused, Unavailable
from models.settings import Smtp

# smtplib would cut such an address and send to what is left
_UNFIT = re.compile(r"[\x00-\x20<>\x7f]|^$")

OF_ACCOUNT = "LAYANAN_SMTP__USER, LAYANAN_MAILBOXES, and what the server allows that account"
"""What to check when the server refuses us after the login."""
MOST_WORDS = 200
"""Characters of a server's answer that are kept."""

_log = logging.getLogger(__name__)


class SmtpRelay:
    """The relay of the settings; each method promises what :class:`Ems` says."""

    def __init__(self, settings: Smtp) -> None:
        self._smtp_settings = settings
        self._out = Pool[smtplib.SMTP](lambda it: it.rset()[0] == 250, smtplib.SMTP.quit, smtplib.SMTP.close)

    @again
    def send(
        self, raw: bytes, sender: str, recipients: Sequence[str], until: float = math.inf, copies: Sequence[str] = ()
    ) -> None:
        """See :class:`Ems`."""
        if any(map(_UNFIT.search, (sender, *recipients, *copies))):
            raise Refused("smtp", "an address that SMTP cannot carry")
        if self._smtp_settings.copies == "address":
            copies = [*copies, self._copy_to(sender)]
        if self._smtp_settings.dkim.selector:
            raw = signed(raw, sender, self._smtp_settings.dkim)
        stuffed = re.sub(rb"(?m)^\.", b"..", raw.removesuffix(b"\r\n"))  # RFC 5321, 4.5.2
        with self._smtp() as smtp:
            _check("MAIL", *smtp.mail(sender, _mail_options(raw, sender, *recipients, *copies)))
            for recipient in recipients:
                _check("RCPT", *smtp.rcpt(recipient))
            for copy in copies:
                code, _text = smtp.rcpt(copy)
                if code // 100 != 2:
                    _log.warning("smtp: the copy of a letter was refused (%d)", code)
            _check("DATA", *smtp.docmd("DATA"), expected=3)
            if monotonic() > until:
                raise Unavailable("smtp", "too slow to send a letter: check the server, or LAYANAN_CLAIM_SECONDS")
            smtp.send(stuffed + b"\r\n.\r\n")
            try:
                code, text = smtp.getreply()
            except smtplib.SMTPException as error:
                raise OutcomeUnknown("smtp", f"no answer to a letter: {type(error).__name__}") from None
            if code // 100 not in (2, 4, 5):
                raise OutcomeUnknown("smtp", f"{code} to a letter")
            _check("the letter", code, text)

    @again
    def reach_smtp(self) -> None:
        """See :class:`Ems`."""
        if self._smtp_settings.dkim.selector:
            signed(b"From: layanan@localhost\r\n\r\n", "layanan@localhost", self._smtp_settings.dkim)
        with self._smtp():
            pass

    @again
    def takes_copies(self, sender: str) -> None:
        """Check that the server accepts the address for copies of letters; nothing is sent."""
        copy_to = self._copy_to(sender)
        with self._smtp() as smtp:
            _check("MAIL", *smtp.mail(sender, _mail_options(b"", sender, copy_to)))
            code, text = smtp.rcpt(copy_to)
            smtp.rset()
        if code // 100 == 5:
            raise Refused(
                "smtp",
                f"{code} to the address for copies of letters: set LAYANAN_SMTP__COPY_TO to an address that the server "
                "accepts, or LAYANAN_SMTP__COPIES to “append” or “none”",
            )
        _check("RCPT", code, text)

    def _copy_to(self, sender: str) -> str:
        local, _, domain = sender.rpartition("@")
        return self._smtp_settings.copy_to or f"{local}+Sent@{domain}"

    def close_smtp(self) -> None:
        """Close the idle connections."""
        self._out.close()

    @contextmanager
    def _smtp(self) -> Iterator[smtplib.SMTP]:
        try:
            with self._out.use(self._connect_smtp) as smtp:
                yield smtp
        except (ValueError, smtplib.SMTPNotSupportedError) as error:
            raise Refused("smtp", type(error).__name__) from None  # the server cannot take this address
        except OSError as error:
            raise Unavailable("smtp", type(error).__name__) from None

    def _connect_smtp(self) -> smtplib.SMTP:
        to, context = self._smtp_settings, ssl.create_default_context()
        with _asking("the connection", "LAYANAN_SMTP__HOST, LAYANAN_SMTP__PORT, LAYANAN_SMTP__TLS"):
            smtp = (
                smtplib.SMTP_SSL(to.host, to.port, timeout=to.timeout, context=context)
                if to.tls == "tls"
                else smtplib.SMTP(to.host, to.port, timeout=to.timeout)
            )
        try:
            with _asking("TLS and greeting", "LAYANAN_SMTP__TLS, LAYANAN_SMTP__HOST"):
                if to.tls == "starttls":
                    smtp.starttls(context=context)
                smtp.ehlo_or_helo_if_needed()
            # many servers offer a login only with TLS
            tls = "LAYANAN_SMTP__TLS, " if to.tls == "none" else ""
            with _asking("the login", f"{tls}LAYANAN_SMTP__USER, LAYANAN_SMTP__PASSWORD, LAYANAN_SMTP__XOAUTH2"):
                if to.xoauth2.used:
                    answer = bearer(to.user, to.xoauth2)
                    # before its refusal the server sends a challenge, which takes an empty answer
                    smtp.auth("XOAUTH2", lambda challenge=None: "" if challenge else answer)
                elif to.user:
                    smtp.login(to.user, to.password.get_secret_value())
        except BaseException:
            smtp.close()
            raise
        return smtp


@contextmanager
def _asking(step: str, settings: str) -> Iterator[None]:
    """Turn errors before the first letter into Unavailable or NotLetIn, which name the settings to check."""
    try:
        yield
    except (OSError, ValueError) as error:
        code = getattr(error, "smtp_code", 0)
        # certificate errors are ValueErrors
        lasting = code // 100 == 5 or isinstance(error, ValueError | smtplib.SMTPNotSupportedError)
        name = f"NoToken ({error})" if isinstance(error, NoToken) else type(error).__name__
        what = f"{code if code > 0 else name} to {step}: check {settings}"
        what += ", or the server's certificate" if isinstance(error, ssl.SSLCertVerificationError) else ""
        said = getattr(error, "smtp_error", b"")
        reply = _reply(code, said if isinstance(said, bytes) else str(said).encode()) if code > 0 else ("", "")
        raise (NotLetIn if lasting else Unavailable)("smtp", what, reply=reply[0], words=reply[1]) from None


def _mail_options(raw: bytes, *addresses: str) -> list[str]:
    return [
        *([] if raw.isascii() else ["BODY=8BITMIME"]),
        *([] if "".join(addresses).isascii() else ["SMTPUTF8"]),
    ]


def _check(step: str, code: int, text: bytes, expected: int = 2) -> None:
    """Raise the error for an unexpected answer (RFC 5321, 4.2.1). Its text repeats none of the server's words."""
    if code // 100 == expected:
        return
    reply, words = _reply(code, text)
    what = f"{reply} to {step}"
    if code // 100 != 5:
        # 421: the server closes the connection, whatever the letter (RFC 5321, 3.8)
        of_letter = step != "MAIL" and code // 100 == 4 and code != 421
        raise (Deferred if of_letter else Unavailable)("smtp", what, reply=reply, words=words)
    match concerns(step, code, reply.partition(" ")[2]):
        case "us":
            raise NotLetIn("smtp", f"{what}: check {OF_ACCOUNT}", reply=reply, words=words)
        case "recipient":
            raise Refused("smtp", what, words=words, reply=reply)
    raise UsOrRecipient("smtp", what, reply=reply, words=words)


def _reply(code: int, text: bytes) -> tuple[str, str]:
    """Code and status, and the words after them without addresses."""
    status = re.match(rb"\d\.\d{1,3}\.\d{1,3}\b", text)
    words = " ".join(re.sub(r"\S*@\S*", "…", text[status.end() if status else 0 :].decode("utf-8", "replace")).split())
    return f"{code} {status[0].decode()}" if status else str(code), words[:MOST_WORDS]
