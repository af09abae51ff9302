"""What the service changes in Prefect's server on SQLite, apart from `internals.py`: the server alone imports this.

Held by `tests/adapters/engine/test_internals.py`, which names each private part.
"""

import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from prefect.cli import app
from prefect.server.database import dependencies
from prefect.server.database.configurations import SQLITE_BEGIN_MODE, AioSqliteConfiguration
from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction


class ImmediateSqlite(AioSqliteConfiguration):
    """SQLite whose transactions take the write lock when they begin.

    Prefect begins some by reading. When another one writes in between, SQLite refuses their write ("database is
    locked"): a person's form would be answered with 503.
    """

    @asynccontextmanager
    async def begin_transaction(
        self, session: AsyncSession, with_for_update: bool = True
    ) -> AsyncGenerator[AsyncSessionTransaction, None]:
        """Begin a transaction with the write lock.

        A session that is opened within it (pausing a pool or a queue does that) only reads: with a write lock of its
        own it would wait for the request that opened it, and the server with it.
        """
        async with super().begin_transaction(session, with_for_update=True) as transaction:
            await session.connection()
            token = SQLITE_BEGIN_MODE.set(None)
            try:
                yield transaction
            finally:
                SQLITE_BEGIN_MODE.reset(token)


def serve(arguments: Sequence[str]) -> None:
    """Run `prefect server start` with these options, in this process."""
    url = PREFECT_API_DATABASE_CONNECTION_URL.value()
    if url and url.startswith("sqlite"):
        dependencies.MODELS_DEPENDENCIES["database_config"] = ImmediateSqlite(connection_url=url)
    sys.argv[1:] = ["server", "start", *arguments]
    app()
