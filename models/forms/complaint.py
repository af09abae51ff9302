"""Decisions on a complaint (activities 5 to 8). Meanwhile the customer gets updates and answers (SOP 5.8).

Held by `tests/models/test_forms.py`.
"""

from typing import TYPE_CHECKING, ClassVar

from models.forms import fields
from models.forms.base import Choice, Form, Takes
from models.forms.fields import CUSTOMER_WROTE, FROM_MAILBOX, MEANWHILE, SEND_UPDATE
from models.sop import Role
from models.states import SignalKind


class ComplaintForm(Form):
    """Base of decisions on a complaint. Until a person decides, the customer gets updates and answers (SOP 5.8)."""

    takes: ClassVar[Takes] = {
        SignalKind.MAIL: {"choice": "CUSTOMER_WROTE"},
        SignalKind.UPDATE: {"choice": "UPDATE"},
    }
    hidden = FROM_MAILBOX

    choice: Choice
    if TYPE_CHECKING:
        # people see the fields in order, so each form has this one last
        message: int

    @property
    def decided(self) -> bool:
        """Whether a person has decided; otherwise something happened meanwhile."""
        return self.choice.name not in MEANWHILE


class SolutionChoice(Choice):
    """What becomes of a proposed solution."""

    SEND = "Setujui & kirim / Approve and send"
    COORDINATE = "Belum selesai, ke unit / Not solved, to the unit"
    UPDATE = SEND_UPDATE
    CUSTOMER_WROTE = CUSTOMER_WROTE


class ApproveSolution(ComplaintForm):
    """A person approves the result letter of a complaint before it is sent."""

    title = "Setujui solusi / Approve the solution"
    role = Role.AGENT
    takes: ClassVar[Takes] = {**ComplaintForm.takes, SignalKind.APPROVAL: {"choice": "UPDATE"}}
    solves = "SEND"

    choice: SolutionChoice = fields.decision("Kirim hasil atau tangani lagi / send it or go on")
    cause: str = fields.cause()
    repair: str = fields.repair()
    message: int = 0


class StuckChoice(Choice):
    """How handling continues."""

    COORDINATE = "Koordinasi dengan unit / Coordinate with the unit"
    SOLVED = "Sudah ada solusi / There is a solution"
    ESCALATE = "Eskalasi ke team leader / Escalate to team leader"
    UPDATE = SEND_UPDATE
    CUSTOMER_WROTE = CUSTOMER_WROTE


class HandlingStuck(ComplaintForm):
    """Handling (6) is back with the agent, who decides how it continues."""

    title = "Lanjutan penanganan / How handling continues"
    role = Role.AGENT
    solves = "SOLVED"

    choice: StuckChoice = fields.decision("Ada solusi: isi penyebab, perbaikan / solution: cause, repair")
    unit: str = fields.unit()
    cause: str = fields.cause()
    repair: str = fields.repair()
    note: str = fields.note()
    message: int = 0


class ProgressChoice(Choice):
    """What happened while a unit works."""

    REPAIRED = "Unit melapor selesai / The unit reports the repair"
    UPDATE = SEND_UPDATE
    ESCALATE = "Terlambat atau macet, eskalasi / Late or stuck, escalate"
    CUSTOMER_WROTE = CUSTOMER_WROTE


class UnitProgress(Form):
    """The case waits for the unit. Signals of mails, units and deadlines answer this form, too."""

    title = "Menunggu unit / Waiting for the unit"
    role = Role.UNIT
    solves = "REPAIRED"
    takes: ClassVar[Takes] = {
        SignalKind.MAIL: {"choice": "CUSTOMER_WROTE"},
        SignalKind.UNIT: {},
        SignalKind.UPDATE: {"choice": "UPDATE"},
        SignalKind.REPAIR: {"choice": "ESCALATE", "note": "Batas waktu perbaikan lewat / the repair is overdue"},
    }
    ends = SignalKind.REPAIR
    hidden = FROM_MAILBOX

    choice: ProgressChoice = fields.event("Selesai: isi penyebab, perbaikan / repaired: cause, repair")
    cause: str = fields.cause()
    repair: str = fields.repair()
    note: str = fields.note()
    message: int = 0


class EscalationChoice(Choice):
    """What the team leader does with an escalated case."""

    TAKE_OVER = "Ambil alih / Take over"
    BACK_TO_AGENT = "Kembalikan ke agent / Back to the agent"
    OTHER_UNIT = "Pindahkan ke unit lain / To another unit"
    SUPERVISOR = "Teruskan ke supervisor / On to the supervisor"
    UPDATE = SEND_UPDATE
    CUSTOMER_WROTE = CUSTOMER_WROTE


class Escalation(ComplaintForm):
    """Activity 8: the team leader decides (SOP 5.9)."""

    title = "Eskalasi / Escalation"
    role = Role.TEAM_LEADER
    solves = "TAKE_OVER"

    choice: EscalationChoice = fields.decision("Ambil alih: isi penyebab, perbaikan / take over: cause, repair")
    unit: str = fields.unit()
    cause: str = fields.cause()
    repair: str = fields.repair()
    note: str = fields.note()
    message: int = 0


class SupervisorChoice(Choice):
    """What the supervisor does (SOP 5.6)."""

    TAKE_OVER = "Ambil alih / Take over"
    TELKOM = "Eskalasi ke Telkom / Escalate to Telkom"
    BACK_TO_AGENT = "Kembalikan ke agent / Back to the agent"
    UPDATE = SEND_UPDATE
    CUSTOMER_WROTE = CUSTOMER_WROTE


class SupervisorEscalation(ComplaintForm):
    """Activity 8, second step: the supervisor decides; what Infomedia cannot handle goes to Telkom (SOP 5.6)."""

    title = "Eskalasi supervisor / Supervisor's escalation"
    role = Role.SUPERVISOR
    solves = "TAKE_OVER"

    choice: SupervisorChoice = fields.decision("Ambil alih: isi penyebab, perbaikan / take over: cause, repair")
    cause: str = fields.cause()
    repair: str = fields.repair()
    note: str = fields.note()
    message: int = 0
