"""Notes that staff write into a case, for colleagues alone. Held by `tests/tasks/desk/test_case_view.py`."""

from adapters.wiring import Systems
from models.errors import WrongUse
from models.forms.fields import LONGEST_TEXT
from models.staff import Note, NoteKind, Staff


def write_note(systems: Systems, staff: Staff, case_id: int, kind: NoteKind, text: str) -> None:
    """Add a note to the case.

    Raises:
        WrongUse: it is empty, or too long.
    """
    words = text.strip()
    if not words or len(words) > LONGEST_TEXT:
        raise WrongUse(f"Catatan: 1 sampai {LONGEST_TEXT} karakter / A note has 1 to {LONGEST_TEXT} characters")
    note = Note(case_id=case_id, staff_id=staff.key, kind=kind, text=words, written_at=systems.clock.now())
    with systems.store.write() as session:
        session.add(note)
