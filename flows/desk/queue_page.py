"""The queue: what waits for a decision. Held by `tests/flows/desk/test_case_page.py`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from flows.desk.page import JustDecided, render, systems_of
from flows.desk.signed import Forbidden, Signed, one_of, signed_in
from models.rights import MANAGES_STAFF, READS
from tasks.desk.queue import PAGE, Whose, next_for, queue

router = APIRouter()


@router.get("/")
def queue_page(
    request: Request,
    signed: Annotated[Signed, Depends(signed_in)],
    done: JustDecided,
    whose: str = Whose.MINE.name,
    search: str = "",
    page: Annotated[int, Query(ge=1, lt=10_000)] = 1,
) -> Response:
    """What waits; an administrator, who sees no cases, comes to the staff instead."""
    if not signed.has(READS):
        if signed.has(MANAGES_STAFF):
            return RedirectResponse("/staff", 303)
        raise Forbidden(signed)
    wanted = Whose.__members__.get(whose, Whose.MINE)
    found = queue(systems_of(request), signed.staff, wanted, search[:200], page)
    pages = -(-found.total // PAGE)
    return render(
        request,
        "queue",
        signed=signed,
        queue=found,
        whose=wanted,
        kinds=Whose,
        search=search,
        page=page,
        pages_in_all=pages,
        done=done,
    )


@router.get("/next")
def next_page(request: Request, signed: Annotated[Signed, Depends(one_of(READS))]) -> Response:
    """The most urgent case that this person may decide; the queue where there is none."""
    case_id = next_for(systems_of(request), signed.staff)
    return RedirectResponse(f"/cases/{case_id}" if case_id else "/", 303)
