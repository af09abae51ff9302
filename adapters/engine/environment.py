"""The engine's own settings, as every process of the service has them. Prefect reads them when it is imported.

Held by `tests/test_layanan.py` and `tests/flows/test_service.py`.
"""

import os
from pathlib import Path

from models.settings import DEFAULT_FILE, Settings

SIMULATED = "SIMULATED CLOCK"
"""What every log line of a rehearsal says."""


def _file_of_settings() -> dict[str, str]:
    name = os.environ.get("LAYANAN_SETTINGS") or DEFAULT_FILE
    return {"LAYANAN_SETTINGS": str(Path(name).absolute())} if Path(name).exists() else {}


def engine_environment(settings: Settings) -> dict[str, str]:
    """The environment in which every process of the service runs, beside its own settings."""
    clock = f"{SIMULATED} | " if settings.clock == "simulated" else ""
    return {
        # whatever folder a process runs in
        "LAYANAN_HOME": str(settings.home.absolute()),
        **_file_of_settings(),
        "PREFECT_API_URL": settings.prefect_api_url,
        "PREFECT_HOME": str((settings.home / "prefect").absolute()),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_CLI_PROMPT": "false",
        "PREFECT_DEFAULT_WORK_POOL_NAME": settings.pool_name,
        # what our own loggers say within a run stands in the run's log, too
        "PREFECT_LOGGING_EXTRA_LOGGERS": "layanan",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        # a copy of the UI's pages that we may change (adapters/engine/pages.py)
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str((settings.home / "ui").absolute()),
        # after a crash the server still knows who holds a slot of prefect.yaml's limits
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        # the sweep deletes old polls and sweeps (adapters/engine/polls.py); their log lines and events go, too
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,orphans",
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P1D",
        # the server's own log lines
        "PREFECT_LOGGING_FORMATTERS_STANDARD_FORMAT": f"%(asctime)s.%(msecs)03d | {clock}%(levelname)-7s | "
        "%(name)s - %(message)s",
        "PREFECT_LOGGING_FORMATTERS_STANDARD_DATEFMT": "%Y-%m-%dT%H:%M:%S",
        "DO_NOT_TRACK": "1",
    }


def without_proxy() -> None:
    """Use no proxy that the environment names for this machine itself; child processes inherit that."""
    for name in ("NO_PROXY", "no_proxy"):
        known = [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]
        os.environ[name] = ",".join(dict.fromkeys((*known, "127.0.0.1", "localhost")))
