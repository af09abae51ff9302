"""Reads the settings, and says what is wrong with them. Held by `tests/models/test_settings.py`."""

import os
import re
import tomllib
from difflib import get_close_matches
from typing import Any

from dotenv import dotenv_values
from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError as SourceError

from models.errors import SettingsError
from models.settings.schema import Settings
from models.settings.sources import PREFIX, settings_file


def load_settings(**overrides: Any) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: names each setting that is wrong, its problem and an example.
    """
    try:
        _refuse_unknown_names()
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError("; ".join(_problem(item) for item in error.errors(include_input=False))) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{settings_file()}: {error}") from None
    except SourceError as error:
        # the error's text says no more than the field's name
        name = re.sub(r'.*field "(\w+)".*', r"LAYANAN_\1", str(error)).upper()
        raise SettingsError(f"{name}: not valid JSON (docs/settings.md has examples)") from None


def _refuse_unknown_names() -> None:
    """Refuse misspelt names, which would leave a default in force without a word."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields} | {"LAYANAN_SETTINGS", "LAYANAN_SECRETS_DIR"}
    file = settings_file()
    in_file = tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
    for name in [*os.environ, *dotenv_values(".env"), *(f"{PREFIX}{name}" for name in in_file)]:
        variable = name.upper().partition("__")[0]
        if variable.startswith(PREFIX) and variable not in known:
            # the common prefix would make any two names alike
            near = get_close_matches(variable.removeprefix(PREFIX), [one.removeprefix(PREFIX) for one in known], 1)
            hint = f"; did you mean {PREFIX}{near[0]}?" if near else " (docs/settings.md lists them)"
            raise SettingsError(f"{variable}: there is no such setting{hint}")


def _problem(item: Any) -> str:
    path = [str(part) for part in item["loc"]]
    variable = f"LAYANAN_{'__'.join(path).upper()}"
    examples: list[Any] = []
    model: Any = Settings
    for part in path:
        known = getattr(model, "model_fields", {})
        if item["type"] == "extra_forbidden" and part == path[-1]:
            near = get_close_matches(part, known, 1)
            hint = f"did you mean {near[0].upper()}?" if near else f"there are {', '.join(known).upper()}"
            return f"{variable}: there is no such setting; {hint}"
        field = known.get(part)
        if field is None:
            continue
        examples = field.examples or ([] if field.is_required() or field.default in ("", []) else [field.default])
        model = next(
            (t for t in (field.annotation, *getattr(field.annotation, "__args__", ())) if hasattr(t, "model_fields")),
            None,
        )
    example = f" (for example {examples[0]})" if examples and not isinstance(examples[0], BaseModel) else ""
    return f"{variable}: {item['msg']}{example}"
