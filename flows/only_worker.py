"""Keeps two workers of one name from running on one machine. Held by `tests/flows/test_worker.py`."""

import fcntl
import os
from pathlib import Path
from typing import TextIO

from adapters.folder import private


def hold_name(home: Path, name: str) -> TextIO:
    """Lock the worker's name until the returned file is closed.

    Raises:
        SystemExit: another process holds the lock.
    """
    private(home)
    file = (home / f"worker-{name}.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        other = file.read().strip() or "?"
        raise SystemExit(
            f"a worker named {name} runs here already, process {other}: end it (kill {other}), or give another --name"
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file
