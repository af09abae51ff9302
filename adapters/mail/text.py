"""What a mail says: new text without quotes and signature, its language."""

import re
from functools import cache
from typing import Any

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from adapters.mail.html_text import tidy
from adapters.mail.quotes import attribution, is_quote, letter_starts, mended, next_written
from adapters.mail.signature_block import drop_mobile_lines, may_be_left_out
from models.letter import Language

_FORWARD = re.compile(
    r"(?:fwd?|trs|terusan)\s*:|-{2,}\s*(?:forwarded message|pesan (?:yang )?(?:diteruskan|terusan))\b.*",
    re.IGNORECASE,
)
_LIST_FOOTER = re.compile(r".{0,80}\bmailing list\b", re.IGNORECASE)
_SIGNATURE_SPAN = 40
"""Lines below ``--`` among which the end of a signature is looked for."""
_WRAP = 70
"""Characters after which programs break lines."""


def new_text(text: str, subject: str) -> str:
    """``text`` without quoted letters and signature; all of it where nothing else would be left.

    What a forwarding customer passes on is his matter, so it stays; in any doubt text stays.
    """
    shown = mended(text).splitlines()
    lines = [line.strip() for line in shown]
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
        if line == "--" and (end := _signature_end(lines, index + 1)):
            index = end
            continue
        if not line.strip("_") and _LIST_FOOTER.match(next_written(lines, index + 1)):
            break
        if is_quote(line):
            start, index = index, _quote_end(lines, index, wrapped=answering and above)
            if not answering and index - start == 1:
                kept.append(shown[start])
            continue
        kept.append(shown[index])
        index += 1
    drop_mobile_lines(kept)
    return tidy(kept) or text.strip()


def _signature_end(lines: list[str], start: int) -> int:
    """Number of the line after the signature that starts here; 0 where it may be a customer's text."""
    end = start
    while end < len(lines) and not (lines[end] == "--" or is_quote(lines[end]) or _older_starts(lines, end)):
        end += 1
        if end - start > _SIGNATURE_SPAN:
            return 0
    return end if may_be_left_out(lines[start:end]) else 0


def _older_starts(lines: list[str], index: int) -> bool:
    return bool(lines[index]) and (attribution(lines, index)[0] > 0 or letter_starts(lines, index))


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
