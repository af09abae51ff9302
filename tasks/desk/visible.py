"""Whether somebody may see a case at all: it is one of their site's. Held by `tests/flows/desk/test_case_page.py`."""

from sqlmodel import Session

from models.errors import UnknownCase
from models.staff import Staff
from models.tables import Case


def visible_case(session: Session, staff: Staff, case_id: int) -> Case:
    """The case.

    Raises:
        UnknownCase: there is no such case, or it belongs to another site.
    """
    case = session.get(Case, case_id)
    if case is None or staff.site not in (None, case.site):
        raise UnknownCase(f"there is no case {case_id}")
    return case
