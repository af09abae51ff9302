"""The table of all settings, in markdown, from the settings' own code (`docs/settings.md`). It shows no values."""

import json
from collections.abc import Iterator
from typing import Any, Literal, TypeGuard, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from models.settings import Settings

HEAD = """\
Each is read from, strongest first: the environment; `.env`; a folder of secret files, each named as its variable
(`LAYANAN_SECRETS_DIR` names the folder); and `layanan.toml` (`LAYANAN_SETTINGS` names another file), where
`LAYANAN_SMTP__HOST` is `host` in the table `smtp`. In the environment, lists and maps are JSON: `LAYANAN_MAILBOXES`
is a list of objects, whose members stand below it.

| setting | default | meaning |
|---|---|---|
"""


def settings_table() -> str:
    """The table, with a head that says where settings are read from."""
    return HEAD + "\n".join(_rows(Settings, "LAYANAN_"))


def _rows(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name}" if "[]" in prefix else f"{prefix}{name.upper()}"
        kind, member = field.annotation, next(iter(get_args(field.annotation)), None)
        if _is_model(kind):
            yield from _rows(kind, f"{variable}." if "[]" in prefix else f"{variable}__")
            continue
        yield f"| `{variable}` | {_default(field)} | {_meaning(field)} |"
        if _is_model(member):
            yield from _rows(member, f"{variable}[].")


def _is_model(kind: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*required*"
    if isinstance(field.default, SecretStr) or field.default in ("", [], None):
        return ""
    if isinstance(field.default, dict | tuple | bool):
        return f"`{json.dumps(field.default, ensure_ascii=False)}`"
    return f"`{field.default}`"


def _meaning(field: FieldInfo) -> str:
    text = (field.description or "").replace("<", r"\<").replace("|", r"\|")
    if get_origin(field.annotation) is Literal:
        text += f" ({', '.join(f'`{value}`' for value in get_args(field.annotation))})"
    return text + (f", for example `{field.examples[0]}`" if field.examples else "")
