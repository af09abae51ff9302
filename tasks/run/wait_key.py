"""The key of a wait: its name in the ledger, and in the engine, which takes no key twice."""

import re
from dataclasses import dataclass
from typing import Self

from models.forms.base import Form

_AGAIN = re.compile(r"(.*?)(?:-r(\d+))?")


@dataclass(frozen=True)
class WaitKey:
    """The key of one question; ``attempt`` counts how often it was asked, because an answer could not be accepted."""

    name: str
    """The matter, such as ``unit-progress-2``; stands in the ledger."""
    attempt: int = 1

    def __str__(self) -> str:
        return self.name if self.attempt == 1 else f"{self.name}-r{self.attempt}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that was written so."""
        name, attempt = _AGAIN.fullmatch(text).groups("1")  # type: ignore[union-attr] # matches any text
        return cls(name, int(attempt))

    @classmethod
    def of_form(cls, form: type[Form], occurrence: int) -> Self:
        """The n-th time that the case comes to a form."""
        return cls(f"{form.slug()}-{occurrence}")

    @classmethod
    def of_opening(cls, activity: str, occurrence: int) -> Self:
        """An activity waits for the office to open."""
        return cls(f"{_slug(activity)}-{occurrence}-opening")

    @classmethod
    def of_fix(cls, activity: str, occurrence: int, attempt: int) -> Self:
        """An attempt at an activity has failed."""
        return cls(f"{_slug(activity)}-{occurrence}-fix{attempt}")

    @property
    def for_leader(self) -> "WaitKey":
        """The same matter, handed to the team leader."""
        return WaitKey(f"{self.name}-leader")

    @property
    def for_undelivered(self) -> "WaitKey":
        """What interrupts this wait where a letter did not arrive."""
        return WaitKey(f"{self.name}-undelivered{self.attempt}")

    def earlier(self, form: type[Form]) -> "list[WaitKey]":
        """The times before that the case came to this form, the latest first; none for other keys."""
        number = re.fullmatch(rf"{form.slug()}-(\d+)", self.name)
        return [WaitKey.of_form(form, one) for one in range(int(number[1]) - 1, 0, -1)] if number else []


def _slug(activity: str) -> str:
    return activity.replace("_", "-")
