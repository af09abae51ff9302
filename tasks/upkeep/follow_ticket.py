"""Follows one open ticket in NOSSA (SOP W-86). Held by `tests/tasks/upkeep/test_monitor.py`."""

from typing import Any

from sqlmodel import select

from adapters.wiring import Systems
from models.facts import Ticket, TicketStatus
from models.forms.fields import LONGEST_TEXT
from models.tables import Case, TicketRow
from tasks.run import signals
from tasks.run.family import going_on
from tasks.run.moments import ticket_times
from tasks.run.resume import resume_or_show, show_news

STUCK = {TicketStatus.HELD, TicketStatus.PENDING, TicketStatus.REJECTED, TicketStatus.CANCELLED}


def follow(systems: Systems, known: TicketRow) -> None:
    """Look up a ticket in NOSSA. A unit's report, or a stuck ticket, becomes a signal for the case."""
    seen = systems.nossa.progress(known.external_id)
    if seen is None or _is_known(seen, known):
        return
    now = systems.clock.now()
    answers = _report(seen)
    source = f"{known.external_id}:{seen.status}:{(seen.changed_at or now).isoformat()}"
    with systems.store.write() as session:
        case_id = going_on(session, known.case_id).key
        row = session.exec(select(TicketRow).where(TicketRow.external_id == known.external_id).with_for_update()).one()
        if (row.open, row.unit, row.status_since) != (True, known.unit, known.status_since):
            return  # the case has changed units meanwhile, so this news is about the unit before
        row.unit, row.status, row.open = seen.unit or known.unit, seen.status.value, not seen.ended
        row.status_reason = seen.status_reason or ""
        opened_at = session.get_one(Case, known.case_id).opened_at
        for column, value in ticket_times(seen, "NOSSA", opened_at=opened_at, now=now).items():
            setattr(row, column, value)
        if answers is not None:
            signals.keep_once(session, signals.of_unit(case_id, source, now, answers))
    if answers is not None:
        resume_or_show(systems, case_id, "unit")
    elif seen.status is TicketStatus.UNKNOWN:
        show_news(systems, case_id)


def _is_known(seen: Ticket, known: TicketRow) -> bool:
    if seen.status is TicketStatus.UNKNOWN and (seen.status_reason or "") != known.status_reason:
        return False  # an unknown status is known by its word alone
    return seen.status == known.status and (seen.unit or known.unit) == known.unit


def _report(ticket: Ticket) -> dict[str, Any] | None:
    if ticket.status in (TicketStatus.RESOLVED, TicketStatus.CLOSED):
        if not ticket.cause or not ticket.repair:
            return {
                "choice": "ESCALATE",
                "note": "Unit selesai tanpa penyebab/perbaikan / repaired, cause or repair not told",
            }
        return {"choice": "REPAIRED", "cause": ticket.cause[:LONGEST_TEXT], "repair": ticket.repair[:LONGEST_TEXT]}
    if ticket.status in STUCK:
        return {"choice": "ESCALATE", "note": f"Tiket {ticket.status_reason or ticket.status} / the ticket is stuck"}
    return None
