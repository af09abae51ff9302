"""What a mail says: new text without quotes and signature, its language."""

import re
from functools import cache
from typing import Any

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from adapters.mail.html_text import tidy
from adapters.mail.quotes import attribution, is_quote, letter_starts, next_written
from models.letter import Language

_FORWARD = re.compile(
    r"(?:fwd?|trs|terusan)\s*:|-{2,}\s*(?:forwarded message|pesan (?:yang )?(?:diteruskan|terusan))\b.*",
    re.IGNORECASE,
)
_MOBILE = re.compile(
    r"(?:sent from (?:my |outlook|yahoo|mail|samsung)|(?:get|dapatkan) outlook (?:for|untuk) |(?:di|ter)kirim dari )"
    r"[^,.!?<(]{0,40}(?:[<(]https?://\S+)?"
    r"|sent (?:from|with) [^,.!?<(]{1,40}[<(]https?://\S+",
    re.IGNORECASE,
)
_LIST_FOOTER = re.compile(r".{0,80}\bmailing list\b", re.IGNORECASE)
_SIGNATURE_LINES = 15
_WRAP = 70
"""Characters after which programs break lines."""


def new_text(text: str, subject: str) -> str:
    """``text`` without quoted letters and signature; all of it where nothing else would be left.

    What a forwarding customer passes on is his matter, so it stays; in any doubt text stays.
    """
    shown = text.splitlines()
    lines = [line.strip() for line in shown]
    signature = ([index for index, line in enumerate(lines) if line][-_SIGNATURE_LINES:] or [0])[0]
    kept: list[str] = []
    answering = above = False
    forwarding = _FORWARD.match(subject.strip())
    index = 0
    while index < len(lines):
        line = lines[index]
        if not line:
            kept += [""] * bool(kept)
            index += 1
            continue
        size, before = attribution(lines, index)
        if size:
            index += size
            kept += filter(None, [before])
            if kept and not is_quote(next_written(lines, index)):
                break
            answering, above = True, above or bool(kept)
            continue
        forwarding = forwarding or _FORWARD.match(line)
        if not forwarding and kept and letter_starts(lines, index):
            break
        if line == "--" and index >= signature:
            break
        if not line.strip("_") and _LIST_FOOTER.match(next_written(lines, index + 1)):
            break
        if is_quote(line):
            start, index = index, _quote_end(lines, index, wrapped=answering and above)
            if not answering and index - start == 1:
                kept.append(shown[start])
            continue
        kept.append(shown[index])
        index += 1
    while kept and (not kept[-1].strip("_-= ") or _MOBILE.fullmatch(kept[-1].strip())):
        kept.pop()
    return tidy(kept) or text.strip()


def _quote_end(lines: list[str], index: int, *, wrapped: bool) -> int:
    """Number of the line after the quoted ones; ``wrapped``: with the rests of lines that a program broke."""
    while index < len(lines) and (is_quote(lines[index]) or (wrapped and _is_rest(lines, index))):
        index += 1
    return index


def _is_rest(lines: list[str], index: int) -> bool:
    """Whether the line, between quoted ones, is the rest of the one above, which a program broke."""
    line, above = lines[index], lines[index - 1]
    if not line or not is_quote("".join(lines[index + 1 : index + 2])):
        return False
    if line.endswith(">") and "<" not in line:
        return True
    if above.rfind("(") > above.rfind(")") and ")" in line.partition("(")[0]:
        return True
    full = len(above) + len(line.split(maxsplit=1)[0]) >= _WRAP
    return full and line[0].islower() and not above.endswith("?")


def language(text: str) -> Language:
    """Indonesian or English; Indonesian where there is too little to tell."""
    if sum(map(str.isalpha, text[:2_000])) < 12:
        return "id"
    return "en" if _identifier().classify(text[:2_000])[0] == "en" else "id"


@cache
def _identifier() -> Any:
    from_file: Any = LanguageIdentifier.from_model_file
    identifier = from_file(MODEL_FILE)
    identifier.set_languages(["id", "en"])
    return identifier
