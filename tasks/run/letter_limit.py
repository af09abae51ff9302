"""The limit on letters to one address, against loops (setting ``LAYANAN_LIMITS__LETTERS_A_DAY``).

Addresses that differ only in the part after a plus are one mailbox. Held by `tests/tasks/intake/test_limits.py`.
"""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, func
from sqlmodel import Session, col, select

from models.mail import without_detail
from models.settings import Limits
from models.tables import Letter

DAY = timedelta(days=1)

# made once: intake asks for each mail
_LETTERS = select(func.count()).where(
    col(Letter.recipient_key) == bindparam("recipient_key"), col(Letter.written_at) > bindparam("since")
)


def letters_used_up(session: Session, limits: Limits, recipient: str, now: datetime) -> bool:
    """Whether the address has had as many letters within a day as it may have."""
    asked = {"recipient_key": without_detail(recipient), "since": now - DAY}
    letters: int = session.connection().execute(_LETTERS, asked).scalar_one()
    return letters >= limits.letters_a_day
