"""Notes that staff write into a case, for colleagues alone. Held by `tests/tasks/desk/test_case_view.py`."""

from adapters.case_store import audit
from adapters.wiring import Systems
from models.audit import Action
from models.author import Author
from models.errors import WrongUse
from models.forms.fields import LONGEST_TEXT
from models.staff import Note, NoteKind, SignedIn, Staff
from tasks.desk.visible import visible_case


def write_note(
    systems: Systems, staff: Staff, case_id: int, kind: NoteKind, text: str, how: SignedIn | None = None
) -> None:
    """Add a note to the case.

    Raises:
        UnknownCase: this person sees no such case.
        WrongUse: the note is empty, or too long.
    """
    words = text.replace("\r\n", "\n").strip()
    if not words or len(words) > LONGEST_TEXT:
        raise WrongUse(f"Catatan: 1 sampai {LONGEST_TEXT} karakter / A note has 1 to {LONGEST_TEXT} characters")
    note = Note(case_id=case_id, staff_id=staff.key, kind=kind, text=words, written_at=systems.clock.now())
    with systems.store.write() as session:
        case = visible_case(session, staff, case_id)
        session.add(note)
        session.flush()
        what = {"reference": case.reference, "subject": f"note {note.id}", "after": words}
        audit.note(session, Author.of(staff, how).entry(Action.NOTED, note.written_at, **what))
