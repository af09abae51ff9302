"""Outlook's Thread-Index: the conversation of a mail, where a program on the way has dropped its References.

Base64 of 22 bytes that the whole conversation shares, and of five more for each answer ([MS-OXOMSG],
PidTagConversationIndex).
"""

from base64 import b64decode, b64encode
from hashlib import sha256
from typing import NamedTuple

_SHARED, _EACH = 22, 5
_RESERVED = 1
LIMIT = 4_000
"""Characters of a header that are read: some hundred answers."""


class Conversation(NamedTuple):
    """Of a mail: the bytes that all of its conversation share, in hexadecimal, and whether it answers in it."""

    shared: str = ""
    answers: bool = False


def conversation(thread_index: str) -> Conversation:
    """What the header says; nothing where it is none."""
    try:
        index = b64decode("".join(thread_index[:LIMIT].split()), validate=True)
    except ValueError:
        return Conversation()
    if len(index) < _SHARED or (len(index) - _SHARED) % _EACH or index[0] != _RESERVED:
        return Conversation()
    return Conversation(index[:_SHARED].hex(), len(index) > _SHARED)


def thread_index(shared: str, message_id: str) -> str:
    """The header of our own answer in a conversation, the same for the same Message-ID."""
    return b64encode(bytes.fromhex(shared) + sha256(message_id.encode()).digest()[:_EACH]).decode()
