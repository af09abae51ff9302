"""A suspended case and a signal: the signal resumes the case, or the form shows the news to its person.

Held by `tests/tasks/run/test_waits.py`.
"""

from contextlib import suppress
from typing import Any

from sqlalchemy import update
from sqlmodel import col, select

from adapters.engine.forms import Resumed, Submitted
from adapters.wiring import Systems
from models.errors import LayananError
from models.forms import FORMS
from models.states import EscalationReason, RecordState
from models.tables import Case, Wait
from tasks.run import signals
from tasks.run.briefing import brief
from tasks.run.case_run import CaseRun

LATE: dict[EscalationReason, str] = {
    EscalationReason.OVERDUE: "terlambat / overdue",
    EscalationReason.REPAIR: "perbaikan terlambat / repair overdue",
}
"""Tags of a run whose decision was escalated."""


def label(systems: Systems, run_id: str, wait: Wait) -> None:
    """Show in Prefect's list of runs whom this run waits for."""
    with suppress(LayananError):
        systems.engine.label(run_id, *_labels(wait))


def _labels(wait: Wait) -> list[str]:
    labels = [f"menunggu {wait.role}"]
    if wait.escalated_to:
        labels += [f"menunggu {wait.escalated_to}", LATE[wait.escalated_for or EscalationReason.OVERDUE]]
    if wait.asked_after == RecordState.REFUSED:
        labels.append("jawaban ditolak / answer refused")
    return labels


def resume_waiting_case(systems: Systems, case_id: int) -> bool:
    """Resume a suspended case if a pending signal can answer its form; returns whether it was resumed.

    The service submits the form as a person would, signed ``system``; the run itself takes the signal.

    Raises:
        Unavailable: store or engine do not answer; the signal stays pending.
    """
    with systems.store.read() as session:
        wait = session.exec(select(Wait).where(Wait.case_id == case_id)).first()
        if wait is None:
            return False
        form = FORMS[wait.form]
        case = session.exec(select(Case).where(Case.id == case_id)).one()
        signal = session.exec(signals.pending(case_id, signals.offered(systems, case, form)).limit(1)).first()
    if signal is None or case.run_id is None:
        return False
    answers = form.submitted_for_signal(signal.kind, signal.answers)
    return resume(systems, case.run_id, wait, answers).state is Submitted.ACCEPTED


def resume_or_show(systems: Systems, case_id: int, kind: str) -> None:
    """Let a signal of this kind answer the case's form, or show it to the person who decides.

    Raises:
        Unavailable: store or engine do not answer; the signal stays pending.
    """
    if not resume_waiting_case(systems, case_id):
        show_news(systems, case_id, kind)


def show_news(systems: Systems, case_id: int, kind: str = "") -> None:
    """Show news on the form of a person whom it does not answer; a later wait may take its signal.

    Args:
        kind: of the signal; empty if only the form's content has changed.

    Raises:
        Unavailable: store or engine do not answer; the form shows what it showed.
    """
    with systems.store.read() as session:
        query = select(Wait, Case).join(Case).where(Wait.case_id == case_id)
        wait, case = session.exec(query).first() or (None, None)
    if wait is None or case is None or case.run_id is None or kind in FORMS[wait.form].signals():
        return
    description = brief(CaseRun.open(case_id, systems), FORMS[wait.form], wait.about, wait)
    if description == wait.description and wait.shown_to == wait.escalated_to:
        return
    this = (col(Wait.case_id) == case_id, col(Wait.wait_key) == wait.wait_key)
    # the store last: what the engine has not taken must not count as shown
    if wait.shown_to != wait.escalated_to:
        systems.engine.label(case.run_id, *_labels(wait))
    shown = systems.engine.describe(case.run_id, wait.wait_key, description)
    with systems.store.write() as session:
        values = {"description": description, "shown_to": wait.escalated_to}
        session.execute(update(Wait).where(*this).values(**values))
    if not shown:
        systems.engine.describe(case.run_id, wait.wait_key, description)  # the form may have been shown meanwhile


def resume(systems: Systems, run_id: str, wait: Wait, answers: dict[str, Any]) -> Resumed:
    """Submit a form to the run that waits with it.

    Raises:
        Unavailable: the engine does not answer.
    """
    resumed = systems.engine.resume(run_id, answers)
    if resumed.state is Submitted.NO_FORM and _offer(systems, run_id, wait):
        resumed = systems.engine.resume(run_id, answers)
    return resumed


def answered_waits(systems: Systems) -> list[tuple[str, Wait]]:
    """Waits that were answered at the desk and whose run has not taken the answer yet, each with its run."""
    answered = (Wait.given_how != "", col(Case.run_id).is_not(None), Case.status == "open")
    with systems.store.read() as session:
        found = session.exec(select(Case.run_id, Wait).join(Wait).where(*answered)).all()
    return [(run_id, wait) for run_id, wait in found if run_id]


def go_on(systems: Systems, answered: tuple[str, Wait]) -> None:
    """Have a run take the answer that was given at the desk, unless it has taken it meanwhile.

    Raises:
        Unavailable: the engine does not answer; the answer stays.
    """
    run_id, before = answered
    with systems.store.read() as session:
        wait = session.get(Wait, before.case_id)
    if wait is not None and wait.wait_key == before.wait_key and wait.given_how:
        resume(systems, run_id, wait, wait.given)


def offer_lost_forms(systems: Systems, most: int) -> int:
    """Show the forms that a crash kept from being shown, among the ``most`` latest waits; returns their number."""
    with systems.store.read() as session:
        query = select(Wait, Case.run_id).join(Case).order_by(col(Wait.since).desc()).limit(most)
        waits = session.exec(query).all()
    return sum(_offer(systems, run_id, wait) for wait, run_id in waits if run_id is not None)


def _offer(systems: Systems, run_id: str, wait: Wait) -> bool:
    return systems.engine.offer_form(run_id, wait.wait_key, wait.json_schema, wait.description)
