"""Cleans a customer's HTML for a person: nothing in it runs or is fetched, and each link shows its target.

nh3 and :func:`_allowed` alone decide what is safe. Before that, the HTML is rewritten tag by tag: with so few tags that
nh3's tree stays small (see :mod:`adapters.mail.html_text`), and so that each link ends where it seems to.
"""

import re
import unicodedata
from collections.abc import Callable
from html import escape, unescape

import nh3

from adapters.mail.charset import TURNED
from adapters.mail.html_text import ATTRIBUTES_LIMIT, TAG, UNSHOWN, URL_LIMIT

TAGS_LIMIT = 8_000
"""Tags that are kept; 20,000 nested ones would take four seconds."""
NAME_LIMIT = 2_000
"""Characters of a link's text; a longer text is not checked, and so becomes no link."""
CUT = "<p>[… dipotong / cut]</p>"

# without attributes: browsers reopen up to three unclosed ones of a kind in each paragraph
_INLINE = {"b": "b", "strong": "b", "i": "i", "em": "i", "u": "ins", "ins": "ins", "s": "del", "strike": "del"}
_KEPT = (
    *("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "pre", "hr", "div"),
    *("table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption"),
)
_AS_DIV = ("address", "article", "aside", "center", "fieldset", "footer", "form", "header", "main", "nav", "section")
_BLOCKS = {name: name for name in _KEPT} | dict.fromkeys(_AS_DIV, "div")
_ATTRIBUTE = re.compile(r"([^\s/>=\"']++)\s*+(?:=\s*+(?:\"([^\"]*+)\"?|'([^']*+)'?|([^\s>\"'][^\s>]*+)))?+")
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]\w{1,30});", re.IGNORECASE)
_TARGET = re.compile(
    r"(?:https?://(?P<host>[a-z0-9.-]{1,253})(?::\d{1,5})?(?:[/?#][!-\[\]-~]*)?"
    r"|mailto:(?P<address>[a-z0-9._+-]{1,64}@(?P<domain>[a-z0-9.-]{1,253})))",
    re.IGNORECASE,
)
"""Targets that all programs read alike: no user before the host, no backslash, no letters beyond ASCII."""
_NAMED = re.compile(r"(?<=//)[\w.-]{1,255}|(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,20}|(?:\d{1,3}\.){3}\d{1,3}")
_MAILS = re.compile(r"[\w.+-]{1,64}@[\w.-]{1,255}")
_EMBEDDED = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+={0,2}")


def safe_html(html: str, image: Callable[[str], str]) -> str:
    """The HTML without active content; of pictures, only those inside the mail stay.

    Each link shows its target. If a link's text names another address than its target, it is no longer a link.

    Args:
        image: returns a ``data:`` URL for a picture's Content-ID, or an empty string.
    """
    return _CLEANER.clean(_Writer(image).written(html))


def _allowed(_tag: str, attribute: str, value: str) -> str | None:
    """Check each attribute that nh3 lets through."""
    known = {"href": _TARGET, "src": _EMBEDDED}.get(attribute)
    return value if known is None or known.fullmatch(value) else None


_CLEANER = nh3.Cleaner(
    tags={*_INLINE.values(), *_BLOCKS.values(), "a", "br", "img"},
    attributes={"a": {"href", "title"}, "img": {"src", "alt"}},
    attribute_filter=_allowed,
    url_schemes={"http", "https", "mailto", "data"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
)


class _Writer:
    def __init__(self, image: Callable[[str], str]) -> None:
        self._image = image
        self._out: list[str] = []
        self._link: tuple[int, str] | None = None
        """The open link: the index of its tag in the output, and its target."""
        self._shown: list[str] = []
        """The open link's text."""
        self._tags = 0

    def written(self, html: str) -> str:
        position = 0
        while (tag := TAG.search(html, position)) and self._tags < TAGS_LIMIT:
            self._say(unescape(html[position : tag.start()]))
            position = tag.end()
            name = (tag["name"] or "").lower()
            if name in UNSHOWN and not tag["end"]:
                end = UNSHOWN[name].search(html, position)
                position = end.start() if end else len(html)
            elif name:
                self._write(name, tag["end"], tag["attributes"][:ATTRIBUTES_LIMIT])
        if tag is None:
            self._say(unescape(html[position:]))
        self._end_link()
        return "".join(self._out) + CUT * (tag is not None)

    def _say(self, text: str) -> None:
        text = text.translate(TURNED)
        self._shown.append(text)
        self._put(escape(text))

    def _put(self, html: str) -> None:
        self._tags += html.startswith("<")
        self._out.append(html)

    def _write(self, name: str, end: str, attributes: str) -> None:
        if name == "a":
            self._end_link()
            href = "" if end else _attributes(attributes).get("href", "").strip()
            if href and not href.startswith("#"):
                self._link, self._shown = (len(self._out), href), []
                self._put("<a>")
        elif name == "img":
            self._picture(_attributes(attributes))
        elif name in _INLINE:
            self._put(f"<{end}{_INLINE[name]}>")
        elif name == "br" or (self._link and name in _BLOCKS and not end):
            # browsers continue a link after a block that begins inside it
            self._put("<br>")
        elif name in _BLOCKS and not self._link:
            self._put(f"<{end}{_BLOCKS[name]}>")

    def _end_link(self) -> None:
        if self._link:
            (place, href), self._link = self._link, None
            self._out[place], words = _told(href, "".join(self._shown))
            self._put("</a>")
            self._say(words)

    def _picture(self, attributes: dict[str, str]) -> None:
        source, alt = attributes.get("src", "").strip(), attributes.get("alt", "").translate(TURNED)
        self._shown.append(alt)
        if source.lower().startswith("cid:") and (address := self._image(source[4:])):
            self._put(f'<img src="{address}" alt="{escape(alt)}">')
        else:
            self._put(f"[gambar / image{': ' * bool(alt)}{escape(alt)}]")


def _attributes(raw: str) -> dict[str, str]:
    """Attributes by lower-case name; the first of a name counts."""
    found: dict[str, str] = {}
    for name, *values in _ATTRIBUTE.findall(raw):
        # as in browsers, a reference without its semicolon is part of the address
        found.setdefault(name.lower(), _REFERENCE.sub(lambda match: unescape(match[0]), "".join(values)))
    return found


def _told(href: str, shown: str) -> tuple[str, str]:
    """A link's tag, and the words after it that show its target."""
    shown = " ".join(shown.split())
    named = unicodedata.normalize("NFKC", shown[:NAME_LIMIT]).replace("\u3002", ".").lower()
    named = "".join(char for char in named if unicodedata.category(char) != "Cf")
    target = _TARGET.fullmatch(href)
    if target is None or len(shown) > NAME_LIMIT or not _names(target, named):
        return "<a>", f" [⚠ tujuan / goes to: {href[:URL_LIMIT]}]"
    goes_to = (target["address"] or target["host"]).lower()
    words = "" if named in (goes_to, href.lower()) else f" [{goes_to}]"
    return f'<a href="{escape(href)}" title="{escape(href[:URL_LIMIT])}">', words


def _names(target: re.Match[str], text: str) -> bool:
    """Whether the text names no address other than the link's target."""
    host = (target["host"] or target["domain"]).lower().removeprefix("www.")
    if any(named.strip(".").removeprefix("www.") != host for named in _NAMED.findall(text)):
        return False
    return target["address"] is None or all(named == target["address"].lower() for named in _MAILS.findall(text))
