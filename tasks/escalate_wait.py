"""SOP 5.9: an overdue decision is escalated to the role above; either role may still decide."""

from datetime import datetime

from sqlalchemy import update
from sqlmodel import col

from models.need import Output
from models.sop import ABOVE, Role
from models.states import EscalationReason
from models.tables import Wait
from tasks.run.activity import step
from tasks.run.clocks import time_to_decide
from tasks.run.work import Work


class Raised(Output):
    """Which decision was escalated, to whom, and when it is escalated further."""

    wait: str
    """Its key."""
    form: str
    since: datetime
    """When the decision was first asked for; a form that is asked again after an update is the same decision."""
    to: Role
    due_at: datetime
    reason: EscalationReason


@step("5.9")
def escalate_wait(work: Work, wait: Wait, reason: EscalationReason) -> Raised:
    """Escalate the decision that the case waits for by one step."""
    to = ABOVE[Role(wait.escalated_to or wait.role)]
    due_at = time_to_decide(work.systems, work.case, to, work.now)
    assert due_at is not None
    this = (col(Wait.case_id) == work.case.key, col(Wait.wait_key) == wait.wait_key)
    now = {"escalated_to": to.value, "escalated_for": reason.value, "due_at": due_at}
    work.effect(lambda session: session.execute(update(Wait).where(*this).values(**now)) and None)
    return Raised(wait=wait.wait_key, form=wait.form, since=wait.since, to=to, due_at=due_at, reason=reason)
