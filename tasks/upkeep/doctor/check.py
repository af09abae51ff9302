"""How one thing is checked. Held by `tests/tasks/upkeep/test_doctor.py`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from adapters.wiring import Systems
from models.errors import LayananError

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Check:
    """The result of one check: what was found, and, unless that is ``ok``, what to do."""

    name: str
    state: State
    found: str
    advice: str = ""


class Warn(LayananError):
    """Something works, but a person should know about it."""


@dataclass(frozen=True)
class Probe:
    """One check. ``look`` returns what it found, or raises what is wrong."""

    name: str
    look: Callable[[Systems], str]
    advice: str

    def check(self, systems: Systems) -> Check:
        """Check it."""
        try:
            return Check(self.name, "ok", self.look(systems))
        except Warn as warning:
            return Check(self.name, "warn", str(warning), self.advice)
        except (LayananError, OSError) as error:
            return Check(self.name, "fail", str(error), self.advice)


def in_order(systems: Systems, probes: Iterable[Probe]) -> list[Check]:
    """Run checks up to the first that fails: later ones would give wrong advice."""
    checks: list[Check] = []
    for probe in probes:
        checks.append(probe.check(systems))
        if checks[-1].state == "fail":
            break
    return checks
