"""Settings of the SOP's times and thresholds, limits, and the audit log. Held by `tests/models/test_settings.py`."""

from pydantic import Field

from models.settings.base import SettingsGroup


class Policy(SettingsGroup):
    """The SOP's times and thresholds. Times are of the business clock, which rehearsals may move."""

    analysis_threshold: float = Field(
        default=0.7,
        ge=0,
        le=1,
        description="Confidence of the analysis (0 to 1) below which an agent decides what a mail is about",
    )
    first_response_hours: float = Field(
        default=1,
        gt=0,
        description="Hours within which the report counts a first response (5.2) as in time. The SOP gives no figure; "
        "the service needs seconds, so an hour shows that something is wrong",
    )
    update_hours: float = Field(
        default=6,
        gt=0,
        description="Hours between two status updates to the customer (5.8). An update that is due outside office "
        "hours is sent when the office opens",
    )
    result_at_once: tuple[str, ...] = Field(
        default=("HVC_VVIP",),
        description="Customer tiers that get the result letter at once, even outside office hours. Default: the tier "
        "with the shortest time to repair",
    )
    agent_hours: float = Field(
        default=1,
        gt=0,
        description="Office hours that an agent has for a decision before it is escalated to the team leader (5.9). "
        "Default: with the team leader's hour, a decision reaches the supervisor before the shortest time to repair "
        "(3 h) is over",
    )
    agent_information_hours: float = Field(
        default=4,
        gt=0,
        description="The same for a customer who asks for information. It is longer because nothing is broken",
    )
    team_leader_hours: float = Field(
        default=1,
        gt=0,
        description="Office hours that a team leader has for a decision before it is escalated to the supervisor",
    )
    supervisor_hours: float = Field(
        default=2,
        gt=0,
        description="Office hours that a supervisor has for a decision. Each time they are over, the log names the "
        "case again",
    )
    repair_hours: dict[str, float] = Field(
        default={
            "HVC_VVIP": 3,
            "HVC_DIAMOND": 3,
            "HVC_PLATINUM": 6,
            "HVC_GOLD": 24,
            "HVC_SILVER": 24,
            "REGULER": 24,
        },
        min_length=1,
        description="Hours that a unit has for a repair, by customer tier, before the case is escalated (5.9). An "
        "unknown tier has the longest time",
    )
    answer_hours: float = Field(default=72, gt=0, description="Hours that a case waits for the customer's answer")
    closing_hours: float = Field(
        default=48, gt=0, description="Hours within which an answer to the closing letter reopens the case"
    )
    same_matter_days: float = Field(
        default=14,
        gt=0,
        description="Days within which a new mail about the same line and matter joins an open case (5.3)",
    )
    same_matter_threshold: float = Field(
        default=0.7,
        ge=0,
        le=1,
        description="Similarity (0 to 1) from which two mails count as one matter. Below it a person decides",
    )
    our_segments: tuple[str, ...] = Field(
        default=("DCS", "DBS"),
        description="Customer segments that this service handles. All others go to their segment desk (W-89)",
    )
    segment_desks: dict[str, str] = Field(
        default={
            "DES": "Enterprise Care <enterprise.care@telkom.example>",
            "DGS": "Government Care <government.care@telkom.example>",
            "DWS": "Wholesale Care <wholesale.care@telkom.example>",
            "OLO": "Wholesale Care <wholesale.care@telkom.example>",
        },
        description="Segment desk of each other segment, as `Name <address>`. Mail of its customers is forwarded there",
    )
    units: tuple[str, ...] = Field(
        default=("Access Network", "Core Network", "Billing", "Telkom"),
        min_length=1,
        description="Units that repair. The last one is Telkom itself (5.6)",
    )


class Limits(SettingsGroup):
    """Limits against loops and floods. What exceeds them is quarantined."""

    letters_a_day: int = Field(
        default=20, ge=1, description="Number of letters to one address within a day; above it none is sent"
    )
    mails_an_hour: int = Field(
        default=30, ge=1, description="Number of mails of one sender within an hour; above it they are quarantined"
    )
    quick_seconds: float = Field(
        default=10,
        ge=0,
        description="Seconds after our letter within which an answer counts as quick. Hardly any person is faster",
    )
    quick_answers: int = Field(
        default=5, ge=1, description="Number of quick answers within a day from which the sender counts as a robot"
    )
    resent_hours: float = Field(
        default=24, ge=0, description="Hours within which a mail with the same content counts as a duplicate"
    )


class Audit(SettingsGroup):
    """Seals of the audit log (`docs/audit.md`)."""

    seal_minutes: float = Field(
        default=15,
        gt=0,
        description="Minutes between two seals of the audit log. What was done since the last seal could be cut off "
        "unnoticed by somebody who may do anything in the database",
    )
    seal_mail: str = Field(
        default="",
        pattern=r"^([^\s@<>]+@[^\s@<>]+)?$",
        description="Address that gets each seal by mail, out of reach of whoever can write on our machines. Empty: "
        "seals stand in `LAYANAN_HOME/audit-seals` alone",
        examples=["audit@telkom.example"],
    )
