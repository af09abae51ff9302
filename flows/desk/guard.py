"""What every request and every answer of the desk passes: host, origin, size, headers, and faults.

Held by `tests/flows/desk/test_guard.py`.
"""

import logging
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.settings.desk import Desk

log = logging.getLogger("layanan.desk")

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LARGEST = 2 * 1024 * 1024
"""Bytes of a request. No page sends files."""
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every answer, unless it has the header already."""
FAULT = (
    "Terjadi kesalahan di pihak kami; coba lagi, lalu lapor ke administrator.\n"
    "A fault of ours: try again, then tell the administrator.\n"
)


class Guard:
    """ASGI middleware before everything else."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self.app = app
        self._public = urlsplit(desk.public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass the request on."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        started, read = False, 0

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > LARGEST:
                raise HTTPException(413)
            return message

        try:
            refused = self._refusal(str(scope["method"]), Headers(scope=scope))
            await (refused or self.app)(scope, bounded, answer)
        except Exception:
            log.exception("a request failed")  # with the place, without the error's text
            if not started:
                await PlainTextResponse(FAULT, 500)(scope, receive, answer)

    def _refusal(self, method: str, headers: Headers) -> PlainTextResponse | None:
        if not self._is_ours(headers.getlist("host")):
            return PlainTextResponse("This host name is not the desk's: set LAYANAN_DESK__PUBLIC_URL\n", 421)
        if method not in SAFE and not self._same_origin(headers):
            return PlainTextResponse("The form was sent by another site: open the desk, and send it from there\n", 403)
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length[:12]) > LARGEST:
            return PlainTextResponse("Terlalu besar / too large\n", 413)
        return None

    def _is_ours(self, hosts: list[str]) -> bool:
        if len(hosts) != 1:
            return False
        if self._public.netloc and hosts[0].lower() == self._public.netloc.lower():
            return True
        return _name(hosts[0]) in LOOPBACK

    def _same_origin(self, headers: Headers) -> bool:
        """Whether no other site sent it. Neither header: no browser sent it, and nobody's cookies were borrowed."""
        if site := headers.get("sec-fetch-site"):
            return site in ("same-origin", "none")
        origin = headers.get("origin")
        return origin is None or urlsplit(origin).netloc == headers["host"]


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
