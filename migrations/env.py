"""Alembic's environment: the case store that the settings name, or the engine that a caller hands over.

Held by `tests/adapters/case_store/test_schema.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from adapters.case_store.store import Store
from models import audit, staff, tables  # noqa: F401 - the tables must be known to the metadata
from models.settings import load_settings


def render_item(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write our own and SQLModel's column types as what they are."""
    if kind == "type" and isinstance(item, tables.UtcDateTime):
        return "tables.UtcDateTime()"
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    return False


@contextmanager
def tables_made_anew(connection: Connection) -> Iterator[None]:
    """SQLite changes a constraint by dropping the table, though rows of others refer to it (lang_altertable, 7)."""
    if connection.dialect.name != "sqlite":
        yield
        return
    # the driver's own connection: within a transaction, this would say nothing
    driver = connection.connection.cursor()
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


store: Store = context.config.attributes.get("store") or Store.of(load_settings())

with store.engine.connect() as connection, tables_made_anew(connection):
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
