"""A letter that did not arrive: our server refused it for good, or another one sent a delivery report.

The case gets a signal, and at its next wait an agent is asked for another way to reach the customer
(`tasks/run/ask_unreachable.py`).
"""

from datetime import datetime

from sqlmodel import Session, select

from adapters.wiring import Systems
from models.states import LetterState
from models.tables import Letter, Outbox
from tasks.run import signals
from tasks.run.family import going_on


def undelivered(session: Session, letter_id: int, state: LetterState, error: str, at: datetime) -> None:
    """Record that a letter did not arrive, and give its case a signal; once for each time that it was queued."""
    case_id, outbox = in_outbox(session, letter_id)
    outbox.state, outbox.error, outbox.handled = state, error, False
    session.add(outbox)
    signals.keep_once(session, signals.of_undelivered(case_id, outbox, at))


def in_outbox(session: Session, letter_id: int) -> tuple[int, Outbox]:
    """Number of the case that a letter concerns, and its outbox row; both locked, always in this order."""
    of_case = session.exec(select(Letter.case_id).where(Letter.id == letter_id)).one()
    case_id = going_on(session, of_case).key
    return case_id, session.exec(select(Outbox).where(Outbox.letter_id == letter_id).with_for_update()).one()


def put_back(systems: Systems, outbox: Outbox) -> None:
    """Queue a letter again; the next sweep sends it.

    If it failed, the sender first looks for its copy, because an earlier attempt may have got through. If it bounced,
    its copy proves nothing about the next attempt.
    """
    outbox.state = "queued" if outbox.state == "bounced" else "sending"
    outbox.attempts, outbox.unanswered, outbox.deferrals, outbox.error, outbox.handled = 0, 0, 0, "", True
    outbox.cause, outbox.reply, outbox.refused_at, outbox.refusals = "", "", None, 0
    outbox.not_before = systems.machine_clock.now()
    outbox.tries += 1
