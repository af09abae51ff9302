"""Finds a mail's new text, without quotes and signature.

Held by `tests/adapters/mail/test_body.py`.
"""

import re

from adapters.mail.html_text import tidy
from adapters.mail.quotes import attribution, copied_mail_starts, is_quote, next_written, with_joined_addresses
from adapters.mail.signature_block import drop_mobile_lines, may_be_left_out

_FORWARD = re.compile(
    r"(?:fwd?|trs|terusan|teruskan)\s*:|-{2,}\s*(?:forwarded message|pesan (?:yang )?(?:diteruskan|terusan))\b.*"
    r"|(?:begin|awal|mulai) (?:forwarded message|pesan (?:yang )?(?:diteruskan|terusan))\s?:",
    re.IGNORECASE,
)
_REPLY = re.compile(
    r"(?:^|[\s\])])(?:re|bls|balas(?:an)?|aw|sv|antw|rif|ynt|odp|回复|答复|回覆)(?:\s?\[\d{1,3}\])?\s?[:：]",
    re.IGNORECASE,
)
_MARKS = re.compile(
    r"(?:\s*(?:re|fwd?|bls|balas(?:an)?|trs|terusan|teruskan|kirim ulang|resen[dt]|aw|wg|sv|antw|rif|ynt|odp"
    r"|回复|答复|回覆|转发|轉寄)(?:\s?[\[(]\d{1,3}[\])])?\s?[:：])+",
    re.IGNORECASE,
)
_GATEWAY = re.compile(
    r"\s*(?:\[(?:ext|extern|external|eksternal)(?:[ :_-]{1,3}(?:e-?mail|sender|message))?\]|e(?:x|ks)ternal\s?:)",
    re.IGNORECASE,
)
"""The mark that a mail gateway puts before the Subject of mail from outside."""
_BELOW = re.compile(
    r"\b(?:jawab\w*|tanggap\w*|komentar\w*|answers?|repl(?:y|ies)|comments?|responses?)\W{1,3}(?:\w{1,20}\W{1,3}){0,5}"
    r"(?:di ?bawah|below|in-?line"
    r"|(?:in|(?:ber)?warna|huruf|tulis(?:an)?|teks) (?:red|blue|green|bold|merah|biru|hijau|tebal))\b"
    r"|\b(?:see|lihat)\s(?:below|in-?line|di ?bawah(?: ini)?)[.!,]?$",
    re.IGNORECASE | re.MULTILINE,
)
"""Words that say that the answers are inside the quoted mail, which some programs do not mark."""
_LIST_FOOTER = re.compile(r".{0,80}\bmailing list\b", re.IGNORECASE)
_SIGNATURE_SPAN = 40
"""Lines below ``--`` that are searched for the end of a signature."""
_WRAP = 70
"""Least characters after which programs wrap lines."""


def replies(subject: str) -> bool:
    """Whether this is the subject of a reply."""
    return bool(_REPLY.search(subject))


def bare_subject(subject: str) -> str:
    """The subject with single spaces and without the marks of replies, forwards, resending and gateways."""
    start = 0
    while marks := _GATEWAY.match(subject, start) or _MARKS.match(subject, start):
        start = marks.end()
    return " ".join(subject[start:].split())


def forwards(subject: str) -> bool:
    """Whether this is the subject of a forwarded mail."""
    return bool(_FORWARD.match(subject.strip()))


def new_text(text: str, subject: str, *, answers: bool = True) -> str:
    """``text`` without quoted mails and signature; the whole text if nothing would be left.

    What a customer forwards is the customer's matter and stays. In doubt, text stays.

    Args:
        answers: whether the mail is a reply. If not, its writer has quoted others on purpose.
    """
    shown = with_joined_addresses(text).splitlines()
    lines = [line.strip() for line in shown]
    kept: list[str] = []
    answering = above = False
    passing_on = forwards(subject) or not answers
    index = 0
    while index < len(lines):
        line = lines[index]
        if not line:
            kept += [""] * bool(kept)
            index += 1
            continue
        passing_on = passing_on or bool(_FORWARD.match(line))
        size, before = (0, "") if passing_on else attribution(lines, index)
        kept += filter(None, [before])
        if size and (not kept or is_quote(next_written(lines, index + size))):
            index += size
            answering, above = True, above or bool(kept)
            continue
        if not passing_on and kept and (size or copied_mail_starts(lines, index)):
            if not _BELOW.search("\n".join(kept)):
                break
            passing_on = True
        if line == "--" and (end := _signature_end(lines, index + 1)):
            index = end
            continue
        if not line.strip("_") and _LIST_FOOTER.match(next_written(lines, index + 1)):
            break
        if is_quote(line) and not passing_on:
            start, index = index, _quote_end(lines, index, wrapped=answering and above)
            if not answering and index - start == 1:
                kept.append(shown[start])
            continue
        kept.append(shown[index])
        index += 1
    drop_mobile_lines(kept)
    return tidy(kept) or text.strip()


def _signature_end(lines: list[str], start: int) -> int:
    """Number of the line after the signature that starts here; 0 if it may be a customer's text."""
    end = start
    while end < len(lines) and not (lines[end] == "--" or is_quote(lines[end]) or _older_starts(lines, end)):
        end += 1
        if end - start > _SIGNATURE_SPAN:
            return 0
    return end if may_be_left_out(lines[start:end]) else 0


def _older_starts(lines: list[str], index: int) -> bool:
    return bool(lines[index]) and (attribution(lines, index)[0] > 0 or copied_mail_starts(lines, index))


def _quote_end(lines: list[str], index: int, *, wrapped: bool) -> int:
    """Number of the line after the quoted ones; ``wrapped``: include the rests of lines that a program wrapped."""
    while index < len(lines) and (is_quote(lines[index]) or (wrapped and _is_rest(lines, index))):
        index += 1
    return index


def _is_rest(lines: list[str], index: int) -> bool:
    """Whether the line, between quoted ones, is the rest of the line above, which a program wrapped."""
    line, above = lines[index], lines[index - 1]
    if not line or not is_quote("".join(lines[index + 1 : index + 2])):
        return False
    if line.endswith(">") and "<" not in line:
        return True
    if above.rfind("(") > above.rfind(")") and ")" in line.partition("(")[0]:
        return True
    full = len(above) + len(line.split(maxsplit=1)[0]) >= _WRAP
    return full and line[0].islower() and not above.endswith("?")
