"""Who decides: every way in asks here, the desk, the command line and the Prefect UI. The rights: `models/rights.py`.

While nobody on the staff list may decide, nobody can be recognised: a name is taken as it is typed.
"""

from sqlalchemy import func
from sqlmodel import Session, col, select

from adapters.wiring import Systems
from models.author import Author
from models.errors import LayananError
from models.forms.fields import MEANWHILE
from models.forms.trouble import Unreachable
from models.rights import DECIDERS, Denied, Matter, refusal
from models.sop import Role
from models.staff import SignedIn, Staff, StaffRole
from models.tables import Case, Decision, Wait
from tasks.desk.sign_in import check_code

HANDED_UP = ("ESCALATE", "SUPERVISOR", "TEAM_LEADER")
"""Codes of the choices by which a person hands a matter to the role above."""
UNKNOWN = "Nama ini tidak ada di daftar staf / nobody of this name is on the staff list"
WRONG_CODE = "Kode sekali pakai salah atau sudah dipakai / the one-time code is wrong or was used already"
NO_CODE = "Siapkan dulu kode sekali pakai di desk (Akun) / first set up your one-time codes on the desk (Account)"
AT_THE_DESK = "Keputusan hanya di desk / decisions are taken on the desk only"


class NotAllowed(LayananError):
    """This person may not decide this. The message says why, as people read it."""


def staffed(session: Session) -> bool:
    """Whether anybody on the staff list may decide; a first administrator alone decides nothing."""
    lists = session.exec(select(Staff.roles).where(Staff.active))
    return any(DECIDERS.intersection(StaffRole[name] for name in roles) for roles in lists)


def author_by_name(session: Session, name: str, how: SignedIn) -> Author:
    """The author of this name.

    Raises:
        NotAllowed: it is not on the staff list.
    """
    if not staffed(session):
        return Author(name, how)
    staff = session.exec(select(Staff).where(func.lower(Staff.name) == name.strip().lower())).first()
    if staff is None:
        raise NotAllowed(UNKNOWN)
    return Author.of(staff, how)


def author_of_given(session: Session, wait: Wait) -> Author:
    """Who gave the answer that the wait holds: on the desk or the command line, where their rights were checked."""
    staff = session.get(Staff, wait.given_by) if wait.given_by else None
    return Author(str(wait.given["by"]), SignedIn(wait.given_how), staff)


def asks_for_code(systems: Systems) -> bool:
    """Whether a form of the Prefect UI asks for a one-time code."""
    if systems.settings.desk.decide_in_prefect != "code":
        return False
    with systems.store.read() as session:
        return staffed(session)


def author_in_prefect(systems: Systems, wait: Wait, name: str, code: str) -> Author:
    """Who has submitted a form of the Prefect UI, by the setting ``desk.decide_in_prefect``.

    Raises:
        NotAllowed: nobody whom the setting lets in, or they may not decide this.
    """
    mode = systems.settings.desk.decide_in_prefect
    with systems.store.read() as session:
        if mode == "anyone" or not staffed(session):
            return Author(name, SignedIn.PREFECT_NAME)
        if mode == "no":
            raise NotAllowed(AT_THE_DESK)
        author = author_by_name(session, name, SignedIn.PREFECT_CODE)
        if why := why_not(session, author, session.get_one(Case, wait.case_id), wait):
            raise NotAllowed(why.value)
    assert author.staff is not None
    if not author.staff.code_ready:
        raise NotAllowed(NO_CODE)
    if not check_code(systems, author.staff.key, code.strip(), SignedIn.PREFECT_CODE):
        raise NotAllowed(WRONG_CODE)
    return author


def why_not(session: Session, author: Author, case: Case, wait: Wait) -> Denied | None:
    """Why the author may not decide what the case asks; None where they may."""
    return refusal(author.staff, matter(session, case, wait)) if author.staff else None


def matter(session: Session, case: Case, wait: Wait) -> Matter:
    """What is to be decided, as the table of rights knows it."""
    decided = select(Decision).where(Decision.case_id == case.id).order_by(col(Decision.id).desc())
    # what comes between, such as an update or a letter that did not arrive, leaves the matter with whom it was
    latest = next((one for one in session.exec(decided) if _decides(one)), None)
    return Matter(
        site=case.site,
        role=Role(wait.role),
        escalated_to=Role(wait.escalated_to) if wait.escalated_to else None,
        escalated_by=latest.staff_id if latest and latest.answers.get("choice") in HANDED_UP else None,
    )


def _decides(decision: Decision) -> bool:
    return decision.form != Unreachable.__name__ and decision.answers.get("choice") not in MEANWHILE
