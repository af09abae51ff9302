"""A stranger's check of an exported audit log, written from the rules in docs/audit.md alone; nothing of ours is used.

python verify_audit.py EXPORT [SEALS]
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

STRINGS = {"at", "action", "actor", "signed_in", "reference", "subject", "before", "after"}
STRINGS |= {"sop_revision", "run_id", "previous", "hash"}
SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def quoted(text: str) -> str:
    """A string as RFC 8785 writes it."""
    return '"' + "".join(SHORT.get(c, c if c >= " " else f"\\u{ord(c):04x}") for c in text) + '"'


def value(item: str | int | None) -> str:
    if item is None:
        return "null"
    return str(item) if isinstance(item, int) else quoted(item)


def canonical(row: dict[str, Any]) -> str:
    return "{" + ",".join(f"{quoted(name)}:{value(row[name])}" for name in sorted(row)) + "}"


def wrong(row: dict[str, Any], number: int, previous: str) -> str | None:
    """What is wrong with a row; None where nothing is."""
    if set(row) != STRINGS | {"number", "staff_id"} or not all(isinstance(row[name], str) for name in STRINGS):
        return "its members are not those of rule 2"
    if type(row["number"]) is not int or not (row["staff_id"] is None or type(row["staff_id"]) is int):
        return "its members are not those of rule 2"
    if row["number"] != number:
        return "its number does not follow"
    if row["previous"] != previous:
        return "it does not follow the row before"
    hashed = canonical({name: item for name, item in row.items() if name != "hash"})
    if hashlib.sha256(hashed.encode("utf-8")).hexdigest() != row["hash"]:
        return "it was changed"
    return None


def main(export: str, seals: str | None = None) -> str | None:
    sealed = {}
    if seals:
        with Path(seals).open(encoding="utf-8") as lines:
            sealed = {seal["number"]: seal["hash"] for seal in map(json.loads, filter(str.strip, lines))}
    number, previous = 0, "0" * 64
    with Path(export).open(encoding="utf-8") as lines:
        for line in lines:
            number += 1
            row = json.loads(line)
            if problem := wrong(row, number, previous):
                return f"row {number}: {problem}"
            previous = row["hash"]
            if sealed.pop(number, previous) != previous:
                return f"row {number}: it differs from its seal"
    if sealed:
        return f"row {min(sealed)}: it was sealed, and is missing"
    print(f"{number} rows are whole; the newest has the hash {previous}")
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
