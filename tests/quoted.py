"""The commands that pages quote: found, and parsed by the command line's own parser."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import typer

import layanan

ROOT = Path(__file__).parents[1]
PAGES = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "bench/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
)
COMMANDS = ("layanan", "make", "python", "prefect")
STANDS_FOR = {
    "CASE": "JKT-0000001",
    "INTO": "JKT-0000002",
    "MAIL": "1",
    "ID": "1",
    "N": "1",
    "NAME": "Rina",
    "ADDRESS": "layanan@telkom.example",
    "HOURS": "6",
    "FILE": "odd.eml",
    "DIR": "lampiran",
    "FIELD=VALUE": "choice=TAKE_OVER",
}
"""What a page's placeholder is read as."""


class Quoted(NamedTuple):
    """A command as a page has it, without what only a shell reads."""

    page: str
    program: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {self.program} {' '.join(self.words)}"


def quoted(page: Path) -> Iterator[Quoted]:
    """The commands of a page's `sh` blocks, of its indented lines and of its code spans."""
    text = page.read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"^    (\S.*)$", prose, re.MULTILINE)
    lines += re.findall(r"`([^`\n]+)`", prose.replace("`` ", "").replace(" ``", ""))
    for line in lines:
        if found := command(line):
            yield Quoted(str(page.relative_to(ROOT)), *found)


def command(line: str) -> tuple[str, tuple[str, ...]] | None:
    """Program and arguments of a shell's line; None where it is no command of ours."""
    line = re.split(r"\s+#|\s*[|>&…]|\s*;", line)[0].strip()
    line = re.sub(r"^(?:[A-Z_]+=\S* )+", "", line).removeprefix(".venv/bin/")
    if not re.match(rf"(?:{'|'.join(COMMANDS)}) ", line):
        return None
    program, *words = shlex.split(line)
    return program, tuple(words)


def parse(words: tuple[str, ...]) -> None:
    """Parse the arguments of `layanan` as it does; a command's bare name is a mention, and need only exist.

    Raises:
        typer.TyperException: there is no such command or option, or one that is needed is missing.
    """
    found: Any = typer.main.get_command(layanan.app)
    rest = [STANDS_FOR.get(word, word) for word in words]
    context = found.make_context("layanan", list(rest))
    while hasattr(found, "commands") and rest:
        name, found, rest = found.resolve_command(context, rest)
        if rest:
            context = found.make_context(name, list(rest), parent=context)
