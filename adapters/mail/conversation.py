"""Outlook's Thread-Index, which shows a mail's conversation if a program on the way has dropped its References.

It is Base64 of 22 bytes that the whole conversation shares, and five more for each reply ([MS-OXOMSG],
PidTagConversationIndex).
"""

from base64 import b64decode, b64encode
from hashlib import sha256
from typing import NamedTuple

_SHARED, _EACH = 22, 5
_RESERVED = 1
LIMIT = 4_000
"""Characters of the header that are read: several hundred replies."""


class Conversation(NamedTuple):
    """The bytes that a whole conversation shares, in hexadecimal, and whether the mail is a reply in it."""

    shared: str = ""
    answers: bool = False


def conversation(thread_index: str) -> Conversation:
    """Parse the header; empty if it is not valid."""
    try:
        index = b64decode("".join(thread_index[:LIMIT].split()), validate=True)
    except ValueError:
        return Conversation()
    if len(index) < _SHARED or (len(index) - _SHARED) % _EACH or index[0] != _RESERVED:
        return Conversation()
    return Conversation(index[:_SHARED].hex(), len(index) > _SHARED)


def thread_index(shared: str, message_id: str) -> str:
    """The header of our own reply in a conversation; equal Message-IDs give equal headers."""
    return b64encode(bytes.fromhex(shared) + sha256(message_id.encode()).digest()[:_EACH]).decode()
