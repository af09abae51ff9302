"""Who sent a mail: what our own server found out (RFC 8601), and what should make a person look twice."""

import re
import unicodedata
from collections.abc import Iterator
from email.message import Message

from models.mail import Authentication

_METHODS = ("spf", "dkim", "dmarc", "arc")
_RESULT = re.compile(r"\s*([a-z0-9-]{1,20})(?:/\d{1,3})?\s*=\s*([a-z]{1,20})\b", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>\"'()@]{1,64}@([^\s<>\"'()@]{1,255})")
_QUOTED = re.compile(r"\"((?:[^\"\\]|\\.)*+)\"", re.DOTALL)
_LIMIT = 4_000


def authentication(message: Message, authserv_id: str) -> Authentication:
    """Results that the server of that name wrote; of each method the topmost, for forged ones stand below.

    Args:
        authserv_id: our own server's name in Authentication-Results; empty: no result is believed.
    """
    found: dict[str, str] = {}
    for header in message.get_all("Authentication-Results", []) if authserv_id else ():
        server, *results = _bare(str(header)[:_LIMIT]).split(";")
        if server.lower().split()[:1] != [authserv_id.lower()]:  # a version may follow
            continue
        for result in results:
            match = _RESULT.match(result)
            if match and match[1].lower() in _METHODS:
                found.setdefault(match[1].lower(), match[2].lower())
    if "arc" not in found and "ARC-Seal" in message:
        found["arc"] = "present"
    return Authentication(**found)


def warnings(message: Message, sender: str, sender_name: str, results: Authentication) -> Iterator[str]:
    """What a person should know before they believe the sender, in words."""
    domain = sender.rpartition("@")[2]
    for method in ("spf", "dkim", "dmarc"):
        if getattr(results, method) in {"fail", "softfail", "permerror"}:
            yield f"{method.upper()}: {getattr(results, method)}"
    if (shown := _ADDRESS.search(sender_name)) and shown[1].lower() != domain:
        yield "nama pengirim memuat alamat lain / the sender's name holds another address"
    if (answer := _ADDRESS.search(str(message["Reply-To"] or ""))) and answer[1].lower() != domain:
        yield "balasan diminta ke domain lain / replies are asked for at another domain"
    if _mixed(domain):
        yield "domain mirip huruf lain / the domain mixes alphabets"


def _bare(value: str) -> str:
    """The header without its comments, which may nest, and with nothing in quoted strings that could be a result.

    The sender chooses the address that our server quotes there.
    """
    kept: list[str] = []
    depth = position = 0
    while position < len(value):
        char = value[position]
        if depth == 0 and (quoted := _QUOTED.match(value, position)):
            kept.append(re.sub(r"[^\w.@-]", "_", quoted[1]))
            position = quoted.end()
            continue
        depth += (char == "(") - (char == ")" and depth > 0)
        if depth == 0 and char not in ")\\":
            kept.append(char)
        position += 2 if char == "\\" else 1
    return "".join(kept)


def _mixed(domain: str) -> bool:
    """Whether a label of the domain has letters of several alphabets, as look-alikes do."""
    for label in domain.split("."):
        try:
            shown = label.encode("ascii").decode("idna") if label.startswith("xn--") else label
        except UnicodeError:
            return True
        alphabets = {unicodedata.name(char, "?").partition(" ")[0] for char in shown if char.isalpha()}
        if len(alphabets) > 1 or (alphabets - {"LATIN"} and shown.isascii()):
            return True
    return False
