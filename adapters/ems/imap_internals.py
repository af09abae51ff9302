"""All that the service uses of imaplib and imap-tools beyond their documented API.

Any release may change them. `tests/adapters/ems/test_imap_internals.py` names each, and what to look at when one
has changed.
"""

import imaplib
import re

from imap_tools import BaseMailBox
from imap_tools.errors import UnexpectedCommandStatusError
from imap_tools.imap_utf7 import utf7_decode
from imap_tools.utils import encode_folder

_REFUSED = re.compile(r"([A-Z]+) command error: BAD\b")


def ask_capabilities(imap: BaseMailBox) -> None:
    """Ask anew what the server offers: imaplib asks before the login, when many servers do not name MOVE yet."""
    imap.client.capabilities = tuple(imap.client.capability()[1][0].decode().upper().split())


def capabilities(imap: BaseMailBox) -> tuple[str, ...]:
    """What the server offers, in upper case."""
    found: tuple[str, ...] = imap.client.capabilities
    return found


def refused_command(error: imaplib.IMAP4.error) -> str:
    """Name of the command that the server does not understand (BAD); empty for another error."""
    found = _REFUSED.match(str(error))
    return found[1] if found else ""


def answer(error: UnexpectedCommandStatusError) -> str:
    """The server's answer to a command that it did not do."""
    return str(error.command_result)


def encoded(folder: str) -> str:
    """A folder's name as commands carry it: quoted, in modified UTF-7."""
    return encode_folder(folder).decode()


def decoded(folder: bytes) -> str:
    """A folder's name as people read it."""
    return utf7_decode(folder)
