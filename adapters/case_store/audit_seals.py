"""Seals of the audit log: its newest row's number and hash, noted outside the database; and the check of the whole.

Who may write in the database can rewrite the log with right hashes, or cut off its newest rows. A seal that is out of
their reach shows it.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from models.audit import START, row_hash

_TAIL = 4096
"""Bytes at the end of the file in which the newest seal stands; a seal has fewer than 200."""


@dataclass(frozen=True)
class Seal:
    """What the newest row was at a moment."""

    number: int
    hash: str
    at: str


class Fault(StrEnum):
    """What is wrong with a row; the value is what people read."""

    MISSING = "it is missing: rows were deleted, or moved"
    CHANGED = "its hash is not that of its content: it was changed"
    UNCHAINED = "its `previous` is not the hash of the row before"
    REWRITTEN = "its hash is not the sealed one: the log was written anew since the seal before"
    CUT = "it was sealed, and is missing: the newest rows were deleted"
    SEALS = "the seal after its own is of an earlier row: the file of seals was changed"


_OF_SEALS = (Fault.REWRITTEN, Fault.SEALS)


@dataclass(frozen=True)
class Verdict:
    """What a check of the log has found."""

    rows: int
    """Rows that are whole, from the first on."""
    hash: str
    """Of the last of them."""
    seals: int
    """Seals that agree."""
    fault: Fault | None = None
    broken: int | None = None
    """Number of the first row that is not."""


def verified(rows: Iterable[Mapping[str, Any]], seals: Iterator[Seal]) -> Verdict:
    """Check rows in the order of their numbers, and against seals, up to the first that is broken."""
    number, previous, agree = 0, START, 0
    seal = next(seals, None)
    for row in rows:
        number += 1
        fault = _fault(row, number, previous)
        while fault is None and seal is not None and seal.number <= number:
            fault = _broken_seal(seal, row)
            agree, seal = agree + 1, next(seals, None)
        if fault is not None:
            return Verdict(number - 1, previous, agree - (fault in _OF_SEALS), fault, number)
        previous = row["hash"]
    if seal is not None:
        return Verdict(number, previous, agree, Fault.CUT, seal.number)
    return Verdict(number, previous, agree)


def _fault(row: Mapping[str, Any], number: int, previous: str) -> Fault | None:
    if row["number"] != number:
        return Fault.MISSING
    # SQLite keeps what is no text in a column of text; it cannot be hashed
    with suppress(TypeError):
        if row["hash"] == row_hash(row):
            return None if row["previous"] == previous else Fault.UNCHAINED
    return Fault.CHANGED


def _broken_seal(seal: Seal, row: Mapping[str, Any]) -> Fault | None:
    if seal.number < row["number"]:
        return Fault.SEALS
    return None if seal.hash == row["hash"] else Fault.REWRITTEN


def seals_in(file: Path) -> Iterator[Seal]:
    """The seals in a file, oldest first; none where there is no file. A line that a crash cut off is passed over."""
    with suppress(FileNotFoundError), file.open("rb") as lines:
        for line in lines:
            yield from _seal(line)


def newest_seal(file: Path) -> Seal | None:
    """The seal that was noted last."""
    with suppress(FileNotFoundError), file.open("rb") as lines:
        lines.seek(max(lines.seek(0, os.SEEK_END) - _TAIL, 0))
        return next((seal for line in reversed(lines.readlines()) for seal in _seal(line)), None)
    return None


def as_line(seal: Seal) -> str:
    """A seal as it stands in the file and in a mail."""
    return json.dumps(asdict(seal))


def add_seal(file: Path, seal: Seal) -> None:
    """Append a seal; it is on the disk when this returns."""
    place = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        # a line of its own, even if a crash cut the one before off
        os.write(place, b"\n" * bool(os.fstat(place).st_size) + as_line(seal).encode())
        os.fsync(place)
    finally:
        os.close(place)


def _seal(line: bytes) -> Iterator[Seal]:
    with suppress(ValueError, TypeError):
        yield Seal(**json.loads(line))
