"""The service report for managers: counts by activity and outcome, and how long cases waited, as an artifact."""

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from adapters.wiring import load_systems
from tasks.upkeep.report import service_report

KEY = "laporan-layanan"


@flow(name="report-service", flow_run_name="Laporan / report", persist_result=False)
def report_service() -> None:
    """Write the report."""
    write_report()


@task(name="Tulis laporan / Write report", task_run_name="Tulis laporan / Write report", cache_policy=NO_CACHE)
def write_report() -> None:
    """One artifact, each time a new version of it."""
    create_markdown_artifact(
        key=KEY, markdown=service_report(load_systems()), description="Laporan layanan / Service report"
    )
