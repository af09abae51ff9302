"""The case ends, unless the customer has just written, or a letter is not out yet or did not arrive."""

from datetime import timedelta

from sqlmodel import Session, col, select

from models.forms.trouble import Unreachable, UnreachableChoice
from models.need import Output
from models.states import UNDER_WAY, SignalKind
from models.tables import Deadline, Decision, Letter, Outbox
from tasks.run import signals
from tasks.run.activity import step
from tasks.run.family import family, locked
from tasks.run.lifetime import finish
from tasks.run.work import Work

LOOK_AGAIN = timedelta(hours=1)
"""Time after which a case that could not end tries again."""
NOT_INFORMED = "not informed"
"""Outcome of a case whose customer could not be reached, according to an agent."""


class Ended(Output):
    """How the case ended; if ``ended`` is false, the flow waits again."""

    ended: bool
    outcome: str


@step("7.12")
def end_case(work: Work, outcome: str) -> Ended:
    """Close the case, unless a mail joined it before this moment, or a letter is not out yet or did not arrive."""
    work.effect(lambda session: _close(session, work, outcome))
    return Ended(ended=False, outcome=outcome)


def _close(session: Session, work: Work, outcome: str) -> Ended:
    """Close the case, unless something has come at the last moment; all in one transaction."""
    case_id = work.case.key
    locked(session, case_id)
    of_case = col(Letter.case_id).in_(family(session, case_id))
    under_way = select(Letter.id).join(Outbox).where(of_case, col(Outbox.state).in_(UNDER_WAY))
    came = signals.is_pending(session, case_id, [SignalKind.MAIL, SignalKind.UNDELIVERED])
    if came or session.exec(under_way.limit(1)).first() is not None:
        session.add(Deadline(case_id=case_id, kind=SignalKind.CLOSING, due_at=work.now + LOOK_AGAIN))
        return Ended(ended=False, outcome=outcome)
    lost = select(Decision).where(Decision.case_id == case_id, Decision.form == Unreachable.__name__)
    latest = session.exec(lost.order_by(col(Decision.id).desc()).limit(1)).first()
    if latest is not None and latest.answers["choice"] == UnreachableChoice.UNREACHABLE.name:
        outcome = NOT_INFORMED
    finish(session, case_id, "closed", outcome, work.now)
    return Ended(ended=True, outcome=outcome)
