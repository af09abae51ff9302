"""Who acts: a member of staff, a name alone, or the service. Held by `tests/tasks/run/test_authors.py`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from models.audit import Action, Entry
from models.forms.base import SYSTEM
from models.staff import SignedIn, Staff


@dataclass(frozen=True)
class Author:
    """Who acts, and how they were recognised."""

    name: str
    how: SignedIn | None = None
    """None: the service itself, or somebody of whom nothing is known."""
    staff: Staff | None = None
    """None where a name is taken as it was typed, or is a login on this machine."""

    @property
    def staff_id(self) -> int | None:
        """Their number on the staff list."""
        return self.staff.id if self.staff else None

    @classmethod
    def of(cls, staff: Staff, how: SignedIn | None) -> Self:
        """A member of staff."""
        return cls(staff.name, how, staff)

    def entry(self, action: Action, at: datetime, **what: Any) -> Entry:
        """What they did, for the audit log: further members of :class:`models.audit.Entry`."""
        return Entry(action, at, self.name, self.staff_id, self.how or "", **what)


ITSELF = Author(SYSTEM)
"""The service, where a signal answers in a person's place."""
