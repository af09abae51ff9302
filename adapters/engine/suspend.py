"""The engine's form of a form of ours: Prefect stores it with the suspended run, and draws it.

Held by `tests/models/test_forms.py` and `tests/tasks/run/test_waits.py`.
"""

from typing import Any, TypeVar, cast

from prefect import suspend_flow_run
from prefect.input import RunInput

from models.forms.base import Form

F = TypeVar("F", bound=Form)


def engines_form(form: type[F], description: str) -> type[F]:
    """The form as a class of Prefect's, under its own name: by that name a refusal is told from a defect."""
    made: Any = type(form.__name__, (form, RunInput), {"__module__": form.__module__})
    return cast(type[F], made.with_initial_data(description=description))


def suspend_for(form: type[F], description: str, key: str) -> F:
    """Suspend the run until the form is submitted; returns what was submitted.

    Raises:
        Pause: the run is suspended now; when it is resumed, the same call returns.
        ValidationError: what was submitted keeps the JSON schema and breaks the form.
    """
    shown: Any = engines_form(form, description)
    return cast(F, suspend_flow_run(wait_for_input=shown, key=key, timeout=None))
