"""Who has read customers' data at the desk stands in the audit log. Held by `tests/flows/desk/test_case_page.py`."""

from adapters.case_store import audit
from adapters.wiring import Systems
from models.audit import Action
from models.author import Author
from models.tables import Case


def note_reading(systems: Systems, reader: Author, case_id: int, action: Action, subject: str = "") -> None:
    """Record that somebody has opened the case, or something of it."""
    with systems.store.write() as session:
        case, now = session.get_one(Case, case_id), systems.clock.now()
        audit.note(session, reader.entry(action, now, reference=case.reference, subject=subject))
