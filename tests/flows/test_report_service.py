"""The service report as people find it: an artifact of the engine, of which each run writes a new version."""

from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from flows.report_service import KEY, report_service
from tasks.upkeep.report import service_report
from tests.cases import opened
from tests.runs import Runs


def test_each_run_writes_the_report_as_an_artifact(runs: Runs) -> None:
    opened(runs.systems)
    report_service()
    (artifact,) = runs.client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[KEY])))
    assert isinstance(artifact.data, str)
    assert headings(artifact.data) == headings(service_report(runs.systems)) != []


def headings(report: str) -> list[str]:
    return [line for line in report.splitlines() if line.startswith("###")]
