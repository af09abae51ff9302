"""Holds messages against TM Forum's own specifications, which lie beside the repository and are not part of it."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator, FormatChecker

SPECS = Path(__file__).parents[4] / "shared" / "systems" / "tmf"
MISSING = f"NOT VALIDATED: TM Forum's specifications are not in {SPECS}"


@cache
def _apis() -> dict[str, dict[str, Any]]:
    """By base path, without the last slash; unknown fields are refused everywhere."""
    found = {}
    for file in SPECS.glob("TMF*_v4*.swagger.json"):
        spec = json.loads(file.read_text())
        for definition in spec["definitions"].values():
            if "properties" in definition:
                definition["additionalProperties"] = False
        found[spec["basePath"].rstrip("/")] = spec
    return found


def problems(method: str, path: str, status: int, request: bytes, answer: bytes) -> list[str]:
    """What one exchange breaks; ``path`` begins with the system's root."""
    parts = re.fullmatch(r"/\w+(/tmf-api/\w+/v4)(/.+)", path)
    assert parts, path
    base, rest = parts.groups()
    spec = _apis()[base]
    template = next(t for t in spec["paths"] if re.fullmatch(re.sub(r"\{\w+\}", ".+", t), rest))
    operation = spec["paths"][template].get(method.lower())
    error = {"schema": {"$ref": "#/definitions/Error"}}
    if operation is None:
        return _broken(spec, error, answer) if status == 405 else [f"{method} {template} is not defined"]
    found = []
    if request:
        body = next(one for one in operation["parameters"] if one["in"] == "body")
        found += [f"request: {problem}" for problem in _broken(spec, body, request)]
    code = "200" if status == 206 else str(status)
    defined = operation["responses"].get(code, error if status >= 400 else None)
    if defined is None:
        return [*found, f"{method} {template} answers {status}"]
    return found + [f"answer: {problem}" for problem in _broken(spec, defined, answer)]


def _broken(spec: dict[str, Any], defined: dict[str, Any], message: bytes) -> list[str]:
    schema = {**defined["schema"], "definitions": spec["definitions"]}
    if "$ref" in schema:  # beside a reference, Draft 4 sees nothing else
        schema = {"allOf": [{"$ref": schema["$ref"]}], "definitions": spec["definitions"]}
    validator = Draft4Validator(schema, format_checker=FormatChecker(["date-time"]))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(message))]
