"""A wait's form as a page draws it: its fields in their order, and the choices as buttons."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models.forms import FORMS
from models.forms.base import Form, choices_of
from models.tables import Wait
from tasks.run.answers import offered

LINE = 400
"""Characters up to which an answer is one line."""
CHOICE = "choice"
"""The field that each button of the form fills."""


@dataclass(frozen=True)
class Option:
    """An answer to choose: ``code`` is submitted, ``text`` is read."""

    code: str
    text: str
    needs: str = ""
    """What has to be filled in with it."""


@dataclass(frozen=True)
class FieldView:
    """A field that a person fills in."""

    name: str
    title: str
    help: str
    value: str
    required: bool
    longest: int | None
    options: tuple[Option, ...] = ()

    @property
    def long(self) -> bool:
        """Whether the answer may have several lines."""
        return not self.options and (self.longest or LINE + 1) > LINE


@dataclass(frozen=True)
class FormView:
    """The form of one wait."""

    title: str
    role: str
    fields: tuple[FieldView, ...]
    choices: tuple[Option, ...]
    """Of the decision itself, one button each; empty where one button sends what the fields say."""


def form_view(wait: Wait, typed: Mapping[str, str] | None = None) -> FormView:
    """The form with what somebody has typed into it already, else with what it proposes."""
    form = FORMS[wait.form]
    fields = {name: schema for name, schema in wait.json_schema["properties"].items() if name not in ("by", "code")}
    choices = tuple(_options(form, wait.json_schema, CHOICE, fields[CHOICE])) if CHOICE in fields else ()
    required = set(wait.json_schema.get("required", ()))
    shown = [
        FieldView(
            name=name,
            title=schema.get("title") or form.model_fields[name].title or name,
            help=schema.get("description") or form.model_fields[name].description or "",
            value=(typed or {}).get(name, _proposed(form, name, schema)),
            required=name in required or bool(schema.get("minLength")),
            longest=schema.get("maxLength"),
            options=tuple(_options(form, wait.json_schema, name, schema)),
        )
        for name, schema in fields.items()
        if name != CHOICE
    ]
    return FormView(form.title, form.role, tuple(shown), choices)


def _proposed(form: type[Form], name: str, schema: Mapping[str, Any]) -> str:
    """The first answer of the field, a choice by its code."""
    default = str(schema.get("default", ""))
    return next((code for code, text in choices_of(form, name).items() if text == default), default)


def _options(form: type[Form], whole: Mapping[str, Any], name: str, schema: Mapping[str, Any]) -> Iterator[Option]:
    codes = {text: code for code, text in choices_of(form, name).items()}
    for text in offered(whole, schema):
        code = codes.get(text, text)
        needs = "penyebab dan perbaikan / cause and repair" if name == CHOICE and code == form.solves else ""
        yield Option(code, text, needs)
