"""The case ends, unless the customer has written in the very same moment."""

from datetime import datetime

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from models.need import Output
from models.tables import Case, Deadline, TicketRow, Wait, Wake
from tasks.activity import step
from tasks.work import Work


class Ended(Output):
    """How it ended; the flow looks again for mail when ``ended`` is false."""

    ended: bool
    outcome: str


@step("7.12")
def end_case(work: Work, outcome: str) -> Ended:
    """Close the case. A mail that joined it before this moment keeps it open, so that it is read."""
    work.effect(lambda session: Ended(ended=_close(session, work, outcome), outcome=outcome))
    return Ended(ended=False, outcome=outcome)


def finish(session: Session, case_id: int, status: str, outcome: str, now: datetime) -> None:
    """Set the case's end; nothing wakes it from now on, and nobody waits for it."""
    session.execute(
        update(Wake)
        .where(col(Wake.case_id) == case_id, col(Wake.taken_at).is_(None))
        .values(taken_at=now, taken_by=f"refused: the case is {status}")
    )
    session.execute(update(Deadline).where(col(Deadline.case_id) == case_id).values(over=True))
    session.execute(update(TicketRow).where(col(TicketRow.case_id) == case_id).values(open=False))
    session.execute(delete(Wait).where(col(Wait.case_id) == case_id))
    session.execute(update(Case).where(col(Case.id) == case_id).values(status=status, outcome=outcome, closed_at=now))


def _close(session: Session, work: Work, outcome: str) -> bool:
    """Within the one transaction: look for mail, and close."""
    session.exec(select(Case).where(Case.id == work.case.key).with_for_update()).one()
    mail = select(Wake).where(Wake.case_id == work.case.key, Wake.kind == "mail", col(Wake.taken_at).is_(None))
    if session.exec(mail.limit(1)).first() is not None:
        return False
    finish(session, work.case.key, "closed", outcome, work.now)
    return True
