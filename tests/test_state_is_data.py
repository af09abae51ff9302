"""No sentence that people read is compared, matched or parsed: a state is an enum or a column."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = [
    path for folder in ("models", "adapters", "tasks", "flows") for path in sorted((ROOT / folder).rglob("*.py"))
]
SENTENCE = re.compile(r"[A-Za-z]{2,}[,:;]? [A-Za-z]{2,}[,:;]? [A-Za-z]{2,}|[a-z]{2,} / [A-Za-z]{2,}")
"""Three words, or Indonesian with English beside it."""
MATCHING = {"startswith", "endswith", "like", "not_like", "ilike", "contains", "removeprefix", "partition", "split"}
WIRES = {
    "adapters/mail": "mails and reports of other programs are told by their words",
    "adapters/systems": "what other systems answer has no codes",
    "adapters/simulator": "it plays those systems",
    "adapters/analyser": "customers' words",
    "adapters/engine": "what Prefect says has no codes",
    "adapters/console/logs.py": "what Prefect logs has no codes",
    "flows": "what Prefect and pip say has no codes",
}
"""Rooms that read foreign words; ours are compared there no more than elsewhere."""


def sentences(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and SENTENCE.search(one.value):
            yield one.value


def compared(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of each sentence that something is compared with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                if isinstance(side, ast.Constant | ast.JoinedStr | ast.Set | ast.Tuple | ast.List):
                    yield from ((node.lineno, text) for text in sentences(side))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MATCHING:
            yield from ((node.lineno, text) for argument in node.args for text in sentences(argument))
        elif isinstance(node, ast.MatchValue):
            yield from ((node.value.lineno, text) for text in sentences(node))


def test_no_sentence_is_compared() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for path in SOURCES
        if not any(path.relative_to(ROOT).as_posix().startswith(folder) for folder in WIRES)
        for line, text in compared(ast.parse(path.read_text()))
    ]
    assert found == []


def test_the_check_finds_what_it_is_for() -> None:
    wrong = (
        "mail.reason == 'answers our letter again'",
        "words.startswith('no longer due after')",
        "col(x).like('%beberapa / several%')",
        "'tidak sah / invalid' in warnings",
        "match x:\n case 'it is sent again': pass",
    )
    assert all(list(compared(ast.parse(source))) for source in wrong)


def constants(tree: ast.Module) -> set[str]:
    """Names of the module's own constants that hold a sentence."""
    return {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and any(sentences(node.value))
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def test_no_constant_sentence_is_a_state() -> None:
    """A name that holds a sentence is compared nowhere either, nor where it is imported."""
    trees = {".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text()) for path in SOURCES}
    own = {module: constants(tree) for module, tree in trees.items()}
    used = []
    for module, tree in trees.items():
        imported = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if alias.name in own.get(node.module or "", ())
        }
        compares = [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
        names = [side for node in compares for side in (node.left, *node.comparators) if isinstance(side, ast.Name)]
        used += [f"{module}:{name.lineno}: {name.id}" for name in names if name.id in own[module] | imported]
    assert used == []
