"""How records of a TM Forum API are read: the shapes' base classes, and what they tolerate.

Systems answer as they can: null stands for a missing member, an optional member may be broken, times come without a
time zone. Held by `tests/adapters/systems/test_tmf.py` and the tests of the systems.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.alias_generators import to_camel


@dataclass
class Reading:
    """How one answer of a system is read, and what had to be dropped from it."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    """Time zone of times without one."""
    dropped: list[str] = field(default_factory=list)
    """Members that were broken, each as its place and kind of problem."""


def _in_utc(time: datetime, info: ValidationInfo) -> datetime:
    if time.tzinfo is None:
        time = time.replace(tzinfo=info.context.zone if info.context else UTC)
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("beyond the calendar") from None


Utc = Annotated[datetime, AfterValidator(_in_utc)]
"""A time in UTC; a time without a time zone is in the system's."""


class Wire(BaseModel):
    """Base of all shapes: camelCase on the wire, and only the members that we use.

    Null means that the member is missing. A broken optional member, or a broken item of a list, is dropped and noted
    in the :class:`Reading`.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)

    @model_validator(mode="wrap")
    @classmethod
    def _tolerant(cls, given: Any, read: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        if not isinstance(given, dict):
            return read(given)
        members = {name: _without_nulls(value) for name, value in given.items() if value is not None}
        while True:
            try:
                return read(members)
            except ValidationError as error:
                problems = problems_of(error)
                if not _drop(cls, members, problems):
                    raise
                if info.context:
                    info.context.dropped += (f"{cls.__name__}.{described(problem)}" for problem in problems)


class Entity(Wire):
    """A resource, or a reference to one."""

    loggable_id: ClassVar[bool] = False
    """Whether logs may contain the id: true where it identifies neither a customer nor a line."""
    id: str


class Characteristic(Wire):
    """A name and any JSON value."""

    name: str
    value: Any = None


def characteristic(given: Iterable[Characteristic], name: str) -> str | None:
    """The value of the characteristic ``name`` as text; None where it is missing."""
    return next((str(one.value) for one in given if one.name == name and one.value is not None), None)


def one_of(wanted: str, ids: Iterable[str]) -> bool | None:
    """Whether ``wanted`` is one of ``ids``; None where there are none."""
    known = set(ids)
    return wanted in known if known else None


def problems_of(error: ValidationError) -> list[Any]:
    """The problems that pydantic found, without the values."""
    return list(error.errors(include_input=False, include_context=False, include_url=False))


def described(problem: Any) -> str:
    """The place and kind of a problem. It never contains the value, which may be a customer's."""
    place = ".".join(str(part) for part in problem["loc"] if not isinstance(part, int))
    return f"{place or 'the whole answer'}: {problem['type']}"


def values_at(value: Any, path: list[str]) -> Iterator[str]:
    """All values at a path of members, within every item of lists."""
    if isinstance(value, list):
        for item in value:
            yield from values_at(item, path)
    elif not path:
        yield str(value)
    elif isinstance(value, dict) and path[0] in value:
        yield from values_at(value[path[0]], path[1:])


def _without_nulls(value: Any) -> Any:
    return [item for item in value if item is not None] if isinstance(value, list) else value


def _drop(shape: type[BaseModel], members: dict[str, Any], problems: list[Any]) -> bool:
    """Drop the broken members and items of lists from ``members``; False where one of them is required."""
    optional = {one.alias or name for name, one in shape.model_fields.items() if not one.is_required()}
    items: dict[str, set[int]] = {}
    for name, *rest in (problem["loc"] or ("",) for problem in problems):
        if rest and isinstance(rest[0], int) and isinstance(members.get(name), list):
            items.setdefault(name, set()).add(rest[0])
        elif name in optional:
            members.pop(name, None)
        else:
            return False
    for name, broken in items.items():
        members[name] = [item for index, item in enumerate(members[name]) if index not in broken]
    return True
