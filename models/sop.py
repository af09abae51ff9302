"""The SOP as data: IN.OCC.TDSCC.P-05 rev 02, e-mail service of TDSCC.

The numbers, clauses and names stand here once; the decorators of ``tasks/`` and the README's table are held
against this table by tests, and this table against the original document.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

REVISION = "IN.OCC.TDSCC.P-05 rev 02"


class Role(StrEnum):
    """Who performs or decides; the value is what people read."""

    AGENT = "Agent Email"
    TEAM_LEADER = "Team Leader"
    SUPERVISOR = "Supervisor"
    UNIT = "Unit terkait / Related unit"
    CUSTOMER = "Pelanggan / Customer"
    SYSTEM = "Sistem / System"


ABOVE: dict[Role, Role] = {Role.AGENT: Role.TEAM_LEADER, Role.TEAM_LEADER: Role.SUPERVISOR}
"""The role to which an overdue decision is escalated (SOP 5.9)."""
DECIDE = frozenset({Role.AGENT, Role.TEAM_LEADER, Role.SUPERVISOR})
"""Roles whose decisions have a time limit; all other waits end by a deadline of the case."""


@dataclass(frozen=True)
class Activity:
    """A row of the SOP's section 7. ``task`` is the file in ``tasks/`` and the function in it."""

    number: int
    task: str
    indonesian: str
    """The document's own words."""
    english: str
    label: str
    """What operators read in the Prefect UI."""
    performers: tuple[Role, ...]
    kpi: str

    @property
    def clause(self) -> str:
        """Its clause of the SOP: ``7.4`` for activity 4."""
        return f"7.{self.number}"


_A = (Role.AGENT,)
_A_TL_SPV = (Role.AGENT, Role.TEAM_LEADER, Role.SUPERVISOR)

ACTIVITIES: tuple[Activity, ...] = (
    Activity(
        1,
        "receive_and_analyse",
        "Menerima email dan menganalisa penjelasan pelanggan",
        "Receive and analyse",
        "Terima & analisa / Receive and analyse",
        _A,
        "Kebutuhan pelanggan tercatat / the customer's need is recorded",
    ),
    Activity(
        2,
        "serve_complaint",
        "Melayani komplain pelanggan",
        "Serve the complaint",
        "Layani komplain / Serve the complaint",
        _A,
        "Kesesuaian catatan dengan komplain / the record matches the complaint",
    ),
    Activity(
        3,
        "find_information",
        "Memberikan informasi kebutuhan pelanggan",
        "Give the information the customer needs",
        "Siapkan informasi / Find the information",
        _A,
        "Kesesuaian informasi dengan produk Telkom / the information fits Telkom's product",
    ),
    Activity(
        4,
        "handle_complaint",
        "Penanganan komplain pelanggan",
        "Handle the complaint",
        "Tangani komplain / Handle the complaint",
        _A,
        "Kesesuaian solusi dengan produk Telkom / the solution fits Telkom's product",
    ),
    Activity(
        5,
        "solve_need",
        "Mensolusikan kebutuhan pelanggan",
        "Solve the customer's need",
        "Solusikan kebutuhan / Solve the need",
        _A,
        "Solusi pada saat itu juga / solved there and then",
    ),
    Activity(
        6,
        "handle_intensively",
        "Penanganan komplain pelanggan secara intens",
        "Handle the complaint intensively",
        "Tangani intens / Handle intensively",
        _A,
        "Informasi dan solusi diberikan / information and solution given",
    ),
    Activity(
        7,
        "coordinate_with_unit",
        "Mengkordinasikan pelanggan dengan unit terkait",
        "Coordinate with the related unit",
        "Koordinasi unit / Coordinate with unit",
        _A,
        "Solusi bersama pihak backend / solution together with the back-end party",
    ),
    Activity(
        8,
        "escalate_to_team_leader",
        "Melakukan eskalasi ke team leader",
        "Escalate to the team leader",
        "Eskalasi ke team leader / Escalate to team leader",
        _A,
        "SLA penanganan komplain / SLA of complaint handling",
    ),
    Activity(
        9,
        "inform_status",
        "Menginformasikan status update keluhan",
        "Inform the status of the complaint",
        "Kabar status / Inform the status",
        _A_TL_SPV,
        "Informasi tepat dan berkala / information on time and at regular intervals",
    ),
    Activity(
        10,
        "inform_result",
        "Memberikan informasi hasil penanganan gangguan",
        "Inform the result of the repair",
        "Kabar hasil / Inform the result",
        _A_TL_SPV,
        "Solusi penanganan diberikan / solution given",
    ),
    Activity(
        11,
        "give_information",
        "Memberikan informasi yang dibutuhkan pelanggan",
        "Give the information the customer asked for",
        "Beri informasi / Give the information",
        _A,
        "Informasi sesuai kebutuhan / the information is what was asked",
    ),
    Activity(
        12,
        "closing",
        "Closing",
        "Closing",
        "Closing / Closing",
        _A,
        "Closing sesuai standar / closing follows the standard",
    ),
)
BY_TASK = {activity.task: activity for activity in ACTIVITIES}


@dataclass(frozen=True)
class Step:
    """A recorded step that section 7 does not number; ``clause`` is where the SOP asks for it."""

    task: str
    clause: str
    label: str
    performer: Role = Role.AGENT


STEPS: tuple[Step, ...] = (
    Step("first_response", "5.2", "Respon awal / First response"),
    Step("ask_customer", "5.4", "Tanya pelanggan / Ask the customer"),
    Step("hand_over_segment", "W-89", "Beda segmentasi / Hand over to other segment"),
    Step("join_case", "5.3", "Gabung ke kasus lama / Join the old case"),
    Step("keep_informed", "5.8", "Kabar selama menunggu / Keep the customer informed", Role.SYSTEM),
    Step("escalate_wait", "5.9", "Eskalasi keputusan / Escalate a decision", Role.SYSTEM),
    Step("end_case", "7.12", "Kasus selesai / Case ends", Role.SYSTEM),
)
STEPS_BY_TASK = {step.task: step for step in STEPS}


def label(task: str) -> str:
    """The label of an activity or step, or of the letter that it writes, for operators."""
    known = BY_TASK.get(task) or STEPS_BY_TASK.get(task.removesuffix("_to_desk"))
    return known.label if known else task


POLICIES: dict[str, str] = {
    "5.1": "Every letter opens with the greeting of the courtesy standard",
    "5.2": "Mail is checked and answered as response time: a first response",
    "5.3": "Before a complaint is handled: is it an old or a new one?",
    "5.4": "The complaint is recorded, to be passed to the party that solves it",
    "5.5": "Information given also names related products",
    "5.6": "Team Leader or Supervisor take over; what Infomedia cannot handle goes to Telkom",
    "5.7": "The agent coordinates with the related unit to speed the repair up",
    "5.8": "The customer gets updates at regular intervals",
    "5.9": "The agent escalates to Team Leader or Supervisor to speed coordination up",
    "5.10": "The customer is told the progress, the cause and the repair",
}

SYSTEMS: dict[str, str] = {
    "EMS": "Email Monitoring System: receives from and sends to customers",
    "My CX": "creates the trouble ticket",
    "NOSSA": "monitors complaint handling",
    "E-Payment": "the customer's bills",
    "SISKA": "customer data base, segmentation",
    "TENOSS": "data base and information check, Data & Internet",
    "TELKOM.CENTER": "data and topology of links, Data & Internet",
    "SecureCRT": "terminal sessions to Telkom's devices",
    "MRTG": "traffic of a link, Data & Internet",
    "EMBASSY": "line quality of IndiHome",
}

WORK_INSTRUCTIONS: dict[str, str] = {
    "W-75": "Agent Email Level 0",
    "W-76": "Agent Email Level 1 (rev 02)",
    "W-86": "Agent Email, Monitoring (rev 02)",
    "W-89": "Agent Email, customer of another segment",
}

Site = Literal["JKT", "BDG"]
SITES: tuple[Site, ...] = get_args(Site)
