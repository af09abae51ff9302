"""Pages of one's own account: password and one-time codes.

Held by `tests/flows/desk/test_sign_in.py`.
"""

from functools import partial
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from flows.desk.page import render, systems_of
from flows.desk.sign_in import AT_ONCE
from flows.desk.signed import (
    CODE,
    PASSWORD,
    SET_UP,
    SIGN_IN,
    Held,
    NotSignedIn,
    Signed,
    begin_session,
    held_by,
    local,
    missing,
    signed_in,
)
from models.staff import Staff
from tasks.desk.passwords import code_uri
from tasks.desk.sign_in import Weak, change_password, check_code, check_password, set_up_code

router = APIRouter()
Next = Annotated[str, Form(alias="next")]


def with_session(request: Request) -> tuple[Staff, Held]:
    """Who has a session, though a password or a code may still have to be set up.

    Raises:
        NotSignedIn: nobody; or a code that is set up has not been given.
    """
    known = held_by(request)
    if known is None:
        raise NotSignedIn(SIGN_IN)
    if missing(systems_of(request), *known) == CODE:
        raise NotSignedIn(CODE)
    return known


Known = Annotated[tuple[Staff, Held], Depends(with_session)]


@router.get("/account")
def account_page(request: Request, signed: Annotated[Signed, Depends(signed_in)]) -> Response:
    """Who one is here, and what one may change."""
    return render(request, "account", signed=signed)


@router.get(PASSWORD)
def password_page(request: Request, known: Known, next: str = "/") -> Response:
    """Ask for a new password; for the old one, too, unless it is the administrator's first one."""
    return _password(request, known[0], next)


@router.post(PASSWORD)
async def new_password(
    request: Request,
    known: Known,
    password: Annotated[str, Form()] = "",
    repeated_password: Annotated[str, Form()] = "",
    old_password: Annotated[str, Form()] = "",
    next: Next = "/",
) -> Response:
    """Change the password; all other sessions end."""
    (staff, held), systems = known, systems_of(request)
    again = partial(_password, request, staff, next)
    if password != repeated_password:
        return again(problem="Kedua kata sandi tidak sama / The two passwords differ")
    if staff.password_expires is None:
        check = partial(check_password, systems, staff.email, old_password[:1000])
        if await run_sync(check, limiter=AT_ONCE) is None:
            return again(problem="Kata sandi lama salah / The old password is wrong")
    changed = await run_sync(partial(change_password, systems, staff.key, password), limiter=AT_ONCE)
    if isinstance(changed, Weak):
        return again(problem=changed.value)
    begin_session(request, changed, code=held.code)
    return RedirectResponse(local(next), 303)


@router.get(SET_UP)
def set_up_page(request: Request, known: Known, next: str = "/") -> Response:
    """Show the secret of one's codes, until a first code has confirmed it."""
    staff = known[0]
    if staff.code_ready:
        return RedirectResponse("/account", 303)
    staff = set_up_code(systems_of(request).store, staff.key)
    return _set_up(request, staff, next, 200)


@router.post(SET_UP)
def confirm_code(request: Request, known: Known, code: Annotated[str, Form()] = "", next: Next = "/") -> Response:
    """Confirm the codes by one of them."""
    staff, systems = known[0], systems_of(request)
    if staff.code_ready:
        return RedirectResponse("/account", 303)
    if not check_code(systems, staff.key, code):
        return _set_up(request, staff, next, 401)
    begin_session(request, staff, code=True)
    return RedirectResponse(local(next), 303)


def _password(request: Request, staff: Staff, wanted: str, problem: str = "") -> Response:
    known = {"first": staff.password_expires is not None, "email": staff.email, "next": local(wanted)}
    return render(request, "password", status=422 if problem else 200, problem=problem, **known)


def _set_up(request: Request, staff: Staff, wanted: str, status: int) -> Response:
    secret = " ".join(staff.code_secret[at : at + 4] for at in range(0, len(staff.code_secret), 4))
    uri = code_uri(staff)
    return render(
        request, "set_up_code", status=status, secret=secret, uri=uri, next=local(wanted), failed=status != 200
    )
