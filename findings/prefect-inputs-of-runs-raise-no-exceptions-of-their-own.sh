#!/usr/bin/env bash
# Prefect's client turns a 404 and a 409 of most calls into ObjectNotFound and ObjectAlreadyExists. The inputs of a run,
# in which the forms of suspended runs stand, are left out: deleting an input that is not there, and creating one that is
# there already, raise the plain PrefectHTTPStatusError. Whoever replaces a form's text while another process does so,
# too, and catches the exceptions that the client has for that, is surprised. Exits with 1 when that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check prefect==3.9.1
cat > "$folder/inputs.py" <<'PYTHON'
"""Deletes what is not there and creates what is there, by the client, on a server of its own."""

import sys
from collections.abc import Callable
from uuid import uuid4

import prefect
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import PrefectHTTPStatusError
from prefect.testing.utilities import prefect_test_harness


@flow
def case() -> None:
    """A run that has inputs."""


def raised(act: Callable[[], object]) -> str:
    try:
        act()
    except Exception as error:
        status = error.response.status_code if isinstance(error, PrefectHTTPStatusError) else ""
        return f"{type(error).__name__} {status}".strip()
    return "nothing"


print("Prefect", prefect.__version__, "on Python", sys.version.split()[0])
with prefect_test_harness(server_startup_timeout=120), get_client(sync_client=True) as client:
    run = client.create_flow_run(case)
    client.create_flow_run_input(run.id, "description", '"one"')
    client.create_work_pool(WorkPoolCreate(name="pool", type="process"))
    found = {
        "delete a run that is not there": raised(lambda: client.delete_flow_run(uuid4())),
        "delete an input that is not there": raised(lambda: client.delete_flow_run_input(run.id, "other")),
        "create a pool that is there": raised(lambda: client.create_work_pool(WorkPoolCreate(name="pool", type="process"))),
        "create an input that is there": raised(lambda: client.create_flow_run_input(run.id, "description", '"two"')),
    }
for what, exception in found.items():
    print(f"{what}: {exception}")
assert list(found.values()) == [
    "ObjectNotFound",
    "PrefectHTTPStatusError 404",
    "ObjectAlreadyExists",
    "PrefectHTTPStatusError 409",
]
PYTHON
PREFECT_HOME="$folder/home" PREFECT_LOGGING_LEVEL=ERROR PREFECT_SERVER_ANALYTICS_ENABLED=false DO_NOT_TRACK=1 \
  "$folder/venv/bin/python" "$folder/inputs.py"
