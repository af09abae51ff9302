"""A form that a person fills in on the command line, submitted exactly as the Prefect UI does.

Held by `tests/test_layanan.py`.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from sqlmodel import select

from adapters.wiring import Systems
from models.errors import NotWaiting, Refused, WrongUse
from models.forms import FORMS
from models.forms.base import NOBODY, SYSTEM, is_choice
from models.tables import Case, Wait
from tasks.run.resume import resume


def submit(systems: Systems, case: Case, by: str, words: Mapping[str, str]) -> None:
    """Answer the form that ``case`` waits with; without an error, the engine has accepted it and the run continues.

    Args:
        by: name of the person who decides.
        words: by field; a choice by its code (``TAKE_OVER``) or its full text.

    Raises:
        NotWaiting: the case waits for nothing.
        WrongUse: the form does not have this field or choice; nothing was submitted.
        Refused: the engine refuses the answers, with its reason; the case still waits.
        Unavailable: store or engine do not answer.
    """
    with systems.store.read() as session:
        wait = session.exec(select(Wait).where(Wait.case_id == case.id)).first()
    if wait is None or case.run_id is None:
        raise NotWaiting(f"{case.reference} waits for nothing now; it is {case.status}")
    if not by.strip():
        raise WrongUse("by: give your name")
    filled = {"by": by, **answers(wait.form, wait.json_schema, words)}
    first = {name: field["default"] for name, field in wait.json_schema["properties"].items() if "default" in field}
    if problem := _problem(wait.form, first | filled):
        raise Refused("form", problem)
    resumed = resume(systems, case.run_id, wait, filled)
    if resumed.state == "not_waiting":
        raise NotWaiting(f"{case.reference} waits for nothing now: {resumed.reason}")
    if resumed.state != "accepted":
        raise Refused("form", resumed.reason)


def _problem(form: str, filled: Mapping[str, Any]) -> str | None:
    """Why the run would refuse the answers after the resume; the engine itself says what breaks the schema."""
    try:
        given = FORMS[form].model_validate(filled)
    except ValidationError:
        return None
    return NOBODY if given.by == SYSTEM else given.problem()


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
    allowed = _choices(json_schema, schema)
    if not allowed:
        return word
    kind = FORMS[form].model_fields[name].annotation
    codes = {code: str(choice) for code, choice in kind.__members__.items()} if is_choice(kind) else {}
    value = codes.get(word, word)
    if value not in allowed:
        names = [f"{code} ({choice})" for code, choice in codes.items() if choice in allowed] or allowed
        raise WrongUse(f"{name}: {word!r} is not one of {', '.join(names)}")
    return value


def _choices(json_schema: Mapping[str, Any], field: Mapping[str, Any]) -> list[str]:
    """The values that a field may have; none where it is free text."""
    name = str(field.get("$ref", "")).rpartition("/")[2]
    return list(json_schema.get("$defs", {}).get(name, field).get("enum", []))
