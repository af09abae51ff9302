"""The SOP table against the document, the decorators, the templates, the tests and the README."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from models.letter import LetterKind
from models.sop import (
    ACTIVITIES,
    POLICIES,
    REVISION,
    SITES,
    STEPS,
    SYSTEMS,
    WORK_INSTRUCTIONS,
    Step,
)
from models.sop import Activity as SopActivity
from tasks.run.activity import Activity
from tests.order import END, ORDER, START, disallowed

ROOT = Path(__file__).parents[2]
ORIGINAL = ROOT.parent / "shared" / "sop-original.txt"
TASKS: list[SopActivity | Step] = [*ACTIVITIES, *STEPS]


@pytest.fixture(scope="module")
def original() -> str:
    if not ORIGINAL.is_file():
        pytest.skip(f"THE SOP TABLE IS NOT HELD AGAINST THE DOCUMENT: {ORIGINAL} is missing")
    return ORIGINAL.read_text("utf-8")


def section_7(original: str) -> dict[int, str]:
    """Numbers and names of the activities; a name that a page break cuts goes on in a row without number."""
    table = original.partition("No\tAktifitas\t")[2].partition("8. ALIRAN PROSES")[0]
    names: dict[int, str] = {}
    for line in table.splitlines():
        number, _, rest = line.partition("\t")
        name = rest.partition("\t")[0].strip()
        if re.fullmatch(r"\d+\.", number):
            names[int(number[:-1])] = name
        elif names and not number and name and name[0].islower():
            names[max(names)] += f" {name}"
    return names


def test_the_table_is_the_documents(original: str) -> None:
    assert {activity.number: activity.indonesian for activity in ACTIVITIES} == section_7(original)


def test_document_number_and_revision_are_the_documents(original: str) -> None:
    number, revision = (
        re.search(rf"{label} : (\S+)", original)[1]  # type: ignore[index]
        for label in ("Nomor Dokumen", "Nomor Revisi")
    )
    assert f"{number} rev {revision}" == REVISION


def test_policies_systems_sites_and_instructions_are_the_documents(original: str) -> None:
    assert set(POLICIES) == set(re.findall(r"^- (5\.\d+) ", original, re.MULTILINE))
    used = dict(re.findall(r"\*(.+)\* digunakan di (\S+)", original))
    assert set(used) == set(SYSTEMS)
    assert set(used.values()) == {",".join(SITES)}
    assert set(re.findall(r"IN\.OCC\.TDSCC\.(W-\d+)", original)) == set(WORK_INSTRUCTIONS)


def test_performers_are_the_documents(original: str) -> None:
    for activity in ACTIVITIES:
        row = next(line for line in original.splitlines() if line.startswith(f"{activity.number}.\t"))
        assert (len(activity.performers) > 1) == ("Team Leader" in row), activity.task


@pytest.mark.parametrize("known", TASKS, ids=lambda known: known.task)
def test_each_activity_has_its_function_its_file_and_its_test(known: SopActivity | Step) -> None:
    function: Any = getattr(importlib.import_module(f"tasks.{known.task}"), known.task)
    assert isinstance(function, Activity)
    assert function.number == getattr(known, "number", None)
    assert function.task.name == f"{function.number or getattr(known, 'clause', '')} · {known.label}"
    assert (ROOT / "tests" / "tasks" / f"test_{known.task}.py").is_file()


def test_every_letter_belongs_to_an_activity_and_has_its_template_in_each_language() -> None:
    # a second letter of an activity adds whom it is for
    names = {kind.removesuffix("_to_desk") for kind in LetterKind}
    assert names <= {known.task for known in TASKS}
    for kind in LetterKind:
        for language in ("id", "en"):
            assert (ROOT / "templates" / language / f"{kind}.jinja").is_file(), f"{language}/{kind}"


@pytest.mark.parametrize("activity", ACTIVITIES, ids=lambda activity: activity.task)
def test_the_readme_has_the_activity(activity: SopActivity) -> None:
    file = f"tasks/{activity.task}.py"
    cells = [
        str(activity.number),
        activity.indonesian,
        activity.english,
        f"[{file}]({file})",
        ", ".join(activity.performers),
        activity.kpi,
    ]
    assert f"| {' | '.join(cells)} |" in (ROOT / "README.md").read_text("utf-8").splitlines()


@pytest.mark.parametrize(
    "path",
    [
        [1, 3, 11, 12],
        [1, 2, 4, 5, 10, 12],
        [1, 2, 4, 6, 7, 9, 9, 10, 12],
        [1, 2, 4, 6, 7, 8, 7, 10, 12],
        [1, 2, 4, 6, 7, 8, 6, 8, 10, 12],
        [1, 1, 3, 11, 12],
        [1, 12, 1],
        [1, 3, 11, 12, 1, 2, 4, 5, 10, 12],
        [1],
    ],
)
def test_good_paths(path: list[int]) -> None:
    assert disallowed(path) == []


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ([], [(START, END)]),
        ([3, 11, 12], [(START, 3)]),
        ([1, 11, 12], [(1, 11)]),
        ([1, 2, 5, 10, 12], [(2, 5)]),
        ([1, 2, 4, 10, 12], [(4, 10)]),
        ([1, 2, 4, 6, 12], [(6, 12)]),
        ([1, 3, 11], [(11, END)]),
        ([1, 2, 4, 5, 10, 12, 10, 12], [(12, 10)]),
        ([1, 3, 12, 2, 4, 5, 10, 12], [(3, 12), (12, 2)]),
    ],
)
def test_bad_paths(path: list[int], wrong: list[tuple[int, int]]) -> None:
    assert disallowed(path) == wrong


def test_every_activity_can_be_reached_and_left() -> None:
    numbers = {activity.number for activity in ACTIVITIES}
    assert set().union(*ORDER.values()) == numbers | {END}
    assert set(ORDER) == numbers | {START}
