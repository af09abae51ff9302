"""A form that a person fills in by words, on the command line or on a page. Held by `tests/test_layanan.py`."""

from collections.abc import Mapping
from typing import Any

from models.errors import WrongUse
from models.forms import FORMS
from models.forms.base import choices_of


def answers(form: str, json_schema: Mapping[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
    """The words as values for the form with this schema.

    Raises:
        WrongUse: the form does not have this field or choice.
    """
    return {name: _answer(form, json_schema, name, word) for name, word in words.items()}


def _answer(form: str, json_schema: Mapping[str, Any], name: str, word: str) -> str | int:
    fields = {field: schema for field, schema in json_schema["properties"].items() if field != "by"}
    if name not in fields:
        raise WrongUse(f"{form} has no field {name!r}; it has {', '.join(fields)}")
    schema = fields[name]
    if schema.get("type") == "integer":
        if not word.isascii() or not word.isdecimal():
            raise WrongUse(f"{name}: {word!r} is not a number")
        return int(word)
    allowed = offered(json_schema, schema)
    if not allowed:
        return word
    codes = choices_of(FORMS[form], name)
    value = codes.get(word, word)
    if value not in allowed:
        names = [f"{code} ({choice})" for code, choice in codes.items() if choice in allowed] or allowed
        raise WrongUse(f"{name}: {word!r} is not one of {', '.join(names)}")
    return value


def offered(json_schema: Mapping[str, Any], field: Mapping[str, Any]) -> list[str]:
    """The values that a field of this schema may have; none where it is free text."""
    name = str(field.get("$ref", "")).rpartition("/")[2]
    return list(json_schema.get("$defs", {}).get(name, field).get("enum", []))
