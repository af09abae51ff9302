"""How a pass of intake or monitor ends: in the state that says what failed, where people look first.

Held by `tests/flows/test_receive_mail.py`.
"""

from collections.abc import Sequence
from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from models.errors import LayananError


def ended(states: Sequence[State[Any]]) -> State[Any]:
    """The pass's state, once each of its parts has ended in one of ``states``: failed if one has."""
    if all(state.is_completed() for state in states):
        return Completed()
    errors = [state.result(raise_on_failure=False) for state in states if not state.is_completed()]
    return Failed(message="; ".join(dict.fromkeys(map(_words, errors))))


def _words(error: object) -> str:
    # a foreign error's words may quote a customer
    return str(error) if isinstance(error, LayananError) else type(error).__name__
