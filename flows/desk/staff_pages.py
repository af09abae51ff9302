"""The administrator's pages of the staff: what `layanan staff` does, by forms."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from adapters.wiring import Systems
from flows.desk.page import render, systems_of
from flows.desk.signed import Signed, one_of
from models.errors import LayananError, WrongUse
from models.rights import MANAGES_STAFF
from models.sop import SITES
from models.staff import Staff, StaffRole
from tasks.desk import staff as people
from tasks.desk.entrants import entrant

router = APIRouter(prefix="/staff")
Administrator = Annotated[Signed, Depends(one_of(MANAGES_STAFF))]
Text = Annotated[str, Form()]
NOTHING: dict[str, object] = dict.fromkeys(("name", "email", "site", "hours", "leader", "deputy", "roles"), "")


@router.get("")
def staff_page(request: Request, signed: Administrator) -> Response:
    """All members of staff, and the form to add one."""
    return _list(request, signed)


@router.post("")
def add(
    request: Request,
    signed: Administrator,
    name: Text = "",
    email: Text = "",
    roles: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    site: Text = "",
    hours: Text = "",
    leader: Text = "",
    deputy: Text = "",
) -> Response:
    """Add somebody, and show their first password, once."""
    typed = {"name": name, "email": email, "site": site, "hours": hours, "leader": leader, "deputy": deputy}
    try:
        new = entrant(typed | {"roles": " ".join(roles)})
        (joined,) = people.join(systems_of(request), [new], signed.author)
    except WrongUse as error:
        return _list(request, signed, status=422, problem=str(error), typed=typed | {"roles": roles})
    return render(request, "first_password", signed=signed, joined=joined)


def person(request: Request, number: Annotated[int, Path(ge=1, lt=2**31)], _signed: Administrator) -> Staff:
    """The member of staff whom a page is about.

    Raises:
        HTTPException: nobody has this number.
    """
    with systems_of(request).store.read() as session:
        found = session.get(Staff, number)
    if found is None or not found.active:
        raise HTTPException(404)
    return found


Person = Annotated[Staff, Depends(person)]


@router.get("/{number}")
def person_page(request: Request, signed: Administrator, staff: Person) -> Response:
    """One member of staff, and what can be changed of them."""
    return _one(request, signed, staff)


@router.post("/{number}/absence")
def absence(request: Request, signed: Administrator, staff: Person, since: Text = "", until: Text = "") -> Response:
    """Note when they are away; without a first day they are back."""
    systems = systems_of(request)
    zone = systems.settings.zone
    try:
        begins = people.moment(since, zone) if since else None
        ends = people.moment(until, zone, last=True) if until else None
        people.set_absence(systems, staff.email, begins, ends, signed.author)
    except WrongUse as error:
        return _one(request, signed, staff, str(error))
    return RedirectResponse(f"/staff/{staff.key}", 303)


@router.post("/{number}/deputy")
def deputy(request: Request, signed: Administrator, staff: Person, deputy: Text = "") -> Response:
    """Name who stands in for them."""
    try:
        people.set_deputy(systems_of(request), staff.email, deputy, signed.author)
    except WrongUse as error:
        return _one(request, signed, staff, str(error))
    return RedirectResponse(f"/staff/{staff.key}", 303)


@router.post("/{number}/reset")
def reset(request: Request, signed: Administrator, staff: Person) -> Response:
    """Give them a new first password, and show it, once."""
    joined = people.reset(systems_of(request), staff.email, signed.author)
    return render(request, "first_password", signed=signed, joined=joined)


@router.post("/{number}/remove")
def remove(request: Request, signed: Administrator, staff: Person) -> Response:
    """End their account."""
    try:
        people.remove(systems_of(request), staff.email, signed.author)
    except LayananError as error:
        return _one(request, signed, staff, str(error))
    return RedirectResponse("/staff", 303)


def _rows(systems: Systems) -> list[dict[str, object]]:
    with systems.store.read() as session:
        return people.listing(session, systems.clock.now())


def _list(
    request: Request, signed: Signed, *, status: int = 200, problem: str = "", typed: dict[str, object] | None = None
) -> Response:
    rows = _rows(systems_of(request))
    known = {"rows": rows, "problem": problem, "typed": typed or NOTHING, "roles": list(StaffRole), "sites": SITES}
    return render(request, "staff", status=status, signed=signed, **known)


def _one(request: Request, signed: Signed, staff: Staff, problem: str = "") -> Response:
    rows = _rows(systems_of(request))
    row = next(row for row in rows if row["email"] == staff.email)
    others = [other for other in rows if other is not row]
    status = 422 if problem else 200
    known = {"row": row, "others": others, "problem": problem, "person": staff}
    return render(request, "person", status=status, signed=signed, **known)
