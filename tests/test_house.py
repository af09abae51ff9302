"""What the check of the code's shape names, and what it lets be."""

from pathlib import Path

import pytest

from tests import house


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(house, "ROOT", tmp_path)
    for folder in ("tasks", "tests/tasks", "tests/flows"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "layanan.py").write_text("")
    (tmp_path / "tests" / "test_layanan.py").write_text("")
    return tmp_path


def test_a_module_has_a_test_of_its_name_or_names_one(root: Path) -> None:
    (root / "tasks" / "__init__.py").write_text('"""The SOP."""')
    (root / "tasks" / "closing.py").write_text('"""Activity 12."""')
    assert list(house.orphans(house.modules())) == [
        "tasks/closing.py: no tests/tasks/test_closing.py, and no test that its docstring names"
    ]
    (root / "tasks" / "closing.py").write_text('"""Activity 12. Held by `tests/flows/test_end.py`."""')
    assert list(house.orphans(house.modules())) == [
        "tasks/closing.py: no tests/flows/test_end.py, and no test that its docstring names"
    ]
    (root / "tests" / "flows" / "test_end.py").write_text("")
    assert list(house.orphans(house.modules())) == []


def test_a_function_longer_than_a_page_is_named(root: Path) -> None:
    (root / "tasks" / "closing.py").write_text("def short():\n    pass\n\n\ndef close():\n" + "    pass\n" * 45)
    assert list(house.long_functions(house.modules())) == ["tasks/closing.py:5: close has 46 lines"]


def test_six_lines_in_two_places_are_named_once(root: Path) -> None:
    same = "".join(f"    step_{number}()\n" for number in range(8))
    (root / "tasks" / "closing.py").write_text(f"def close():\n{same}")
    (root / "tasks" / "opening.py").write_text(f"import os\n\n\ndef begin():\n{same}    os.sync()\n")
    assert list(house.duplicates(house.modules())) == ["tasks/opening.py:5: as tasks/closing.py:2"]
