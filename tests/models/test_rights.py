"""The table of rights: each role of staff on each role that a form asks."""

from dataclasses import replace
from typing import Any

import pytest

from models.rights import DECIDES, Denied, Matter, refusal
from models.sop import Role
from models.staff import Staff, StaffRole

MATTER = Matter("JKT", Role.TEAM_LEADER)
MAY = {
    StaffRole.AGENT_0: {Role.AGENT, Role.CUSTOMER},
    StaffRole.AGENT_1: {Role.AGENT, Role.CUSTOMER, Role.UNIT},
    StaffRole.MONITORING: {Role.CUSTOMER, Role.UNIT},
    StaffRole.TEAM_LEADER: set(Role) - {Role.SUPERVISOR},
    StaffRole.SUPERVISOR: set(Role),
    StaffRole.MANAGER: set(),
    StaffRole.QUALITY: set(),
    StaffRole.ADMINISTRATOR: set(),
}


def somebody(*roles: StaffRole, **more: Any) -> Staff:
    return Staff(id=7, name="Sari", email="sari@telkom.example", roles=[role.name for role in roles], **more)


def test_the_table_has_every_role() -> None:
    assert set(MAY) == set(StaffRole)
    assert set(DECIDES) == set(Role)


@pytest.mark.parametrize("asked", Role)
@pytest.mark.parametrize("role", StaffRole)
def test_each_role_on_each_form(role: StaffRole, asked: Role) -> None:
    allowed = refusal(somebody(role), replace(MATTER, role=asked))
    assert allowed == (None if asked in MAY[role] else Denied.ROLE)


def test_what_was_escalated_may_be_decided_above_and_still_below() -> None:
    late = Matter("JKT", Role.AGENT, escalated_to=Role.TEAM_LEADER)
    assert refusal(somebody(StaffRole.AGENT_0), late) is None
    assert refusal(somebody(StaffRole.TEAM_LEADER), late) is None


def test_who_escalated_does_not_decide_the_escalation() -> None:
    both = somebody(StaffRole.AGENT_1, StaffRole.TEAM_LEADER)
    assert refusal(both, replace(MATTER, escalated_by=7)) is Denied.OWN_ESCALATION
    assert refusal(both, replace(MATTER, escalated_by=8)) is None


def test_another_site_and_a_removed_account() -> None:
    leader = somebody(StaffRole.TEAM_LEADER, site="BDG")
    assert refusal(leader, MATTER) is Denied.SITE
    assert refusal(leader, replace(MATTER, site="BDG")) is None
    assert refusal(somebody(StaffRole.TEAM_LEADER, active=False), MATTER) is Denied.REMOVED
