"""A mail that came is read, outside any transaction: what nobody can read is a result, too.

Held by `tests/tasks/intake/test_batch.py`.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from adapters.ems import Received
from adapters.mail.parser import parse
from adapters.wiring import Systems
from models.errors import LayananError, Unreadable
from models.mail import ParsedMail, Problem
from models.reasons import Reason, Why

log = logging.getLogger("layanan.intake")

DEFECT = "a defect: mail %s is quarantined"


@dataclass(frozen=True)
class Parsed:
    """A mail and all that was found out of it before it is placed."""

    received: Received
    mail: ParsedMail
    arrived_at: datetime | None
    """When it came to the mailbox, where that can be told; before the intake where the service was away."""
    segment: str = ""
    """The sender's, where another desk serves it (SOP W-89) and that is known already."""
    customer_id: str = ""
    """Whose address on record the sender's is, where that was asked for."""
    copy_of: int | None = None
    """The letter of ours of which it is a copy."""


@dataclass(frozen=True)
class Unread:
    """A mail of which nothing could be made, and why."""

    received: Received
    reason: Reason


def read_mail(systems: Systems, received: Received) -> ParsedMail | Unread:
    """The mail as far as it can be read.

    Raises:
        Unavailable: the case store, which keeps its attachments, does not answer.
    """
    try:
        return read(systems, received.raw, cut=received.cut)
    except Unreadable as error:
        return Unread(received, Reason(Why.UNREADABLE, error.reason))
    except LayananError:
        raise
    except Exception as error:
        log.exception(DEFECT, received.sha256)
        return Unread(received, Reason(Why.DEFECT, type(error).__name__))


def read(systems: Systems, raw: bytes, *, cut: bool) -> ParsedMail:
    """The parsed mail; its attachments are kept. ``cut``: ``raw`` is its beginning alone.

    Raises:
        Unreadable: nothing can be made of it.
    """
    trusted = systems.settings
    mail = parse(
        raw,
        systems.store.keep,
        authserv_id=trusted.authserv_id,
        spam_headers=trusted.spam_headers,
        ours=trusted.ours,
    )
    return mail.model_copy(update={"problems": (*mail.problems, Problem.TOO_LARGE)}) if cut else mail
