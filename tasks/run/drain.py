"""Stops runs between activities: a run that is asked to stop does so before its next activity begins.

Used by the worker. At SIGTERM all its runs are handed back to the server, and the next start takes them up; a run that
a person cancels ends. Held by `tests/flows/test_worker.py`.
"""

import threading
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from prefect import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import Pause
from prefect.runtime import flow_run
from prefect.states import Scheduled

_draining = threading.Event()
_stop: ContextVar[threading.Event | None] = ContextVar("stop", default=None)
"""Set once somebody has cancelled the run of this thread; a later start of the same run gets another event."""


def begin() -> None:
    """Make all runs of this process stop before their next activity."""
    _draining.set()


def asked() -> bool:
    """Whether all runs are to stop."""
    return _draining.is_set()


def asked_within(seconds: float) -> bool:
    """Wait so many seconds, or until all runs are to stop; returns whether they are."""
    return _draining.wait(seconds)


def reset() -> None:
    """Begin anew, when a worker starts."""
    _draining.clear()


def stop_on(event: threading.Event) -> None:
    """Make the run of this thread stop before its next activity once the event is set."""
    _stop.set(event)


def stop_if_asked() -> None:
    """End the run's body if it is asked to stop; called before each activity.

    Raises:
        Pause: the run stops here; its ledger says where it continues.
    """
    stop = _stop.get()
    if stop is not None and stop.is_set():
        raise Pause(state=None)
    run_id = flow_run.get_id()
    if run_id is not None and _draining.is_set():
        _hand_back(run_id, Scheduled(name="Restarted", message="handed back by a worker that stops"))


def go_on_at(moment: datetime, why: str) -> None:
    """End the run's body and schedule it for ``moment``, so that it holds no worker's thread until then.

    Does nothing outside of a run.

    Raises:
        Pause: inside of one.
    """
    run_id = flow_run.get_id()
    if run_id is not None:
        _hand_back(run_id, Scheduled(name="AskedToWait", scheduled_time=moment, message=why))


def _hand_back(run_id: str, state: State[Any]) -> NoReturn:
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(UUID(run_id), state, force=True)
    raise Pause(state=state)
