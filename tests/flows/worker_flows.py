"""Flows for the worker's tests. Files in a folder tell how far they are, and let them go on."""

import time
from pathlib import Path

from prefect import flow

from models.need import Output
from tasks.run.activity import activity
from tasks.run.case_run import CaseRun
from tasks.run.work import Work

PATIENCE = 120


def hold(folder: str, name: str) -> None:
    """Say that ``name`` has begun, and wait until it may end."""
    (Path(folder) / f"{name}.begun").touch()
    end = time.monotonic() + PATIENCE
    while not (Path(folder) / f"{name}.go").exists() and time.monotonic() < end:
        time.sleep(0.02)


@activity(5)
def solve_need(work: Work, folder: str) -> Output:
    """The first of two."""
    hold(folder, "first")
    return Output()


@activity(12)
def closing(work: Work, folder: str) -> Output:
    """The second."""
    hold(folder, "second")
    return Output()


@flow(name="two-activities", persist_result=False)
def two_activities(case_id: int, folder: str) -> None:
    """One after the other."""
    case = CaseRun.open(case_id)
    solve_need(case, folder)
    closing(case, folder)


@flow(name="hang", persist_result=False)
def hang(case_id: int, folder: str) -> None:
    """What no activity is, and nobody can stop."""
    hold(folder, "first")
