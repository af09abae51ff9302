"""Finds service numbers, and references of tickets and cases, in a mail's new text.

Held by `tests/adapters/analyser/test_rules.py`.
"""

import re
from ipaddress import IPv4Address

from models.analysis import ServiceNumber

# INC and eight digits (NOSSA), Siebel's row id (My CX), a site and seven digits (ours)
_REFERENCE = re.compile(r"(?<![\w-])(?:(?i:INC)\d{8}|1-(?=[0-9A-Z]*[A-Z])[0-9A-Z]{6,10}|[A-Z]{3}-\d{7})(?![\w]|-\d)")
_NUMBER = re.compile(
    r"(?<![\d+])(?<!\d[.,/-])(?<!\+62[ -])"
    r"(?:(?P<service_id>\d{7} ?[-–] ?\d{10})"
    r"|(?P<telephone>\(0[2-79]\d{1,2}\)[ .-]?\d{2,4}(?:[ .-]?\d{2,4}){1,2}"
    r"|0[2-79]\d{1,2}[ .-]?\d{2,4}(?:[ .-]?\d{2,4}){1,2})"
    r"|(?P<internet>[1-9]\d{11,12}|(?<!\d )[1-9]\d{2,4}(?:[ .-]\d{3,5}){2,3}))(?:@telkom\.net\b)?"
    r"(?!\d|[.,/-]\d|-?[A-Za-z]\d|\s*ext\b)",
    re.IGNORECASE,
)
_LENGTHS = {"service_id": range(17, 18), "telephone": range(9, 13), "internet": range(12, 14)}
# words at most two words before a number that make it something else than a service number
_OTHER_NUMBER = re.compile(
    r"(?:\b(?:nik|ktp|npwp|idpel|pln|rek|rekening|bca|bri|bni|bsi|mandiri|va|virtual account|rp|idr|usd|order|resi|"
    r"token|imei|sn|s/n|serial|paspor|passport|kartu|wa|whatsapp|hp|fax|faks|mobile|ponsel)\b|myir-?)"
    r"[^\w\n]*(?:[^\W\d]+[^\w\n]+){0,2}$",
    re.IGNORECASE,
)
# words before a telephone number at which the writer can be reached
_CONTACT = re.compile(
    r"\b(?:hubungi|(?<!tidak bisa )(?<!tidak dapat )dihubungi|menghubungi|kontak|contact|call|reach|ditelepon|"
    r"telepon (?:(?:saya|kami) (?:di|ke)|dulu|ke|balik)|"
    r"telp/wa|cp|t|24x7|noc)\b[^\w\n]*(?:\w+[^\w\n]+){0,3}$",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"^(?:--|(?:hormat (?:saya|kami)|(?:best |kind |warm )?regards|sincerely|salam(?: hangat)?|wassalam\w*|ttd|tertanda"
    r"|(?:many |with )?thanks|thank you|terima kasih|demikian)\b[^\n]{0,30}$)",
    re.IGNORECASE | re.MULTILINE,
)
_BEFORE = 60


def known_references(text: str) -> tuple[str, ...]:
    """Tickets and case numbers named in ``text``, as written, each once, in order."""
    return tuple(dict.fromkeys(_REFERENCE.findall(text)))


def service_numbers(text: str) -> tuple[ServiceNumber, ...]:
    """Service numbers named in ``text``, each once, in order.

    Numbers to call back, amounts, dates, card numbers and numbers of another length are left out.
    """
    found: dict[str, ServiceNumber] = {}
    signature = next((match.start() for match in _SIGNATURE.finditer(text)), len(text))
    for match in _NUMBER.finditer(text):
        kind = str(match.lastgroup)
        value = re.sub(r"[^\d-]" if kind == "service_id" else r"\D", "", match[kind].replace("–", "-"))
        before = text[max(0, match.start() - _BEFORE) : match.start()]
        if len(value) - value.count("-") not in _LENGTHS[kind]:
            continue
        if kind != "service_id" and _OTHER_NUMBER.search(before):
            continue
        if kind == "telephone" and (match.start() > signature or _CONTACT.search(before)):
            continue
        if kind == "internet" and (value.startswith("628") or _is_address(match[kind])):
            continue
        found.setdefault(value, ServiceNumber(value=value, type=kind, text=match[0]))
    return tuple(found.values())


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True
