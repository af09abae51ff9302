"""The people of the contact centre, and what they hold at the desk. Held by `tests/models/test_rights.py`."""

import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict
from pydantic import Field as Constrained
from sqlalchemy import JSON, String
from sqlmodel import Field, SQLModel

from models.letter import Language
from models.sop import Site
from models.tables import UTC_TIME


class StaffRole(StrEnum):
    """What a member of staff is; one person may be several. The value is what people read."""

    AGENT_0 = "Agent Email Level 0 (W-75)"
    AGENT_1 = "Agent Email Level 1 (W-76)"
    MONITORING = "Agent Email Monitoring (W-86)"
    TEAM_LEADER = "Team Leader"
    SUPERVISOR = "Supervisor"
    MANAGER = "Manajer / Manager"
    QUALITY = "Quality"
    ADMINISTRATOR = "Administrator"


class SignedIn(StrEnum):
    """How a person who acts was recognised."""

    PASSWORD = "password"  # noqa: S105
    PASSWORD_AND_CODE = "password_and_code"  # noqa: S105
    PROXY = "proxy"
    COMMAND_LINE = "command_line"
    """By the machine's own account: whoever may run `layanan` there."""
    PREFECT_CODE = "prefect_code"
    """By name and one-time code on a form of the Prefect UI."""
    PREFECT_NAME = "prefect_name"
    """By a name typed into the Prefect UI, which nobody has checked."""


def _plain(text: str) -> str:
    """A text in which no sign is invisible or turns the direction of others: it names a person to their colleagues."""
    if not text.isprintable():
        raise ValueError("it has a sign that cannot be seen")
    return unicodedata.normalize("NFC", text)


Plain = Annotated[str, AfterValidator(_plain)]


class NewStaff(BaseModel):
    """A member of staff, as an administrator enters them."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    name: Plain = Constrained(min_length=2, max_length=80)
    """As it stands in cases' histories."""
    email: Plain = Constrained(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)
    roles: list[StaffRole] = Constrained(min_length=1)
    site: Site | None = None
    languages: list[Language] = ["id", "en"]
    hours: str = Constrained(default="", pattern=r"^(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d)?$")


class Staff(SQLModel, table=True):
    """A member of staff, with what they sign in by."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    """As it stands in cases' histories."""
    email: str = Field(unique=True)
    """They sign in with it; lower case."""
    roles: list[str] = Field(default_factory=list, sa_type=JSON)
    """Names of :class:`StaffRole`."""
    site: Site | None = Field(default=None, sa_type=String)
    """Whose cases they work on; None: all."""
    languages: list[str] = Field(default_factory=list, sa_type=JSON)
    hours: str = ""
    """Working hours, ``08:00-17:00``; empty: the office's."""
    leader_id: int | None = Field(default=None, foreign_key="staff.id")
    """Their team leader."""
    deputy_id: int | None = Field(default=None, foreign_key="staff.id")
    """Who takes their waits while they are absent."""
    absent_from: datetime | None = Field(default=None, sa_type=UTC_TIME)
    absent_until: datetime | None = Field(default=None, sa_type=UTC_TIME)
    password: str = ""
    """Its Argon2 hash; empty: nobody can sign in by password."""
    password_expires: datetime | None = Field(default=None, sa_type=UTC_TIME)
    """A first password must be changed, and does not last; None: it is the person's own."""
    code_secret: str = ""
    """Of their one-time codes (RFC 6238), base32; empty: none set up."""
    code_used: int = 0
    """Time step of the latest code that was accepted: none is accepted twice."""
    failures: int = 0
    """Wrong passwords or codes in a row."""
    locked_until: datetime | None = Field(default=None, sa_type=UTC_TIME)
    sessions: int = 0
    """Raised to sign out everywhere: a session of an earlier number has ended."""
    active: bool = True
    """False once they are removed: their decisions keep their name."""

    @property
    def key(self) -> int:
        """The id of a stored member of staff."""
        if self.id is None:
            raise ValueError("this member of staff is not stored yet")
        return self.id

    @property
    def held(self) -> frozenset[StaffRole]:
        """Their roles."""
        return frozenset(StaffRole[name] for name in self.roles)

    @property
    def code_ready(self) -> bool:
        """Whether they have typed a one-time code: before that, its secret is only offered."""
        return bool(self.code_secret) and self.code_used > 0

    def absent(self, now: AwareDatetime) -> bool:
        """Whether they are away at this moment."""
        return bool(self.absent_from and self.absent_from <= now and (not self.absent_until or now < self.absent_until))


class Claim(SQLModel, table=True):
    """Who has opened a wait to decide it. It never stops a clock of the SOP, and ends by itself."""

    case_id: int = Field(primary_key=True, foreign_key="case.id")
    wait_key: str
    staff_id: int = Field(foreign_key="staff.id")
    until: datetime = Field(sa_type=UTC_TIME)
    """Machine time."""


class NoteKind(StrEnum):
    """What a note in a case is about."""

    NOTE = "Catatan / Note"
    PHONE = "Telepon / Phone call"


class Note(SQLModel, table=True):
    """What a member of staff wrote into a case, for colleagues alone."""

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id", index=True)
    staff_id: int = Field(foreign_key="staff.id")
    kind: NoteKind = Field(sa_type=String)
    text: str
    written_at: datetime = Field(sa_type=UTC_TIME)
