"""Makes both bodies of a letter from one rendered template: plain text, and blocks for the HTML layout.

A template is text with a few tags that only HTML shows: ``strong``, ``a``, ``<th>`` around the label of a fact, and
``<hr>`` alone on its line before the footer. Facts are escaped when the template is rendered, so a tag is always the
template's and never a customer's or an agent's.
"""

import re
import textwrap
from html import unescape
from itertools import groupby
from urllib.parse import quote

from markupsafe import Markup

LINE_LENGTH = 76

_TAG = re.compile(r"<[^>]*>")
_STARTS = {"<th>": "facts", "- ": "items", "<hr>": "footer"}
"""Kind of a line, by its start."""


def as_text(letter: str) -> str:
    """Lines of at most LINE_LENGTH characters (a longer word stays whole); list items are indented."""
    lines = (
        textwrap.fill(
            line,
            LINE_LENGTH,
            subsequent_indent="  " if line.startswith("- ") else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in unescape(_TAG.sub("", letter)).strip().splitlines()
    )
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def as_blocks(letter: str) -> list[tuple[str, list[Markup]]]:
    """``(what, lines)``: ``facts``, ``items``, ``footer`` (what follows belongs to it) or ``paragraph``.

    A block ends at an empty line or at a line of another kind. A fact's line is ``label</th>: value``.
    """
    safe = Markup(letter)  # noqa: S704 escaped when it was rendered
    return [
        (_STARTS.get(start, "paragraph"), [line.removeprefix(start) for line in lines])
        for start, lines in groupby(safe.splitlines(), _start)
        if start is not None
    ]


def strong(words: str) -> Markup:
    """Bold words, on one line, because a tag must end in the block in which it begins."""
    return Markup("<strong>%s</strong>") % _one_line(words)


def link(address: str) -> Markup:
    """A mailto link. It can contain the address only: no copies, no subject."""
    return Markup('<a href="mailto:%s">%s</a>') % (quote("".join(address.split()), safe="@"), _one_line(address))


def whole(words: str) -> Markup:
    """Words that a line break never separates."""
    return Markup('<span class="whole">%s</span>') % _one_line(words)


def _start(line: str) -> str | None:
    if not line.strip():
        return None
    return next((start for start in _STARTS if line.startswith(start)), "")


def _one_line(words: str) -> Markup:
    return Markup(" ").join(words.split())
