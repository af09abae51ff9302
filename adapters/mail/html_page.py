"""Shows the HTML of a mail as a page that a person can open in a browser."""

import base64
from collections.abc import Iterator, Sequence
from html import escape

from adapters.mail.body import ENCODED_LIMIT, INLINE_DATA, READ_LIMIT, charset, filename
from adapters.mail.charset import guess
from adapters.mail.html_safe import CUT, safe_html
from adapters.mail.media_type import media_type
from adapters.mail.parts import Part, decoded, read

PICTURES_LIMIT = 7_000_000
"""Encoded bytes of pictures on one page."""
PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp"}
"""Types that browsers treat as pictures only; decided by the content, not by the declared type."""
POLICY = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'"
"""The second line of defence: the browser runs and fetches nothing, whatever the cleaning misses."""
_PAGE = """<!doctype html>
<html lang="id">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta http-equiv="x-dns-prefetch-control" content="off">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
</head>
<body>
<p>{head}</p>
<hr>
{body}
</body>
</html>
"""
_REMOVED = (
    "Dibersihkan: gambar dari luar, formulir, gaya dan skrip dihapus; dalam kurung siku: tujuan tautan / "
    "Sanitised: pictures from outside, forms, styles and scripts are removed; in brackets: where a link goes"
)


def html_page(raw: bytes, told: Sequence[str]) -> str | None:
    """A page with the mail's cleaned HTML; None if it has none.

    Args:
        told: lines above the HTML; the first is the title.

    Raises:
        Unreadable: ``raw`` is no mail.
    """
    parts = [part for part in read(raw).root.walk() if not part.parts]
    pictures = _Pictures(parts)
    body = "\n<hr>\n".join(safe_html(html, pictures.address) for html in _texts(parts))
    head = "<br>\n".join(escape(line) for line in (*told, _REMOVED))
    return _PAGE.format(policy=POLICY, title=escape(told[0]), head=head, body=body) if body else None


def _texts(parts: Sequence[Part]) -> Iterator[str]:
    left = READ_LIMIT
    for part in parts:
        if part.get_content_type() != "text/html" or part.get_content_disposition() == "attachment" or filename(part):
            continue
        data = INLINE_DATA.sub(b"", decoded(part, ENCODED_LIMIT)[0])
        yield guess(data[:left], charset(part))[0]
        left -= len(data)
        if left < 0:
            yield CUT
            return


class _Pictures:
    """Pictures within the mail, by Content-ID."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = {str(part["Content-ID"]).strip().strip("<>"): part for part in parts if part["Content-ID"]}
        self._left = PICTURES_LIMIT

    def address(self, name: str) -> str:
        """A ``data:`` URL; empty if the part is no picture or the page has too many bytes of them."""
        part = self._parts.get(name)
        if part is None or len(part.window) > self._left:
            return ""
        self._left -= len(part.window)
        data, _ = decoded(part)
        kind = media_type(data, "")
        return f"data:{kind};base64,{base64.b64encode(data).decode()}" if kind in PICTURES else ""
