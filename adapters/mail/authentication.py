"""Whether a mail's sender is genuine: our own server's results (RFC 8601), and what should make a person look twice."""

import re
import unicodedata
from collections.abc import Iterator
from email.message import Message

import idna

from adapters.mail.charset import decode_header
from models.mail import Authentication, Caution, Doubt, lower_case

METHODS = ("spf", "dkim", "dmarc")
"""Methods whose results are read (RFC 8601)."""
_RESULT = re.compile(r"\s*([a-z0-9-]{1,20})(?:/\d{1,3})?\s*=\s*([a-z]{1,20})\b", re.IGNORECASE)
_JUDGED = {
    method: re.compile(rf"\s{which}\s*=\s*(\S+)", re.IGNORECASE)
    for method, which in {"spf": r"smtp\.mailfrom", "dkim": r"header\.[di]", "dmarc": r"header\.from"}.items()
}
"""The address or domain that a result is about, by method."""
_ADDRESS = re.compile(r"[^\s<>\"'()@]{1,64}@([^\s<>\"'()@]{1,255})")
_LIKE_LATIN = frozenset(
    "\u0430\u0441\u0501\u0435\u04bb\u0456\u0458\u04cf\u043e\u0440\u051b\u0455\u0443\u0445\u0475\u051d"  # Cyrillic
    "\u03b1\u03b9\u03ba\u03bd\u03bf\u03c1\u03c5"  # Greek
)
"""Letters that look like Latin ones."""
_BEFORE = ("X-Original-Authentication-Results", "ARC-Authentication-Results")
"""Where a mailing list keeps the results of its own server (Google; RFC 8617)."""
_DOTS = re.compile("[\u3002\uff0e\uff61]")
"""Characters that IDNA treats as dots."""
_LIMIT = 60_000
"""Characters of results that are read."""


def authentication(message: Message, authserv_id: str, sender: str) -> Authentication:
    """The results of our own server; for each method the topmost one, because forged ones are below it.

    If the server judged another address than the one that we read as the sender's, DMARC counts as failed. If the
    domain has no DMARC, a failed SPF of the sender's own domain disowns the mail, unless a DKIM signature of that
    domain is valid, as after forwarding.

    Args:
        authserv_id: our own server's name in Authentication-Results; if it is empty, no result is trusted.
    """
    found: dict[str, str] = {}
    own: dict[str, set[str]] = {}
    domain = sender.rpartition("@")[2]
    left = _LIMIT
    for header in message.get_all("Authentication-Results", []) if authserv_id else ():
        server, *results = _without_comments(str(header)[:left]).split(";")
        left = max(0, left - len(header))
        if server.lower().split()[:1] != [authserv_id.lower()]:
            continue
        above = set(found)
        for result in results:
            match = _RESULT.match(result)
            if not match or match[1].lower() not in METHODS or match[1].lower() in above:
                continue
            method, value = match[1].lower(), match[2].lower()
            judged = _JUDGED[method].search(result) if method in _JUDGED else None
            # a result without a name is about the sender, except for DKIM: anybody may sign
            is_own = _one_domain(judged[1].rpartition("@")[2], domain) if judged else method != "dkim"
            if method == "dmarc" and not is_own:
                value = "fail"
            found.setdefault(method, value)
            if is_own:
                own.setdefault(method, set()).add(value)
    unjudged = found.get("dmarc", "none") in {"none", "temperror", "permerror"}
    if unjudged and "fail" in own.get("spf", ()) and "pass" not in own.get("dkim", ()):
        found["disowned_by"] = "spf"
    return Authentication(**found)


def is_disowned_before(message: Message, author: str) -> bool:
    """Whether any server says that the author's domain disowned the mail before a mailing list rewrote From.

    The header may be forged, but it can only reduce trust.
    """
    headers = (*_BEFORE, "Authentication-Results")
    values = [str(value)[:_LIMIT] for name in headers for value in message.get_all(name, [])[:9]]
    for result in (result for value in values for result in _without_comments(value).split(";")):
        match, judged = _RESULT.match(result), _JUDGED["dmarc"].search(result)
        is_fail = match and (match[1].lower(), match[2].lower()) == ("dmarc", "fail")
        if is_fail and judged and _one_domain(judged[1].rpartition("@")[2], author.rpartition("@")[2]):
            return True
    return False


def doubts(sender: str, results: Authentication) -> Iterator[Doubt]:
    """Reasons to take the mail for forged that our server's results and the sender's address give."""
    if _is_odd(sender.rpartition("@")[2]):
        yield Doubt.ODD_DOMAIN
    if results.disowned_by:
        yield Doubt.SPF
    if results.dmarc == "fail":
        yield Doubt.DMARC


def cautions(message: Message, sender: str, author: str) -> Iterator[Caution]:
    """What else a person should know before they trust the sender.

    Args:
        author: the author's address if a mailing list or a form passed the mail on; else the sender's.
    """
    known = {sender.rpartition("@")[2], author.rpartition("@")[2]}
    if _domains(message, "From") - known:
        yield Caution.OTHER_ADDRESS
    if _domains(message, "Reply-To") - known:
        yield Caution.REPLIES_ELSEWHERE
    if _mixed(author.rpartition("@")[2]):
        yield Caution.LOOKALIKE


def _domains(message: Message, name: str) -> set[str]:
    """Domains of all addresses in a header, including those in names."""
    shown = decode_header(" ".join(message.get_all(name, [])))
    return {ascii_domain(lower_case(found[1]).rstrip(",;]")) for found in _ADDRESS.finditer(shown)}


def _without_comments(value: str) -> str:
    """The header without its comments, which may be nested, and without separators inside quoted strings."""
    kept, depth, quoted, escaped = [], 0, False, False
    for char in value:
        if escaped or (char == "\\" and (quoted or depth)):
            escaped = not escaped
        elif char == '"' and not depth:
            quoted = not quoted
        elif quoted:
            kept.append("_" if char in " \t;=" else char)
        elif char in "()":
            depth = max(0, depth + (1 if char == "(" else -1))
        elif not depth:
            kept.append(char)
    # an unclosed comment or string is none
    return value if depth or quoted else "".join(kept)


def _one_domain(one: str, other: str) -> bool:
    """Whether two domains are the same, or one is part of the other: some servers name the organisation's domain."""
    one, other = (ascii_domain(lower_case(domain).strip("<>.")) for domain in (one, other))
    return f".{one}".endswith(f".{other}") or f".{other}".endswith(f".{one}")


def ascii_domain(domain: str) -> str:
    """A lower-case domain in its ASCII form (IDNA 2008); unchanged if it has none.

    No character is mapped to another: a full-width letter, an ideographic dot or a soft hyphen makes another domain.
    """
    if domain.isascii() or _DOTS.search(domain):
        return domain
    try:
        return idna.encode(domain).decode()
    except idna.IDNAError:
        return domain


def _is_odd(domain: str) -> bool:
    """Whether a domain, as ``ascii_domain`` returns it, is invalid. Some programs turn it into a valid one."""
    labels = domain.split(".") if domain else []
    try:
        return not domain.isascii() or "" in labels or not all(map(idna.ulabel, _encoded(labels)))
    except idna.IDNAError:
        return True


def _encoded(labels: list[str]) -> list[str]:
    return [label for label in labels if label.startswith("xn--")]


def _mixed(domain: str) -> bool:
    """Whether the domain is a look-alike: a label mixes alphabets, or has only letters that look like Latin ones."""
    for label in domain.split("."):
        try:
            shown = label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label
        except UnicodeError:
            return True
        letters = {char for char in shown if char.isalpha()}
        # a combining mark (“e̲”) is easily overlooked, so it counts as an alphabet of its own
        letters |= {char for char in shown if unicodedata.combining(char)}
        alphabets = {unicodedata.name(char, "?").partition(" ")[0] for char in letters}
        if len(alphabets) > 1 or (letters and letters <= _LIKE_LATIN):
            return True
    return False
