"""Sends letters again that failed because the relay refused us (account, quota, policy): all together, in order.

Letters that a recipient's server refused stay a person's matter, one by one. Held by `tests/tasks/run/test_relay.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_
from sqlmodel import Session, col, select

from adapters.ems.refusals import concerns
from adapters.wiring import Systems
from models.letter import LetterKind
from models.settings import Policy
from models.states import LOST
from models.tables import Bounce, Case, Letter, Outbox
from tasks.run.send_letter import send_again

CLOSED = "kasus sudah selesai / its case is over"
OVERTAKEN = "surat berikutnya sudah ditulis / a later letter replaces it"
TOO_OLD = "isinya sudah kedaluwarsa / its content is out of date"


@dataclass(frozen=True)
class FailedLetter:
    """A letter that may be sent again; ``outdated`` tells people why to look at it first."""

    id: int
    case: str
    kind: str
    written_at: datetime
    outdated: str


def failed_letters(systems: Systems) -> list[FailedLetter]:
    """Failed letters without a decision, except those whose recipient was refused; oldest first."""
    ours = or_(col(Outbox.state) == "bounced", col(Outbox.cause) != "recipient")
    query = select(Letter, Outbox, Case).join(Outbox).join(Case)
    lost = query.where(col(Outbox.state).in_(LOST), col(Outbox.handled).is_(False), ours).order_by(col(Letter.id))
    with systems.store.read() as session:
        return [
            FailedLetter(
                letter.id or 0, case.reference, letter.kind, letter.written_at, _outdated(session, systems, *row)
            )
            for row in session.exec(lost).all()
            for letter, outbox, case in [row]
            if outbox.state == "failed" or _bounced_for_our_sake(session, letter)
        ]


def send_all_again(systems: Systems, letters: Iterable[FailedLetter]) -> None:
    """Put letters back in the outbox; the monitor's next sweep sends them, those of a case in their order.

    Raises:
        Refused: one of them is not a failed letter (any more).
    """
    for letter in letters:
        send_again(systems, letter.id)


def _bounced_for_our_sake(session: Session, letter: Letter) -> bool:
    """Whether delivery reports say that a server on the way refuses us: the relay had accepted the letter."""
    reports = session.exec(select(Bounce).where(Bounce.letter_id == letter.id, col(Bounce.hard))).all()
    return any(concerns("the letter", 550, report.status) == "us" for report in reports)


def _outdated(session: Session, systems: Systems, letter: Letter, outbox: Outbox, case: Case) -> str:
    while case.merged_into is not None:
        case = session.get_one(Case, case.merged_into)
    if case.status != "open":
        return CLOSED
    later = select(Letter.id).join(Outbox).where(Letter.case_id == letter.case_id, col(Letter.id) > letter.id)
    takes_its_place = or_(
        col(Letter.kind) == letter.kind, (col(Letter.recipient) == letter.recipient) & (col(Outbox.state) == "sent")
    )
    if session.exec(later.where(takes_its_place).limit(1)).first() is not None:
        return OVERTAKEN
    lasts = _lasts(systems.settings.policy, LetterKind(letter.kind))
    return TOO_OLD if lasts and systems.clock.now() - letter.written_at > lasts else ""


def _lasts(policy: Policy, kind: LetterKind) -> timedelta | None:
    """How long a letter of this kind stays true; None: for ever."""
    match kind:
        case LetterKind.STATUS | LetterKind.WAITING:
            return timedelta(hours=policy.update_hours)
        case LetterKind.CLOSING:
            return timedelta(hours=policy.closing_hours)
        case LetterKind.QUESTION:
            return timedelta(hours=policy.answer_hours)
    return None
