"""Who may decide what: the one table of rights, role by role (SOP 5.6, 5.9, 7).

Every way in asks :func:`refusal`: the desk, the command line, the Prefect UI and the API.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from models.sop import Role, Site
from models.staff import Staff, StaffRole

_ABOVE_AGENTS = frozenset({StaffRole.TEAM_LEADER, StaffRole.SUPERVISOR})
_AGENTS = frozenset({StaffRole.AGENT_0, StaffRole.AGENT_1})

DECIDES: dict[Role, frozenset[StaffRole]] = {
    Role.AGENT: _AGENTS | _ABOVE_AGENTS,
    Role.TEAM_LEADER: _ABOVE_AGENTS,
    Role.SUPERVISOR: frozenset({StaffRole.SUPERVISOR}),
    # what a unit or a customer said by phone, and a letter that is not to wait for the morning
    Role.UNIT: frozenset({StaffRole.AGENT_1, StaffRole.MONITORING}) | _ABOVE_AGENTS,
    Role.CUSTOMER: _AGENTS | {StaffRole.MONITORING} | _ABOVE_AGENTS,
    Role.SYSTEM: _ABOVE_AGENTS,
}
"""By the role that a form asks: which members of staff may answer it."""
DECIDERS = frozenset().union(*DECIDES.values())
"""Who may decide anything at all."""
READS = frozenset(StaffRole) - {StaffRole.ADMINISTRATOR}
"""Who may open cases, which hold customers' data."""
MANAGES_STAFF = frozenset({StaffRole.ADMINISTRATOR})
LEADS = _ABOVE_AGENTS
"""Who may take a claim from a colleague, and sees a team's waits."""
NEEDS_CODE = _ABOVE_AGENTS | MANAGES_STAFF
"""Whose sign-in needs a one-time code."""


class Denied(StrEnum):
    """Why somebody may not decide; the value is what they read."""

    ROLE = "Peran Anda tidak boleh memutuskan ini / your role may not decide this"
    SITE = "Kasus ini milik site lain / this case belongs to another site"
    OWN_ESCALATION = (
        "Anda sendiri yang mengeskalasi; orang lain yang memutuskan / "
        "you escalated it yourself; somebody else decides (four eyes)"
    )
    REMOVED = "Akun Anda tidak aktif / your account is not active"


@dataclass(frozen=True)
class Matter:
    """What is to be decided."""

    site: Site
    role: Role
    """That the form asks."""
    escalated_to: Role | None = None
    """Beside it, after a decision that was not taken in time."""
    escalated_by: int | None = None
    """Who handed it to the role above, where a person did."""


def may_decide(staff: Staff, roles: Collection[Role]) -> bool:
    """Whether one of their roles answers for one of these."""
    return any(staff.held & DECIDES[role] for role in roles)


def refusal(staff: Staff, matter: Matter) -> Denied | None:
    """Why this person may not decide this; None where they may."""
    if not staff.active:
        return Denied.REMOVED
    if staff.site not in (None, matter.site):
        return Denied.SITE
    if not may_decide(staff, [role for role in (matter.role, matter.escalated_to) if role]):
        return Denied.ROLE
    if matter.escalated_by is not None and matter.escalated_by == staff.id:
        return Denied.OWN_ESCALATION
    return None
