"""Pages on which people sign in and out."""

from functools import partial
from time import monotonic
from typing import Annotated

from anyio import CapacityLimiter, sleep
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from flows.desk.page import render, systems_of
from flows.desk.signed import CODE, SIGN_IN, NotSignedIn, begin_session, held_by, local, missing, signed_in, whoever
from models.staff import Staff
from tasks.desk.sign_in import check_code, check_password, end_sessions

router = APIRouter()
AT_ONCE = CapacityLimiter(2)
"""Threads for passwords, which cost memory and time: a flood of them leaves the pages' own threads free."""
PACE = 0.5
"""Seconds, of which a refusal takes a whole number: its time does not tell whether somebody is on the staff."""


@router.get(SIGN_IN)
def sign_in_page(request: Request, next: str = "/") -> Response:
    """Ask for e-mail and password, unless somebody has signed in."""
    if whoever(request):
        return RedirectResponse(local(next), 303)
    return render(request, "sign_in", next=local(next), failed=False)


@router.post(SIGN_IN)
async def sign_in(
    request: Request,
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Check them. Whatever is wrong, the answer is the same."""
    begun = monotonic()
    check = partial(check_password, systems_of(request), email, password[:1000])
    staff = await run_sync(check, limiter=AT_ONCE)
    if staff is None:
        await sleep(-(monotonic() - begun) % PACE)
        return render(request, "sign_in", status=401, next=local(next), failed=True)
    begin_session(request, staff)
    return RedirectResponse(local(next), 303)


def half_signed_in(request: Request) -> Staff:
    """Who has given their password, and must still give a one-time code.

    Raises:
        NotSignedIn: nobody has given a password.
    """
    known = held_by(request)
    if known is None or missing(systems_of(request), *known) != CODE:
        raise NotSignedIn(SIGN_IN)
    return known[0]


@router.get(CODE)
def code_page(request: Request, _staff: Annotated[Staff, Depends(half_signed_in)], next: str = "/") -> Response:
    """Ask for the one-time code."""
    return render(request, "code", next=local(next), failed=False)


@router.post(CODE)
def give_code(
    request: Request,
    staff: Annotated[Staff, Depends(half_signed_in)],
    code: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Check the one-time code."""
    if not check_code(systems_of(request), staff.key, code):
        return render(request, "code", status=401, next=local(next), failed=True)
    begin_session(request, staff, code=True)
    return RedirectResponse(local(next), 303)


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """End this session."""
    request.session.clear()
    return RedirectResponse(SIGN_IN, 303)


@router.post("/sign-out-everywhere", dependencies=[Depends(signed_in)])
def sign_out_everywhere(request: Request) -> Response:
    """End all sessions of this person."""
    if known := held_by(request):
        end_sessions(systems_of(request).store, known[0].key)
    return sign_out(request)
