"""Alembic's environment: the case store that the settings name, or the engine that a caller hands over."""

from typing import Literal

from alembic import context
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from adapters.store import Store
from models import tables
from models.settings import load_settings


def render_item(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write our own and SQLModel's column types as what they are."""
    if kind == "type" and isinstance(item, tables.UtcDateTime):
        return "tables.UtcDateTime()"
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    return False


store: Store = context.config.attributes.get("store") or Store.of(load_settings())

with store.engine.connect() as connection:
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
