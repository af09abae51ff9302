"""Private parts of pymap and pysasl are as `adapters/simulator/imap.py` uses them."""

import inspect

import pytest
from pymap.config import IMAPConfig

from tests.contracts import Private

BEGIN = "ImapServer.__init__ makes the configuration without a command line; see test_main.py and pymap's main.py."
USERS = "ImapServer.__init__ adds the mailboxes and their passwords to it; without them, nobody can log in."
SERVE = "ImapServer._serve runs each connection; see pymap.imap.IMAPService."
DELIVER = "ImapServer.deliver puts a mail into a folder; without it, mail that the simulator takes by SMTP is lost."
PARTS = [
    Private(
        "pymap.backend.dict",
        "Config.__init__",
        BEGIN,
        mentions=("args: Namespace", "demo_data: bool", "demo_user: str", "demo_password: str"),
    ),
    Private("pymap.concurrent", "Subsystem.for_asyncio", BEGIN, "() -> 'Subsystem'"),
    Private("pysasl.hashing", "Cleartext", BEGIN),
    Private("pymap.backend.dict", "Config.__init__", USERS, mentions=("self.set_cache: dict[",)),
    Private("pymap.backend.dict", "Login.__init__", USERS, mentions=("self.users_dict: dict[str, UserMetadata]",)),
    Private("pymap.user", "UserMetadata", USERS, mentions=("password: str | None = None",)),
    Private("pymap.backend.dict.filter", "FilterSet", USERS, "() -> 'None'"),
    Private("pymap.backend.dict.mailbox", "MailboxSet", USERS, "() -> 'None'"),
    Private(
        "pymap.imap",
        "IMAPServer.__call__",
        SERVE,
        "(self, reader: 'StreamReader', writer: 'StreamWriter', sock_info: 'SocketInfo') -> 'None'",
    ),
    Private("proxyprotocol.sock", "SocketInfo.get", SERVE),
    Private("pymap.backend.dict.mailbox", "MailboxSet.get_mailbox", DELIVER, "(self, name: 'str') -> 'MailboxData'"),
    Private("pymap.backend.dict.mailbox", "MailboxSet.add_mailbox", DELIVER, "(self, name: 'str') -> 'ObjectId'"),
    Private(
        "pymap.backend.dict.mailbox",
        "MailboxData.append",
        DELIVER,
        "(self, append_msg: 'AppendMessage', *, recent: 'bool' = False) -> 'Message'",
    ),
    Private("pymap.parsing.message", "AppendMessage", DELIVER, mentions=("literal: bytes", "when: datetime | None")),
]


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_pymap_is_as_we_use_it(part: Private) -> None:
    part.hold()


def test_the_configuration_is_made_of_these() -> None:
    needed = {"host", "port", "tls_enabled", "hash_context", "cpu_subsystem"}
    assert needed <= set(inspect.signature(IMAPConfig.__init__).parameters), BEGIN
