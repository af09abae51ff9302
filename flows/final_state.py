"""The final state of a poll or sweep, whose message says what failed.

Held by `tests/flows/test_receive_mail.py` and `tests/tasks/upkeep/test_monitor.py`.
"""

from collections.abc import Sequence
from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from models.errors import LayananError


def final_state(parts: Sequence[State[Any]]) -> State[Any]:
    """Failed if one of the parts has failed, with the distinct errors as its message; else completed."""
    if all(state.is_completed() for state in parts):
        return Completed()
    errors = [state.result(raise_on_failure=False) for state in parts if not state.is_completed()]
    return Failed(message="; ".join(dict.fromkeys(map(_words, errors))))


def _words(error: object) -> str:
    # errors of other libraries may quote a customer
    return str(error) if isinstance(error, LayananError) else type(error).__name__
