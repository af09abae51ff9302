"""The table of all settings in markdown (`docs/settings.md`), from their schema. Held by `tests/test_docs.py`."""

import json
from collections.abc import Iterator
from typing import Any, Literal, TypeGuard, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from models.settings import HttpSystem, Settings

HEAD = """\
The service reads each setting from these sources. The first one that has it wins:

1. the environment;
2. `.env` in the working directory;
3. the folder that `LAYANAN_SECRETS_DIR` names: one file for each secret, named like the variable;
4. `layanan.toml`, or the file that `LAYANAN_SETTINGS` names. `LAYANAN_SMTP__HOST` is `host` in its table `smtp`.

In the environment, lists and maps are JSON. `LAYANAN_MAILBOXES` is a list of objects; the table shows their members
as `LAYANAN_MAILBOXES[].…`. All back-office systems behind HTTP have the same settings: the last rows describe them
once, with `<SYSTEM>` in the place of `MYCX`, `NOSSA` and so on. Restart the service after a change.
`layanan settings > docs/settings.md` writes this page.

| setting | default | description |
|---|---|---|
"""


def settings_table() -> str:
    """The table, with an introduction that says where settings are read from."""
    return HEAD + "\n".join([*_rows(Settings, "LAYANAN_"), *_rows(HttpSystem, "LAYANAN_<SYSTEM>__")])


def _rows(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name}" if "[]" in prefix else f"{prefix}{name.upper()}"
        kind, member = field.annotation, next(iter(get_args(field.annotation)), None)
        if kind is HttpSystem:
            yield f"| `{variable}__…` |  | {_description(field)}: the settings of `LAYANAN_<SYSTEM>__…` |"
            continue
        if _is_model(kind):
            yield from _rows(kind, f"{variable}." if "[]" in prefix else f"{variable}__")
            continue
        yield f"| `{variable}` | {_default(field)} | {_description(field)} |"
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


def _description(field: FieldInfo) -> str:
    text = (field.description or "").replace("<", r"\<").replace("|", r"\|")
    if get_origin(field.annotation) is Literal:
        text += f" ({', '.join(f'`{value}`' for value in get_args(field.annotation))})"
    return text + (f". Example: `{field.examples[0]}`" if field.examples else "")
