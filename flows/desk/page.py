"""How the desk's pages are made from `templates/desk/`, and what a page says instead of an error.

Held by `tests/flows/desk/test_app.py`.
"""

import re
from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from adapters.wiring import Systems
from models.rights import MANAGES_STAFF, READS

if TYPE_CHECKING:
    from flows.desk.signed import Signed

_REFERENCE = re.compile(r"[A-Z]{3}-\d{7,9}")
TEMPLATES = Path(__file__).parents[2] / "templates" / "desk"


def systems_of(request: Request) -> Systems:
    """Everything outside our code; a dependency of pages."""
    systems: Systems = request.app.state.systems
    return systems


def just_decided(done: str = "") -> str:
    """Reference of the case that was decided on the page before; empty where the address says anything else."""
    return done if _REFERENCE.fullmatch(done) else ""


JustDecided = Annotated[str, Depends(just_decided)]


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page of ``templates/desk/``. ``signed``, where a page has it, brings the navigation."""
    settings = systems_of(request).settings
    known = {
        "signed": None,
        "rehearsal": settings.clock == "simulated",
        "zone": settings.zone,
        "path": request.url.path,
    }
    return HTMLResponse(ENVIRONMENT.get_template(f"{template}.html.jinja").render(known | context), status)


def message(request: Request, status: int, title: str, text: str, **context: Any) -> HTMLResponse:
    """A page that says one thing: what is wrong, and what to do. Both as ``Indonesian / English``."""
    return render(request, "message", status=status, title=title, text=text, **{"advice": "", **context})


def both(text: str) -> Markup:
    """``Indonesian / English`` as two spans, each with its language; a text of one language stays whole."""
    indonesian, slash, english = str(text).partition(" / ")
    return words(indonesian, english) if slash else escape(text)


def words(indonesian: str, english: str) -> Markup:
    """The same in both languages, the Indonesian first."""
    return Markup('<span lang="id">{}</span> <span lang="en" class="en">{}</span>').format(indonesian, english)


def moment(at: datetime, zone: tzinfo) -> Markup:
    """A time as people of the zone read it: ``28 Nov 2026 22.20 WIB``."""
    local = at.astimezone(zone)
    shown = f"{local.day} {_MONTHS[local.month - 1]} {local:%Y %H.%M} {local.tzname()}"
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), shown)


def markdown(text: str) -> Markup:
    """A form's description as HTML: markdown whose every tag is escaped."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704


MENU: list[tuple[str, str, Callable[["Signed"], bool]]] = [
    ("/", "Antrean / Queue", lambda signed: signed.has(READS)),
    ("/staff", "Staf / Staff", lambda signed: signed.has(MANAGES_STAFF)),
]
"""The navigation: path, label, and who sees it."""
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable(["image", "link", "autolink"])
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")
ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
ENVIRONMENT.filters |= {"both": both, "markdown": markdown, "moment": moment}
ENVIRONMENT.globals |= {"t": words, "pages": MENU}
