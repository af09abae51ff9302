"""Applies a mail's place: its row, its case, its first response, signals, and what it reports.

Held by `tests/tasks/intake/test_batch.py`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col

from adapters.ems import Received
from adapters.wiring import Systems
from models.mail import UNREAD, Automatic, ParsedMail, without_detail
from models.tables import Bounce, Case, Letter, Message, NewMessage, Outbox, row
from tasks.first_response import first_response
from tasks.intake.copied import add_copied
from tasks.intake.limits import thread_is_answered
from tasks.intake.place_mail import LetterCame, Placed, Reported, Told
from tasks.intake.read_mail import Parsed
from tasks.run import signals
from tasks.run.case_run import CaseRun
from tasks.run.copies import is_copied
from tasks.run.lifetime import open_case
from tasks.run.undelivered import undelivered


def opened_case(session: Session, placed: Placed) -> Case | None:
    """The case that the mail opens; it gets its number when the session is flushed."""
    return open_case(session, placed.opens) if placed.opens else None


def store(
    session: Session, systems: Systems, parsed: Parsed, placed: Placed, opened: Case | None, now: datetime
) -> tuple[Message, list[Letter]]:
    """Store the mail's bytes and row, the people in Cc, and its first response, without flushing."""
    systems.store.keep_within(session, parsed.received.raw)
    read = columns(parsed.mail) | {"arrived_at": parsed.arrived_at}
    message = mail_row(parsed.received, now, placed, read, opened)
    session.add(message)
    note_copied(session, systems, parsed.mail, placed, opened, now)
    if opened is None:
        return message, []
    return message, respond(session, CaseRun(opened, systems, []), message, [message])


def note_copied(
    session: Session, systems: Systems, mail: ParsedMail, placed: Placed, opened: Case | None, now: datetime
) -> None:
    """Store the people in To and Cc of a mail that opened or joined a case."""
    case = opened or (session.get(Case, placed.case_id) if placed.outcome == "joined" else None)
    if case is not None:
        add_copied(session, systems, mail, case, now)


def respond(session: Session, case: CaseRun, message: Message, messages: Sequence[Message]) -> list[Letter]:
    """Write the first response, unless the thread got one recently or the sender is doubtful."""
    now = case.systems.clock.now()
    if case.row.sender_doubt or thread_is_answered(session, tuple(message.references), message.sender, now):
        return []
    return first_response.do_within(session, case, messages)


def follow(
    session: Session, systems: Systems, mail: ParsedMail, placed: Placed, message: Message, now: datetime
) -> None:
    """Apply the mail's effect after it has its row."""
    match placed.effect:
        case LetterCame(letter_id):
            # only if no report has come meanwhile, which would say more
            on_its_way = (col(Outbox.letter_id) == letter_id, col(Outbox.state).in_(["queued", "sending"]))
            session.execute(update(Outbox).where(*on_its_way).values(state="sent", sent_at=now))
        case Reported(letter_id):
            _keep_report(session, systems, mail, letter_id, message, now)
        case Told(tells_of):
            session.add(signals.of_mail(message.case_id or 0, message.id or 0, now, tells_of=tells_of))


def _keep_report(
    session: Session, systems: Systems, mail: ParsedMail, letter_id: int, report: Message, now: datetime
) -> None:
    """Store a delivery report, and inform the case if the letter did not reach its recipient."""
    session.add_all(Bounce(letter_id=letter_id, mail_id=report.id or 0, **one.model_dump()) for one in mail.bounce)
    # a full mailbox of ours that refuses our own copy says nothing about the customer's
    failed = [one for one in mail.bounce if one.action == "failed" and not systems.settings.is_ours(one.address)]
    letter = session.get_one(Letter, letter_id)
    lost = [
        one for one in failed if one.address == letter.recipient or not is_copied(session, letter.case_id, one.address)
    ]
    if lost or (not mail.bounce and mail.automatic in {Automatic.BOUNCE, None}):
        codes = dict.fromkeys(one.status for one in lost if one.status)
        words = mail.automatic_reason or "in a mail server's words"
        undelivered(session, letter_id, "bounced", " ".join([*codes, words]), now)


def mail_row(
    received: Received, now: datetime, placed: Placed, more: dict[str, Any], opened: Case | None = None
) -> Message:
    """The mail's row in the intake ledger."""
    known = {
        "mailbox": received.mailbox,
        "uidvalidity": received.uidvalidity,
        "uid": received.uid,
        "sha256": received.sha256,
        "received_at": now,
        "outcome": placed.outcome,
        "reasons": [list(reason) for reason in placed.reasons],
        "case_id": opened.id if opened else placed.case_id,
    }
    return row(Message, NewMessage.model_validate(known | more))


def columns(mail: ParsedMail) -> dict[str, Any]:
    """The columns of a mail's row that come from the parsed mail."""
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
        "automatic": mail.automatic or "",
        "authentication": mail.authentication.model_dump(exclude_defaults=True),
        "attachments": [one.model_dump() for one in mail.attachments],
        "doubts": " ".join(mail.doubts),
        "warnings": [*mail.cautions, *(problem for problem in mail.problems if problem in UNREAD)],
    }
