"""How a call to a system is repeated within seconds; `tasks/run/activity.py` retries an activity for minutes.

Held by `tests/adapters/systems/test_tmf.py` and `tests/adapters/systems/test_securecrt.py`.
"""

import math
from collections.abc import Callable
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_not_exception_type,
    retry_if_result,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential,
    wait_fixed,
    wait_random,
)

from models.errors import AskedToWait, Unavailable

T = TypeVar("T")

TIMES = 3
PAUSE = wait_exponential(multiplier=0.2, max=2) + wait_random(0, 0.2)


def while_unavailable(call: Callable[[], T], seconds: float = math.inf) -> T:
    """Call up to three times, within these seconds, while the system is unavailable and has not asked us to wait."""
    helps = retry_if_exception_type(Unavailable) & retry_if_not_exception_type(AskedToWait)
    stop = stop_after_attempt(TIMES) | stop_before_delay(seconds)
    return Retrying(retry=helps, stop=stop, wait=PAUSE, reraise=True)(call)


def until_found(find: Callable[[], T | None], times: int = TIMES, seconds: float | None = None) -> T | None:
    """Look up to so many times, by default after growing pauses; None if nothing is found."""

    def nothing(_: RetryCallState) -> None:
        return None

    pause = PAUSE if seconds is None else wait_fixed(seconds)
    missing = retry_if_result(lambda found: found is None)
    looks = Retrying(retry=missing, stop=stop_after_attempt(times), wait=pause, retry_error_callback=nothing)
    return looks(find)
