"""Intake of mail: received → parsed → placed → stored; only then is the mail settled on the server.

Each step may be repeated after a crash: the ledger's key is the mail's place on the server, the first response is
recorded once, and a case has one run. A mail that cannot be parsed is stored whole and quarantined.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlmodel import Session, col, select

from adapters.case_store.store import AlreadyRecorded
from adapters.ems import Received
from adapters.wiring import Systems
from models.errors import Defect, LayananError, Refused
from models.mail import without_detail
from models.reasons import Reason, Why
from models.tables import Letter, Message
from tasks.find_case import is_answer, remember_matters, whose_address
from tasks.hand_over_segment import OtherSegments
from tasks.intake.arrival import arrival
from tasks.intake.place_mail import Look, Placed, place
from tasks.intake.read_mail import DEFECT, Parsed, Unread, read_mail
from tasks.intake.store_mail import follow, mail_row, opened_case, respond, store
from tasks.run.case_run import CaseRun
from tasks.run.own_copy import copied_letters

log = logging.getLogger("layanan.intake")

TOGETHER = 10
"""Most mails in one transaction."""


@dataclass(frozen=True)
class TakenIn:
    """The outcome of a stored mail: the letters to send, and the case to start or to inform."""

    outcome: str
    case_id: int | None = None
    letters: tuple[int, ...] = ()
    copy: bool = False
    """Whether it is our own copy of a letter, which belongs in the sent folder."""


def take_in_batch(systems: Systems, batch: Sequence[Received]) -> dict[int, TakenIn]:
    """Store mails of one mailbox with their outcomes, and write the first responses that are due.

    Returns what became of each mail, by UID.

    Raises:
        Unavailable: the case store does not answer. Some mails may have been stored; the others stay on the server.
    """
    known = _known(systems, batch)
    taken = {uid: answered(systems, message) for uid, message in known.items()}
    new = _parsed(systems, (mail for mail in batch if mail.uid not in known))
    for some in _apart(new):
        taken |= _store(systems, some)
    return taken


def answered(systems: Systems, message: Message) -> TakenIn:
    """The outcome of a stored mail; writes the first response if it is due."""
    taken = TakenIn(message.outcome, message.case_id, copy=_is_copy(systems, message))
    if message.outcome != "opened" or message.case_id is None:
        return taken
    case = CaseRun.open(message.case_id, systems)
    try:
        with systems.store.write() as session:
            letters = respond(session, case, message, ())
    except AlreadyRecorded:
        # another intake of the same mailbox was faster
        return taken
    return _taken(message, letters)


def _is_copy(systems: Systems, message: Message) -> bool:
    """Whether the stored mail was recognised as our own copy of a letter."""
    if message.outcome != "automatic" or not systems.settings.is_ours(message.sender):
        return False
    with systems.store.read() as session:
        return session.exec(select(Letter.id).where(Letter.message_id == message.message_id)).first() is not None


def _taken(message: Message, letters: Sequence[Letter], *, copy: bool = False) -> TakenIn:
    numbers = tuple(letter.id for letter in letters if letter.id is not None)
    return TakenIn(message.outcome, message.case_id, numbers, copy)


def _known(systems: Systems, batch: Sequence[Received]) -> dict[int, Message]:
    """The mails that already have a row: at the same place and with the same bytes."""
    first, by_uid = batch[0], {mail.uid: mail for mail in batch}
    place = (Message.mailbox == first.mailbox, Message.uidvalidity == first.uidvalidity, col(Message.uid).in_(by_uid))
    with systems.store.read() as session:
        found = session.exec(select(Message).where(*place)).all()
    # a server that was restored to an earlier state assigns UIDs again
    return {message.uid: message for message in found if message.sha256 == by_uid[message.uid].sha256}


def _parsed(systems: Systems, batch: Iterable[Received]) -> Iterator[Parsed | Unread]:
    """Each mail with what is found out before the transaction: its text, and what systems say about its sender."""
    segments = OtherSegments(systems)
    for received in batch:
        mail = read_mail(systems, received)
        if isinstance(mail, Unread):
            yield mail
            continue
        arrived_at = arrival(systems.settings, received, systems.clock.now())
        yield Parsed(received, mail, arrived_at, segments.of(mail))


def _apart(mails: Iterable[Parsed | Unread]) -> Iterator[list[Parsed | Unread]]:
    """Mails in their order, in batches of independent mails: all senders differ, and a reply is alone."""
    some: list[Parsed | Unread] = []
    senders: set[str] = set()
    alone = False
    for one in mails:
        was_alone, alone = alone, isinstance(one, Unread) or is_answer(one.mail)
        sender = "" if isinstance(one, Unread) else without_detail(one.mail.sender)
        if some and (alone or was_alone or sender in senders or len(some) == TOGETHER):
            yield some
            some, senders = [], set()
        some.append(one)
        senders.add(sender)
    if some:
        yield some


def _store(systems: Systems, some: Sequence[Parsed | Unread]) -> dict[int, TakenIn]:
    """Store new mails: all in one transaction or, if that fails, each in its own."""
    if len(some) > 1:
        try:
            parsed = _looked_up(systems, [one for one in some if isinstance(one, Parsed)])
            with systems.store.write() as session:
                return _placed(session, systems, parsed)
        except Exception:
            log.warning("a batch of %d mails failed, they are taken in one by one", len(some), exc_info=True)
            return {uid: taken for one in some for uid, taken in _store(systems, [one]).items()}
    (one,) = some
    return {one.received.uid: _store_one(systems, one)}


def _store_one(systems: Systems, one: Parsed | Unread) -> TakenIn:
    """Store one mail. If our code fails on it, it is quarantined, so that it stops no other mail."""
    if isinstance(one, Unread):
        return _quarantine(systems, one)
    try:
        (parsed,) = _looked_up(systems, [replace(one, customer_id=whose_address(systems, one.mail))])
        return _write(systems, one.received, lambda session: _placed(session, systems, [parsed])[one.received.uid])
    except (Defect, Refused) as error:
        log.exception(DEFECT, one.received.sha256)
        reason = Reason(Why.DEFECT, str(error))
    except LayananError:
        raise
    except Exception as error:
        log.exception(DEFECT, one.received.sha256)
        reason = Reason(Why.DEFECT, type(error).__name__)
    return _quarantine(systems, Unread(one.received, reason))


def _looked_up(systems: Systems, mails: Sequence[Parsed]) -> list[Parsed]:
    """The mails with what is compared before the store is locked: copies of our letters, and the topics of the senders'
    cases."""
    with systems.store.read() as session:
        copies = copied_letters(session, systems, [(one.mail, one.received.raw) for one in mails])
        remember_matters(session, systems, [(one.mail, one.arrived_at or systems.clock.now()) for one in mails])
    return [replace(one, copy_of=copies.get(one.received.sha256)) for one in mails]


def _quarantine(systems: Systems, one: Unread) -> TakenIn:
    now, received = systems.clock.now(), one.received
    known = {"arrived_at": arrival(systems.settings, received, now)}

    def write(session: Session) -> TakenIn:
        systems.store.keep_within(session, received.raw)
        session.add(mail_row(received, now, Placed("quarantined", (one.reason,)), known))
        return TakenIn("quarantined")

    return _write(systems, received, write)


def _write(systems: Systems, received: Received, make: Callable[[Session], TakenIn]) -> TakenIn:
    try:
        with systems.store.write() as session:
            return make(session)
    except AlreadyRecorded:
        # another intake of the same mailbox was faster
        known = _known(systems, [received])
        if not known:
            raise
        return answered(systems, known[received.uid])


def _placed(session: Session, systems: Systems, mails: Sequence[Parsed]) -> dict[int, TakenIn]:
    """Place and store independent mails; their rows are written together."""
    alone_with(session, systems, [one.mail.sender for one in mails])
    with session.no_autoflush:
        looks = [Look(session, systems, one, systems.clock.now()) for one in mails]
        placed = [place(look) for look in looks]
        opened = [opened_case(session, one) for one in placed]
        session.flush()
        stored = [
            store(session, systems, look.parsed, one, case, look.now)
            for look, one, case in zip(looks, placed, opened, strict=True)
        ]
        session.flush()
    for look, one, (message, _) in zip(looks, placed, stored, strict=True):
        follow(session, systems, look.mail, one, message, look.now)
    return {
        message.uid: _taken(message, letters, copy=one.copy)
        for (message, letters), one in zip(stored, placed, strict=True)
    }


def alone_with(session: Session, systems: Systems, senders: Iterable[str]) -> None:
    """Until the transaction ends, no other intake takes in mails of these senders.

    Otherwise two mails of one sender would not see each other, and a mail to two mailboxes would open two cases.
    """
    systems.store.alone(session, {f"intake of {without_detail(sender)}" for sender in senders})
