"""The index of the SOP's clauses: it is right, and what would be wrong is named."""

from pathlib import Path

import pytest

from docs import sop_index
from docs.sop_index import CODE, Place, clauses, markers, page, problems

HERE = Place("tasks/closing.py", "closing")


def test_every_clause_is_named_in_code_and_tests_and_no_other() -> None:
    assert problems(markers(CODE), markers(["tests"])) == []


def test_every_section_is_there() -> None:
    names = [clause.name for clause in clauses()]
    assert names[:2] == ["5.1", "5.2"]
    assert {"5.10", "7.12", "W-75", "W-89", "10.1", "10.2", "11.1 TELKOM.CENTER"} < set(names)
    assert len(names) == len(set(names)) == 10 + 12 + 4 + 2 + 10


def test_a_clause_without_a_test_and_a_marker_without_a_clause_are_named() -> None:
    complete = {clause.name: [HERE] for clause in clauses()}
    assert problems(complete, complete) == []
    wrong = problems(complete | {"5.11": [HERE]}, complete | {"5.3": []})
    assert wrong == ["tasks/closing.py: the SOP has no clause 5.11", "SOP 5.3 (kept): named nowhere in tests"]


def test_a_marker_may_name_several_clauses(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    code = '"""The first."""\n\n\ndef act() -> None:\n    # SOP 7.8, 5.9, 11.1 My CX; 5.7.1 is none\n    pass\n'
    (tmp_path / "tasks" / "one.py").write_text(code)
    place = Place("tasks/one.py", "act")
    assert markers(["tasks"], tmp_path) == {"7.8": [place], "5.9": [place], "11.1 My CX": [place]}


def test_an_old_page_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sop_index, "PAGE", tmp_path / "sop-index.md")
    assert sop_index.main([]) == 1
    assert "docs/sop-index.md is old" in capsys.readouterr().out
    assert sop_index.main(["--write"]) == 0
    assert sop_index.main([]) == 0
    assert (tmp_path / "sop-index.md").read_text() == page(markers(CODE), markers(["tests"]))
