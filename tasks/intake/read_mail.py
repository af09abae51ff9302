"""The reading of a mail: what nobody can read is a result, too, and stops no other mail.

Held by `tests/tasks/intake/test_batch.py`.
"""

import logging
from dataclasses import dataclass

from adapters.ems import Received
from adapters.mail.parser import parse
from adapters.wiring import Systems
from models.errors import LayananError, Unreadable
from models.mail import ParsedMail, Problem

log = logging.getLogger("layanan.intake")

DEFECT = "a defect: mail %s is set aside"


@dataclass(frozen=True)
class ReadMail:
    """A mail that has come; without ``mail`` nothing could be made of it, for that ``reason``."""

    received: Received
    mail: ParsedMail | None = None
    reason: str = ""
    segment: str = ""
    """Its sender's, where another desk serves it (SOP W-89) and that is known already."""


def read_mail(wired: Systems, received: Received) -> ReadMail:
    """The mail as far as it can be read.

    Raises:
        Unavailable: the case store, which keeps its attachments, does not answer.
    """
    try:
        return ReadMail(received, read(wired, received.raw, cut=received.cut))
    except Unreadable as error:
        return ReadMail(received, reason=error.reason)
    except LayananError:
        raise
    except Exception as error:
        log.exception(DEFECT, received.sha256)
        return ReadMail(received, reason=defect(error))


def read(wired: Systems, raw: bytes, *, cut: bool) -> ParsedMail:
    """The parsed mail; its attachments are kept. ``cut``: ``raw`` is its beginning alone.

    Raises:
        Unreadable: nothing can be made of it.
    """
    trusted = wired.settings
    mail = parse(
        raw,
        wired.store.keep,
        authserv_id=trusted.authserv_id,
        spam_headers=trusted.spam_headers,
        ours=trusted.ours,
    )
    return mail.model_copy(update={"problems": (*mail.problems, Problem.TOO_LARGE)}) if cut else mail


def defect(error: Exception) -> str:
    """Why a mail that breaks us is set aside."""
    return f"defect: {type(error).__name__}"
