"""Corrections of SOP 5.3 by a person: merge two cases, split a case, or let somebody else take part in a case.

A merged case keeps its history; the other case continues, and later mails to either reach it. Each correction is
recorded in the ledger of its cases and can be reversed: :func:`unmerge` reverses a merger, a merger reverses a split.
"""

import logging
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from adapters.case_store import audit
from adapters.wiring import Systems
from models.audit import Action, Entry
from models.errors import LayananError, NotWaiting, WrongUse
from models.facts import ENDED
from models.reasons import Why
from models.sop import Role
from models.states import RecordState, Retired, SignalKind
from models.tables import ActivityRecord, Case, Deadline, Message, Party, Signal, TicketRow, Wait
from tasks.run import signals
from tasks.run.family import locked
from tasks.run.ledger import entry
from tasks.run.lifetime import new_case, open_case
from tasks.run.resume import resume_or_show, show_news
from tasks.run.start_case import start_case
from tasks.run.wait_key import WaitKey

log = logging.getLogger("layanan.correct")

MERGED, UNMERGED = "merged", "unmerged"


def merge(systems: Systems, case_id: int, into_id: int, by: str) -> None:
    """End a case as merged into another, which reads its mails. Repeating it completes what was interrupted.

    Raises:
        WrongUse: they cannot be merged; the text says why.
        NotWaiting: the case is running at this moment.
        Unavailable: store or engine does not answer.
    """
    with systems.store.write() as session:
        case = locked(session, case_id)
        if case.status == "open" and session.get(Wait, case_id) is None:
            raise NotWaiting(f"{case.reference} is running at this moment; try again")
        merge_rows(session, systems, case_id, into_id, by)
        run_id = session.exec(select(Case.run_id).where(Case.id == case_id)).one()
    if run_id:
        systems.engine.restart(run_id, "merged")  # the run sees the merger, and ends
    resume_or_show(systems, into_id, "mail")


def whose_letters(systems: Systems, case_id: int, into_id: int) -> str:
    """Who gets the letters after a merger, if the cases have different addresses; names no address."""
    with systems.store.read() as session:
        case, into = session.get_one(Case, case_id), session.get_one(Case, into_id)
    if case.address == into.address:
        return ""
    who = "customers" if case.customer_id and case.customer_id != into.customer_id != "" else "senders"
    return f"They are of two {who}: letters go to that of {into.reference}, none to that of {case.reference}"


def merge_rows(session: Session, systems: Systems, case_id: int, into_id: int, by: str) -> None:
    """The merger itself, within a transaction."""
    case, into = locked(session, case_id), locked(session, into_id)
    if case.merged_into == into_id:
        return
    if case_id == into_id:
        raise WrongUse(f"{case.reference} cannot be merged into itself")
    if case.status != "open" or into.status != "open":
        raise WrongUse(f"{case.reference} ({case.status}) and {into.reference} ({into.status}): both must be open")
    now = systems.clock.now()
    running = select(Deadline).where(Deadline.case_id == case_id, col(Deadline.over).is_(False))
    deadlines = session.exec(running).all()
    kinds = [SignalKind.MAIL, SignalKind.UNIT, SignalKind.UNDELIVERED]
    moved = session.exec(signals.pending(case_id, kinds)).all()
    kept: dict[str, Any] = {
        "into": into.reference,
        "deadlines": [deadline.id for deadline in deadlines],
        "wakes": [signal.id for signal in moved],
    }
    for deadline in deadlines:
        deadline.over = True
    for signal in moved:
        signal.case_id = into_id
    if wait := session.exec(select(Wait).where(Wait.case_id == case_id)).first():
        if wait.given_how:
            raise NotWaiting(f"{case.reference} was just decided by {wait.given['by']}; try again in a moment")
        # the engine accepts no key twice, so if the merger is reversed, the wait needs the next attempt
        key = WaitKey.parse(wait.wait_key)
        session.add(_record(session, case_id, key.name, {}, by, now, attempt=key.attempt, state=RecordState.MERGED))
        session.delete(wait)
    case.status, case.outcome, case.merged_into, case.closed_at = "merged", MERGED, into_id, now
    session.add_all([case, *deadlines, *moved, _record(session, case_id, MERGED, kept, by, now)])
    session.add(_record(session, into_id, "took-over", {"case": case.reference}, by, now))
    first = session.exec(select(Message.id).where(Message.case_id == case_id).order_by(col(Message.id))).first()
    session.add(signals.of_merger(into_id, case_id, first, now))
    audit.note(session, Entry(Action.MERGED, now, by, reference=case.reference, subject=into.reference))


def unmerge(systems: Systems, case_id: int, by: str) -> None:
    """Reverse a merger: the case continues where it stopped, with its pending signals.

    Mails that came since stay in the other case. Repeating it completes what was interrupted.

    Raises:
        WrongUse: the case is not merged.
        Unavailable: store or engine does not answer.
    """
    with systems.store.write() as session:
        case = locked(session, case_id)
        run_id, into = case.run_id, case.merged_into
        if into is not None:
            _unmerge_rows(session, systems, case, into, by)
        elif not _stands_still(session, case):
            raise WrongUse(f"{case.reference} is not merged ({case.status})")
    if run_id:
        systems.engine.restart(run_id, "its merger was reversed")
    if into is not None:
        _show_what_is_left(systems, into)


def _unmerge_rows(session: Session, systems: Systems, case: Case, into: int, by: str) -> None:
    case_id, now = case.key, systems.clock.now()
    query = select(ActivityRecord).where(ActivityRecord.case_id == case_id, ActivityRecord.name == MERGED)
    kept = session.exec(query.order_by(col(ActivityRecord.id).desc())).first()
    case.status, case.outcome, case.merged_into, case.closed_at = "open", "", None, None
    before = kept.output if kept else {}
    session.execute(update(Deadline).where(col(Deadline.id).in_(before.get("deadlines", []))).values(over=False))
    # the other case may have ended meanwhile, and with it the monitoring of its tickets
    of_units = (col(TicketRow.case_id) == case_id, col(TicketRow.status).not_in([state.value for state in ENDED]))
    session.execute(update(TicketRow).where(*of_units).values(open=True))
    unread = (col(Signal.id).in_(before.get("wakes", [])), signals.PENDING)
    session.execute(update(Signal).where(*unread).values(case_id=case_id))
    session.add_all([case, _record(session, case_id, UNMERGED, {}, by, now)])
    session.add(_record(session, into, "gave-back", {"case": case.reference}, by, now))
    audit.note(session, Entry(Action.UNMERGED, now, by, reference=case.reference))
    signals.retire_merger(session, case_id, now)


def _stands_still(session: Session, case: Case) -> bool:
    """Whether a case has neither done anything nor waited since its merger was reversed."""
    query = select(ActivityRecord.name).where(ActivityRecord.case_id == case.key)
    latest = session.exec(query.order_by(col(ActivityRecord.id).desc())).first()
    return latest == UNMERGED and session.get(Wait, case.key) is None


def split(systems: Systems, case_id: int, message_id: int, by: str) -> int:
    """Move one mail of a case into a new case of its sender; returns the new case's number.

    If the engine does not answer, the monitor starts the new case's run.

    Raises:
        WrongUse: the mail is not one of the case's, or is its first one, or automatic.
        Unavailable: the store does not answer.
    """
    with systems.store.write() as session:
        case, now = locked(session, case_id), systems.clock.now()
        mails = session.exec(select(Message).where(Message.case_id == case_id).order_by(col(Message.id))).all()
        mail = next((one for one in mails[1:] if one.id == message_id), None)
        if mail is None or mail.outcome == "automatic":
            raise WrongUse(f"mail {message_id} is not a later customer's mail in {case.reference}; see `layanan case`")
        known = {"site": case.site, "mailbox": case.mailbox, "language": mail.language, "opened_at": now}
        known |= {"address": mail.sender, "name": mail.sender_name, "subject": mail.subject}
        # the mail joined by a reference, which does not prove its sender
        doubt = case.sender_doubt or mail.doubts
        new = open_case(session, new_case(**known, sender_doubt=doubt))
        session.flush()
        mail.case_id, mail.outcome, mail.reasons = new.id, "opened", [[Why.SPLIT, case.reference]]
        session.add(mail)
        signals.retire_mail(session, message_id, Retired.SPLIT, now)
        for one, name, other in ((case_id, "split", new), (new.key, "split-from", case)):
            session.add(_record(session, one, name, {"case": other.reference, "mail": message_id}, by, now))
        subject = f"mail {message_id} → {new.reference}"
        audit.note(session, Entry(Action.SPLIT, now, by, reference=case.reference, subject=subject))
    try:
        start_case(systems, new.key)
    except LayananError as error:
        log.warning("the monitor will start the run of %s: %s", new.reference, error)
    _show_what_is_left(systems, case_id)
    return new.key


def _show_what_is_left(systems: Systems, case_id: int) -> None:
    """Update the case's form, which may show a mail that has been moved away."""
    with suppress(LayananError):
        show_news(systems, case_id)


def add_party(systems: Systems, case_id: int, message_id: int, by: str, *, letters: bool = False) -> None:
    """Let the sender of a mail take part in a case. Letters go to the customer only, unless ``letters`` is set.

    Args:
        letters: the sender gets copies of letters from now on; for a mail of the case's own customer, the people in
            its To and Cc do.

    Raises:
        WrongUse: the mail or its sender does not exist, or nobody else was in To or Cc of the customer's mail.
    """
    with systems.store.write() as session:
        case, now = locked(session, case_id), systems.clock.now()
        mail = session.get(Message, message_id)
        if mail is None or not mail.sender:
            raise WrongUse(f"there is no mail {message_id} with a sender; `layanan mails` lists them")
        if letters and mail.sender == case.address:
            told = update(Party).where(col(Party.case_id) == case_id, col(Party.copied)).values(letters=True)
            if session.connection().execute(told).rowcount == 0:
                raise WrongUse(f"nobody else was in To or Cc of the customer's mails in {case.reference}")
        else:
            session.merge(Party(case_id=case.key, address=mail.sender, added_by=by, added_at=now, letters=letters))
        told_of: dict[str, Any] = {"mail": message_id, "letters": letters} if letters else {"mail": message_id}
        session.add(_record(session, case_id, "party", told_of, by, now))
        subject, reference = f"mail {message_id}", case.reference
        added = Entry(Action.PARTY_ADDED, now, by, reference=reference, subject=subject, after=told_of)
        audit.note(session, added)


def remove_party(systems: Systems, case_id: int, message_id: int, by: str) -> None:
    """Remove the party.

    Raises:
        WrongUse: the mail's sender is not a party of the case.
    """
    with systems.store.write() as session:
        mail = session.get(Message, message_id)
        party = session.get(Party, (case_id, mail.sender)) if mail else None
        if party is None:
            raise WrongUse(f"the sender of mail {message_id} is not a party of the case; see `layanan case`")
        session.delete(party)
        now, reference = systems.clock.now(), session.get_one(Case, case_id).reference
        session.add(_record(session, case_id, "no-party", {"mail": message_id}, by, now))
        subject = f"mail {message_id}"
        audit.note(session, Entry(Action.PARTY_REMOVED, now, by, reference=reference, subject=subject))


def _record(
    session: Session,
    case_id: int,
    name: str,
    output: dict[str, Any],
    by: str,
    now: datetime,
    attempt: int = 0,
    state: RecordState = RecordState.DONE,
) -> ActivityRecord:
    """A correction, or, with an attempt, the end of a wait."""
    query = select(ActivityRecord.id).where(ActivityRecord.case_id == case_id, ActivityRecord.name == name)
    occurrence = 1 if attempt else len(session.exec(query).all()) + 1
    known: dict[str, Any] = {"state": state, "occurrence": occurrence, "attempt": attempt or 1}
    return entry(case_id, name, output, f"{Role.TEAM_LEADER}: {by}", ended_at=now, **known)
