"""The documentation says what the code says, and every command that a page quotes is one.

Of `layanan`, commands that only look are run on a small case store; the others are parsed as the command line parses
them. `make` says what it would do. Of `python -m …` and `prefect …` the module, or the command, and its options are
looked up.
"""

import importlib.util
import re
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

import layanan
from adapters.console.settings_table import settings_table
from adapters.ems import Received
from adapters.wiring import Systems
from tasks.intake.batch import take_in_batch
from tests.quoted import PAGES, ROOT, STANDS_FOR, Quoted, parse, quoted
from tests.test_layanan import BOX, BUDI, alone, prepared, systems

__all__ = ["alone", "prepared", "systems"]

LOOKS = ("audit", "case", "cases", "clock", "letter", "letters", "mails", "report", "settings", "waiting", "mail")
"""Commands of `layanan` that change nothing and ask no other system."""
CHANGE = ("--again", "--check", "accept", "advance", "begin", "export")
QUOTED = [one for page in PAGES for one in quoted(page)]


def of(program: str) -> list[Quoted]:
    return sorted({one.words: one for one in QUOTED if one.program == program}.values())


def test_the_settings_page_is_the_settings() -> None:
    written = (ROOT / "docs" / "settings.md").read_text()
    assert written.strip() == settings_table().strip(), "run: .venv/bin/layanan settings > docs/settings.md"


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    broken = [
        f"{page.name}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text())
        if not target.startswith("http") and not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_file_that_a_page_names_exists() -> None:
    named = re.compile(r"`((?:flows|tasks|adapters|models|tests|docs|bench|migrations|templates)/[\w/.-]*)`")
    pages = [page for page in PAGES if page.name != "CHANGELOG.md"]
    missing = [
        f"{page.name}: {path}"
        for page in pages
        for path in named.findall(page.read_text())
        if not (ROOT / path).exists()
    ]
    assert missing == []


def test_every_page_has_commands_that_are_found() -> None:
    assert {one.page for one in QUOTED} >= {"README.md", "CONTRIBUTING.md", "docs/operations.md", "bench/README.md"}
    assert {one.program for one in QUOTED} == {"layanan", "make", "python", "prefect"}


@pytest.mark.parametrize("one", of("layanan"), ids=str)
def test_a_quoted_command_is_taken(one: Quoted) -> None:
    parse(one.words)


def looks_only(one: Quoted) -> bool:
    return one.words[0] in LOOKS and not set(one.words).intersection(CHANGE) and one.words != ("mail",)


def test_quoted_commands_that_only_look_run(systems: Systems, capsys: pytest.CaptureFixture[str]) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = BUDI, BOX, "Modem", "<4@pelanggan.example>"
    mail.set_content("Modem saya mati.")
    mail.add_alternative("<p>Modem saya <b>mati</b>.</p>", subtype="html")
    take_in_batch(systems, [Received(BOX, "JKT", 1, 4, mail.as_bytes())])
    Path("odd.eml").write_bytes(mail.as_bytes())
    failed = [str(one) for one in of("layanan") if looks_only(one) and layanan.main(_here(one.words)) != 0]
    assert not failed, capsys.readouterr().err


def _here(words: tuple[str, ...]) -> list[str]:
    """The command for this store: case 1, and mail 4, which has HTML."""
    named = [{"N": "4", "17": "4"}.get(word, STANDS_FOR.get(word, word)) for word in words]
    named = [re.sub(r"^JKT-\d+$", "JKT-0000001", word) for word in named]
    bare = named in (["case"], ["letter"], ["mail", "inspect"], ["mail", "show"])
    return [*named, *["--help"] * bare]


@pytest.mark.parametrize("one", of("make"), ids=str)
def test_make_knows_what_to_do(one: Quoted) -> None:
    done = subprocess.run(["make", "--dry-run", *one.words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("one", of("python"), ids=str)
def test_a_module_and_its_options_exist(one: Quoted) -> None:
    assert one.words[0] == "-m"
    found = importlib.util.find_spec(one.words[1])
    if found and found.submodule_search_locations:
        found = importlib.util.find_spec(f"{one.words[1]}.__main__")
    assert found
    assert found.origin
    code = Path(found.origin).read_text("utf-8")
    assert [word for word in one.words[2:] if word.startswith("--") and f'"{word}"' not in code] == []


@pytest.mark.parametrize("one", of("prefect"), ids=str)
def test_prefect_has_the_command(one: Quoted) -> None:
    path = [word for word in one.words if word.isalpha()][:2]
    asked = [sys.executable, "-m", "prefect", *path, "--help"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [word for word in one.words if word.startswith("--") and word not in done.stdout] == []
