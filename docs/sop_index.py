"""The SOP's clauses, the code that keeps them and the tests that hold them: `python -m docs.sop_index`.

Code and tests say in a docstring or comment which clause they keep: ``SOP 5.3``, ``SOP 7.8, 5.9``, ``SOP 11.1 NOSSA``.
Without an option the command checks both directions and that `docs/sop-index.md` says the same; `--write` writes it.
Held by `tests/test_sop_index.py`.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from models.sop import ACTIVITIES, POLICIES, REVISION, SYSTEMS, WORK_INSTRUCTIONS

ROOT = Path(__file__).parents[1]
PAGE = Path(__file__).with_name("sop-index.md")
CODE = ("flows", "tasks", "adapters", "models")
_SYSTEM = "|".join(re.escape(name) for name in SYSTEMS)
_CLAUSE = rf"(?:11\.1 (?:{_SYSTEM})|\d+\.\d+(?!\d|\.\d)|W-\d+)"
MARKER = re.compile(rf"\bSOP ({_CLAUSE}(?:, {_CLAUSE})*)")

State = Literal["kept", "partly", "not"]


class Clause(NamedTuple):
    """A clause of the SOP; ``state`` is how far the service keeps it, ``note`` what is missing."""

    name: str
    words: str
    state: State = "kept"
    note: str = ""


class Place(NamedTuple):
    """Where a marker stands: a file, and the class or function in it; empty: the module's docstring."""

    file: str
    symbol: str

    def __str__(self) -> str:
        path = Path(self.file)
        link = f"[{path.parent.name if path.stem == '__init__' else path.stem}](../{self.file})"
        return f"{link}: `{self.symbol}`" if self.symbol else link


MISSING: dict[str, str] = {
    "5.1": "the courtesy standard is a document of its own, which we do not have: the greeting is ours",
    "7.2": "whether the record matches the complaint is not measured",
    "7.3": "whether the information fits the product is not measured",
    "7.8": "the report does not show the share of complaints within the SLA",
    "7.9": "the report does not show whether updates came at regular intervals",
    "7.11": "whether the information is what was asked is not measured",
    "W-75": "we do not have its text: the service follows section 7",
    "W-76": "we do not have its text: the service follows section 7",
    "W-86": "we do not have its text: the service follows 5.7 to 5.9",
    "W-89": "we do not have its text: the customer is told, and the mail goes to the segment desk",
    "10.1": "the document's table is empty: the forms are ours",
    "10.2": "the document's table is empty: records are kept without an end, and nobody is named for them",
}
"""What a clause that is kept in part still lacks."""


def clauses() -> Iterator[Clause]:
    """Every clause of the sections 5, 7, 9, 10 and 11, in the document's order."""
    words: dict[str, str] = dict(POLICIES)
    words |= {activity.clause: f"{activity.indonesian} / {activity.english}" for activity in ACTIVITIES}
    words |= WORK_INSTRUCTIONS
    words |= {"10.1": "Formulir / Forms", "10.2": "Rekaman / Records"}
    words |= {f"11.1 {name}": f"{what}; used in JKT and BDG" for name, what in SYSTEMS.items()}
    for name, what in words.items():
        yield Clause(name, what, "partly" if name in MISSING else "kept", MISSING.get(name, ""))


def markers(folders: Iterable[str], root: Path = ROOT) -> dict[str, list[Place]]:
    """Where each clause is named below some folders of ``root``."""
    found: dict[str, list[Place]] = defaultdict(list)
    for folder in folders:
        for file in sorted((root / folder).rglob("*.py")):
            if file.name == "test_sop_index.py":
                continue  # its markers are examples
            text = file.read_text("utf-8")
            for match in MARKER.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                place = Place(str(file.relative_to(root)), _symbol(text, line))
                for clause in re.findall(_CLAUSE, match[1]):
                    if place not in found[clause]:
                        found[clause].append(place)
    return found


def problems(code: Mapping[str, list[Place]], tests: Mapping[str, list[Place]]) -> list[str]:
    """What is wrong, in both directions."""
    known = {clause.name: clause for clause in clauses()}
    wrong = [
        f"{places[0].file}: the SOP has no clause {name}"
        for name, places in (*code.items(), *tests.items())
        if name not in known
    ]
    for clause in known.values():
        missing = [what for what, places in (("code", code), ("tests", tests)) if not places.get(clause.name)]
        if clause.state != "not" and missing:
            wrong.append(f"SOP {clause.name} ({clause.state}): named nowhere in {' and '.join(missing)}")
        if clause.state == "not" and len(missing) < 2:
            wrong.append(f"SOP {clause.name}: said not to be kept, but named in code or tests")
    return wrong


def page(code: Mapping[str, list[Place]], tests: Mapping[str, list[Place]]) -> str:
    """The index as markdown."""
    lines = [
        f"# The SOP, clause by clause\n\n{REVISION}, sections 5, 7, 9, 10 and 11.",
        "`.venv/bin/python -m docs.sop_index --write` writes this page from the markers in code and tests (`SOP 5.3`);",
        "`make check` refuses a clause without code or test, a marker without clause, and an old page.\n",
        "| clause | what it asks for | state | code | tests |\n|---|---|---|---|---|",
    ]
    for clause in clauses():
        state = f"{clause.state}: {clause.note}" if clause.note else clause.state
        cells = ("; ".join(map(str, places.get(clause.name, ["—"]))) for places in (code, tests))
        lines.append(f"| {clause.name} | {clause.words} | {state} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _symbol(text: str, line: int) -> str:
    """The outermost class or function that holds a line, a decorator's included."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if first <= line <= (node.end_lineno or 0):
                return node.name
    return ""


def main(arguments: list[str]) -> int:
    """Check or write the index; 1 where something is wrong."""
    code, tests = markers(CODE), markers(["tests"])
    wrong = problems(code, tests)
    if arguments == ["--write"]:
        PAGE.write_text(page(code, tests), "utf-8")
    elif not PAGE.exists() or PAGE.read_text("utf-8") != page(code, tests):
        wrong.append("docs/sop-index.md is old: run .venv/bin/python -m docs.sop_index --write")
    print("\n".join(wrong), end="\n" * bool(wrong))  # noqa: T201
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
