"""What `make check` wants of the code's shape, beside what linters know: `python -m tests.house`.

Every module has a test of its name in the same place below `tests/`, or its docstring names the test that holds it
(``Held by `tests/…```). No function is longer than 45 lines. No six lines stand in two places.
"""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("flows", "tasks", "adapters", "models", "migrations")
LONGEST, DUPLICATE = 45, 6
HELD_BY = re.compile(r"Held\s+by\s+((?:`tests/[^`]+`(?:,?\s+(?:and\s+)?)?)+)")


def modules() -> list[Path]:
    """The code, without what Alembic has numbered."""
    found = [file for room in ROOMS for file in (ROOT / room).rglob("*.py") if file.parent.name != "versions"]
    return sorted([*found, ROOT / "layanan.py"])


def orphans(files: Sequence[Path]) -> Iterator[str]:
    """Modules that no test is named after, and that name none."""
    for file in files:
        tree, path = ast.parse(file.read_text("utf-8")), file.relative_to(ROOT)
        if file.name == "__init__.py" and not _defines(tree):
            continue
        named = path.parent.name if file.name == "__init__.py" else path.stem
        held = HELD_BY.search(" ".join((ast.get_docstring(tree) or "").split()))
        tests = re.findall(r"`([^`]+)`", held[1]) if held else [f"tests/{path.parent}/test_{named}.py"]
        if missing := [test for test in tests if not (ROOT / test).exists()]:
            yield f"{path}: no {', '.join(missing)}, and no test that its docstring names"


def _defines(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body)


def long_functions(files: Sequence[Path]) -> Iterator[str]:
    """Functions longer than a page."""
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST:
                    yield f"{file.relative_to(ROOT)}:{node.lineno}: {node.name} has {lines} lines"


def duplicates(files: Sequence[Path]) -> Iterator[str]:
    """Runs of lines that stand in two places; imports, blank lines and comments do not count."""
    seen: dict[tuple[str, ...], tuple[Path, int]] = {}
    for file in files:
        lines = list(_lines(file))
        last = -DUPLICATE
        for start in range(len(lines) - DUPLICATE + 1):
            window = lines[start : start + DUPLICATE]
            key = tuple(text for _, text in window)
            first = seen.setdefault(key, (file, window[0][0]))
            if first != (file, window[0][0]) and start > last + 1:
                yield f"{file.relative_to(ROOT)}:{window[0][0]}: as {first[0].relative_to(ROOT)}:{first[1]}"
            last = start if first != (file, window[0][0]) else last


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Lines that say something: neither imports, docstrings, signatures, nor a bracket alone."""
    text = file.read_text("utf-8")
    skipped = set[int]()
    for node in ast.walk(ast.parse(text)):
        quiet = isinstance(node, ast.Import | ast.ImportFrom) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        )
        if quiet and isinstance(node, ast.stmt):
            skipped.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            skipped.update(range(node.lineno, node.body[0].lineno))  # a protocol's signature is its class's, too
    for number, line in enumerate(text.splitlines(), 1):
        if number not in skipped and re.search(r"\w", line.partition("#")[0]):
            yield number, line.strip()


def main() -> int:
    """Print what is wrong; 1 where something is."""
    files = modules()
    found = [*orphans(files), *long_functions(files), *duplicates(files)]
    print("\n".join(found), end="\n" * bool(found))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
