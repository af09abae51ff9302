"""`python -m migrations "what changed"`: write the migration from the newest revision to the tables of the code.

It needs no settings and no database: it brings a temporary SQLite file to the newest revision and compares that with
`models/tables.py`. Held by `tests/adapters/case_store/test_migrations.py`.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.script import Script

from adapters.case_store import schema
from adapters.case_store.store import Store


def write_migration(what: str, scripts: Path = schema.SCRIPTS) -> Path:
    """Write the next migration and return its file.

    Args:
        what: the migration's docstring, and the words of its file's name.
        scripts: Alembic's folder, with ``env.py`` and ``versions``.

    Raises:
        SystemExit: the tables of the code are those of the newest migration.
    """
    with TemporaryDirectory() as home:
        store = Store(f"sqlite:///{home}/newest.sqlite", Path(home))
        try:
            schema.upgrade(store)
            newest = schema.check(store)
            if not schema.drift(store):
                sys.exit(f"models/tables.py is what migration {newest} makes: there is nothing to write")
            config = schema.config(store)
            config.set_main_option("script_location", str(scripts))
            config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
            script = command.revision(config, message=what, autogenerate=True, rev_id=f"{int(newest) + 1:04d}")
        finally:
            store.close()
    assert isinstance(script, Script)
    return Path(script.path)


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].strip():
        sys.exit('usage: python -m migrations "what changed"')
    print(f"Written: {write_migration(sys.argv[1])}. Read it, then run tests/adapters/case_store/test_schema.py.")  # noqa: T201
