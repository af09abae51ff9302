"""Converts HTML to the text that a mail program shows, in one pass over its tags.

No tree is built: by the rules for unclosed tags, 25 kB of HTML (``<p><font id=1>``, repeated) make a tree of 400 MB.
"""

import re
from html import unescape

TAG = re.compile(
    r"<(?:!--(?:-?>|(?:(?!--!?>).)*+(?:--!?>)?)|[!?][^>]*+>?"
    r"|(?P<end>/?)(?P<name>[a-z][^\s/>]{0,20})(?P<attributes>(?:[\s/]++"
    r"|[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"?|'[^']*+'?|[^\s>\"'][^\s>]*+)?+)?+)*+)>?)",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = r"(?:^|[\s/\"']){}\s*=\s*(?:\"([^\"]*)|'([^']*)|([^\s>\"']+))"
_HREF = re.compile(_ATTRIBUTE.format("href"), re.IGNORECASE)
_CLASS = re.compile(_ATTRIBUTE.format("class"), re.IGNORECASE)
_TYPE = re.compile(_ATTRIBUTE.format("type"), re.IGNORECASE)
ATTRIBUTES_LIMIT = 4_000
"""Characters of one tag that are searched for attributes."""
URL_LIMIT = 300
_QUOTES_LIMIT = 20
"""Most levels of quotes that are marked."""
UNSHOWN = {
    name: re.compile(f"</{name}[\\s/>]", re.IGNORECASE) for name in ("script", "style", "title", "noscript", "template")
}
"""Elements that are not shown, and the end of each."""
_BLOCKS = {
    "address", "article", "blockquote", "body", "br", "center", "dd", "div", "dl", "dt", "footer", "form", "h1", "h2",
    "h3", "h4", "h5", "h6", "header", "hr", "li", "ol", "p", "pre", "section", "table", "tr", "ul",
}  # fmt: skip
_SPACED = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote"}


def html_text(html: str) -> str:
    """The text of ``html``: list items and table rows on separate lines, cells separated, links with their address.

    Lines of a quote start with ``> ``.
    """
    return _Reader().text(html)


class _Reader:
    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._written = False
        """Whether the line contains more than white space."""
        self._quotes: list[bool] = []
        """For each open blockquote: whether it quotes a mail or only indents."""
        self._marks = ""
        self._preformatted = 0
        self._link = ("", 0)
        """Address of the open link, and the number of the line's pieces before it."""

    def text(self, html: str) -> str:
        position = 0
        while tag := TAG.search(html, position):
            self._say(html[position : tag.start()])
            position = tag.end()
            name = (tag["name"] or "").lower()
            if tag["end"]:
                self._close(name)
            elif name in UNSHOWN:
                end = UNSHOWN[name].search(html, position)
                position = end.start() if end else len(html)
            elif name:
                self._open(name, tag["attributes"][:ATTRIBUTES_LIMIT])
        self._say(html[position:])
        self._end_line()
        return tidy(self._lines)

    def _say(self, raw: str) -> None:
        if raw:
            text = unescape(raw)
            self._line.append(text if self._preformatted else re.sub(r"\s+", " ", text))
            self._written = self._written or not text.isspace()

    def _open(self, name: str, attributes: str) -> None:
        if name in _BLOCKS:
            self._end_line(name, even_empty=name == "br")
        if name == "blockquote":
            self._quotes.append(_value(_TYPE, attributes) == "cite" or "gmail_quote" in _value(_CLASS, attributes))
            if self._quotes[-1]:
                self._marks += "> " * (len(self._marks) < 2 * _QUOTES_LIMIT)
        elif name == "pre":
            self._preformatted += 1
        elif name == "li":
            self._line.append("- ")
        elif name in ("td", "th") and self._written:
            self._line.append(" | ")
        elif name == "a":
            self._link = (_value(_HREF, attributes), len(self._line))

    def _close(self, name: str) -> None:
        if name in _BLOCKS:
            self._end_line(name)
        if name == "blockquote" and self._quotes and self._quotes.pop():
            self._marks = self._marks[2:]
        elif name == "pre":
            self._preformatted = max(0, self._preformatted - 1)
        elif name == "a":
            (address, before), self._link = self._link, ("", 0)
            if address.startswith(("http://", "https://")) and len(address) <= URL_LIMIT:
                shown = "".join(self._line[before:]).strip()
                if shown and _bare(address) != _bare(shown):
                    self._line.append(f" <{address}>")

    def _end_line(self, name: str = "", *, even_empty: bool = False) -> None:
        text = re.sub(" +", " ", "".join(self._line)).strip() if self._line else ""
        if text or even_empty:
            self._lines += [self._marks + line for line in text.removesuffix(" |").split("\n")]
        self._line.clear()
        self._written = False
        if name in _SPACED:
            self._lines.append(self._marks)


def _value(attribute: re.Pattern[str], attributes: str) -> str:
    found = attribute.search(attributes)
    return unescape(next(filter(None, found.groups()), "")) if found else ""


def _bare(address: str) -> str:
    return re.sub(r"^https?://(?:www\.)?", "", address.lower()).rstrip("/")


def tidy(lines: list[str]) -> str:
    """Join lines to a text without trailing white space and with at most one empty line in a row."""
    text = "\n".join(line.rstrip() for line in lines)
    return re.sub(r"(?m)^((?:> )*>?\n)\1+", r"\1", text).strip()
