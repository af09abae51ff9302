"""Parses a received mail outside any transaction. A mail that cannot be parsed is a result, too.

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
    """A mail with everything that is found out before it is placed."""

    received: Received
    mail: ParsedMail
    arrived_at: datetime | None
    """Time of arrival in the mailbox if it is known; after an outage it is long before intake."""
    segment: str = ""
    """The sender's segment, if it is already known that another desk serves it (SOP W-89)."""
    customer_id: str = ""
    """The customer whose address on record the sender has, if that was looked up."""
    copy_of: int | None = None
    """The letter of which it is our copy."""


@dataclass(frozen=True)
class Unread:
    """A mail that could not be parsed, and why."""

    received: Received
    reason: Reason


def read_mail(systems: Systems, received: Received) -> ParsedMail | Unread:
    """Parse the mail.

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
    """Parse the mail and store its attachments. ``cut``: ``raw`` is only its beginning.

    Raises:
        Unreadable: it is no mail.
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
