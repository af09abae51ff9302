"""The page of a case: its thread, what is asked, and the decision."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated
from urllib.parse import quote

from anyio import sleep
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from adapters.mail.html_page import PICTURES, html_page
from adapters.mail.html_page import POLICY as MAIL_POLICY
from adapters.wiring import Systems
from flows.desk.page import JustDecided, message, render, systems_of
from flows.desk.signed import Signed, one_of, whoever
from models.audit import Action
from models.errors import NotWaiting, UnknownCase, WrongUse
from models.rights import LEADS, READS
from models.staff import NoteKind
from models.tables import Message
from tasks.desk.case_view import DEADLINES, case_view
from tasks.desk.claims import claim, release
from tasks.desk.decide import Outdated, answer
from tasks.desk.facts import Facts, news
from tasks.desk.form_view import CHOICE, form_view
from tasks.desk.notes import write_note
from tasks.desk.queue import next_for
from tasks.desk.reading import note_reading
from tasks.desk.visible import visible_case
from tasks.run.authors import NotAllowed
from tasks.run.family import family

router = APIRouter(prefix="/cases/{case_id}")
Number = Annotated[int, Path(ge=0, lt=2**31)]
Reader = Annotated[Signed, Depends(one_of(READS))]
SEEN = "seen"
"""The field that carries what the page showed."""
LOOKS = 200
"""After so many looks a stream ends, and the browser asks again."""
LOOK_SECONDS = 3
"""Between two looks for news of a case that somebody has open."""
SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""Of an attachment that is opened: nothing in it runs."""


@router.get("")
def case_page(request: Request, case_id: Number, signed: Reader, done: JustDecided) -> Response:
    """The case; who may decide what it asks claims it by opening it."""
    return _page(request, case_id, signed, done=done)


@router.post("/answer")
async def answer_page(request: Request, case_id: Number, signed: Reader) -> Response:
    """Decide, and go on to the next case. What cannot be recorded stays typed, with the reason above it."""
    typed = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    return await run_sync(_answer, request, case_id, signed, typed)


def _answer(request: Request, case_id: Number, signed: Signed, typed: dict[str, str]) -> Response:
    systems = systems_of(request)
    words = {name: value.replace("\r\n", "\n").strip() for name, value in typed.items() if name != SEEN}
    try:
        answer(systems, signed.author, case_id, words, Facts.read(typed.get(SEEN, "")))
    except Outdated as error:
        return _page(request, case_id, signed, status=409, since=error.news, typed=words)
    except NotAllowed as error:
        return _page(request, case_id, signed, status=403, problem=str(error), typed=words)
    except NotWaiting:
        return _page(request, case_id, signed, status=409, problem=_NOT_WAITING, typed=words)
    except WrongUse as error:
        return _page(request, case_id, signed, status=422, problem=str(error), typed=words)
    with systems.store.read() as session:
        reference = visible_case(session, signed.staff, case_id).reference
    following = next_for(systems, signed.staff, but=case_id)
    where = f"/cases/{following}" if following else "/"
    return RedirectResponse(f"{where}?done={reference}", 303)


_NOT_WAITING = (
    "Kasus ini tidak menunggu keputusan sekarang; tidak ada yang dicatat / "
    "This case awaits no decision now; nothing was recorded"
)


@router.post("/claim")
def claim_page(request: Request, case_id: Number, signed: Annotated[Signed, Depends(one_of(LEADS))]) -> Response:
    """Take the decision from a colleague who has opened it."""
    claim(systems_of(request), signed.staff, case_id, take=True, how=signed.how)
    return RedirectResponse(f"/cases/{case_id}", 303)


@router.post("/release")
def release_page(request: Request, case_id: Number, signed: Reader) -> Response:
    """Give one's claim back."""
    release(systems_of(request), signed.staff, case_id)
    return RedirectResponse("/", 303)


@router.post("/notes")
def note_page(
    request: Request,
    case_id: Number,
    signed: Reader,
    text: Annotated[str, Form()] = "",
    kind: Annotated[str, Form()] = NoteKind.NOTE.name,
) -> Response:
    """Write a note for colleagues."""
    try:
        known = NoteKind.__members__.get(kind, NoteKind.NOTE)
        write_note(systems_of(request), signed.staff, case_id, known, text, signed.how)
    except WrongUse as error:
        return _page(request, case_id, signed, status=422, problem=str(error), note=text)
    return RedirectResponse(f"/cases/{case_id}#notes", 303)


@router.get("/mails/{number}/html")
def mail_page(request: Request, case_id: Number, number: Number, signed: Reader) -> Response:
    """A customer's mail as they laid it out, without anything that acts."""
    systems = systems_of(request)
    mail = _mail(systems, signed, case_id, number)
    page = html_page(systems.store.kept(mail.sha256), [mail.subject or "—", mail.sender])
    if page is None:
        return message(request, 404, "Tidak ada / Not found", "Email ini hanya teks / This mail is text only")
    note_reading(systems, signed.author, case_id, Action.READ_CASE, f"mail {number}")
    return Response(page, media_type="text/html", headers={"Content-Security-Policy": MAIL_POLICY + "; sandbox"})


@router.get("/mails/{number}/attachments/{place}")
def attachment_page(
    request: Request, case_id: Number, number: Number, place: Number, signed: Reader, open: bool = False
) -> Response:
    """An attachment, to be saved; a picture may be opened, too."""
    systems = systems_of(request)
    mail = _mail(systems, signed, case_id, number)
    if not 0 <= place < len(mail.attachments):
        raise UnknownCase(f"mail {number} has no such attachment")
    known = mail.attachments[place]
    subject = f"mail {number}, attachment {place + 1}"
    note_reading(systems, signed.author, case_id, Action.OPENED_ATTACHMENT, subject)
    shown = open and known["type"] in PICTURES
    kind = known["type"] if shown else "application/octet-stream"
    how = "inline" if shown else "attachment"
    headers = {
        "Content-Disposition": f"{how}; filename*=UTF-8''{quote(known['name'], safe='')}",
        "Content-Security-Policy": SANDBOX,
    }
    return Response(systems.store.kept(known["sha256"]), media_type=kind, headers=headers)


def _mail(systems: Systems, signed: Signed, case_id: Number, number: Number) -> Message:
    """A mail of the case.

    Raises:
        UnknownCase: this person sees no such case, or it has no such mail.
    """
    with systems.store.read() as session:
        case, mail = visible_case(session, signed.staff, case_id), session.get(Message, number)
        if mail is None or mail.case_id not in family(session, case.key):
            raise UnknownCase(f"case {case_id} has no mail {number}")
    return mail


def _page(
    request: Request,
    case_id: Number,
    signed: Signed,
    *,
    status: int = 200,
    problem: str = "",
    since: Sequence[str] = (),
    typed: Mapping[str, str] | None = None,
    note: str = "",
    done: str = "",
) -> Response:
    systems = systems_of(request)
    view = case_view(systems, signed.staff, case_id)
    note_reading(systems, signed.author, case_id, Action.READ_CASE)
    mine = False
    if view.wait and view.refused is None:
        has = claim(systems, signed.staff, case_id, how=signed.how)
        mine = has is not None and has.id == signed.staff.id
    form = form_view(view.wait, typed) if view.wait else None
    # what was typed for a question that is no longer asked
    shown = {CHOICE, *(field.name for field in form.fields)} if form else {CHOICE}
    return render(
        request,
        "case",
        status=status,
        signed=signed,
        view=view,
        form=form,
        left=[text for name, text in (typed or {}).items() if text and name not in shown],
        holder=signed.staff if mine else view.holder,
        mine=mine,
        leads=signed.has(LEADS),
        kinds=NoteKind,
        deadlines=DEADLINES,
        run_url=systems.engine.run_url(view.case.run_id) if view.case.run_id else "",
        problem=problem,
        news=since,
        note=note,
        done=done,
    )


@router.get("/news")
async def news_stream(request: Request, case_id: Number, seen: str, signed: Reader) -> Response:
    """Say, as a server-sent event, what has happened since the page was made; the stream ends with it."""
    systems, before = systems_of(request), Facts.read(seen)

    def looked() -> list[str] | None:
        if whoever(request) is None:
            return None  # they have signed out, or were signed out
        with systems.store.read() as session:
            visible_case(session, signed.staff, case_id)
            lines = list(news(session, case_id, before))
        if lines:
            note_reading(systems, signed.author, case_id, Action.READ_CASE, "news")
        return lines

    async def events(lines: list[str] | None) -> AsyncIterator[str]:
        for _ in range(LOOKS):
            if lines is None or await request.is_disconnected():
                return
            if lines:
                yield f"event: news\ndata: {' · '.join(lines)}\n\n"
                return
            yield ": \n\n"
            await sleep(LOOK_SECONDS)
            lines = await run_sync(looked)

    return StreamingResponse(events(await run_sync(looked)), media_type="text/event-stream")
