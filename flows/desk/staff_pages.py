"""The administrator's pages of the staff. Held by `tests/flows/desk/test_app.py`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from flows.desk.page import render
from flows.desk.signed import Signed, one_of
from models.rights import MANAGES_STAFF

router = APIRouter(prefix="/staff")
Administrator = Annotated[Signed, Depends(one_of(MANAGES_STAFF))]


@router.get("")
def staff_page(request: Request, signed: Administrator) -> Response:
    """All members of staff."""
    return render(request, "staff", signed=signed)
