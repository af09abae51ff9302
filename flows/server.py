"""Prefect's server as this machine needs it on SQLite: `python -m flows.server` in the place of `prefect server start`.

Under load the server's own ways make it stand still for SQLite's busy time-out, a minute. Two things prevent that:
transactions take the write lock at their beginning, and garbage is collected outside of the event loop.

Held by `tests/flows/test_prefect.py` and `tests/flows/test_worker.py`.
"""

import gc
import sys
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from prefect.cli import app
from prefect.server.database import dependencies
from prefect.server.database.configurations import SQLITE_BEGIN_MODE, AioSqliteConfiguration
from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction


class ImmediateSqlite(AioSqliteConfiguration):
    """SQLite whose transactions are writers from their beginning.

    Prefect begins some by reading. When another one writes in between, SQLite refuses their write ("database is
    locked"): a person's form would be answered with 503.
    """

    @asynccontextmanager
    async def begin_transaction(
        self, session: AsyncSession, with_for_update: bool = True
    ) -> AsyncGenerator[AsyncSessionTransaction, None]:
        """Begin one, at once: a session that is opened within it (who pauses a pool or a queue does) only reads.

        As a writer, too, it would wait for the very lock that its own request holds, and the server with it.
        """
        async with super().begin_transaction(session, with_for_update=True) as transaction:
            await session.connection()
            token = SQLITE_BEGIN_MODE.set(None)
            try:
                yield transaction
            finally:
                SQLITE_BEGIN_MODE.reset(token)


def collect_garbage() -> None:
    """Collect garbage for ever, in the place of the thread that happens to make it.

    A cursor that an error left behind waits, when it is freed, for its connection, and that may be waiting for the
    write lock. Freed by the event loop's thread, it keeps the lock's holder from ever going on.
    """
    while True:
        for generation in (1,) * 20 + (2,):
            time.sleep(1)
            gc.collect(generation)
        if not gc.get_freeze_count():
            # what the server consists of stays; to look through it again and again is half of an idle server's CPU
            gc.freeze()


def main() -> None:
    """Start the server, with the options of `prefect server start`."""
    url = PREFECT_API_DATABASE_CONNECTION_URL.value()
    if url and url.startswith("sqlite"):
        dependencies.MODELS_DEPENDENCIES["database_config"] = ImmediateSqlite(connection_url=url)
    gc.disable()
    threading.Thread(target=collect_garbage, name="garbage", daemon=True).start()
    sys.argv[1:1] = ["server", "start"]
    app()


if __name__ == "__main__":
    main()
