"""What a mail says: new text without quotes and signature, its language."""

import re
from functools import cache
from typing import Any

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from models.letter import Language

_ATTRIBUTION = re.compile(
    # “On … wrote:” and “Pada … menulis:” name a date or an address, or they are the writer's own words
    r"(?:on|pada)\s(?=.{0,300}[\d@]).{1,300}\s(?:wrote|writes|menulis)\s*:?"
    r"|(?=.{0,300}\d[:./-]\d).{0,200}<?\S{1,100}@\S{1,100}>?,?\s.{0,40}\b(?:wrote|writes|menulis)\s*:"
    # Gmail's short form: 2026-03-03 10:12 GMT+07:00 Budi <budi@pelanggan.example>:
    r"|.{0,60}\d{1,2}[:.]\d\d.{0,200}<\s?\S{1,100}@\S{1,100}>\s*:",
    re.IGNORECASE,
)
_ATTRIBUTION_START = re.compile(r"on\b|pada\b|.*[\d@]", re.IGNORECASE)
_DIVIDER = re.compile(
    r"[-_*=\s]{2,}(?:original (?:message|appointment)|reply message|pesan (?:asli|balasan))[-_*=\s]*:?",
    re.IGNORECASE,
)
_FROM = re.compile(r"\W{0,5}(?:from|dari)\W{0,3}:\W{0,3}\S", re.IGNORECASE)
_SENT = re.compile(r"\W{0,5}(?:sent|date|dikirim|tanggal|terkirim)\W{0,3}:", re.IGNORECASE)
_TO = re.compile(r"\W{0,5}(?:to|kepada|ke|untuk|subject|subjek|perihal)\W{0,3}:", re.IGNORECASE)
_FORWARD = re.compile(
    r"(?:fwd?|trs|terusan)\s*:|-{2,}\s*(?:forwarded message|pesan (?:yang )?(?:diteruskan|terusan))\b.*",
    re.IGNORECASE,
)
_MOBILE = re.compile(
    r"(?:sent from (?:my |outlook|yahoo|mail|samsung)|get outlook for |(?:di|ter)kirim dari )[^,.!?]{0,40}",
    re.IGNORECASE,
)
_SIGNATURE_LINES = 15


def new_text(text: str, subject: str) -> str:
    """``text`` without quoted letters and signature; all of it where nothing else would be left.

    What a forwarding customer passes on is his matter, so it stays; in any doubt text stays.
    """
    lines = text.splitlines()
    kept: list[str] = []
    answering, forwarding = False, _FORWARD.match(subject.strip())
    index = 0
    while index < len(lines):
        line = lines[index].strip()
        if size := _attribution(lines, index):
            following = next((item for item in lines[index + size :] if item.strip()), "")
            if not following.lstrip().startswith(">") and _written(kept):
                break
            answering = True
            index += size
            continue
        forwarding = forwarding or _FORWARD.match(line)
        if not forwarding and _written(kept) and _letter_starts(lines, index):
            break
        if line == "--" and len(lines) - index <= _SIGNATURE_LINES:
            break
        if line.startswith(">"):
            end = next((i for i in range(index, len(lines)) if not lines[i].lstrip().startswith(">")), len(lines))
            if not answering and end - index == 1:
                kept.append(lines[index])
            index = end
            continue
        kept.append(lines[index])
        index += 1
    while kept and (not kept[-1].strip("_- ") or _MOBILE.fullmatch(kept[-1].strip())):
        kept.pop()
    return _tidy(kept) or text.strip()


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


def _attribution(lines: list[str], index: int) -> int:
    """Number of lines (1 to 3) of an attribution that starts here; 0: none does."""
    if not _ATTRIBUTION_START.match(lines[index].strip("> \t")[:200]):
        return 0
    quoted = lines[index].lstrip().startswith(">")
    joined = ""
    for size, line in enumerate(lines[index : index + 3], 1):
        if not line.strip("> \t") or line.lstrip().startswith(">") != quoted:
            break
        joined = " ".join(filter(None, (joined, line.strip("> \t"))))
        if len(joined) < 600 and _ATTRIBUTION.fullmatch(joined):
            return size
    return 0


def _letter_starts(lines: list[str], index: int) -> bool:
    """Whether a copied letter starts here: a divider, or a block of header lines (Outlook)."""
    line = lines[index].strip()
    if _DIVIDER.fullmatch(line):
        return True
    block = [item for item in lines[index + 1 : index + 11] if item.strip()][:5]
    return bool(_FROM.match(line)) and any(map(_SENT.match, block)) and any(map(_TO.match, block))


def _written(lines: list[str]) -> bool:
    return any(map(str.strip, lines))


def _tidy(lines: list[str]) -> str:
    text = "\n".join(line.rstrip() for line in lines)
    return re.sub(r"(?m)^((?:> )*>?\n)\1+", r"\1", text).strip()
