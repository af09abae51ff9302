"""Folders and files that only the service's user may read, because they hold customers' mail.

Held by `tests/test_layanan.py`, `tests/adapters/case_store/test_store.py` and `tests/flows/desk/test_signed.py`.
"""

import os
import secrets
from contextlib import suppress
from itertools import count
from pathlib import Path

from models.errors import SettingsError


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


def secret_key(file: Path) -> str:
    """The random key that this file holds; the first process that asks writes it, for the service's user alone.

    Raises:
        SettingsError: other users may read the file, or it is cut off.
    """
    private(file.parent)
    if not file.exists():
        part = file.with_name(f"{file.name}.{secrets.token_hex(4)}.part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(secrets.token_hex(32))
        with suppress(FileExistsError):  # another process was first; its key is whole
            file.hardlink_to(part)
        part.unlink()
    if file.stat().st_mode & 0o077:
        raise SettingsError(f"{file}: other users may read it; `chmod 600 {file}`")
    if len(key := file.read_text("ascii").strip()) < 32:
        raise SettingsError(f"{file}: it is cut off; delete it, and everybody signs in again")
    return key
