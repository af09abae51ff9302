"""The order of activities that the SOP allows (section 8), against which the tests hold the paths of real cases."""

from collections.abc import Sequence
from itertools import pairwise

START, END = 0, 99
ORDER: dict[int, frozenset[int]] = {
    START: frozenset({1}),
    # W-89, thanks and mail without a wish go from the analysis to the closing;
    # a customer who does not answer our question, too
    # mail that is not for us, and thanks for a closing, end there
    1: frozenset({1, 2, 3, 12, END}),
    2: frozenset({4}),
    3: frozenset({11}),
    4: frozenset({5, 6}),
    5: frozenset({10}),
    # the customer is told the status wherever the case is (SOP 5.8)
    6: frozenset({7, 8, 9, 10}),
    7: frozenset({7, 8, 9, 10}),
    8: frozenset({6, 7, 8, 9, 10}),
    9: frozenset({6, 7, 8, 9, 10}),
    10: frozenset({12}),
    11: frozenset({12}),
    # an answer within the waiting period is read (1); where it disputes the closing, the case goes on from there
    12: frozenset({1, END}),
}
"""Which activity may follow which. ``START`` and ``END`` are the case's own ends."""


def disallowed(path: Sequence[int]) -> list[tuple[int, int]]:
    """Steps of a case's path that the SOP does not allow; an empty list for a good one.

    Args:
        path: activity numbers in the order in which they were done, of a case that ended.
    """
    steps = [START, *path, END]
    return [(a, b) for a, b in pairwise(steps) if b not in ORDER[a]]
