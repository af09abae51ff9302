"""The forms that people fill in while a run is suspended, one for each kind of decision (SOP 10.1).

What JSON schema can say (choices, lengths) is refused by Prefect at once; what it cannot is said by
:meth:`Form.problem` after the resume, and the run then waits again with that reason. Choices are shown in
Indonesian and English and recorded by their short codes, the members' names.
"""

import re
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeGuard, cast

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.json_schema import SkipJsonSchema

from models.analysis import Kind, Topic
from models.sop import Role
from models.states import SignalKind

SYSTEM = "system"
"""Who signs a form that the service itself submits."""
NOBODY = "“system” bukan nama orang / is nobody's name"
"""Why a person's answer that is signed so is refused."""
LONGEST_TEXT = 4000
"""Characters that a cause, a repair or a note may have."""


class Choice(StrEnum):
    """An answer to choose: its value is what people read, its name is what is recorded."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls.__members__.get(str(value))


class Form(BaseModel):
    """Base of all forms.

    ``takes`` names the kinds of signal that answer in a person's place (see :class:`models.tables.Signal`), and what
    each of them answers beside its own facts. ``hidden`` names fields and codes of choices that are not for people.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    title: ClassVar[str]
    role: ClassVar[Role]
    takes: ClassVar[Mapping[SignalKind, Mapping[str, Any]]] = {}
    ends: ClassVar[SignalKind | None] = None
    """Kind of the deadline by which a wait ends that is no person's."""
    keeps_informed: ClassVar[bool] = True
    """Where the form itself takes no update: whether the customer may be written to while it waits (SOP 5.8)."""
    hidden: ClassVar[frozenset[str]] = frozenset()
    solves: ClassVar[str] = ""
    """Code of the choice that brings the solution: it needs a cause and a repair (SOP 5.10)."""

    by: str = Field(
        title="Nama Anda / Your name",
        description="Untuk riwayat kasus / for the case's history",
        min_length=2,
        max_length=80,
    )

    @classmethod
    def slug(cls) -> str:
        """The form's name as the engine allows it in a key: ``unit-progress``."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    def problem(self) -> str | None:
        """Why these answers cannot be taken together; None when they can."""
        given = dict(self)
        if self.solves and given["choice"].name == self.solves and not (given["cause"] and given["repair"]):
            return "Isi penyebab dan perbaikan / give the cause and the repair (5.10)"
        return None

    def answers(self) -> dict[str, Any]:
        """What is recorded: choices by their codes."""
        return {
            name: value.name if isinstance(value, Choice) else str(value) if isinstance(value, StrEnum) else value
            for name, value in self
        }

    @classmethod
    def signals(cls) -> tuple[SignalKind, ...]:
        """Kinds of signal that end this wait: a letter that did not arrive ends each that is no person's."""
        return (*cls.takes, SignalKind.UNDELIVERED) if cls.takes else ()

    @classmethod
    def filled_by_signal(cls, kind: SignalKind, answers: Mapping[str, Any]) -> Self:
        """The form as the service fills it for a signal of a kind that it takes."""
        return cls(by=SYSTEM, **{**cls.takes[kind], **answers})

    @classmethod
    def submitted_for_signal(cls, kind: SignalKind, answers: Mapping[str, Any]) -> dict[str, str]:
        """What the service submits to resume the run: no more than the form shows; the run reads the signal itself."""
        meant = {**cls.takes.get(kind, {}), **answers}.get("choice")
        shown = _shown(cls.model_fields["choice"].annotation, cls.hidden)
        code = next((code for code in (meant, "UPDATE") if code in shown.__members__), None)
        return {"by": SYSTEM, "choice": (shown[code] if code else next(iter(shown))).value}

    @classmethod
    def asking(cls, units: tuple[str, ...] = (), hidden: Collection[str] = (), **defaults: Any) -> type[Self]:
        """The form as it is shown: with first answers filled in, and units to choose from.

        The fields are rebuilt whole: a default that is only set would lose its title in the Prefect UI.
        """
        fields: dict[str, Any] = {}
        hidden = cls.hidden.union(hidden)
        for name, field in cls.model_fields.items():
            kind: Any = field.annotation
            if name == "unit":
                kind = _units(units)
            elif is_choice(kind):
                kind = _shown(kind, hidden)
            if name in hidden:
                kind = Annotated[kind, SkipJsonSchema()]  # type: ignore[type-arg]
            default = defaults.get(name, ... if field.is_required() else field.default)
            if name == "unit":
                default = kind(default) if default in units else next(iter(kind))
            elif name in defaults and is_choice(kind):
                default = next((one for one in kind if default in {one.name, one.value}), ...)
            fields[name] = (
                kind,
                Field(
                    default=default,
                    title=field.title,
                    description=field.description,
                    min_length=_length(field.metadata, "min_length"),
                    max_length=_length(field.metadata, "max_length"),
                ),
            )
        return create_model(cls.__name__, __base__=cls, **fields)


def is_choice(kind: Any) -> TypeGuard[type[Choice]]:
    """Whether a field's annotation is an answer to choose."""
    return isinstance(kind, type) and issubclass(kind, Choice)


def _shown(kind: Any, hidden: AbstractSet[str]) -> Any:
    """The choices without those that are hidden."""
    shown = {code: choice.value for code, choice in kind.__members__.items() if code not in hidden}
    return kind if len(shown) == len(kind) else cast(Any, Choice)(kind.__name__, shown)


def _units(units: tuple[str, ...]) -> Any:
    return StrEnum("Unit", {unit: unit for unit in units})


def _length(metadata: list[Any], name: str) -> int | None:
    return next((getattr(item, name) for item in metadata if hasattr(item, name)), None)


def _text(title: str, description: str) -> Any:
    return Field(default="", title=title, description=description, max_length=LONGEST_TEXT)


def _decision(description: str) -> Any:
    return Field(title="Keputusan / Decision", description=description)


def _event(description: str = "Apa yang terjadi / what happened") -> Any:
    return Field(title="Kejadian / Event", description=description)


def _cause() -> Any:
    return _text("Penyebab / Cause", "Dikirim ke pelanggan / sent to the customer")


def _repair() -> Any:
    return _text("Perbaikan / Repair", "Dikirim ke pelanggan / sent to the customer")


def _unit() -> Any:
    return Field(default="", title="Unit", description="Hanya bila ke unit / only if it goes to a unit")


def _note() -> Any:
    return _text("Catatan / Note", "Bukan untuk pelanggan / not for the customer")


FROM_MAILBOX = frozenset({"CUSTOMER_WROTE", "message"})
"""Where a mail answers a form: the choice, and the mail's row in the intake ledger."""
MEANWHILE = frozenset({"UPDATE", "CUSTOMER_WROTE"})
"""Codes of the choices that say what happened while a person thinks, and decide nothing."""
SEND_UPDATE = "Kirim kabar sekarang / Send an update now"
CUSTOMER_WROTE = "Pelanggan menulis / The customer wrote"


class Desk(Form):
    """A complaint on somebody's desk. Until the person decides, the customer gets updates and answers (SOP 5.8)."""

    takes: ClassVar[Mapping[SignalKind, Mapping[str, Any]]] = {
        SignalKind.MAIL: {"choice": "CUSTOMER_WROTE"},
        SignalKind.UPDATE: {"choice": "UPDATE"},
    }
    hidden = FROM_MAILBOX

    choice: Choice
    if TYPE_CHECKING:
        # people see fields in their order: each form has it last
        message: int

    @property
    def decided(self) -> bool:
        """Whether this is the person's decision, and not something that happened meanwhile."""
        return self.choice.name not in MEANWHILE


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
    """Activity 1 is not sure: the agent says what the mail wants."""

    title = "Konfirmasi analisa / Confirm the analysis"
    role = Role.AGENT

    need: NeedChoice = Field(title="Kebutuhan / Need", description="Apa yang dibutuhkan pelanggan / what is wanted")
    topic: TopicChoice = Field(title="Topik / Topic", description="Pokok masalah / the main matter")
    service_number: str = Field(
        default="",
        title="Nomor layanan / Service number",
        description="Kosongkan bila tidak ada / leave empty if there is none",
        max_length=40,
    )


class WriteAnswer(Form):
    """Activity 3 found no prepared answer: the agent writes it."""

    title = "Tulis jawaban / Write the answer"
    role = Role.AGENT

    answer: str = Field(
        title="Jawaban / Answer",
        description="Dikirim ke pelanggan, dalam bahasanya / sent to the customer, in their language",
        min_length=10,
        max_length=8000,
    )
    related_products: str = Field(
        title="Produk terkait / Related products",
        description="Pisahkan dengan koma / separated by commas (5.5)",
        min_length=2,
        max_length=400,
    )


class SolutionChoice(Choice):
    """What becomes of a proposed solution."""

    SEND = "Setujui & kirim / Approve and send"
    COORDINATE = "Belum selesai, ke unit / Not solved, to the unit"
    UPDATE = SEND_UPDATE
    CUSTOMER_WROTE = CUSTOMER_WROTE


class ApproveSolution(Desk):
    """The solution letter of a complaint is approved by a person before it is sent."""

    title = "Setujui solusi / Approve the solution"
    role = Role.AGENT
    takes = {**Desk.takes, SignalKind.APPROVAL: {"choice": "UPDATE"}}
    solves = "SEND"

    choice: SolutionChoice = _decision("Kirim hasil atau tangani lagi / send it or go on")
    cause: str = _cause()
    repair: str = _repair()
    message: int = 0


class StuckChoice(Choice):
    """How handling goes on."""

    COORDINATE = "Koordinasi dengan unit / Coordinate with the unit"
    SOLVED = "Sudah ada solusi / There is a solution"
    ESCALATE = "Eskalasi ke team leader / Escalate to team leader"
    UPDATE = SEND_UPDATE
    CUSTOMER_WROTE = CUSTOMER_WROTE


class HandlingStuck(Desk):
    """Handling (6) is back with the agent, who says how it goes on."""

    title = "Lanjutan penanganan / How handling goes on"
    role = Role.AGENT
    solves = "SOLVED"

    choice: StuckChoice = _decision("Ada solusi: isi penyebab, perbaikan / solution: cause, repair")
    unit: str = _unit()
    cause: str = _cause()
    repair: str = _repair()
    note: str = _note()
    message: int = 0


class ProgressChoice(Choice):
    """What happened while a unit works."""

    REPAIRED = "Unit melapor selesai / The unit reports the repair"
    UPDATE = SEND_UPDATE
    ESCALATE = "Terlambat atau macet, eskalasi / Late or stuck, escalate"
    CUSTOMER_WROTE = CUSTOMER_WROTE


class UnitProgress(Form):
    """The case waits for the unit. The monitor and the mailbox answer this form too."""

    title = "Menunggu unit / Waiting for the unit"
    role = Role.UNIT
    solves = "REPAIRED"
    takes = {
        SignalKind.MAIL: {"choice": "CUSTOMER_WROTE"},
        SignalKind.UNIT: {},
        SignalKind.UPDATE: {"choice": "UPDATE"},
        SignalKind.REPAIR: {"choice": "ESCALATE", "note": "Batas waktu perbaikan lewat / the repair is overdue"},
    }
    ends = SignalKind.REPAIR
    hidden = FROM_MAILBOX

    choice: ProgressChoice = _event("Selesai: isi penyebab, perbaikan / repaired: cause, repair")
    cause: str = _cause()
    repair: str = _repair()
    note: str = _note()
    message: int = 0


class EscalationChoice(Choice):
    """What the team leader does with an escalated case."""

    TAKE_OVER = "Ambil alih / Take over"
    BACK_TO_AGENT = "Kembalikan ke agent / Back to the agent"
    OTHER_UNIT = "Pindahkan ke unit lain / To another unit"
    SUPERVISOR = "Teruskan ke supervisor / On to the supervisor"
    UPDATE = SEND_UPDATE
    CUSTOMER_WROTE = CUSTOMER_WROTE


class Escalation(Desk):
    """Activity 8: the team leader decides (SOP 5.9)."""

    title = "Eskalasi / Escalation"
    role = Role.TEAM_LEADER
    solves = "TAKE_OVER"

    choice: EscalationChoice = _decision("Ambil alih: isi penyebab, perbaikan / take over: cause, repair")
    unit: str = _unit()
    cause: str = _cause()
    repair: str = _repair()
    note: str = _note()
    message: int = 0


class SupervisorChoice(Choice):
    """What the supervisor does (SOP 5.6)."""

    TAKE_OVER = "Ambil alih / Take over"
    TELKOM = "Eskalasi ke Telkom / Escalate to Telkom"
    BACK_TO_AGENT = "Kembalikan ke agent / Back to the agent"
    UPDATE = SEND_UPDATE
    CUSTOMER_WROTE = CUSTOMER_WROTE


class SupervisorEscalation(Desk):
    """Activity 8, second step: the supervisor decides; what Infomedia cannot handle goes to Telkom (SOP 5.6)."""

    title = "Eskalasi supervisor / Supervisor's escalation"
    role = Role.SUPERVISOR
    solves = "TAKE_OVER"

    choice: SupervisorChoice = _decision("Ambil alih: isi penyebab, perbaikan / take over: cause, repair")
    cause: str = _cause()
    repair: str = _repair()
    note: str = _note()
    message: int = 0


class AnswerChoice(Choice):
    """Whether the customer answered our question."""

    ANSWERED = "Pelanggan menjawab / The customer answered"
    NO_ANSWER = "Tidak ada jawaban / No answer"


class CustomerAnswer(Form):
    """We asked the customer something. The mailbox answers this form, silence does, or an agent who phoned."""

    title = "Menunggu jawaban pelanggan / Waiting for the customer's answer"
    role = Role.CUSTOMER
    takes = {SignalKind.MAIL: {"choice": "ANSWERED"}, SignalKind.ANSWER: {"choice": "NO_ANSWER"}}
    ends = SignalKind.ANSWER
    hidden = frozenset({"message"})

    choice: AnswerChoice = _event()
    message: int = 0
    service_number: str = Field(
        default="",
        title="Nomor layanan / Service number",
        description="Bila disebut pelanggan lewat telepon / if the customer told it by phone",
        max_length=40,
    )


class UnclearChoice(Choice):
    """What becomes of a case whose customer answers without saying what was asked."""

    FOUND = "Nomor layanan ditemukan / The service number is found"
    ASK_AGAIN = "Tanyakan lagi / Ask again"
    CLOSE = "Tutup tanpa jawaban / Close as unanswered"


class UnclearAnswer(Form):
    """The customer has answered our questions, and what is needed is still missing: the agent reads it."""

    title = "Jawaban belum lengkap / The answer is incomplete"
    role = Role.AGENT

    choice: UnclearChoice = _decision("Baca jawaban pelanggan / read the customer's answers")
    service_number: str = Field(
        default="",
        title="Nomor layanan / Service number",
        description="Hanya bila ditemukan / only where it is found",
        max_length=40,
    )

    def problem(self) -> str | None:
        """A number that is found must be told."""
        if self.choice is UnclearChoice.FOUND and not self.service_number:
            return "Isi nomor layanan / give the service number"
        return None


class ClosingChoice(Choice):
    """What came within the waiting period."""

    SILENCE = "Tidak ada jawaban, tutup / Silence, close"
    CUSTOMER_WROTE = CUSTOMER_WROTE


class ClosingPeriod(Form):
    """12: the closing letter is out; an answer reopens the case, silence closes it."""

    title = "Masa tunggu closing / Closing's waiting period"
    role = Role.CUSTOMER
    takes = {SignalKind.MAIL: {"choice": "CUSTOMER_WROTE"}, SignalKind.CLOSING: {"choice": "SILENCE"}}
    ends = SignalKind.CLOSING
    hidden = frozenset({"message"})

    choice: ClosingChoice = _event()
    message: int = 0


class DisputeChoice(Choice):
    """What becomes of a disputed closing."""

    REOPEN = "Buka lagi / Reopen"
    CLOSE = "Tutup / Close"


class DisputedClosing(Form):
    """The customer answered the closing letter: does the case go on?"""

    title = "Closing disanggah / Disputed closing"
    role = Role.AGENT

    choice: DisputeChoice = _decision("Buka lagi bila belum beres / reopen if unsolved")
    note: str = _note()


class FixChoice(Choice):
    """What to do about an activity that could not be done."""

    RETRY = "Coba lagi / Try again"
    TEAM_LEADER = "Serahkan ke team leader / Hand to the team leader"
    BY_HAND = "Surat dikirim manual, lanjutkan / The letter was sent by hand, go on"


class FixActivity(Form):
    """An activity could not be done (a system refused, a letter misses a fact): a person helps."""

    title = "Aktivitas terhenti / An activity is stuck"
    role = Role.AGENT

    choice: FixChoice = _decision("Setelah sebabnya diatasi / once mended")
    value: str = _text("Fakta yang kurang / Missing fact", "Hanya bila diminta di atas / only if asked for above")


class FixActivityByLeader(FixActivity):
    """The same, at the team leader's desk."""

    role = Role.TEAM_LEADER
    hidden = frozenset({FixChoice.TEAM_LEADER.name})


class OpeningChoice(Choice):
    """What ends the wait for the office to open."""

    SEND = "Kirim sekarang / Send it now"


class OfficeOpens(Form):
    """A letter that keeps office hours waits for the morning; it is written then, or when a person says so."""

    title = "Menunggu jam kantor / Waiting for office hours"
    role = Role.SYSTEM
    takes = {SignalKind.OPENING: {"choice": "SEND"}}
    ends = SignalKind.OPENING

    choice: OpeningChoice = _decision("Dikirim otomatis saat buka / sent by itself at opening")


class SameMatterChoice(Choice):
    """Old or new (SOP 5.3)."""

    JOIN = "Keluhan yang sama, gabungkan / The same matter, merge"
    NEW = "Keluhan baru / A new matter"


class SameMatter(Form):
    """5.3 is doubtful: the agent says whether the mail belongs to a case that is open."""

    title = "Keluhan lama atau baru? / Old or new?"
    role = Role.AGENT

    choice: SameMatterChoice = _decision("Bandingkan dengan kasus di atas / compare with the case above")
    note: str = _note()


class SenderChoice(Choice):
    """Who wrote."""

    GENUINE = "Benar dari pelanggan / It is the customer's"
    FORGED = "Palsu atau penipuan, jangan dijawab / Forged, do not answer"


class ConfirmSender(Form):
    """It is in doubt who wrote: nothing is sent or shown, and no case is joined, until the agent is certain."""

    title = "Pengirim meragukan / A doubtful sender"
    role = Role.AGENT
    keeps_informed = False

    choice: SenderChoice = _decision("Hubungi pelanggan dengan cara lain / ask the customer in another way")
    note: str = _note()


class UnreachableChoice(Choice):
    """Another way to reach the customer."""

    SEND_AGAIN = "Kirim lagi ke alamat yang sama / Send it again to the same address"
    OTHER_ADDRESS = "Kirim ke alamat lain yang terdaftar / Send it to another address on record"
    TOLD = "Sudah diberi tahu dengan cara lain / Told in another way"
    UNREACHABLE = "Tidak dapat dihubungi / Cannot be reached"


class Unreachable(Form):
    """A letter did not arrive: the agent says how the customer is reached instead."""

    title = "Surat tidak sampai / A letter did not arrive"
    role = Role.AGENT
    keeps_informed = False

    choice: UnreachableChoice = _decision("Bagaimana pelanggan dihubungi / how is the customer reached?")
    address: str = Field(
        default="",
        title="Alamat lain / Other address",
        description="Harus terdaftar di SISKA / it must be on record in SISKA",
        max_length=254,
    )
    note: str = _text("Catatan / Note", "Misalnya: ditelepon, kapan / for example: phoned, when")

    def problem(self) -> str | None:
        """Another address, or another way, must be named."""
        if self.choice is UnreachableChoice.OTHER_ADDRESS and not self.address:
            return "Isi alamat lain / give the other address"
        if self.choice is UnreachableChoice.TOLD and not self.note:
            return "Isi catatan: bagaimana dan kapan / say in the note how and when"
        return None


FORMS: dict[str, type[Form]] = {
    form.__name__: form
    for form in (
        ConfirmAnalysis,
        WriteAnswer,
        ApproveSolution,
        HandlingStuck,
        UnitProgress,
        Escalation,
        SupervisorEscalation,
        CustomerAnswer,
        UnclearAnswer,
        ClosingPeriod,
        DisputedClosing,
        FixActivity,
        FixActivityByLeader,
        Unreachable,
        SameMatter,
        ConfirmSender,
        OfficeOpens,
    )
}
