"""Faults on demand in one system: no service, a lost answer, or an answer that violates the standard.

Held by `tests/adapters/simulator/test_tmf.py`.
"""

import re
from typing import Literal, get_args

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

System = Literal["mycx", "nossa", "siska", "epayment", "tenoss", "telkom_center", "embassy"]
SYSTEMS: tuple[System, ...] = get_args(System)


class Fault(BaseModel):
    """The fault of the next ``times`` requests to ``system``."""

    model_config = ConfigDict(extra="forbid")
    system: System
    kind: Literal["down", "lose_answer", "broken"]
    """``down``: 503, and nothing is done. ``lose_answer``: a POST or PATCH is done, then the connection breaks (a GET
    is answered and does not count). ``broken``: each ``id`` of the answer is a number."""
    times: int = Field(default=1, ge=1)


class Faults:
    """ASGI middleware that applies armed faults."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._armed: list[Fault] = []

    def arm(self, fault: Fault) -> None:
        """Apply the fault from the next request on."""
        self._armed.append(fault)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, with an armed fault if there is one."""

        async def head_only(message: Message) -> None:
            # uvicorn closes the connection after an incomplete answer
            if message["type"] == "http.response.start":
                await send(message)

        async def broken(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [pair for pair in message["headers"] if pair[0] != b"content-length"]
            else:
                message["body"] = re.sub(rb'"id":"[^"]*"', b'"id":42', message["body"])
            await send(message)

        match self._next(scope):
            case "down":
                body = {"code": "503", "reason": "Service Unavailable", "status": "503"}
                await JSONResponse(body, 503)(scope, receive, send)
            case "lose_answer":
                await self._app(scope, receive, head_only)
            case "broken":
                await self._app(scope, receive, broken)
            case None:
                await self._app(scope, receive, send)

    def _next(self, scope: Scope) -> str | None:
        if scope["type"] != "http":
            return None
        for fault in self._armed:
            if fault.system != scope["path"].split("/")[1]:
                continue
            if fault.kind == "lose_answer" and scope["method"] == "GET":
                continue
            fault.times -= 1
            if fault.times == 0:
                self._armed.remove(fault)
            return fault.kind
        return None
