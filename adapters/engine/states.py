"""States of runs, as the service looks for them and sets them. Held by `tests/tasks/upkeep/test_monitor.py`."""

from typing import Any

from prefect.client.schemas.filters import FlowRunFilterState, FlowRunFilterStateName, FlowRunFilterStateType
from prefect.client.schemas.objects import State, StateType
from prefect.states import Cancelled

REPLACED = "Replaced"
"""Name of the state of a run whose place another run has taken: nobody has cancelled it."""
CARRIED_TYPES = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
"""Types of state of runs that some worker is said to carry."""


def one_of(*types: StateType, but_named: str = "") -> FlowRunFilterState:
    """A filter of runs by state; those whose state is called ``but_named`` are left out."""
    name = FlowRunFilterStateName(not_any_=[but_named]) if but_named else None
    return FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types)), name=name)


def cancelled_by_a_person() -> State[Any]:
    """The state of a run that ends because somebody wished it."""
    return Cancelled(message="Cancelled by a person")


def replaced() -> State[Any]:
    """The state of a run whose place another run has taken."""
    return Cancelled(name=REPLACED, message="another run has taken its place")
