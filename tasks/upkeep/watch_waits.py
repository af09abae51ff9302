"""What happens while a form waits: escalation, updates to the customer, and what the form shows."""

from contextlib import suppress

from sqlmodel import Session

from adapters.case_store.store import AlreadyRecorded
from adapters.wiring import Systems
from models.forms import FORMS
from models.sop import ABOVE, Role
from models.states import EscalationReason, RecordState, Retired, SignalKind
from models.tables import Case, Wait
from tasks.escalate_wait import escalate_wait
from tasks.keep_informed import keep_informed
from tasks.run import clocks, signals
from tasks.run.case_run import CaseRun
from tasks.run.family import locked
from tasks.run.resume import show_news
from tasks.run.send_letter import deliver


def watch(systems: Systems, case_id: int) -> None:
    """Do whatever is due in the wait of a case. Repeating it does nothing.

    Raises:
        Unavailable: store or engine does not answer; a later sweep updates the form.
    """
    letters: list[int] = []
    run = CaseRun.open(case_id, systems)
    # another sweep was faster, and updates the form
    with suppress(AlreadyRecorded), systems.store.write() as session:
        case = locked(session, case_id)
        wait = session.get(Wait, case_id)
        if case.status != "open" or wait is None:
            return
        if wait.due_at is None:
            clocks.set_time(session, systems, case, wait)
            session.add(wait)
        clocks.promise_update(session, systems, case, FORMS[wait.form])
        clocks.limit_silence(session, systems, case, FORMS[wait.form])
        session.flush()
        _escalate(session, systems, run, case, wait)
        letters = _inform(session, systems, run, case, wait)
        session.flush()
        session.refresh(wait)
        wait.watch_at = clocks.watch_at(session, systems, wait)
        session.add(wait)
    for letter_id in letters:
        deliver(systems, letter_id)
    show_news(systems, case_id)


def _escalate(session: Session, systems: Systems, run: CaseRun, case: Case, wait: Wait) -> None:
    now = systems.clock.now()
    holder = Role(wait.escalated_to or wait.role)
    overdue = wait.due_at is not None and wait.due_at <= now
    late_repair = not wait.escalated_to and wait.form in clocks.PERSONS
    if overdue and holder in ABOVE:
        escalate_wait.do_beneath(session, run, wait, EscalationReason.OVERDUE)
    elif overdue:
        # no role is above the supervisor: the decision stays there, and is logged again until it is made
        wait.due_at = clocks.time_to_decide(systems, case, holder, now)
        session.add(wait)
    elif late_repair and holder in ABOVE and signals.is_pending(session, case.key, [SignalKind.REPAIR]):
        escalate_wait.do_beneath(session, run, wait, EscalationReason.REPAIR)


def _inform(session: Session, systems: Systems, run: CaseRun, case: Case, wait: Wait) -> list[int]:
    is_open = systems.settings.office_of(case.mailbox).is_open(systems.clock.now())
    informs = is_open and not case.sender_doubt and wait.form in clocks.INFORMS
    if not informs or not signals.is_pending(session, case.key, [SignalKind.UPDATE]):
        return []
    record, letters = keep_informed.do_beneath(session, run, wait.form)
    if record.state != RecordState.DONE:
        _try_later(session, systems, case, wait)
    session.flush()
    return [letter.id for letter in letters if letter.id is not None]


def _try_later(session: Session, systems: Systems, case: Case, wait: Wait) -> None:
    """After a letter that could not be written, schedule the next one at the usual interval."""
    signals.retire(session, case.key, [SignalKind.UPDATE], Retired.NO_LETTER, systems.clock.now())
    clocks.promise_update(session, systems, case, FORMS[wait.form])
