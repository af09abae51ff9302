"""Reads the simulator's seed file and names its errors. Held by `tests/adapters/simulator/test_seed.py`."""

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from adapters.simulator.seed import Seed
from models.errors import SettingsError


def load_seed(file: Path) -> Seed:
    """Read a seed file.

    Raises:
        SettingsError: one problem a line, as ``FILE line N: customers[2].tier: what is wrong``.
    """
    try:
        text = file.read_text("utf-8-sig")
        return Seed.model_validate(json.loads(text))
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file}: the text is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise SettingsError(f"{file} line {error.lineno}: {error.msg}") from None
    except ValidationError as error:
        problems = (
            f"{file} line {_line(text, problem['loc'])}: {_dotted(problem['loc'])}: {problem['msg']}"
            for problem in error.errors()
        )
        raise SettingsError("\n".join(problems)) from None


def _dotted(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".") or "the whole"


def _line(text: str, path: tuple[str | int, ...]) -> int:
    """The line where the value at ``path`` begins, or its innermost existing parent; ``text`` is valid JSON."""
    at = _blank(text, 0)
    for part in path:
        at = next((start for key, start in _members(text, at) if key == part), at)
    return text.count("\n", 0, at) + 1


def _members(text: str, at: int) -> Iterator[tuple[str | int, int]]:
    """Keys (or indexes) of the object or array at ``at``, with the offsets of their values."""
    decoder = json.JSONDecoder()
    key: str | int
    if text[at] not in "{[":
        return
    in_object, place, at = text[at] == "{", 0, _blank(text, at + 1)
    while text[at] not in "}]":
        key = place
        if in_object:
            key, at = decoder.raw_decode(text, at)
            at = _blank(text, _blank(text, at) + 1)  # past the colon
        yield key, at
        at = _blank(text, decoder.raw_decode(text, at)[1])
        if text[at] == ",":
            at = _blank(text, at + 1)
        place += 1


def _blank(text: str, at: int) -> int:
    """The offset after white space."""
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at
