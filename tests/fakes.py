"""Fakes of the adapters' protocols and of activities: real ones, of which the test says what some part does."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar

from adapters.wiring import Systems
from tasks.run.activity import Activity
from tasks.run.attempt import P, R

T = TypeVar("T")


def with_methods(real: T, **methods: Callable[..., Any]) -> T:
    """An adapter like ``real``, but for these methods."""
    fake = copy.copy(real)
    vars(fake).update(methods)
    return fake


def with_body(activity: Activity[P, R], body: Callable[..., Any]) -> Activity[P, R]:
    """The activity, but for what it does."""
    named: Any = wraps(activity.body)(body)
    return replace(activity, body=named)


@contextmanager
def fake(systems: Systems, adapter: str, **methods: Callable[..., Any]) -> Iterator[None]:
    """While it lasts, these methods of one adapter do something else."""
    real = getattr(systems, adapter)
    setattr(systems, adapter, with_methods(real, **methods))
    try:
        yield
    finally:
        setattr(systems, adapter, real)
