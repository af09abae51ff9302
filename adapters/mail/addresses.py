"""Addresses in headers.

Held by `tests/adapters/mail/test_author.py`.
"""

import re
from collections.abc import Sequence
from email.utils import getaddresses

from adapters.mail.charset import HEADER_LIMIT, decode_header
from models.mail import lower_case

ADDRESS = re.compile(r"[^\x00-\x20<>()\[\]:;,\"@\x7f]{1,64}@[^\x00-\x20<>()\[\]:;,\"@\x7f]{1,255}")


def addresses(values: Sequence[str]) -> list[tuple[str, str]]:
    """Names and addresses (lower case) in the values of a header; anything else is left out."""
    value = ", ".join(values)[:HEADER_LIMIT]
    try:
        pairs = getaddresses([value])
    except RecursionError:  # nested comments
        pairs = []
    found = [(decode_header(who), lower_case(address)) for who, address in pairs if ADDRESS.fullmatch(address)]
    return found or [("", lower_case(address)) for address in ADDRESS.findall(decode_header(value))]
