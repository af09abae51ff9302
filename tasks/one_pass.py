"""One pass at a time: a standing flow that finds its own last pass still going in this process has nothing to do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_locks: dict[str, threading.Lock] = {}


@contextmanager
def one_pass(name: str) -> Iterator[bool]:
    """Whether this is the only pass of ``name`` in the process; passes of other workers do no harm."""
    lock = _locks.setdefault(name, threading.Lock())
    alone = lock.acquire(blocking=False)
    try:
        yield alone
    finally:
        if alone:
            lock.release()
