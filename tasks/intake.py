"""Intake of one mail: parse, store with its one outcome, answer, and only then let go of it.

Every step may be repeated after a crash: the ledger's key is the mail's place on the server, the first response is
recorded once, a case has one run. A mail that no parser reads is kept whole and set aside.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from adapters.ems import Received
from adapters.mail.parser import parse
from adapters.store import Conflict
from adapters.wiring import Systems
from models.errors import Defect, LayananError, Unreadable
from models.mail import UNREAD, ParsedMail, Problem
from models.tables import Message, NewMessage, row
from tasks.case_run import CaseRun
from tasks.find_case import whose_address
from tasks.first_response import first_response
from tasks.limits import thread_is_answered
from tasks.place_mail import Arrived, Place, content_of, place

log = logging.getLogger("layanan.intake")


@dataclass(frozen=True)
class TakenIn:
    """What became of a mail; ``letters`` are to be sent, ``case_id`` is to be started or woken."""

    outcome: str
    case_id: int | None = None
    letters: tuple[int, ...] = ()


def take_in(wired: Systems, received: Received) -> TakenIn:
    """Store one mail and its outcome, and write the first response where one is due.

    Raises:
        Unavailable: the case store does not answer; the mail stays on the server.
    """
    return take_in_batch(wired, [received])[received.uid]


def take_in_batch(wired: Systems, batch: Sequence[Received]) -> dict[int, TakenIn]:
    """Do so with mails of one mailbox, one after the other; what became of each, by UID.

    Raises:
        Unavailable: as for ``take_in``; some may have been taken in.
    """
    known = _known(wired, batch)
    taken = {uid: answered(wired, message) for uid, message in known.items()}
    new = [mail for mail in batch if mail.uid not in known]
    # the disk keeps one mail while another one is read
    with ThreadPoolExecutor(1) as ahead:
        for mail, sha256 in zip(new, ahead.map(wired.store.keep, (mail.raw for mail in new)), strict=True):
            taken[mail.uid] = _store(wired, mail, sha256)
    return taken


def answered(wired: Systems, message: Message) -> TakenIn:
    """What became of a stored mail, with the first response written where one is due."""
    taken = TakenIn(message.outcome, message.case_id)
    if message.outcome != "opened" or message.case_id is None:
        return taken
    case = CaseRun.open(message.case_id, wired)
    try:
        with wired.store.write() as session:
            return _respond(session, case, message, ())
    except Conflict:
        # another intake on the same mailbox was quicker
        return taken


def _respond(session: Session, case: CaseRun, message: Message, messages: Sequence[Message]) -> TakenIn:
    """Write the first response, unless its thread has had one lately, or nobody knows whom it would reach."""
    now = case.systems.clock.now()
    if case.row.sender_doubt or thread_is_answered(session, tuple(message.references), message.sender, now):
        return TakenIn(message.outcome, message.case_id)
    return TakenIn(message.outcome, message.case_id, tuple(first_response.do_within(session, case, messages)))


def _known(wired: Systems, batch: Sequence[Received]) -> dict[int, Message]:
    first, uids = batch[0], [mail.uid for mail in batch]
    place = (Message.mailbox == first.mailbox, Message.uidvalidity == first.uidvalidity, col(Message.uid).in_(uids))
    with wired.store.read() as session:
        return {message.uid: message for message in session.exec(select(Message).where(*place))}


def _store(wired: Systems, received: Received, sha256: str) -> TakenIn:
    """What becomes of a new mail that is kept. What breaks us is set aside whole, so that it stops no other mail."""
    try:
        mail = read(wired, received.raw, cut=received.cut)
        customer_id = whose_address(wired, mail)
        return _write(wired, received, lambda session: _placed(session, wired, received, mail, customer_id))
    except Unreadable as error:
        reason = error.reason
    except Defect as error:
        log.exception("a defect: mail %s is set aside", sha256)
        reason = f"defect: {error}"
    except LayananError:
        raise
    except Exception as error:
        log.exception("a defect: mail %s is set aside", sha256)
        reason = f"defect: {type(error).__name__}"
    return _write(wired, received, lambda session: _aside(session, wired, received, sha256, reason))


def _write(wired: Systems, received: Received, make: Callable[[Session], TakenIn]) -> TakenIn:
    try:
        with wired.store.write() as session:
            return make(session)
    except Conflict:
        # another intake on the same mailbox was quicker
        known = _known(wired, [received])
        if not known:
            raise
        return answered(wired, known[received.uid])


def _placed(session: Session, wired: Systems, received: Received, mail: ParsedMail, customer_id: str) -> TakenIn:
    # two mails of one sender do not see each other otherwise: one that came by two mailboxes would open two cases
    wired.store.alone(session, f"intake of {mail.sender}")
    now = wired.clock.now()
    placed = place(Arrived(session, wired, received, mail, now, customer_id))
    message = _row(received, mail.sha256, now, placed, mail)
    session.add(message)
    session.flush()
    placed.then(message)
    if placed.opened is None:
        return TakenIn(placed.outcome, placed.case_id)
    return _respond(session, CaseRun(placed.opened, wired, []), message, [message])


def _aside(session: Session, wired: Systems, received: Received, sha256: str, reason: str) -> TakenIn:
    session.add(_row(received, sha256, wired.clock.now(), Place("set_aside", reason)))
    return TakenIn("set_aside")


def _row(received: Received, sha256: str, now: datetime, placed: Place, mail: ParsedMail | None = None) -> Message:
    known = {
        "mailbox": received.mailbox,
        "uidvalidity": received.uidvalidity,
        "uid": received.uid,
        "sha256": sha256,
        "received_at": now,
        "outcome": placed.outcome,
        "reason": placed.reason,
        "case_id": placed.case_id,
    }
    return row(Message, NewMessage.model_validate(known | (columns(mail) if mail else {})))


def read(wired: Systems, raw: bytes, *, cut: bool) -> ParsedMail:
    """The parsed mail; its attachments are kept. ``cut``: ``raw`` is its beginning alone.

    Raises:
        Unreadable: nothing can be made of it.
    """
    trusted = wired.settings
    mail = parse(raw, wired.store.keep, authserv_id=trusted.authserv_id, spam_headers=trusted.spam_headers)
    return mail.model_copy(update={"problems": (*mail.problems, Problem.TOO_LARGE)}) if cut else mail


def columns(mail: ParsedMail) -> dict[str, Any]:
    """What a mail's row holds of what was read."""
    return {
        "message_id": mail.message_id,
        "sender": mail.sender,
        "sender_name": mail.sender_name,
        "subject": mail.subject,
        "language": mail.language,
        "text": mail.text,
        "new_text": mail.new_text,
        "references": list(mail.references or mail.in_reply_to),
        "content": content_of(mail),
        "attachments": [one.model_dump() for one in mail.attachments],
        "warnings": [*mail.warnings, *(problem for problem in mail.problems if problem in UNREAD)],
    }
