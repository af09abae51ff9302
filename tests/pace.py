"""CPU seconds as those of a machine of ordinary pace: a bound on them holds on a slow one, too, and for a busy one."""

import re
import time

USUAL = 0.1
"""Seconds that the yardstick takes where the bounds were set."""
TEXT = "Internet saya mati total sejak kemarin, mohon segera diperbaiki. " * 1_000


def in_time(seconds: float, bound: float) -> bool:
    """Whether what took so many CPU seconds just now stays below ``bound``; that is more where the machine is slow."""
    return seconds < bound or seconds < bound * _yardstick() / USUAL


def _yardstick() -> float:
    """Seconds that a piece of work such as the parser's takes here and now."""
    began = time.thread_time()
    for _ in range(36):
        words = re.findall(r"\w+", TEXT)
        re.sub(r"(?i)s(?:aya|ejak)", "", TEXT)
        sum(len(word) for word in words)
    return time.thread_time() - began
