"""Fakes of the adapters' protocols: a real adapter, of which the test says what some methods do."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from adapters.wiring import Systems

T = TypeVar("T")


def with_methods(real: T, **methods: Callable[..., Any]) -> T:
    """An adapter like ``real``, but for these methods."""
    fake = copy.copy(real)
    vars(fake).update(methods)
    return fake


@contextmanager
def fake(systems: Systems, adapter: str, **methods: Callable[..., Any]) -> Iterator[None]:
    """While it lasts, these methods of one adapter do something else."""
    real = getattr(systems, adapter)
    setattr(systems, adapter, with_methods(real, **methods))
    try:
        yield
    finally:
        setattr(systems, adapter, real)
