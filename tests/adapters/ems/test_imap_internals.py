"""Private parts of imaplib and imap-tools are as `adapters/ems/imap_internals.py` uses them."""

import imaplib
import inspect

import imap_tools
import pytest

from tests.contracts import Private

MOVE = "What the server offers decides how mail is moved (imap_session.move); see test_other_servers.py."
WORDS = "refused_command reads the command's name in it; see test_other_servers.py, “is named”."
NAMES = "Names of folders beyond ASCII: imap_session.named and quota."
PARTS = [
    Private("imaplib", "IMAP4._get_capabilities", MOVE, "(self)", ("self.capabilities = tuple(dat.split())",)),
    Private("imap_tools", "BaseMailBox.move", MOVE, mentions=("if 'MOVE' in self.client.capabilities:",)),
    Private("imaplib", "IMAP4._command_complete", WORDS, "(self, name, tag)", ("'%s command error: %s %s'",)),
    Private(
        "imap_tools.errors",
        "UnexpectedCommandStatusError",
        "The server's code (RFC 5530) is read in it: imap_session._meaning.",
        "(command_result: tuple, expected: Any) -> None",
        ("self.command_result = command_result",),
    ),
    Private("imap_tools.utils", "encode_folder", NAMES, "(folder: Union[str, bytes]) -> bytes"),
    Private("imap_tools.imap_utf7", "utf7_decode", NAMES, "(value: bytes) -> str"),
]


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_imap_is_as_we_use_it(part: Private) -> None:
    part.hold()


def test_a_search_may_find_two_million_mails() -> None:
    """Importing imap-tools raises imaplib's limit for one line; without that, a large folder cannot be searched."""
    assert "_MAXLINE" in inspect.getsource(imap_tools.mailbox)
    assert imaplib._MAXLINE >= 20_000_000  # type: ignore[attr-defined]
