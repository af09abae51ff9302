"""What the store knows about a new mail, read in one query before the rules run."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Boolean, and_, bindparam, exists, func, or_
from sqlmodel import Session, col, select

from models.mail import ParsedMail, without_detail
from models.settings import Settings
from models.tables import CAME_AT, Case, Message, Party
from tasks.find_case import is_answer

_HOUR = timedelta(hours=1)
COPIED = timedelta(minutes=10)
"""Within this time, copies of one mail arrive in two mailboxes."""
_NEVER = datetime.max.replace(tzinfo=UTC)
_FORGED = bindparam("forged", type_=Boolean)
_BELIEVED = col(Message.doubts) == ""
_SAME_BYTES = col(Message.sha256) == bindparam("sha256")
_SAME_ID = col(Message.message_id) == bindparam("message_id")
_TWIN = (
    select(Message.id)
    .where(
        or_(col(Message.content) == bindparam("content"), _SAME_BYTES),
        # by arrival: after an outage, mails of several days are taken in within minutes
        or_(
            _SAME_BYTES,
            _SAME_ID,
            bindparam("resent_since") < CAME_AT,
            # one mail to two mailboxes, if a gateway gave each copy a Message-ID, or none has one
            and_(col(Message.mailbox) != bindparam("mailbox"), bindparam("copied_since") < CAME_AT),
        ),
        col(Message.outcome).in_(["opened", "joined", "other_segment"]),
        # a forged mail does not make the customer's own mail a duplicate
        or_(_BELIEVED, _FORGED),
        exists().where(
            col(Case.id) == col(Message.case_id),
            # after the case's end the same words are news: the trouble is back
            or_(
                _SAME_BYTES,
                col(Case.status).in_(["open", "merged"]),
                and_(_SAME_ID, col(Case.closed_at) > bindparam("came_at")),
            ),
        ),
    )
    .order_by(col(Message.id).desc())
    .limit(1)
)
_LATELY = (
    select(Message.id)
    .where(
        col(Message.sender_key) == bindparam("sender_key"),
        col(Message.received_at) > bindparam("hour_ago"),
        or_(_FORGED, _BELIEVED),
    )
    # in a flood, no more mails than the limit are counted
    .limit(bindparam("most"))
)
_MAILS = select(func.count()).select_from(_LATELY.subquery())
# by address only; the few who have cases are looked at more closely later
_CASES = or_(
    exists().where(col(Case.address) == bindparam("sender")),
    exists().where(col(Party.address) == bindparam("sender"), col(Party.copied).is_(False)),
)
# built once, because it is executed for each mail
_KNOWN = select(_TWIN.scalar_subquery(), _MAILS.scalar_subquery(), _CASES)


class Known(NamedTuple):
    """What the store already has."""

    twin_id: int | None
    """The latest earlier copy: the same bytes, the same content and Message-ID or, if it is no reply, the same content
    recently."""
    mails: int
    """Mails of its sender within the last hour, up to the limit; forged ones count only if it is forged, too."""
    cases: bool
    """Whether its sender has had a case, or is a party that a person added to one."""


def known_of(
    session: Session, settings: Settings, mail: ParsedMail, mailbox: str, now: datetime, came_at: datetime
) -> Known:
    """Read it from the store."""
    asked = {
        "message_id": mail.message_id,
        "sha256": mail.sha256,
        "content": mail.content,
        "forged": mail.forged,
        # the same words in answer to a letter ask again
        "resent_since": _NEVER if is_answer(mail) else came_at - timedelta(hours=settings.limits.resent_hours),
        "mailbox": mailbox,
        "copied_since": came_at - COPIED,
        "came_at": came_at,
        "most": settings.limits.mails_an_hour,
        "sender": mail.sender,
        "sender_key": without_detail(mail.sender),
        "hour_ago": now - _HOUR,
    }
    return Known(*session.connection().execute(_KNOWN, asked).one())
