"""Recognises signatures, which people and mail programs put below each mail.

Customers may write below their signature, so only what is clearly a signature counts as one.

Held by `tests/adapters/mail/test_new_text.py`.
"""

import re

_SMALL = (
    "my|mobile|phone|with|cell|smart|smartphone|device|tablet|the|for|on|a|saya|ponsel|cerdas|seluler|telepon|genggam"
    "|perangkat|untuk|di|meinem|für|mon|pour|mi|para|il|mio|per|mijn|voor"
)
_PROGRAM = (
    r"i(?:phone|pad)|samsung|galaxy|ponsel|smartphone|android|outlook|yahoo|gmail|e?-?mail|xiaomi|redmi|oppo|vivo|realme"
    r"|huawei|nokia|blackberry|spark|proton|k-9"
)
_MOBILE = re.compile(
    r"(?i:sent (?:from|with)|(?:di|ter)kirim dari|powered by|get|dapatkan|gesendet (?:von|mit)|envoyé (?:de|depuis)"
    r"|télécharger|enviado (?:desde|do)|inviato da|verzonden (?:vanaf|met)|hol dir)"
    rf"(?P<what>(?:\s(?:(?:[A-Z\d]|i(?=[A-Z]))[^\s,.!?<(]{{0,20}}|vivo|realme|{_SMALL})(?=[\s.<(]|$)){{1,8}})"
    r"(?:\. (?i:(?:please )?(?:excuse|forgive|pardon)) [\w ,]{1,60})?\.?(?P<link>\s?[<(]https?://\S+)?"
)
_LINKED = re.compile(
    r"sent (?:from|with) \[[\w ]{1,30}\]\(https?://[^\s)]{1,200}\)[\w ]{0,20}\.?"
    r"|yahoo mail: (?:search, organize, conquer|cari, atur, taklukkan)(?: <https?://[^\s>]{1,400}>)?",
    re.IGNORECASE,
)
_NAMED = re.compile(rf"\smy\s|\b(?:{_PROGRAM})\b", re.IGNORECASE)

_COURTESY = re.compile(
    r"(?:hi|hello|halo|hai|salam|regards|best|sincerely|cheers|thanks?|terima kasih|hormat (?:kami|saya)|wassalam)"
    r"(?: (?:there|all|semua|hormat|regards|you|banyak))?\W{0,3}|(?:kind|best|warm) regards\W{0,3}",
    re.IGNORECASE,
)
_CONTACT = re.compile(
    r"[^\s@<>|]{1,64}@[^\s@<>|]{1,100}|(?:https?://|www\.)\S+|(?:\+|\(?0)\d[\d ().-]{6,18}\d"
    r"|\b(?:tele?p?(?:on)?|phone|hp|mob(?:ile)?|cell|fax|faks|wa|whatsapp|e-?mail|surel|web(?:site)?|[tmfephw])\b"
    r"(?=\W)(?:\W{1,3}\d[\d ().-]{6,18}\d)?",
    re.IGNORECASE,
)
_POSITION = re.compile(
    r"\b(?:PT|CV|UD|Ltd|Inc|LLC|GmbH|Tbk|Manager|Manajer|Director|Direktur|Kepala|Head|Supervisor|Officer|Engineer"
    r"|Staff?|Sekretaris|Secretary|Finance|Marketing|Sales)\b"
)
_STREET = re.compile(r"\b(?:Jl|Jln|Jalan|Street|St|Road|Rd|Avenue|Gedung|Building|Tower|Lantai|Floor|Kav|Blok)\b")
_FACT = re.compile(r"[^\W\d][\w ]{1,30}:\s*\w|\d{9}")
_CONNECTORS = {"dan", "and", "of", "the", "di", "&", "-", "|", "–"}
_ASKS = re.compile(
    r"\b(?:mohon|tolong|harap|minta|segera|belum|tidak|bukan|mati|rusak|gangguan|please|need|not|still|urgent)\b",
    re.IGNORECASE,
)
"""Words that no name contains."""
_SECRET = re.compile(
    r"confidential|privileged|rahasia|vertraulich|riservat|recipient|addressee|penerima|destinatari", re.IGNORECASE
)
_LEGAL = re.compile(
    rf"{_SECRET.pattern}|intended|dituju|solely|in error|kesalahan|salah kirim|per errore|delete|hapus|cancell"
    "|copiare|copy|disclos|terzi|unauthori|notify",
    re.IGNORECASE,
)
_OF_MAIL = re.compile(r"e-?mail|message|messaggi|communication|pesan|surel|nachricht", re.IGNORECASE)
PERSON = re.compile(r"\b(?:I|[Mm]y|[Mm]e|[Ss]aya|[Aa]ku)\b")
"""Words that no confidentiality notice has, and few remarks of a customer lack."""
_LINES_LIMIT = 14
"""Lines of the longest signature."""
_SPAN = 40
"""Lines at the end that are searched for a mobile line."""
_LINE_LIMIT = 300
_WORDS_LIMIT = 8


def is_mobile_line(line: str) -> bool:
    """Whether a program wrote this line (“Sent from my iPhone”, “Dikirim dari Yahoo Mail di Android”).

    Such a line names a device or a program and is no sentence; “Dikirim dari gudang” is a customer's.
    """
    found = _MOBILE.fullmatch(line)
    return bool(found and (found["link"] or _NAMED.search(found["what"]))) or bool(_LINKED.fullmatch(line))


def drop_mobile_lines(kept: list[str]) -> None:
    """Remove the last lines that a program wrote, with the signature below them."""
    while True:
        while kept and not kept[-1].strip("_-= "):
            kept.pop()
        last = [line.strip() for line in kept[-_SPAN:]]
        below = next((size for size, line in enumerate(reversed(last)) if is_mobile_line(line)), None)
        if below is None or (below and not _is_evident(last[-below:])):
            return
        del kept[-below - 1 :]


def may_be_left_out(lines: list[str]) -> bool:
    """Whether the lines below ``--`` are a signature: few, without sentences and without a customer's data."""
    paragraphs = _paragraphs(lines)
    own = [line for paragraph in _without_notices(paragraphs) for line in paragraph]
    return sum(map(len, paragraphs)) <= _LINES_LIMIT and not any(
        _informs(line) and not is_mobile_line(line) for line in own
    )


def _is_evident(lines: list[str]) -> bool:
    """Whether these lines are certainly a signature: courtesies and notices, or a position with contact data.

    A name with a telephone number or a street is none: it may tell the technician where to come.
    """
    kinds = {_kind(line) for paragraph in _without_notices(_paragraphs(lines)) for line in paragraph}
    return "" not in kinds and (kinds <= {"courtesy"} or kinds >= {"position", "contact"})


def _paragraphs(lines: list[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for line in lines:
        if not line.strip("_-=* "):
            found.append([])
        else:
            found[-1].append(line)
    return list(filter(None, found))


def _without_notices(paragraphs: list[list[str]]) -> list[list[str]]:
    """The paragraphs without confidentiality notices, which may extend over several."""
    kept = []
    begun = False
    for paragraph in paragraphs:
        text = " ".join(paragraph)
        words = {word.lower() for word in _LEGAL.findall(text)} if begun or _SECRET.search(text) else set()
        if len(words) > 1 and _OF_MAIL.search(text) and not PERSON.search(text):
            begun = True
        else:
            kept.append(paragraph)
    return kept


def _informs(line: str) -> bool:
    """Whether the line says more than who somebody is: a sentence, a labelled fact, a number that is no telephone."""
    words = [word for word in line.split() if word[0].isalpha()]
    small = sum(word[0].islower() for word in words)
    sentence = len(words) > 2 and small * 2 >= len(words) and (len(words) > 4 or line.endswith((".", "!", "?")))
    return sentence or len(line) > _LINE_LIMIT or bool(_FACT.search(_CONTACT.sub("", line)))


def _kind(line: str) -> str:
    """The part of a signature that the line is; empty for none."""
    if len(line) > _LINE_LIMIT:
        return ""
    if _COURTESY.fullmatch(line):
        return "courtesy"
    rest = _CONTACT.sub("", line)
    if rest != line and not re.search(r"\w", rest):
        return "contact"
    words = line.replace("*", "").split()
    titled = all(word in _CONNECTORS or word[0].isupper() or word[0].isdigit() for word in words)
    if not titled or len(words) > _WORDS_LIMIT or _ASKS.search(line):
        return ""
    if _STREET.search(line):
        return "street"
    if any(map(str.isdigit, line)):
        return ""
    return "position" if _POSITION.search(line) else "name"
