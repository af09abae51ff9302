"""When an activity fails or waits for the office to open, or a letter does not arrive.

Held by `tests/models/test_forms.py`.
"""

from typing import ClassVar

from pydantic import Field

from models.forms import fields
from models.forms.base import Choice, Form, Takes
from models.sop import Role
from models.states import SignalKind


class FixChoice(Choice):
    """What to do about an activity that could not be done."""

    RETRY = "Coba lagi / Try again"
    TEAM_LEADER = "Serahkan ke team leader / Hand to the team leader"
    BY_HAND = "Surat dikirim manual, lanjutkan / The letter was sent by hand, go on"


class FixActivity(Form):
    """An activity could not be done (a system refused, a letter misses a fact): a person helps."""

    title = "Aktivitas terhenti / An activity is stuck"
    role = Role.AGENT

    choice: FixChoice = fields.decision("Setelah sebabnya diatasi / once the cause is fixed")
    value: str = fields.text("Fakta yang kurang / Missing fact", "Hanya bila diminta di atas / only if asked for above")


class FixActivityByLeader(FixActivity):
    """The same form for the team leader."""

    role = Role.TEAM_LEADER
    hidden = frozenset({FixChoice.TEAM_LEADER.name})


class OpeningChoice(Choice):
    """What ends the wait for the office to open."""

    SEND = "Kirim sekarang / Send it now"


class OfficeOpens(Form):
    """A letter that keeps office hours is written when the office opens, or when a person says so."""

    title = "Menunggu jam kantor / Waiting for office hours"
    role = Role.SYSTEM
    takes: ClassVar[Takes] = {SignalKind.OPENING: {"choice": "SEND"}}
    ends = SignalKind.OPENING

    choice: OpeningChoice = fields.decision("Dikirim otomatis saat buka / sent automatically at opening")


class UnreachableChoice(Choice):
    """Another way to reach the customer."""

    SEND_AGAIN = "Kirim lagi ke alamat yang sama / Send it again to the same address"
    OTHER_ADDRESS = "Kirim ke alamat lain yang terdaftar / Send it to another address on record"
    TOLD = "Sudah diberi tahu dengan cara lain / Told in another way"
    UNREACHABLE = "Tidak dapat dihubungi / Cannot be reached"


class Unreachable(Form):
    """A letter did not arrive, so the agent says how to reach the customer."""

    title = "Surat tidak sampai / A letter did not arrive"
    role = Role.AGENT
    keeps_informed = False

    choice: UnreachableChoice = fields.decision("Bagaimana pelanggan dihubungi / how is the customer reached?")
    address: str = Field(
        default="",
        title="Alamat lain / Other address",
        description="Harus terdaftar di SISKA / it must be on record in SISKA",
        max_length=254,
    )
    note: str = fields.text("Catatan / Note", "Misalnya: ditelepon, kapan / for example: phoned, when")

    def problem(self) -> str | None:
        """The other address, or the other way, must be given."""
        if self.choice is UnreachableChoice.OTHER_ADDRESS and not self.address:
            return "Isi alamat lain / give the other address"
        if self.choice is UnreachableChoice.TOLD and not self.note:
            return "Isi catatan: bagaimana dan kapan / say in the note how and when"
        return None
