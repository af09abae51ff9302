"""What a mail wants, who wrote it, and whether it is a new matter (activity 1, SOP 5.3).

Held by `tests/models/test_forms.py`.
"""

from typing import cast

from pydantic import Field

from models.analysis import Kind, Topic
from models.forms import fields
from models.forms.base import Choice, Form
from models.sop import Role


class TopicChoice(Choice):
    """The main matter; the names are those of :data:`models.analysis.Topic`."""

    no_service = "Layanan mati / No service"
    slow = "Lambat / Slow"
    intermittent = "Putus-putus / Intermittent"
    voice_fault = "Gangguan telepon / Voice fault"
    tv_fault = "Gangguan TV / TV fault"
    device = "Perangkat / Device"
    installation = "Pasang baru / Installation"
    technician = "Teknisi / Technician"
    billing_amount = "Jumlah tagihan / Billing amount"
    payment = "Pembayaran / Payment"
    bill_copy = "Salinan tagihan / Bill copy"
    packages = "Paket & harga / Packages"
    coverage = "Jangkauan / Coverage"
    change_package = "Ubah paket / Change of package"
    relocation = "Pindah alamat / Relocation"
    termination = "Berhenti langganan / Termination"
    account_data = "Data pelanggan / Account data"
    password = "Kata sandi / Password"  # noqa: S105
    link_quality = "Kualitas link / Link quality"
    cable = "Kabel & tiang / Cable"
    compensation = "Kompensasi / Compensation"
    staff_conduct = "Sikap petugas / Staff conduct"
    fraud = "Penipuan / Fraud"
    privacy = "Data pribadi / Privacy"
    case_status = "Status kasus / Case status"
    other = "Lainnya / Other"

    @property
    def topic(self) -> Topic:
        """The topic that it names."""
        return cast(Topic, self.name)


class NeedChoice(Choice):
    """What the customer brings; the names are those of :class:`models.analysis.Kind`."""

    COMPLAINT = "Komplain / Complaint"
    INFORMATION = "Informasi / Information"
    THANKS = "Terima kasih, selesai / Thanks, nothing to do"
    IRRELEVANT = "Bukan untuk kami / Not for us"

    @property
    def kind(self) -> Kind:
        """The kind that it names."""
        return Kind[self.name]


class ConfirmAnalysis(Form):
    """Activity 1 is not sure, so the agent says what the mail wants."""

    title = "Konfirmasi analisa / Confirm the analysis"
    role = Role.AGENT

    need: NeedChoice = Field(title="Kebutuhan / Need", description="Apa yang dibutuhkan pelanggan / what is wanted")
    topic: TopicChoice = Field(title="Topik / Topic", description="Pokok masalah / the main matter")
    service_number: str = fields.service_number("Kosongkan bila tidak ada / leave empty if there is none")


class SameMatterChoice(Choice):
    """Old or new (SOP 5.3)."""

    JOIN = "Keluhan yang sama, gabungkan / The same matter, merge"
    NEW = "Keluhan baru / A new matter"


class SameMatter(Form):
    """5.3 is doubtful, so the agent says whether the mail belongs to an open case."""

    title = "Keluhan lama atau baru? / Old or new?"
    role = Role.AGENT

    choice: SameMatterChoice = fields.decision("Bandingkan dengan kasus di atas / compare with the case above")
    note: str = fields.note()


class SenderChoice(Choice):
    """Who wrote."""

    GENUINE = "Benar dari pelanggan / It is the customer's"
    FORGED = "Palsu atau penipuan, jangan dijawab / Forged, do not answer"


class ConfirmSender(Form):
    """It is doubtful who wrote: until the agent decides, nothing is sent or shown, and no case is joined."""

    title = "Pengirim meragukan / A doubtful sender"
    role = Role.AGENT
    keeps_informed = False

    choice: SenderChoice = fields.decision("Hubungi pelanggan dengan cara lain / ask the customer in another way")
    note: str = fields.note()
