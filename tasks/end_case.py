"""The case ends, unless the customer has written in the very same moment."""

from sqlalchemy import update
from sqlmodel import Session, col, select

from models.need import Output
from models.tables import Case, Deadline, Wake
from tasks.activity import step
from tasks.work import Work


class Ended(Output):
    """How it ended; the flow looks again for mail when ``ended`` is false."""

    ended: bool
    outcome: str


@step("12")
def end_case(work: Work, outcome: str) -> Ended:
    """Close the case. A mail that joined it before this moment keeps it open, so that it is read."""
    work.effect(lambda session: Ended(ended=_close(session, work, outcome), outcome=outcome))
    return Ended(ended=False, outcome=outcome)


def _close(session: Session, work: Work, outcome: str) -> bool:
    """Within the one transaction: look for mail, close, and refuse what can no longer be delivered."""
    session.exec(select(Case).where(Case.id == work.case.key).with_for_update()).one()
    waiting = select(Wake).where(Wake.case_id == work.case.key, col(Wake.taken_at).is_(None))
    if session.exec(waiting.where(Wake.kind == "mail").limit(1)).first() is not None:
        return False
    session.execute(
        update(Wake)
        .where(col(Wake.case_id) == work.case.key, col(Wake.taken_at).is_(None))
        .values(taken_at=work.now, taken_by="refused: the case is closed")
    )
    session.execute(update(Deadline).where(col(Deadline.case_id) == work.case.key).values(over=True))
    session.execute(
        update(Case).where(col(Case.id) == work.case.key).values(status="closed", outcome=outcome, closed_at=work.now)
    )
    return True
