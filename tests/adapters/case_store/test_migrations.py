"""`make migration`: it writes what models/tables.py has and the newest migration lacks, or says that nothing lacks."""

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from adapters.case_store import schema
from migrations.__main__ import write_migration


def test_a_new_column_becomes_a_numbered_migration(tmp_path: Path) -> None:
    scripts = tmp_path / "migrations"
    shutil.copytree(schema.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    newest = max(int(file.name[:4]) for file in (scripts / "versions").glob("[0-9]*.py"))
    metadata = SQLModel.metadata
    added = sa.Table("colours", metadata, sa.Column("id", sa.Integer, primary_key=True))
    try:
        written = write_migration("Colours of cases.", scripts)
    finally:
        metadata.remove(added)
    assert written == scripts / "versions" / f"{newest + 1:04d}_colours_of_cases.py"
    text = written.read_text()
    assert text.startswith('"""Colours of cases."""\n')
    assert f'revision = "{newest + 1:04d}"' in text.replace("'", '"')
    assert f'down_revision = "{newest:04d}"' in text.replace("'", '"')
    assert "op.create_table(" in text
    assert "colours" in text


def test_where_nothing_changed_nothing_is_written() -> None:
    before = sorted((schema.SCRIPTS / "versions").iterdir())
    with pytest.raises(SystemExit, match="there is nothing to write"):
        write_migration("Nothing.")
    assert sorted((schema.SCRIPTS / "versions").iterdir()) == before
