"""Limits against loops and floods that no header shows (settings: ``LAYANAN_LIMITS__…``).

Addresses that differ only after a plus count as one, because a robot can have any number of them. A mail above a limit
is quarantined (``layanan mails --outcome quarantined`` lists it) for a person.
"""

from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import or_
from sqlmodel import Session, col, select

from models.letter import LetterKind
from models.mail import without_detail
from models.reasons import Why
from models.settings import Limits
from models.tables import CAME_AT, Letter, Message, Outbox
from tasks.find_case import answers

DAY = timedelta(days=1)
_WHOLE = timedelta(seconds=1)
"""Mailboxes store the arrival in whole seconds."""
_LATEST = 100
"""Letters that an answer is compared with: more than an address gets in a day."""


def answers_like_a_robot(session: Session, limits: Limits, sender: str, came_at: datetime) -> bool:
    """Whether this answer came within seconds of our letter, and so did enough others of the sender today."""
    key, quick = without_detail(sender), timedelta(seconds=limits.quick_seconds)
    letters = (
        select(Outbox.sent_at).join(Letter).where(Letter.recipient_key == key, col(Letter.written_at) > came_at - DAY)
    )
    latest = session.exec(letters.order_by(col(Letter.id).desc()).limit(_LATEST))
    soon = [(at - _WHOLE, at + quick) for at in latest if at is not None]
    if not any(first <= came_at <= last for first, last in soon):
        return False
    others = select(Message.subject, Message.references, Message.reasons).where(
        Message.sender_key == key,
        # forged mails do not make a customer a robot
        Message.doubts == "",
        col(Message.received_at) > came_at - DAY,
        or_(*(CAME_AT.between(first, last) for first, last in soon)),
    )
    # only these columns and as few rows as needed: in a flood there may be many long mails
    found = session.exec(others.execution_options(yield_per=100))
    answered = (
        True
        for subject, thread, reasons in found
        if any(why == Why.SIGNED_REFERENCE for why, _ in reasons) or answers(subject, thread)
    )
    return sum(islice(answered, limits.quick_answers - 1)) + 1 >= limits.quick_answers


def thread_is_answered(session: Session, thread: tuple[str, ...], sender: str, now: datetime) -> bool:
    """Whether the thread got its first response within the last day."""
    if not thread:
        return False
    ours = (Letter.kind == LetterKind.FIRST_RESPONSE, Letter.recipient_key == without_detail(sender))
    lately = (col(Letter.message_id).in_(thread), col(Letter.written_at) > now - DAY)
    return session.exec(select(Letter.id).where(*ours, *lately).limit(1)).first() is not None
