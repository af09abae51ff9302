"""Forms of suspended runs: submitting, showing and reading them. Held by `tests/tasks/run/test_waits.py`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from uuid import UUID

from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from adapters.engine.api import Api, api_errors
from adapters.engine.internals import input_keys, lacks_form, refusal, stored_schema

SHOWN_WITHIN = timedelta(seconds=5)
"""Time within which a living worker has shown the form of a run that it suspended."""


class Submitted(StrEnum):
    """What became of a form that was submitted to a run."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_WAITING = "not_waiting"
    NO_FORM = "no_form"


@dataclass(frozen=True)
class Resumed:
    """What became of a submitted form, and the engine's reason where it was not accepted."""

    state: Submitted
    reason: str = ""


class Forms(Api):
    """Forms of suspended runs."""

    shown_within = SHOWN_WITHIN

    def resume(self, run_id: str, answers: dict[str, Any]) -> Resumed:
        """Submit a form to a suspended run, exactly as the Prefect UI does.

        Raises:
            Unavailable: the server does not answer.
        """
        with api_errors():
            result = self.client.resume_flow_run(UUID(run_id), run_input=answers)
        reason = getattr(result.details, "reason", None) or ""
        if result.status is SetStateStatus.ACCEPT:
            return Resumed(Submitted.ACCEPTED)
        if result.status is SetStateStatus.ABORT:
            return Resumed(Submitted.NOT_WAITING, reason)
        return Resumed(Submitted.NO_FORM if lacks_form(reason) else Submitted.REFUSED, refusal(reason))

    def offer_form(self, run_id: str, wait_key: str, schema: dict[str, Any], description: str) -> bool:
        """Show the form of a suspended run whose worker died before it had shown all of it; nobody could resume it.

        A run that was suspended only now is left alone: its worker is about to show the form. So is one that was
        deleted. Returns whether anything was missing.
        """
        with api_errors():
            try:
                state = self.client.read_flow_run(UUID(run_id)).state
            except ObjectNotFound:
                return False
            if state is None or state.name != "Suspended" or state.state_details.pause_key != wait_key:
                return False
            if datetime.now(UTC) - state.timestamp < self.shown_within:
                return False
            keys = input_keys(wait_key)
            # the schema last: with it the form can be answered
            parts = {keys["description"]: json.dumps(description), keys["schema"]: stored_schema(schema)}
            missing = [key for key in parts if not self._stored(run_id, key)]
            for key in missing:
                self._put(run_id, key, parts[key])
        return bool(missing)

    def describe(self, run_id: str, wait_key: str, description: str) -> bool:
        """Replace the text above a suspended run's form; returns whether one was shown."""
        key = input_keys(wait_key)["description"]
        with api_errors():
            if not self._stored(run_id, key):
                return False
            stored = False
            while not stored:  # another process may be replacing it, too; the last one's text stays
                with _unless(HTTPStatus.NOT_FOUND):
                    self.client.delete_flow_run_input(UUID(run_id), key)
                stored = self._put(run_id, key, json.dumps(description))
        return True

    def answer(self, run_id: str, wait_key: str) -> dict[str, Any]:
        """What was submitted to a run that waited so; empty where nothing was, or the run is deleted."""
        with api_errors():
            found = self._stored(run_id, input_keys(wait_key)["response"])
        return dict(found[0].decoded_value) if found else {}

    def label(self, run_id: str, *tags: str) -> None:
        """Tag a run with whom it waits for, so that people find theirs in the list of runs."""
        with api_errors():
            self.client.update_flow_run(UUID(run_id), tags=list(tags))

    def run_url(self, run_id: str) -> str:
        """Where people open the run and its form."""
        return f"{self.settings.ui_url}/runs/flow-run/{run_id}"

    def _put(self, run_id: str, key: str, value: str) -> bool:
        """Store it; returns False where another process has stored its own in this moment."""
        with _unless(HTTPStatus.CONFLICT):
            self.client.create_flow_run_input(UUID(run_id), key, value)
            return True
        return False

    def _stored(self, run_id: str, key: str) -> list[Any]:
        return list(self.client.filter_flow_run_input(UUID(run_id), key, 1, set()))


@contextmanager
def _unless(status: HTTPStatus) -> Iterator[None]:
    """Let the server answer with this status."""
    try:
        yield
    except PrefectHTTPStatusError as error:
        if error.response.status_code != status:
            raise
