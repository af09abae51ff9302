"""The documentation says what the code says."""

import re
from pathlib import Path

from adapters.console.settings_table import settings_table

ROOT = Path(__file__).parents[1]


def test_the_settings_page_is_the_settings() -> None:
    written = (ROOT / "docs" / "settings.md").read_text()
    assert written.strip() == settings_table().strip(), "run: .venv/bin/layanan settings > docs/settings.md"


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    broken = [
        f"{page.name}: {target}"
        for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text())
        if not target.startswith("http") and not (page.parent / target).exists()
    ]
    assert broken == []
