"""Intake of one mail: parse, store with its one outcome, answer, and only then let go of it.

Every step may be repeated after a crash: the ledger's key is the mail's place on the server, the first response is
recorded once, a case has one run. A mail that no parser reads is kept whole and set aside.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from adapters.case_store.store import AlreadyRecorded
from adapters.ems import Received
from adapters.wiring import Systems
from models.errors import Defect, LayananError, Refused
from models.mail import UNREAD, ParsedMail, without_detail
from models.tables import Letter, Message, NewMessage, row
from tasks.find_case import is_answer, whose_address
from tasks.first_response import first_response
from tasks.hand_over_segment import OtherSegments
from tasks.intake.arrival import arrival
from tasks.intake.limits import thread_is_answered
from tasks.intake.place_mail import Arrived, Place, note_copied, place
from tasks.intake.read_mail import DEFECT, ReadMail, defect, read_mail
from tasks.run.case_run import CaseRun

log = logging.getLogger("layanan.intake")

TOGETHER = 10
"""Mails that one transaction takes in."""


@dataclass(frozen=True)
class TakenIn:
    """What became of a mail; ``letters`` are to be sent, ``case_id`` is to be started or woken."""

    outcome: str
    case_id: int | None = None
    letters: tuple[int, ...] = ()
    copy: bool = False
    """It is our own copy of a letter, and belongs where those are."""


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
    segments, new = OtherSegments(wired), (read_mail(wired, mail) for mail in batch if mail.uid not in known)
    # outside of any transaction, for another system is asked
    for some in _portions(replace(one, segment=segments.of(one.mail)) for one in new):
        taken |= _store(wired, some)
    return taken


def answered(wired: Systems, message: Message) -> TakenIn:
    """What became of a stored mail, with the first response written where one is due."""
    taken = TakenIn(message.outcome, message.case_id, copy=_is_copy(wired, message))
    if message.outcome != "opened" or message.case_id is None:
        return taken
    case = CaseRun.open(message.case_id, wired)
    try:
        with wired.store.write() as session:
            letters = _respond(session, case, message, ())
    except AlreadyRecorded:
        # another intake on the same mailbox was quicker
        return taken
    return _taken(message, letters)


def _is_copy(wired: Systems, message: Message) -> bool:
    """Whether it was taken for our own copy of a letter: by its content, which is not looked at again."""
    if message.outcome != "automatic" or not wired.settings.is_ours(message.sender):
        return False
    with wired.store.read() as session:
        return session.exec(select(Letter.id).where(Letter.message_id == message.message_id)).first() is not None


def _respond(session: Session, case: CaseRun, message: Message, messages: Sequence[Message]) -> list[Letter]:
    """Write the first response, unless its thread has had one lately, or nobody knows whom it would reach."""
    now = case.systems.clock.now()
    if case.row.sender_doubt or thread_is_answered(session, tuple(message.references), message.sender, now):
        return []
    return first_response.do_within(session, case, messages)


def _taken(message: Message, letters: Sequence[Letter], *, copy: bool = False) -> TakenIn:
    numbers = tuple(letter.id for letter in letters if letter.id is not None)
    return TakenIn(message.outcome, message.case_id, numbers, copy)


def _known(wired: Systems, batch: Sequence[Received]) -> dict[int, Message]:
    """Of mails those that have their row: at the same place, and the same bytes."""
    first, by_uid = batch[0], {mail.uid: mail for mail in batch}
    place = (Message.mailbox == first.mailbox, Message.uidvalidity == first.uidvalidity, col(Message.uid).in_(by_uid))
    with wired.store.read() as session:
        found = session.exec(select(Message).where(*place)).all()
    # a server that was put back to an earlier state gives UIDs anew
    return {message.uid: message for message in found if message.sha256 == by_uid[message.uid].sha256}


def _portions(mails: Iterable[ReadMail]) -> Iterator[list[ReadMail]]:
    """Mails in their order, so that none has to do with another of its portion.

    Their senders differ, and one that answers something is alone.
    """
    some: list[ReadMail] = []
    senders: set[str] = set()
    alone = False
    for one in mails:
        was_alone, alone = alone, one.mail is None or is_answer(one.mail)
        sender = without_detail(one.mail.sender) if one.mail else ""
        if some and (alone or was_alone or sender in senders or len(some) == TOGETHER):
            yield some
            some, senders = [], set()
        some.append(one)
        senders.add(sender)
    if some:
        yield some


def _store(wired: Systems, some: Sequence[ReadMail]) -> dict[int, TakenIn]:
    """What becomes of new mails: of all in one transaction or, where anything is in the way, of each in its own."""
    if len(some) > 1:
        try:
            with wired.store.write() as session:
                return _placed(session, wired, some)
        except Exception:
            log.warning("a batch of %d mails failed, they are taken in one by one", len(some), exc_info=True)
            return {uid: taken for one in some for uid, taken in _store(wired, [one]).items()}
    (one,) = some
    return {one.received.uid: _store_one(wired, one)}


def _store_one(wired: Systems, one: ReadMail) -> TakenIn:
    """What breaks us is set aside whole, so that it stops no other mail."""
    reason = one.reason
    try:
        if one.mail is not None:
            customer_id = whose_address(wired, one.mail)
            return _write(wired, one, lambda session: _placed(session, wired, [one], customer_id)[one.received.uid])
    except (Defect, Refused) as error:
        log.exception(DEFECT, one.received.sha256)
        reason = f"defect: {error}"
    except LayananError:
        raise
    except Exception as error:
        log.exception(DEFECT, one.received.sha256)
        reason = defect(error)
    now = wired.clock.now()
    known = {"arrived_at": arrival(wired.settings, one.received, now)}
    aside = _row(one.received, now, Place("set_aside", reason), known)
    return _write(wired, one, lambda session: _aside(session, wired, one.received, aside))


def _write(wired: Systems, one: ReadMail, make: Callable[[Session], TakenIn]) -> TakenIn:
    try:
        with wired.store.write() as session:
            return make(session)
    except AlreadyRecorded:
        # another intake on the same mailbox was quicker
        known = _known(wired, [one.received])
        if not known:
            raise
        return answered(wired, known[one.received.uid])


def _aside(session: Session, wired: Systems, received: Received, message: Message) -> TakenIn:
    wired.store.keep_within(session, received.raw)
    session.add(message)
    return TakenIn("set_aside")


def _placed(session: Session, wired: Systems, some: Sequence[ReadMail], customer_id: str = "") -> dict[int, TakenIn]:
    mails = [(one.received, one.mail, one.segment) for one in some if one.mail is not None]
    alone_with(session, wired, [mail.sender for _, mail, _ in mails])
    # as none has to do with another, their rows are written together
    with session.no_autoflush:
        arrived = [_arrived(session, wired, *one, customer_id) for one in mails]
        placed = [(one, place(one)) for one in arrived]
        session.flush()
        written = [_written(session, one, its_place) for one, its_place in placed]
        session.flush()
    for (_, its_place), (message, _) in zip(placed, written, strict=True):
        its_place.then(message)
    return {
        message.uid: _taken(message, letters, copy=its_place.copy)
        for (message, letters), (_, its_place) in zip(written, placed, strict=True)
    }


def alone_with(session: Session, wired: Systems, senders: Iterable[str]) -> None:
    """Until this transaction ends, nobody else takes in mails of these senders.

    Two mails of one sender do not see each other otherwise: one that came by two mailboxes would open two cases.
    """
    wired.store.alone(session, {f"intake of {without_detail(sender)}" for sender in senders})


def _arrived(
    session: Session, wired: Systems, received: Received, mail: ParsedMail, segment: str, customer_id: str
) -> Arrived:
    now = wired.clock.now()
    return Arrived(session, wired, received, mail, now, arrival(wired.settings, received, now), customer_id, segment)


def _written(session: Session, arrived: Arrived, placed: Place) -> tuple[Message, list[Letter]]:
    """The mail's bytes and row, and its first response; flushes nothing."""
    arrived.wired.store.keep_within(session, arrived.received.raw)
    read = columns(arrived.mail) | {"arrived_at": arrived.arrived_at}
    message = _row(arrived.received, arrived.now, placed, read)
    session.add(message)
    note_copied(session, arrived, placed)
    if placed.opened is None:
        return message, []
    return message, _respond(session, CaseRun(placed.opened, arrived.wired, []), message, [message])


def _row(received: Received, now: datetime, placed: Place, more: dict[str, Any]) -> Message:
    known = {
        "mailbox": received.mailbox,
        "uidvalidity": received.uidvalidity,
        "uid": received.uid,
        "sha256": received.sha256,
        "received_at": now,
        "outcome": placed.outcome,
        "reason": placed.reason,
        "case_id": placed.case_id,
    }
    return row(Message, NewMessage.model_validate(known | more))


def columns(mail: ParsedMail) -> dict[str, Any]:
    """What a mail's row holds of what was read."""
    return {
        "message_id": mail.message_id,
        "sender": mail.sender,
        "sender_key": without_detail(mail.sender),
        "sender_name": mail.sender_name,
        "subject": mail.subject,
        "language": mail.language,
        "text": mail.text,
        "new_text": mail.new_text,
        "references": list(mail.references or mail.in_reply_to),
        "conversation": mail.conversation,
        "content": mail.content,
        "authentication": mail.authentication.model_dump(exclude_defaults=True),
        "attachments": [one.model_dump() for one in mail.attachments],
        "warnings": [*mail.warnings, *(problem for problem in mail.problems if problem in UNREAD)],
    }
