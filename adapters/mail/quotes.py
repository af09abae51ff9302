"""Finds the beginning of a quoted mail by the lines that mail programs write above it.

Each line is examined a fixed number of times, by patterns with little backtracking, so hostile text takes no time.

Held by `tests/adapters/mail/test_new_text.py`.
"""

import re

_LINE_LIMIT = 600
"""Characters of the longest attribution."""
_LINES_LIMIT = 3
"""Lines of the longest attribution."""
_HEADERS_LIMIT = 5

_WORD_LEAD = re.compile(r"(?:on|pada|le|il|el|op|am|em|den|på|w dniu|dnia|in data|vào)\s", re.IGNORECASE)
_LEAD = re.compile(
    _WORD_LEAD.pattern
    # Sel, 3; Tue Mar 3; 2026-03-03; 3 Mar
    + r"|[^\W\d]{2,12}[.,]{0,2}\s(?:[^\W\d]{3}[.,]?\s)?\d|\d{1,4}[-/.]\d{1,2}[-/.]\d|\d{1,2}\.?\s[^\W\d]{3}",
    re.IGNORECASE,
)
_LEAD_WITHIN = re.compile(r"(?<=[\s-])(?:On|Pada)\s")
_WRITES_LAST = re.compile(
    r"(?:^|[\s>)\]])(?P<verb>wrote|writes|sent|menulis|a écrit|schrieb|ha scritto|escribió|escreveu|skrev|kirjoitti"
    r"|het volgende geschreven|napisał[ay]?|napisał\(a\)|đã viết|написал[аи]?|пишет)$",
    re.IGNORECASE,
)
_WRITES_BEFORE_NAME = re.compile(r"\s(?:schrieb|schreef|skrev|napisał[ay]?)\s", re.IGNORECASE)
_WRITES_BEFORE_DATE = re.compile(
    r"@[^\s@]{1,100}[>)]\s(?:wrote|menulis|schrieb|skrev)\s(?=\D{0,80}\d)[^@]{1,80}$", re.IGNORECASE
)
_QUOTING = re.compile(r"(?:quoting|mengutip|zitat von|citando)\s[^\n]{1,200}:$", re.IGNORECASE)
"""An attribution of Horde, without a date."""
_DATE_BEFORE_WRITES = re.compile(r"@[^\s@]{1,100}[>)],?\s[^@]{1,60}$")
_OWN = re.compile(r"(?:^|\s)(?:i|we|saya|kami|aku)$", re.IGNORECASE)
"""“I wrote:” is no attribution."""
_ENDS = (":", "--", "wrote", "menulis")
"""Ends of an attribution's last line."""
_EVIDENCE = re.compile(r"^--|[\d@]")
_SHORTEST = 8
"""Least characters of an attribution's first line: programs do not break lines earlier."""
_GLUED = re.compile(r"(.{12,300}?@[^\s@]{1,100}> (?:wrote|menulis):)\s\s+\S")
"""An attribution with the quoted mail on the same line (Yahoo's phone app)."""
_BROKEN_ADDRESS = re.compile(r"\s{1,8}<\s{1,4}(mailto:[^\n]{1,300})\n\s{0,4}>")
_NUMERIC_DATE = re.compile(r"\d{4}[-/]\d")
_TIME = re.compile(r"\d[:.]\d\d")
_BY_PROGRAM = re.compile(rf"@|{_TIME.pattern}|\byou wrote\b")
"""What an attribution contains if no marked quote follows: “Pada 2 Maret teknisi menulis:” is a customer's."""

_DIVIDER = re.compile(
    r"[-_*=\s]{2,}(?:original (?:message|appointment)|reply message|pesan (?:asli|balasan)"
    r"|(?:ursprüngliche|antwort) nachricht|oprindelig (?:meddelelse|besked)|message d['’]origine"
    r"|oorspronkelijk bericht|messaggio originale|mensa(?:je|gem) original)[-_*=\s]*:?",
    re.IGNORECASE,
)
_RULED = re.compile(r"[-_*=]{2,}[^-_*=]{1,60}[-_*=]{2,}")
_HEADER_NAMES = {
    "from": "from|dari|von|van|de|da|fra|från|od",
    "sent": "sent|dikirim|terkirim|gesendet|verzonden|envoyé(?: le)?|inviato|enviado(?: el| em)?|sendt|skickat|wysłano",
    "date": "date|tanggal|datum|dato|data|fecha|message du",
    "to": "to|kepada|ke|untuk|an|à|a|aan|para|til|till|do",
    "subject": "subject|subjek|perihal|betreff|objet|sujet|onderwerp|oggetto|asunto|assunto|emne|ämne|temat",
}
_HEADER = re.compile(
    r"\W{0,8}(?:" + "|".join(f"(?P<{kind}>{names})" for kind, names in _HEADER_NAMES.items()) + r")\W{0,3}:",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[\w-]{2,30}\s?:\s")


def is_quote(line: str) -> bool:
    """Whether the line is marked as quoted; ``>:`` is the end of an address that a program has wrapped."""
    return line.startswith(">") and not line.startswith(">:")


def with_joined_addresses(text: str) -> str:
    """``text`` with each address back on its line, if a program has wrapped it to lines of its own."""
    return _BROKEN_ADDRESS.sub(r" <\1>", text)


def next_written(lines: list[str], index: int) -> str:
    """The first line from ``index`` that is not empty."""
    return next((lines[at] for at in range(index, len(lines)) if lines[at]), "")


def attribution(lines: list[str], index: int) -> tuple[int, str]:
    """Number of lines of the attribution that starts here (“On … Ani wrote:”), and the text before it on its line.

    ``lines`` have no white space at their ends. The number is 0 if no attribution starts here.
    """
    line = lines[index]
    if len(line) < _SHORTEST:
        return 0, ""
    if (glued := _GLUED.match(line)) and _LEAD.match(line) and _TIME.search(glued[1]):
        return 1, ""
    if _QUOTING.match(line) and is_quote(next_written(lines, index + 1)):
        return 1, ""
    if line.endswith(_ENDS) and (before := _before(line)) and is_quote(next_written(lines, index + 1)):
        return 1, before
    if _NUMERIC_DATE.match(line) and line.endswith(">") and "@" in line and is_quote(next_written(lines, index + 1)):
        return 1, ""
    quoted = is_quote(line)
    parts: list[str] = []
    for line in lines[index : index + _LINES_LIMIT]:
        if not line or is_quote(line) != quoted or len(line) > _LINE_LIMIT:
            break
        parts.append(line.lstrip("> ") if quoted else line)
        text = " ".join(parts)
        if line.endswith(_ENDS) and _attributes(text):
            later = _begins_later(lines, index, parts)
            sure = _BY_PROGRAM.search(text) or is_quote(next_written(lines, index + len(parts)))
            return (len(parts), "") if sure and not later else (0, "")
    return 0, ""


def _before(line: str) -> str:
    """The person's own words before the attribution on the same line."""
    start = max((found.start() for found in _LEAD_WITHIN.finditer(line)), default=0)
    return line[:start].strip("> ").rstrip("- ") if start and _attributes(line[start:]) else ""


def _begins_later(lines: list[str], index: int, parts: list[str]) -> bool:
    """Whether the first line is a person's own, directly above the attribution."""
    if len(parts) == 1:
        return False
    worded = _WORD_LEAD.match(parts[0])
    if not worded:
        alone = not index or not lines[index - 1]
        if not alone or (not _LEAD.match(parts[0]) and "@" not in parts[0]):
            return True
    later = (" ".join(parts[start:]) for start in range(1, len(parts)))
    return any((_WORD_LEAD if worded else _LEAD).match(text) and _attributes(text) for text in later)


def _attributes(text: str) -> bool:
    """Whether the text says who wrote, and when or from which address, and nothing after that."""
    if not _EVIDENCE.search(text):
        return False
    body = text.strip("-_* ").rstrip(": ")
    led, verb = _LEAD.match(body), _WRITES_LAST.search(body)
    who = body[: verb.start("verb")].rstrip(" ,") if verb else body
    name = who.rstrip(" >)]\"'")
    addressed, bracketed = "@" in name.rpartition(" ")[2], who != name
    timed = addressed and bracketed and _TIME.search(who)
    if not verb:
        named_last = (led and _WRITES_BEFORE_NAME.search(body)) or _WRITES_BEFORE_DATE.search(body)
        return text.endswith(":") and bool(timed or named_last)
    if _OWN.search(name) or (verb["verb"].lower() == "sent" and not addressed):
        return False
    if text.endswith("--"):
        return text.startswith("--")
    if not text.endswith(":"):
        return bool(led and timed)
    dated = any(map(str.isdigit, who))
    if _DATE_BEFORE_WRITES.search(who) and _TIME.search(who):
        return True
    return (bool(led) and (dated or "@" in who)) or (addressed and (dated or bracketed))


def copied_mail_starts(lines: list[str], index: int) -> bool:
    """Whether a copied mail starts here: a divider, or a block of header lines (Outlook)."""
    if lines[index].startswith(("-", "_", "*", "=")):
        divider = _DIVIDER.match(lines[index])
        if divider and (divider.end() == len(lines[index]) or _HEADER.match(lines[index], divider.end())):
            return True
        index += bool(_RULED.fullmatch(lines[index]))
    # headers inside a list belong to it: to a form, or to a pasted mail with words below it
    return not (index and _LABEL.match(lines[index - 1])) and _headers_start(lines[index : index + 11])


def _headers_start(lines: list[str]) -> bool:
    """Whether these are a mail's headers, not a customer's own list (“Dari: … Ke: … Tanggal: …” of a move)."""
    first = _HEADER.match(lines[0]) if lines else None
    if not first or first.lastgroup not in ("from", "date") or not lines[0][first.end() :].strip(" *"):
        return False
    written = list(filter(None, lines))[:_HEADERS_LIMIT]
    headers = [(found.lastgroup, line) for line in written if (found := _HEADER.match(line))]
    kinds = {kind for kind, _ in headers}
    shown = " ".join(line[:_LINE_LIMIT] for _, line in headers)
    when, addressed = kinds & {"sent", "date"}, "@" in shown
    if addressed and when and kinds & {"from", "to"} and _TIME.search(shown):
        return True
    return len(kinds) > 2 and bool(when) and "from" in kinds and (addressed or "sent" in kinds)
