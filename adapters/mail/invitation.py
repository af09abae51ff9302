"""The first entry of a calendar (RFC 5545) as text, for mails without any other text.

Held by `tests/adapters/mail/test_body.py`.
"""

import re

_SHOWN = ("SUMMARY", "DTSTART", "DTEND", "LOCATION", "DESCRIPTION")
_LINE = re.compile(r"([A-Z-]+)(?:;[^:\n]*)?:(.*)")
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?")


def invitation_text(calendar: str) -> str:
    """Summary, times, place and description, one on each line; empty if the entry has none."""
    entry = re.sub(r"\r?\n[ \t]", "", calendar).partition("BEGIN:VEVENT")[2].partition("END:VEVENT")[0]
    values: dict[str, str] = {}
    for line in entry.partition("BEGIN:VALARM")[0].splitlines():
        if (found := _LINE.fullmatch(line)) and found[1] in _SHOWN:
            values.setdefault(found[1], _plain(found[2]))
    return "\n".join(values[name] for name in _SHOWN if values.get(name))


def _plain(value: str) -> str:
    if time := _TIME.fullmatch(value):
        year, month, day, hour, minute, utc = time.groups()
        return f"{day}-{month}-{year}" + (f" {hour}:{minute}" if hour else "") + (" UTC" if utc else "")
    return re.sub(r"\\([nN,;\\])", lambda found: "\n" if found[1] in "nN" else found[1], value).strip()
