"""Folders of our own: they hold customers' mail.

Held by `tests/adapters/simulator/test_main.py` and `tests/adapters/case_store/test_store.py`.
"""

from contextlib import suppress
from itertools import count
from pathlib import Path


def private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for the service's user alone; the others stay."""
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def save_into(folder: Path, name: str, content: bytes) -> Path:
    """Write a file, beside one of that name where there is one; returns where. A folder that is made is private."""
    private(folder)
    for number in count(1):
        path = folder / (name if number == 1 else f"{number}-{name}")
        with suppress(FileExistsError), path.open("xb") as file:
            file.write(content)
            return path
    raise AssertionError("unreachable")
