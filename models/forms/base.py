"""The forms' base: what a form says of itself, and how it is shown and filled in.

Held by `tests/models/test_forms.py`.
"""

import re
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self, TypeGuard, cast

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.json_schema import SkipJsonSchema

from models.sop import Role
from models.states import SignalKind

SYSTEM = "system"
"""Name on forms that the service itself submits."""
NOBODY = "“system” bukan nama orang / is nobody's name"
"""Why a person's answer with that name is refused."""


Takes = Mapping[SignalKind, Mapping[str, Any]]


class Choice(StrEnum):
    """A choice: people read its value; its name is recorded."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls.__members__.get(str(value))


class Form(BaseModel):
    """Base of all forms.

    ``takes`` names the kinds of signal that may answer instead of a person (see :class:`models.tables.Signal`), and
    what each of them answers besides its own facts. ``hidden`` names fields and codes of choices that people do not
    see.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    title: ClassVar[str]
    role: ClassVar[Role]
    takes: ClassVar[Takes] = {}
    ends: ClassVar[SignalKind | None] = None
    """Kind of the deadline that ends the wait, if it waits for nobody's decision."""
    keeps_informed: ClassVar[bool] = True
    """Whether the customer gets updates while the form waits (SOP 5.8), if it takes none itself."""
    hidden: ClassVar[frozenset[str]] = frozenset()
    solves: ClassVar[str] = ""
    """Code of the choice that needs a cause and a repair, because it brings the solution (SOP 5.10)."""

    by: str = Field(
        title="Nama Anda / Your name",
        description="Untuk riwayat kasus / for the case's history",
        min_length=2,
        max_length=80,
    )
    code: str = Field(
        default="",
        title="Kode sekali pakai / One-time code",
        description="Dari aplikasi di ponsel Anda / from the app on your phone",
        max_length=10,
    )
    """Of the person whose name it is; never recorded. The desk asks for it at sign-in, and not here."""

    @classmethod
    def slug(cls) -> str:
        """The form's name in keys: ``unit-progress``."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    def problem(self) -> str | None:
        """Why these answers cannot be accepted together; None if they can."""
        given = dict(self)
        if self.solves and given["choice"].name == self.solves and not (given["cause"] and given["repair"]):
            return "Isi penyebab dan perbaikan / give the cause and the repair (5.10)"
        return None

    def answers(self) -> dict[str, Any]:
        """The answers as they are recorded: choices by their codes."""
        return {
            name: value.name if isinstance(value, Choice) else str(value) if isinstance(value, StrEnum) else value
            for name, value in self
            if name != "code"
        }

    @classmethod
    def signals(cls) -> tuple[SignalKind, ...]:
        """Kinds of signal that end this wait; a letter that did not arrive ends each wait that takes any signal."""
        return (*cls.takes, SignalKind.UNDELIVERED) if cls.takes else ()

    @classmethod
    def filled_by_signal(cls, kind: SignalKind, answers: Mapping[str, Any]) -> Self:
        """The form as the service fills it in for a signal of a kind that it takes."""
        return cls(by=SYSTEM, **{**cls.takes[kind], **answers})

    @classmethod
    def submitted_for_signal(cls, kind: SignalKind, answers: Mapping[str, Any]) -> dict[str, str]:
        """What the service submits to resume the run: only what the form shows; the run itself reads the signal."""
        meant = {**cls.takes.get(kind, {}), **answers}.get("choice")
        shown = _shown(cls.model_fields["choice"].annotation, cls.hidden)
        code = next((code for code in (meant, "UPDATE") if code in shown.__members__), None)
        return {"by": SYSTEM, "choice": (shown[code] if code else next(iter(shown))).value}

    @classmethod
    def asking(
        cls, units: tuple[str, ...] = (), hidden: Collection[str] = (), *, with_code: bool = False, **defaults: Any
    ) -> type[Self]:
        """The form as it is shown: with first answers filled in, and a choice of units.

        The fields are built anew, because a field whose default is only set loses its title in the Prefect UI.
        """
        fields: dict[str, Any] = {}
        hidden = cls.hidden.union(hidden, () if with_code else ("code",))
        for name, field in cls.model_fields.items():
            kind: Any = field.annotation
            if name == "unit":
                kind = _units(units)
            elif is_choice(kind):
                kind = _shown(kind, hidden)
            if name in hidden:
                kind = Annotated[kind, SkipJsonSchema()]  # type: ignore[type-arg]
            default = defaults.get(name, ... if field.is_required() else field.default)
            if name == "unit":
                default = kind(default) if default in units else next(iter(kind))
            elif name in defaults and is_choice(kind):
                default = next((one for one in kind if default in {one.name, one.value}), ...)
            fields[name] = (
                kind,
                Field(
                    default=default,
                    title=field.title,
                    description=field.description,
                    min_length=_length(field.metadata, "min_length"),
                    max_length=_length(field.metadata, "max_length"),
                ),
            )
        return create_model(cls.__name__, __base__=cls, **fields)


def choices_of(form: type[Form], name: str) -> dict[str, str]:
    """What people read of the choices of a field, by their codes; empty where it is none to choose, or no field."""
    kind = form.model_fields[name].annotation if name in form.model_fields else None
    return {code: choice.value for code, choice in kind.__members__.items()} if is_choice(kind) else {}


def is_choice(kind: Any) -> TypeGuard[type[Choice]]:
    """Whether a field's annotation is a choice."""
    return isinstance(kind, type) and issubclass(kind, Choice)


def _shown(kind: Any, hidden: AbstractSet[str]) -> Any:
    """The choices without the hidden ones."""
    shown = {code: choice.value for code, choice in kind.__members__.items() if code not in hidden}
    return kind if len(shown) == len(kind) else cast(Any, Choice)(kind.__name__, shown)


def _units(units: tuple[str, ...]) -> Any:
    return StrEnum("Unit", {unit: unit for unit in units})


def _length(metadata: list[Any], name: str) -> int | None:
    return next((getattr(item, name) for item in metadata if hasattr(item, name)), None)
