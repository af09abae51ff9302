"""Folders and files that only the service's user may read, because they hold customers' mail.

Held by `tests/test_layanan.py` and `tests/adapters/case_store/test_store.py`.
"""

from contextlib import suppress
from itertools import count
from pathlib import Path


def private(folder: Path) -> None:
    """Make a folder and its missing parents, for the service's user alone. Existing folders stay as they are."""
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def save_into(folder: Path, name: str, content: bytes) -> Path:
    """Write a new file and return its path; a number precedes the name if it is taken. A new folder is private."""
    private(folder)
    for number in count(1):
        path = folder / (name if number == 1 else f"{number}-{name}")
        with suppress(FileExistsError), path.open("xb") as file:
            file.write(content)
            return path
    raise AssertionError("unreachable")
