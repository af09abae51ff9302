"""What the service adds to the pages of Prefect's UI, for which Prefect has no setting.

Held by `tests/flows/test_browser.py`.
"""

from pathlib import Path

OURS = "<!-- layanan-email -->"
STYLE = (
    "<style>.p-modal__body > .markdown-renderer { flex-shrink: 0 }"
    " .p-modal textarea { field-sizing: content }"
    " .p-select-button__control { pointer-events: none }</style>"
)
"""Fixes the V1 UI: a long form squeezes the case's facts above it to nothing, a text area shows one line of a long
text, and a select takes each click twice (itself and the box around it), so that it opens and closes at once."""
BANNER = (
    '<div style="position:fixed;z-index:9999;bottom:0;right:0;padding:2px 12px;background:#b45309;color:#fff;'
    'font:bold 14px sans-serif;pointer-events:none">JAM SIMULASI / SIMULATED CLOCK</div>'
)
"""Says on every page that this is a rehearsal."""


def fix_pages(folder: Path, *, rehearsal: bool) -> None:
    """Put what is ours at the end of the UI's pages, in the place of what an earlier start put there."""
    ours = OURS + STYLE + BANNER * rehearsal
    for page in folder.glob("v*/index.html"):
        html = page.read_text("utf-8").partition(OURS)[0].partition("</body>")[0]
        page.write_text(f"{html}{ours}</body></html>", "utf-8")
