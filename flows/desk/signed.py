"""Who has signed in: the session's cookie, what is still missing, and the dependency that pages ask.

The cookie is signed, not encrypted: it holds a number, moments and what was checked, and no secret.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from sqlmodel import select

from adapters.wiring import Systems
from flows.desk.guard import LOOPBACK
from flows.desk.page import systems_of
from models.author import Author
from models.staff import SignedIn, Staff, StaffRole
from tasks.desk.sign_in import asked_for_code

SIGN_IN, CODE, PASSWORD, SET_UP = "/sign-in", "/sign-in/code", "/account/password", "/account/code"
NEWER = 60
"""Seconds after which a session's last request is noted again."""


@dataclass(frozen=True)
class Signed:
    """Somebody who has signed in, and how."""

    staff: Staff
    how: SignedIn

    @property
    def author(self) -> Author:
        """They, as whatever they do is recorded."""
        return Author.of(self.staff, self.how)

    def has(self, roles: frozenset[StaffRole]) -> bool:
        """Whether they have one of these roles."""
        return bool(self.staff.held & roles)


class NotSignedIn(Exception):
    """The page needs somebody who has signed in; ``page`` is where that goes on."""

    def __init__(self, page: str) -> None:
        super().__init__(page)
        self.page = page


class Forbidden(Exception):
    """The person may not see this page."""

    def __init__(self, signed: Signed) -> None:
        super().__init__()
        self.signed = signed


class Held(BaseModel):
    """What the session's cookie says."""

    staff: int
    sessions: int
    at: float
    """When they signed in."""
    seen: float
    """Their last request, or nearly."""
    code: bool
    """Whether they gave a one-time code."""


def begin_session(request: Request, staff: Staff, *, code: bool = False) -> None:
    """Begin a session anew: nothing of an earlier one stays."""
    now = systems_of(request).machine_clock.now().timestamp()
    request.session.clear()
    request.session.update(Held(staff=staff.key, sessions=staff.sessions, at=now, seen=now, code=code).model_dump())


def held_by(request: Request) -> tuple[Staff, Held] | None:
    """Who has given their password in this session, while it lasts and they may still sign in."""
    systems = systems_of(request)
    desk, now = systems.settings.desk, systems.machine_clock.now().timestamp()
    try:
        held = Held.model_validate(dict(request.session))
    except ValidationError:
        return None
    if now - held.at > desk.session_hours * 3600 or now - held.seen > desk.idle_minutes * 60:
        return None
    with systems.store.read() as session:
        staff = session.get(Staff, held.staff)
    if staff is None or not staff.active or staff.sessions != held.sessions:
        return None
    if now - held.seen > NEWER:
        request.session["seen"] = now
    return staff, held


def missing(systems: Systems, staff: Staff, held: Held) -> str | None:
    """The page of what this person must still do before they have signed in."""
    asked = asked_for_code(staff, systems.settings.desk)
    if asked and staff.code_ready and not held.code:
        return CODE
    if staff.password_expires is not None:
        return PASSWORD
    return SET_UP if asked and not staff.code_ready else None


def whoever(request: Request) -> Signed | None:
    """Who has signed in, if anybody has."""
    systems = systems_of(request)
    if staff := _named_by_proxy(request, systems):
        return Signed(staff, SignedIn.PROXY)
    known = held_by(request)
    if known is None or missing(systems, *known):
        return None
    return Signed(known[0], SignedIn.PASSWORD_AND_CODE if known[1].code else SignedIn.PASSWORD)


def signed_in(request: Request) -> Signed:
    """Who has signed in; a dependency of pages.

    Raises:
        NotSignedIn: nobody, or something is still missing.
    """
    if signed := whoever(request):
        return signed
    known = held_by(request)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    page = (missing(systems_of(request), *known) if known else None) or SIGN_IN
    raise NotSignedIn(page + (f"?next={quote(wanted, safe='')}" if request.method == "GET" and wanted != "/" else ""))


def one_of(roles: frozenset[StaffRole]) -> Callable[..., Signed]:
    """A dependency of pages that only these roles see.

    Raises:
        Forbidden: somebody else has signed in.
    """

    def allowed(signed: Annotated[Signed, Depends(signed_in)]) -> Signed:
        if not signed.has(roles):
            raise Forbidden(signed)
        return signed

    return allowed


def local(page: Any) -> str:
    """A page of the desk to go on to; the first one where this is no path of ours."""
    text = str(page or "")
    plain = text.isascii() and text.isprintable() and "\\" not in text and " " not in text
    if not plain or not text.startswith("/") or text.startswith("//"):
        return "/"
    return "/" if urlsplit(text).netloc or urlsplit(text).scheme else text


def _named_by_proxy(request: Request, systems: Systems) -> Staff | None:
    name = systems.settings.desk.proxy_header
    if not name or request.client is None or request.client.host not in LOOPBACK:
        return None
    emails = request.headers.getlist(name)
    if len(emails) != 1:
        return None
    with systems.store.read() as session:
        found = session.exec(select(Staff).where(Staff.email == emails[0].strip().lower())).first()
    return found if found and found.active else None
