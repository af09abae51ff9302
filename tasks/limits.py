"""Limits against loops and floods beyond what headers tell (settings: ``LAYANAN_LIMITS__…``).

What is over a limit is kept and listed (``layanan mails --outcome set_aside``), and a person looks at it.
"""

from datetime import datetime, timedelta

from sqlalchemy import String, bindparam, cast, func
from sqlmodel import Session, col, select

from models.letter import LetterKind
from models.mail import DISOWNED
from models.settings import Limits
from models.tables import Letter, Message, Outbox
from tasks.find_case import answers

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

# made once: intake asks for each mail
_MAILS = select(func.count()).where(
    col(Message.sender) == bindparam("sender"), col(Message.received_at) > bindparam("since")
)
_BELIEVED = _MAILS.where(*(cast(Message.warnings, String).not_like(f"%{words}%") for words in DISOWNED))
_LETTERS = select(func.count()).where(
    col(Letter.recipient) == bindparam("recipient"), col(Letter.written_at) > bindparam("since")
)


def flooding(session: Session, limits: Limits, sender: str, now: datetime, *, forged: bool) -> bool:
    """Whether the sender has sent so many mails within an hour that more of them are not served like others'.

    Mails that somebody forged do not count against the sender's own.
    """
    known = {"sender": sender, "since": now - HOUR}
    if session.exec(_MAILS, params=known).one() < limits.mails_an_hour:
        return False
    return forged or session.exec(_BELIEVED, params=known).one() >= limits.mails_an_hour


def answers_like_a_robot(session: Session, limits: Limits, sender: str, now: datetime) -> bool:
    """Whether this answer comes within seconds of a letter of ours, as enough others of the sender did on this day."""
    letters = select(Outbox.sent_at).join(Letter).where(Letter.recipient == sender, col(Letter.written_at) > now - DAY)
    sent = [at for at in session.exec(letters) if at is not None]

    def quick(at: datetime) -> bool:
        return any(timedelta() <= at - out <= timedelta(seconds=limits.quick_seconds) for out in sent)

    if not quick(now):
        return False
    lately = (Message.sender == sender, col(Message.received_at) > now - DAY)
    mails = session.exec(select(Message.received_at, Message.subject, Message.references).where(*lately))
    return sum(answers(subject, thread) and quick(at) for at, subject, thread in mails) + 1 >= limits.quick_answers


def letters_used_up(session: Session, limits: Limits, recipient: str, now: datetime) -> bool:
    """Whether no more letters may go to the address on this day."""
    return session.exec(_LETTERS, params={"recipient": recipient, "since": now - DAY}).one() >= limits.letters_a_day


def thread_is_answered(session: Session, thread: tuple[str, ...], sender: str, now: datetime) -> bool:
    """Whether a thread of the sender has had its first response on this day."""
    if not thread:
        return False
    ours = (Letter.kind == LetterKind.FIRST_RESPONSE, Letter.recipient == sender)
    lately = (col(Letter.message_id).in_(thread), col(Letter.written_at) > now - DAY)
    return session.exec(select(Letter.id).where(*ours, *lately).limit(1)).first() is not None
