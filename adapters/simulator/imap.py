"""The simulator's IMAP server: pymap's in-memory backend.

pymap documents how its server is started, not how another program embeds it. `tests/adapters/simulator/test_imap.py`
names each part that is used here, and what to look at when one has changed.
"""

import asyncio
import socket
from argparse import Namespace
from datetime import datetime

from proxyprotocol.sock import SocketInfo
from pymap.backend.dict import Config, Login
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxSet
from pymap.concurrent import Subsystem
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext


class ImapServer:
    """Mailboxes in memory. Each start begins with empty ones and new UIDVALIDITYs."""

    def __init__(self, passwords: dict[str, str]) -> None:
        """The mailboxes as address → password; the address is the login name."""
        nothing = dict.fromkeys(("passlib_cfg", "proxy_protocol"))
        self._config = Config(
            Namespace(**nothing),
            host=None,
            port=0,
            tls_enabled=False,
            hash_context=Cleartext(),
            cpu_subsystem=Subsystem.for_asyncio(),
            demo_data=False,
            demo_user="",
            demo_password="",
        )
        self._login = Login(self._config)
        for address, password in passwords.items():
            self._login.users_dict[address] = UserMetadata(self._config, address, password=password)
            self._config.set_cache[address] = (MailboxSet(), FilterSet())
        # on Python 3.13 nothing else refers to a waiting connection's task, which would be garbage collected
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, listener: socket.socket) -> None:
        """Answer on ``listener``."""
        self._server = await asyncio.start_server(self._serve, sock=listener)

    async def stop(self) -> None:
        """Close every connection."""
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def deliver(self, address: str, folder: str, raw: bytes, at: datetime) -> None:
        """Put a mail into a folder; make the folder if it is missing."""
        folders, _ = self._config.set_cache[address]
        try:
            mailbox = await folders.get_mailbox(folder)
        except KeyError:
            await folders.add_mailbox(folder)
            mailbox = await folders.get_mailbox(folder)
        await mailbox.append(AppendMessage(raw, at), recent=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        await IMAPServer(self._login, self._config)(reader, writer, SocketInfo.get(writer, None))
