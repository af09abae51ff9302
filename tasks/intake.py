"""Intake of one mail: parse, store with its one outcome, answer, and only then let go of it.

Every step may be repeated after a crash: the ledger's key is the mail's place on the server, the first response is
recorded once, a case has one run. A mail that no parser reads is kept whole and set aside.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from adapters.ems import Received
from adapters.mail.parser import parse
from adapters.store import Conflict
from adapters.wiring import Systems
from models.errors import LayananError, Unreadable
from models.letter import LetterKind
from models.mail import Automatic, ParsedMail
from models.sop import REVISION
from models.tables import Case, Letter, Message, NewCase, NewMessage, Outbox, row
from tasks.case_run import CaseRun
from tasks.find_case import find_case
from tasks.first_response import first_response
from tasks.waits import new_wake

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
    message = _known(wired, received) or _store(wired, received)
    if message.outcome != "opened" or message.case_id is None:
        return TakenIn(message.outcome, message.case_id)
    letters = first_response.do_now(CaseRun.open(message.case_id, wired))
    return TakenIn(message.outcome, message.case_id, tuple(letters))


def _known(wired: Systems, received: Received) -> Message | None:
    with wired.store.read() as session:
        return session.exec(
            select(Message).where(
                Message.mailbox == received.mailbox,
                Message.uidvalidity == received.uidvalidity,
                Message.uid == received.uid,
            )
        ).first()


def _store(wired: Systems, received: Received) -> Message:
    """The mail's row. What breaks us is set aside whole, so that it stops no other mail."""
    sha256, mail = wired.store.keep(received.raw), None
    try:
        mail = parse(received.raw)
        return _write(wired, received, lambda session: _place(session, wired, received, mail))
    except Unreadable as error:
        reason = error.reason
    except LayananError:
        raise
    except Exception as error:
        log.exception("a defect: mail %s is set aside", sha256)
        reason = f"defect: {type(error).__name__}"
    return _write(wired, received, lambda _: _row(received, sha256, wired.clock.now(), None, "set_aside", reason))


def _write(wired: Systems, received: Received, place: Callable[[Session], Message]) -> Message:
    try:
        with wired.store.write() as session:
            message = place(session)
            session.add(message)
            session.flush()
            if message.outcome == "joined" and message.case_id is not None:
                answers = {"message": message.id}
                session.add(new_wake(wired, message.case_id, "mail", f"mail:{message.id}", answers))
    except Conflict:
        # another intake on the same mailbox was quicker
        known = _known(wired, received)
        if known is None:
            raise
        return known
    return message


def _place(session: Session, wired: Systems, received: Received, mail: ParsedMail) -> Message:
    """The mail's outcome; opens its case where it has none."""
    now = wired.clock.now()

    def outcome(name: str, reason: str, case_id: int | None = None) -> Message:
        return _row(received, mail.sha256, now, mail, name, reason, case_id)

    if not mail.sender:
        return outcome("set_aside", "no sender's address")
    own = session.exec(select(Letter).where(Letter.message_id == mail.message_id)).first()
    if own is not None:
        _accepted(session, own, now)
        return outcome("automatic", "copy of our own letter", own.case_id)
    if mail.sender in wired.settings.own_addresses:
        return outcome("automatic", "from an address of ours")
    if mail.automatic is not None:
        return outcome("automatic", f"{mail.automatic}: {mail.automatic_reason}", _reported_case(session, mail))
    handed_over = _handed_over_case(session, mail)
    if handed_over is not None or mail.sender in wired.settings.desk_addresses:
        return outcome("automatic", "from another segment's desk", handed_over)
    twin = _twin(session, mail)
    if twin is not None:
        return outcome("duplicate", f"same as mail {twin.id}", twin.case_id)
    case, why = find_case(session, wired, mail, now)
    if case is not None:
        # the lock orders this with the case's end: it either sees the mail, or is closed already
        case = session.exec(select(Case).where(Case.id == case.id).with_for_update()).one()
        if case.status == "open":
            return outcome("joined", why, case.id)
    new = row(
        Case,
        NewCase(
            site=received.site,
            mailbox=received.mailbox,
            address=mail.sender,
            name=mail.sender_name,
            subject=mail.subject,
            language=mail.language,
            opened_at=now,
            sop_revision=REVISION,
            previous_id=case.id if case else None,
        ),
    )
    session.add(new)
    session.flush()
    return outcome("opened", f"follows closed case {case.reference}" if case else why or "new", new.id)


def _accepted(session: Session, letter: Letter, now: datetime) -> None:
    """Our copy has come back, so the server took the letter."""
    outbox = session.get(Outbox, letter.id)
    if outbox is not None and outbox.state != "sent":
        outbox.state, outbox.sent_at = "sent", now
        session.add(outbox)


def _handed_over_case(session: Session, mail: ParsedMail) -> int | None:
    """The case whose letter to a desk the mail answers, whoever at the desk wrote it."""
    of_desk = (col(Letter.message_id).in_(mail.in_reply_to), Letter.kind == LetterKind.TO_DESK)
    return session.exec(select(Case.id).join(Letter).where(*of_desk, Case.address != mail.sender)).first()


def _reported_case(session: Session, mail: ParsedMail) -> int | None:
    if mail.automatic is not Automatic.BOUNCE or not mail.reported_message_id:
        return None
    return session.exec(select(Letter.case_id).where(Letter.message_id == mail.reported_message_id)).first()


def _twin(session: Session, mail: ParsedMail) -> Message | None:
    """The same mail, taken in before: same Message-ID and same text."""
    return session.exec(
        select(Message)
        .where(
            Message.message_id == mail.message_id,
            Message.text == mail.text,
            col(Message.outcome).in_(["opened", "joined", "other_segment"]),
        )
        .limit(1)
    ).first()


def _row(
    received: Received,
    sha256: str,
    now: datetime,
    mail: ParsedMail | None,
    outcome: str,
    reason: str,
    case_id: int | None = None,
) -> Message:
    place = {
        "mailbox": received.mailbox,
        "uidvalidity": received.uidvalidity,
        "uid": received.uid,
        "sha256": sha256,
        "received_at": now,
        "outcome": outcome,
        "reason": reason,
        "case_id": case_id,
    }
    if mail is None:
        return row(Message, NewMessage.model_validate(place))
    read = {
        "message_id": mail.message_id,
        "sender": mail.sender,
        "sender_name": mail.sender_name,
        "subject": mail.subject,
        "language": mail.language,
        "text": mail.text,
        "new_text": mail.new_text,
        "references": list(mail.references),
    }
    return row(Message, NewMessage.model_validate(place | read))
