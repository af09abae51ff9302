"""The case store's schema: upgrade it to the code's revision, and compare it with the code."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

from adapters.case_store.store import Store
from models import audit, staff, tables  # noqa: F401 - the tables must be known to the metadata
from models.errors import Refused

SCRIPTS = Path(__file__).parents[2] / "migrations"


def config(store: Store) -> Config:
    """Alembic's configuration for the store."""
    found = Config()
    found.set_main_option("script_location", str(SCRIPTS))
    found.attributes["store"] = store
    return found


def upgrade(store: Store) -> None:
    """Upgrade the schema to the code's revision. Repeating it does nothing.

    Raises:
        Refused: the schema is older or newer than those that this version knows.
        Unavailable: the database does not answer.
    """
    found, _ = revisions(store)
    known = {script.revision for script in ScriptDirectory.from_config(config(store)).walk_revisions()}
    if found and found not in known:
        what = f"its schema is {found}, which this version cannot upgrade: it knows {min(known)} to {max(known)}"
        raise Refused("case store", f"{what}; use the version that wrote it, or one between")
    with store.read():
        command.upgrade(config(store), "head")


def revisions(store: Store) -> tuple[str, str]:
    """The store's revision (empty: none) and the code's."""
    head = ScriptDirectory.from_config(config(store)).get_current_head() or ""
    with store.read(), store.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or "", head


def check(store: Store) -> str:
    """The store's revision, after a check that it is the code's.

    Raises:
        Refused: it is another one.
        Unavailable: the database does not answer.
    """
    found, wanted = revisions(store)
    if not found:
        where = store.engine.url.render_as_string(hide_password=True)
        settings = "LAYANAN_SETTINGS, LAYANAN_DATABASE_URL"
        raise Refused("case store", f"{where} is empty: is it the right one ({settings})? If so: layanan migrate")
    if found != wanted:
        raise Refused("case store", f"its schema is {found}, this code needs {wanted}: layanan migrate")
    return found


def drift(store: Store) -> list[object]:
    """The differences between the store's schema and the code's tables; empty if there are none."""
    with store.read(), store.engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))
