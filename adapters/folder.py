"""Folders of our own: they hold customers' mail."""

from pathlib import Path


def private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for the service's user alone; the others stay."""
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
