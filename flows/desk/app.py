"""The desk as an ASGI application."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware
from starlette.staticfiles import StaticFiles

from adapters.folder import secret_key
from adapters.wiring import Systems
from flows.desk import account, case_page, queue_page, sign_in, staff_pages
from flows.desk.guard import Guard
from flows.desk.page import TEMPLATES, message, render
from flows.desk.signed import Forbidden, NotSignedIn
from models.errors import Defect, LayananError, Unavailable, UnknownCase

log = logging.getLogger("layanan.desk")

PAGES = (sign_in, account, queue_page, case_page, staff_pages)
SECRET_FIELDS = ("password", "code")
"""Parts of the names of fields that are never shown again."""


def create_app(systems: Systems) -> FastAPI:
    """The desk over these systems. Its key is ``desk.key`` in LAYANAN_HOME; without it, everybody signs in again."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, title="Layanan Email")
    app.state.systems = systems
    desk = systems.settings.desk
    https = desk.public_url.startswith("https:")
    app.add_middleware(
        SessionMiddleware,
        secret_key=secret_key(systems.settings.home / "desk.key"),
        # a browser takes a cookie of this name from nobody but this very host
        session_cookie="__Host-layanan-desk" if https else "layanan-desk",
        max_age=int(desk.session_hours * 3600),
        same_site="lax",
        https_only=https,
    )
    app.add_middleware(Guard, desk=desk)  # the last one added comes first
    app.mount("/static", StaticFiles(directory=TEMPLATES / "static"), name="static")
    for page in PAGES:
        app.include_router(page.router)
    app.exception_handler(NotSignedIn)(_sign_in_first)
    app.exception_handler(Forbidden)(_forbidden)
    app.exception_handler(RequestValidationError)(_misunderstood)
    app.exception_handler(HTTPException)(_no_page)
    app.exception_handler(UnknownCase)(_no_case)
    app.exception_handler(LayananError)(_failed)
    return app


async def _sign_in_first(request: Request, error: NotSignedIn) -> Response:
    """Where somebody typed and their session ended, the text waits in the page until they have signed in again."""
    if request.method in ("GET", "HEAD"):
        return RedirectResponse(error.page, 303)
    form = await request.form()
    typed = [
        (name, value)
        for name, value in form.multi_items()
        if isinstance(value, str) and not any(secret in name for secret in SECRET_FIELDS)
    ]
    return render(request, "session_ended", status=401, typed=typed, page=error.page)


def _forbidden(request: Request, error: Forbidden) -> Response:
    text = (
        "Peran Anda tidak boleh membuka halaman ini; tanyakan ke administrator / "
        "Your role may not open this page; ask an administrator"
    )
    return message(request, 403, "Tidak diizinkan / Not allowed", text, signed=error.signed)


def _misunderstood(request: Request, _error: RequestValidationError) -> Response:
    text = "Ada isian yang kosong atau salah; kembali dan periksa / A field is empty or wrong; go back and check"
    return message(request, 422, "Isian salah / Wrong input", text)


def _no_page(request: Request, error: HTTPException) -> Response:
    if error.status_code == 404:
        title, text = "Tidak ada / Not found", "Halaman ini tidak ada / There is no such page"
    else:
        title, text = "Ditolak / Refused", "Permintaan ini tidak bisa dilayani / This request cannot be served"
    return message(request, error.status_code, title, text)


def _no_case(request: Request, _error: UnknownCase) -> Response:
    text = "Kasus atau isinya tidak ada, atau milik site lain / There is no such case, or it is another site's"
    return message(request, 404, "Tidak ada / Not found", text)


def _failed(request: Request, error: LayananError) -> Response:
    log.error("%s", error)
    hidden = isinstance(error, Unavailable | Defect)
    # which system it is, and where, is for those who read the log
    text = "Sebuah sistem sedang tidak tersedia / A system is not available now" if hidden else str(error)
    if error.permanent and not hidden:
        return message(request, 409, "Gagal / Failed", text)
    return message(request, 503, "Gagal / Failed", text, advice="Coba lagi sebentar / Try again in a moment")
