"""Creates in a system at most once, although an answer may be lost. Held by `tests/adapters/systems/test_tmf.py`."""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TypeVar

from adapters.systems.http import Conflict
from adapters.systems.records import Entity
from adapters.systems.retries import until_found
from models.errors import AskedToWait, Unavailable

T = TypeVar("T")
E = TypeVar("E", bound=Entity)

_log = logging.getLogger(__name__)


def create_once(find: Callable[[], T | None], create: Callable[[], T]) -> T:
    """Return what ``find`` finds, else what ``create`` makes.

    TM Forum has no idempotency key, so we look first, and look again after every unclear answer.

    Raises:
        AskedToWait: the system gets no calls now, or it has accepted the create and not finished it.
        Unavailable: still unclear; a later call looks first, so it creates no duplicate.
        Conflict: refused as a duplicate that cannot be found.
    """
    found, posts = find(), 0
    while found is None:
        posts += 1
        try:
            return create()
        except AskedToWait:
            raise
        except (Unavailable, Conflict) as error:
            found = until_found(find)  # the first POST may still be running
            if found is None and (posts == 2 or isinstance(error, Conflict)):
                raise
    return found


def only_first(system: str, found: Iterable[E], created: Callable[[E], datetime | None]) -> E | None:
    """The record that was created first of those with one external id; the log names the duplicates."""
    ordered = sorted(found, key=lambda one: created(one) or datetime.max.replace(tzinfo=UTC))
    if len(ordered) > 1:
        _log.warning("%s: duplicates of %s: %s", system, ordered[0].id, ", ".join(one.id for one in ordered[1:]))
    return ordered[0] if ordered else None
