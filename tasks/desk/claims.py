"""Claims: who has opened a wait to decide it. A claim ends by itself, and stops no clock of the SOP."""

from datetime import timedelta
from typing import Any

from sqlalchemy import and_, delete
from sqlmodel import Session, col, select

from adapters.case_store import audit
from adapters.wiring import Systems
from models.audit import Action
from models.author import Author
from models.rights import LEADS, refusal
from models.staff import Claim, SignedIn, Staff
from models.tables import Wait
from tasks.desk.visible import visible_case
from tasks.run.authors import matter


def claim(
    systems: Systems, staff: Staff, case_id: int, *, take: bool = False, how: SignedIn | None = None
) -> Staff | None:
    """Claim what the case waits for, unless a colleague has; returns who has it then.

    None where nothing waits, or where this person may not decide it and nobody has it.

    Args:
        take: from a colleague, which those who lead may.
        how: the person was recognised, for the audit log.

    Raises:
        UnknownCase: this person sees no such case.
    """
    now = systems.machine_clock.now()
    with systems.store.write() as session:
        case, wait = visible_case(session, staff, case_id), session.get(Wait, case_id, with_for_update=True)
        if wait is None or wait.given_how:
            return None
        held = holder(session, systems, case_id)
        theirs = held is not None and held.id != staff.id
        if refusal(staff, matter(session, case, wait)) or (theirs and not (take and staff.held & LEADS)):
            return held
        until = now + timedelta(minutes=systems.settings.desk.claim_minutes)
        session.merge(Claim(case_id=case_id, wait_key=wait.wait_key, staff_id=staff.key, until=until))
        if held is None or theirs:
            action = Action.CLAIM_TAKEN if theirs else Action.CLAIMED
            what = {"reference": case.reference, "subject": wait.wait_key}
            audit.note(session, Author.of(staff, how).entry(action, systems.clock.now(), **what))
    return staff


def release(systems: Systems, staff: Staff, case_id: int) -> None:
    """Give one's claim back."""
    with systems.store.write() as session:
        session.execute(delete(Claim).where(col(Claim.case_id) == case_id, col(Claim.staff_id) == staff.id))


def holder(session: Session, systems: Systems, case_id: int) -> Staff | None:
    """Who has claimed what the case waits for now."""
    query = select(Staff).join(Claim, col(Claim.staff_id) == col(Staff.id)).join(Wait, live(systems))
    return session.exec(query.where(Claim.case_id == case_id)).first()


def live(systems: Systems) -> Any:
    """Joins a wait with the claim on it, while that lasts."""
    this = (col(Claim.case_id) == Wait.case_id, col(Claim.wait_key) == Wait.wait_key)
    return and_(*this, col(Claim.until) > systems.machine_clock.now())
