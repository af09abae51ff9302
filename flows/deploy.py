"""Brings the deployments of `prefect.yaml` to the server, as `prefect deploy --all` does in a process of its own.

Held by `tests/flows/test_deploy.py`.
"""

from typing import Any

import yaml
from prefect import Flow
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.deployments.runner import DeploymentApplyError
from prefect.settings import PREFECT_API_URL, temporary_settings

from adapters.engine.api import SYSTEM, api_errors
from flows.processes import ROOT
from models.errors import Unavailable
from models.settings import Settings


def deploy_all(settings: Settings) -> None:
    """Create each deployment in the pool of the settings' worker, or bring it to what the file says.

    Raises:
        Unavailable: the server does not answer, or what it answered.
    """
    said = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
    with temporary_settings({PREFECT_API_URL: settings.prefect_api_url}):
        for deployment in said["deployments"]:
            try:
                with api_errors():
                    _deploy(settings.pool_name, **deployment)
            except DeploymentApplyError as error:
                raise Unavailable(SYSTEM, f"deploying failed: {error}") from error


def _deploy(pool: str, *, entrypoint: str, work_pool: dict[str, str], **fields: Any) -> None:
    if limit := fields.pop("concurrency_limit", None):
        fields["concurrency_limit"] = ConcurrencyLimitConfig.model_validate(limit)
    # one key is not the timetable's own
    fields["schedules"] = [
        {"active": schedule.pop("active", True), "schedule": schedule} for schedule in fields.pop("schedules", [])
    ]
    flow: Any = Flow.from_source(str(ROOT), entrypoint)
    queue = work_pool.get("work_queue_name")
    flow.to_deployment(work_pool_name=pool, work_queue_name=queue, **fields).apply()
