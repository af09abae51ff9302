"""The audit log's rows and the rules that chain them, which `docs/audit.md` gives to strangers.

A row holds no customer's words and no address: what was there and what was decided stand in it as salted hashes. The
salt is kept in a table of its own, and deleting it makes a hash say nothing: so an erasure breaks no chain.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NoReturn

from sqlmodel import Field, SQLModel

from models.sop import REVISION

START = "0" * 64
"""What stands for the hash of the row before the first."""
UNKNOWN = "?"
"""The actor, where nobody says who it was: whoever cancelled a run in the Prefect UI."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


class Action(StrEnum):
    """What somebody did."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    DECIDED = "decided"
    DECISION_REFUSED = "decision_refused"
    CLAIMED = "claimed"
    CLAIM_TAKEN = "claim_taken"
    READ_CASE = "read_case"
    OPENED_ATTACHMENT = "opened_attachment"
    NOTED = "noted"
    STAFF_CHANGED = "staff_changed"
    MERGED = "merged"
    UNMERGED = "unmerged"
    SPLIT = "split"
    PARTY_ADDED = "party_added"
    PARTY_REMOVED = "party_removed"
    MAIL_ACCEPTED = "mail_accepted"
    CANCELLED = "cancelled"
    EXPORTED = "exported"


class AuditRow(SQLModel, table=True):
    """One act. Triggers of the database refuse to change or delete it; text, so that the hash is of what is stored."""

    __tablename__ = "audit"
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    """From 1, without gaps."""
    at: str
    """Business time in UTC, always with microseconds: ``2026-11-30T20:48:21.123456Z``."""
    action: str
    """As :class:`Action`."""
    actor: str
    """Name as in the case's history; ``system``; or ``?`` where nobody knows."""
    staff_id: int | None = None
    """Number of the member of staff; None where nobody had signed in."""
    signed_in: str = ""
    """How (:class:`models.staff.SignedIn`)."""
    reference: str = Field(default="", index=True)
    """Of the case; empty where the act concerns none."""
    subject: str = ""
    """What it was done to: a wait's key, ``mail 17``."""
    before: str = ""
    """Salted hash of what was there; empty: nothing."""
    after: str = ""
    """Salted hash of what was decided or written; empty: nothing."""
    sop_revision: str
    run_id: str = ""
    previous: str
    """Hash of the row before."""
    hash: str


class AuditSalt(SQLModel, table=True):
    """The salt of a row's ``before`` and ``after``, 32 hexadecimal digits. An erasure deletes it."""

    __tablename__ = "audit_salt"
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    salt: str


HASHED = tuple(sorted(set(AuditRow.model_fields) - {"hash"}))
"""Members of a row that its hash covers, in canonical order."""


@dataclass(frozen=True)
class Entry:
    """One act, as its caller notes it. ``before`` and ``after`` are JSON without floats; only their hashes are kept."""

    action: Action
    at: datetime
    actor: str
    staff_id: int | None = None
    signed_in: str = ""
    reference: str = ""
    subject: str = ""
    before: Any = None
    after: Any = None
    run_id: str = ""


def moment(at: datetime) -> str:
    """A time as rows have it; their order as text is their order in time."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def canonical(value: Any) -> bytes:
    """Canonical JSON (RFC 8785), for values without floats whose names are ASCII."""
    return _ENCODER.encode(value).encode("utf-8", "surrogatepass")


def row_hash(row: Mapping[str, Any]) -> str:
    """The hash of a row: of its members without ``hash``."""
    return hashlib.sha256(canonical({name: row[name] for name in HASHED})).hexdigest()


def content_hash(salt: str, content: Any) -> str:
    """The hash that stands for what was there or was decided; empty for None.

    Raises:
        ValueError: it has a number with a fraction, which other programs write in another way.
    """
    if content is None:
        return ""
    text = canonical(content)
    json.loads(text, parse_float=_no_float)
    return hashlib.sha256(salt.encode() + text).hexdigest()


def chained(entry: Entry, number: int, previous: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rows of an entry: in the log, behind the row with the hash ``previous``, and with its salt."""
    salt = secrets.token_hex(16)
    row = {
        "number": number,
        "at": moment(entry.at),
        "action": str(entry.action),
        "actor": entry.actor,
        "staff_id": entry.staff_id,
        "signed_in": str(entry.signed_in),
        "reference": entry.reference,
        "subject": entry.subject,
        "before": content_hash(salt, entry.before),
        "after": content_hash(salt, entry.after),
        "sop_revision": REVISION,
        "run_id": entry.run_id,
        "previous": previous,
    }
    return row | {"hash": row_hash(row)}, {"number": number, "salt": salt}


def _no_float(number: str) -> NoReturn:
    raise ValueError(f"{number} is no whole number: give it as text")
