"""How the monitor works through its items. Held by `tests/tasks/upkeep/test_monitor.py`."""

import logging
import time
from collections.abc import Callable
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from adapters.wiring import Systems, load_systems
from models.errors import AskedToWait, Defect, LayananError, NothingDone, Unavailable
from tasks.run import drain

log = logging.getLogger("layanan.monitor")

QUOTED = 3
"""Number of different errors that are quoted if every item failed."""
PART_SECONDS = 60.0
"""Time that one part of a sweep may take, so that a hanging system does not delay the other parts for long."""


def part(label: str) -> Callable[[Callable[[], int]], Any]:
    """Make a part of the monitor a Prefect task."""
    return task(name=label, task_run_name=label, cache_policy=NO_CACHE, persist_result=False)


def every(*steps: Callable[[], int]) -> list[int]:
    """Take every step, even if an earlier one fails; returns how many items each has processed.

    Raises:
        Defect, NothingDone: of the first step that raised one.
    """
    done: list[int] = []
    errors: list[LayananError] = []
    for step in steps:
        try:
            done.append(step())
        except (Defect, NothingDone) as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return done


def each(items: Any, act: Callable[[Systems, Any], object]) -> int:
    """Call ``act`` for each item while there is time; a failed item is left for the next sweep.

    ``AskedToWait`` ends the part, because the other items would meet the same error.

    Raises:
        Defect: some items met a fault in our own code; all others are processed.
        NothingDone: every item has failed.
    """
    systems, done, defects = load_systems(), 0, 0
    failed: list[LayananError] = []
    end = time.monotonic() + PART_SECONDS
    for item in items:
        if drain.asked() or time.monotonic() > end:
            log.warning("the rest is left for the next sweep")
            break
        try:
            act(systems, item)
            done += 1
        except AskedToWait as error:
            log.warning("the rest is left for the next sweep: %s", error)
            failed.append(error)
            break
        except Unavailable as error:
            log.warning("left for the next sweep: %s", error)
            failed.append(error)
        except LayananError as error:
            log.error("needs a person: %s", error)  # noqa: TRY400 - a system said it; no defect
            failed.append(error)
        except Exception:
            log.exception("a defect; the other items continue")
            defects += 1
    if defects:
        raise Defect(f"{defects} items met a defect; see the worker's log")
    if failed and not done:
        errors = list(dict.fromkeys(map(str, failed)))[:QUOTED]
        raise NothingDone(f"every item failed: {'; '.join(errors)}")
    return done
