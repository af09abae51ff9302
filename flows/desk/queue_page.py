"""The queue: what waits for a decision. Held by `tests/flows/desk/test_app.py`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from flows.desk.page import render
from flows.desk.signed import Forbidden, Signed, signed_in
from models.rights import MANAGES_STAFF, READS

router = APIRouter()


@router.get("/")
def queue(request: Request, signed: Annotated[Signed, Depends(signed_in)]) -> Response:
    """What waits; an administrator, who sees no cases, comes to the staff instead."""
    if signed.has(READS):
        return render(request, "queue", signed=signed)
    if signed.has(MANAGES_STAFF):
        return RedirectResponse("/staff", 303)
    raise Forbidden(signed)
