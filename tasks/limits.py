"""Limits against loops and floods beyond what headers tell (settings: ``LAYANAN_LIMITS__…``).

Addresses that differ behind a plus only are one mailbox to them: a robot has as many as it likes. What is over a limit
is kept and listed (``layanan mails --outcome set_aside``), and a person looks at it.
"""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, func
from sqlmodel import Session, col, select

from models.letter import LetterKind
from models.mail import without_detail
from models.settings import Limits
from models.tables import Letter, Message, Outbox
from tasks.find_case import answers

DAY = timedelta(days=1)
_WHOLE = timedelta(seconds=1)
"""Mailboxes know the second in which a mail came."""

# made once: intake asks for each mail
_LETTERS = select(func.count()).where(
    col(Letter.recipient_key) == bindparam("recipient_key"), col(Letter.written_at) > bindparam("since")
)


def answers_like_a_robot(session: Session, limits: Limits, sender: str, came_at: datetime) -> bool:
    """Whether this answer came within seconds of a letter of ours, as enough others of the sender did on this day."""
    key = without_detail(sender)
    letters = (
        select(Outbox.sent_at).join(Letter).where(Letter.recipient_key == key, col(Letter.written_at) > came_at - DAY)
    )
    sent = [at for at in session.exec(letters) if at is not None]

    def quick(at: datetime) -> bool:
        return any(-_WHOLE <= at - out <= timedelta(seconds=limits.quick_seconds) for out in sent)

    if not quick(came_at):
        return False
    lately = (Message.sender_key == key, col(Message.received_at) > came_at - DAY)
    mails = session.exec(select(Message).where(*lately))
    others = sum(answers(mail.subject, mail.references) and quick(mail.came_at) for mail in mails)
    return others + 1 >= limits.quick_answers


def letters_used_up(session: Session, limits: Limits, recipient: str, now: datetime) -> bool:
    """Whether no more letters may go to the address on this day."""
    asked = {"recipient_key": without_detail(recipient), "since": now - DAY}
    letters: int = session.connection().execute(_LETTERS, asked).scalar_one()
    return letters >= limits.letters_a_day


def thread_is_answered(session: Session, thread: tuple[str, ...], sender: str, now: datetime) -> bool:
    """Whether a thread of the sender has had its first response on this day."""
    if not thread:
        return False
    ours = (Letter.kind == LetterKind.FIRST_RESPONSE, Letter.recipient_key == without_detail(sender))
    lately = (col(Letter.message_id).in_(thread), col(Letter.written_at) > now - DAY)
    return session.exec(select(Letter.id).where(*ours, *lately).limit(1)).first() is not None
