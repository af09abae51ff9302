"""The case store's tables. Times are aware UTC; JSON columns hold what a pydantic model wrote.

``SQLModel(table=True)`` does not validate: every table has a plain base model in front (``New…``) that does, and
rows are made from those by :func:`row`.
"""

import secrets
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import AwareDatetime
from sqlalchemy import JSON, BigInteger, Dialect, Index, String, UniqueConstraint, func, text
from sqlalchemy import DateTime as SqlDateTime
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, Relationship, SQLModel

from models.letter import Language
from models.reasons import said
from models.sop import Site
from models.states import (
    CaseStatus,
    EscalationReason,
    LetterState,
    MailOutcome,
    RecordState,
    RefusalCause,
    Retired,
    SignalKind,
)

Json = dict[str, Any]


class UtcDateTime(TypeDecorator[datetime]):
    """Stores aware times as UTC and gives them back aware, on data bases with and without zones."""

    impl = SqlDateTime
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, which would silently mean another moment."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite gives naive times back; they are UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# sqlmodel wants a class or an instance per column; one cacheable instance serves all
UTC_TIME: Any = UtcDateTime()


CONSONANTS = "bcdfghjkmnpqrstvwxz"
"""Letters of tokens, which then look like no number and no word."""


class NewCase(SQLModel):
    """A case as intake opens it."""

    site: Site = Field(sa_type=String)
    mailbox: str
    address: str = Field(min_length=1)
    """The customer's address: every letter goes there, but the one that forwards their mail to a desk (SOP W-89)."""
    name: str = ""
    subject: str = ""
    language: Language = Field(default="id", sa_type=String)
    opened_at: AwareDatetime
    sop_revision: str
    previous_id: int | None = None
    """A closed case that this one follows."""
    perhaps_id: int | None = None
    """Another case of the same matter, perhaps: a person decides (5.3)."""
    sender_doubt: str = ""
    """Doubts of the mail that opened it, as :attr:`NewMessage.doubts`; no letter goes out until a person is certain."""
    segment: str = ""


class Case(NewCase, table=True):
    """One customer's matter, from the first mail to closing."""

    id: int | None = Field(default=None, primary_key=True)
    address: str = Field(index=True)
    opened_at: datetime = Field(sa_type=UTC_TIME, index=True)
    previous_id: int | None = Field(default=None, foreign_key="case.id")
    status: CaseStatus = Field(default="open", index=True, sa_type=String)
    outcome: str = ""
    kind: str = ""
    topic: str = ""
    service_number: str = ""
    customer_id: str = ""
    tier: str = ""
    closed_at: datetime | None = Field(default=None, sa_type=UTC_TIME, index=True)
    run_id: str | None = Field(default=None, index=True)
    restarts: int = 0
    """How often its run was started again after a crash or failure."""
    token: str = Field(default_factory=lambda: "".join(secrets.choice(CONSONANTS) for _ in range(8)))
    """What only we and the customer know of the case: it signs the reference in the Subject of letters."""
    perhaps_id: int | None = Field(default=None, foreign_key="case.id")
    merged_into: int | None = Field(default=None, foreign_key="case.id", index=True)

    @property
    def reference(self) -> str:
        """What customers and people call it: site and number, ``JKT-0000123``."""
        return f"{self.site}-{self.key:07d}"

    @property
    def key(self) -> int:
        """The id of a stored case."""
        if self.id is None:
            raise ValueError("the case is not stored yet")
        return self.id


class NewMessage(SQLModel):
    """A mail that the server showed, with its one outcome."""

    mailbox: str
    uidvalidity: int = Field(sa_type=BigInteger)
    uid: int = Field(sa_type=BigInteger)
    """Both are 32 bits without a sign (RFC 9051, 2.3.1.1)."""
    sha256: str
    message_id: str = ""
    sender: str = ""
    sender_key: str = ""
    """The sender's mailbox, whatever stands behind a plus: limits count by it."""
    sender_name: str = ""
    subject: str = ""
    language: Language = Field(default="id", sa_type=String)
    text: str = ""
    new_text: str = ""
    references: list[str] = []
    conversation: str = ""
    """As of :class:`models.mail.ParsedMail`."""
    content: str = ""
    """SHA-256 of what the customer sent, apart from headers that differ each time; empty where nothing was read."""
    doubts: str = ""
    """Codes of :class:`models.mail.Doubt` with blanks between them; empty where nothing speaks against the sender."""
    warnings: list[str] = []
    """Codes of :class:`models.mail.Caution` and of problems that kept us from reading all of it."""
    automatic: str = ""
    """As :class:`models.mail.Automatic`; empty for a person's."""
    authentication: dict[str, str] = {}
    """As :class:`models.mail.Authentication`, without what is empty."""
    attachments: list[Json] = []
    """Each as :class:`models.mail.Attachment`; the bytes are kept by their SHA-256."""
    arrived_at: AwareDatetime | None = None
    """When it came to the mailbox; None where the server's word is missing or cannot be believed."""
    received_at: AwareDatetime
    """When intake took it in."""
    outcome: MailOutcome = Field(sa_type=String, index=True)
    reasons: list[list[str]] = []
    """Why it has that outcome and its case, each as :class:`models.reasons.Reason`; read as :attr:`Message.reason`."""
    case_id: int | None = None


class Message(NewMessage, table=True):
    """The intake ledger: one row for every mail ever seen."""

    __table_args__ = (
        # a server that was put back to an earlier state gives UIDs anew
        UniqueConstraint("mailbox", "uidvalidity", "uid", "sha256", name="uq_message_place"),
        Index("ix_message_sender_key", "sender_key", "received_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    message_id: str = Field(default="", index=True)
    references: list[str] = Field(default_factory=list, sa_type=JSON)
    sha256: str = Field(index=True)
    conversation: str = Field(default="", index=True)
    content: str = Field(default="", index=True)
    warnings: list[str] = Field(default_factory=list, sa_type=JSON)
    authentication: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    attachments: list[Json] = Field(default_factory=list, sa_type=JSON)
    reasons: list[list[str]] = Field(default_factory=list, sa_type=JSON)
    arrived_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    received_at: datetime = Field(sa_type=UTC_TIME, index=True)
    case_id: int | None = Field(default=None, foreign_key="case.id", index=True)

    @property
    def reason(self) -> str:
        """The reasons as people read them."""
        return said(self.reasons)

    @property
    def came_at(self) -> datetime:
        """When the customer's mail was with us, as far as is known: from then on somebody waits for an answer."""
        return self.arrived_at or self.received_at


class FirstPoll(SQLModel, table=True):
    """When the service first saw a mailbox, and who let it begin to take mail in there."""

    __tablename__ = "first_poll"
    mailbox: str = Field(primary_key=True)
    """Its address, lower case."""
    seen_at: datetime = Field(sa_type=UTC_TIME)
    """By the machine's clock, as mail servers tell the time."""
    uidvalidity: int = Field(sa_type=BigInteger)
    """Of the folder that somebody agreed to, or is asked about; one that is made anew is another one."""
    agreed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    """None while a person is waited for: nothing is taken in."""
    agreed_by: str = ""
    """Their name; empty where there was nothing to ask."""


CAME_AT = func.coalesce(Message.arrived_at, Message.received_at)
"""``Message.came_at`` in a query."""


class NewLetter(SQLModel):
    """A letter that an activity wrote."""

    case_id: int
    kind: str
    occurrence: int
    message_id: str
    recipient: str
    recipient_key: str = ""
    """The recipient's mailbox, as of :class:`NewMessage` the sender's."""
    sender: str
    subject: str
    sha256: str
    written_at: AwareDatetime


class Letter(NewLetter, table=True):
    """What was written; ``outbox`` says what became of it. Its bytes are kept under their SHA-256."""

    __table_args__ = (
        UniqueConstraint("case_id", "kind", "occurrence"),
        Index("ix_letter_recipient", "recipient", "written_at"),
        Index("ix_letter_recipient_key", "recipient_key", "written_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id")
    message_id: str = Field(unique=True)
    written_at: datetime = Field(sa_type=UTC_TIME, index=True)


class Outbox(SQLModel, table=True):
    """The way out of one letter."""

    # with the moment: of a million sent letters the latest is asked for at each refusal that may concern us
    __table_args__ = (Index("ix_outbox_state", "state", "not_before"),)
    letter_id: int = Field(default=0, primary_key=True, foreign_key="letter.id")
    """Given by ``letter``, where that is given."""
    state: LetterState = Field(default="queued", sa_type=String)
    attempts: int = 0
    not_before: datetime = Field(sa_type=UTC_TIME)
    """Machine time: earliest next attempt, or, while sending, when the claim is given up."""
    sent_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    error: str = ""
    unanswered: int = 0
    """Times that the connection broke after its text and before the server's answer."""
    deferrals: int = 0
    """Times that the server has said "later" to it (4xx)."""
    tries: int = 1
    """Ways out that it has had: a person may send it again."""
    handled: bool = False
    """A person has seen that it did not arrive, and decided."""
    cause: RefusalCause = Field(default="", sa_type=String)
    reply: str = ""
    """The relay's latest refusal: code and status, such as ``550 5.7.1``."""
    words: str = ""
    """The relay's own words with it, without addresses; only where it is unclear whom the refusal concerns."""
    refused_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    """Machine time since which the relay gives it this reply."""
    refusals: int = 0
    """Times that the relay has given it a lasting reply that may concern us."""
    routine: bool = False
    """It keeps office hours: while the site is closed it is not sent."""
    letter: Letter = Relationship()


class Relay(SQLModel, table=True):
    """An SMTP relay that refuses us or cannot be reached; the row is deleted when the relay accepts a letter.

    Until then no letter is tried but one now and then, the probe.
    """

    name: str = Field(primary_key=True)
    """Our account at the relay, as the settings have it."""
    since: datetime = Field(sa_type=UTC_TIME)
    """Machine time."""
    error: str
    """What went wrong, with the setting to look at."""
    words: str = ""
    """The relay's own words, without addresses."""
    reply: str = ""
    """Its code and status; empty where it gave none."""
    probes: int = 0
    not_before: datetime = Field(sa_type=UTC_TIME)
    """Machine time of the next probe."""


class Bounce(SQLModel, table=True):
    """What a delivery report said of one recipient of a letter (RFC 3464)."""

    id: int | None = Field(default=None, primary_key=True)
    letter_id: int = Field(foreign_key="letter.id", index=True)
    mail_id: int = Field(foreign_key="message.id", index=True)
    """The report itself."""
    address: str
    action: str
    """``failed``, ``delayed``, …"""
    status: str = ""
    """Enhanced status code (RFC 3463), such as ``5.1.1``; empty where the report has none."""
    hard: bool
    """Trying again will not help."""


class Kept(SQLModel, table=True):
    """A mail or letter byte for byte, where it is small; attachments and large ones are files (``Store.keep``)."""

    sha256: str = Field(primary_key=True)
    content: bytes


class Party(SQLModel, table=True):
    """Somebody beside the customer whose mails belong to a case: a person, or the customer by a Cc, has added them."""

    case_id: int = Field(primary_key=True, foreign_key="case.id")
    address: str = Field(primary_key=True, index=True)
    added_by: str
    added_at: datetime = Field(sa_type=UTC_TIME)
    copied: bool = False
    """They stood in a mail of the customer's: only what they write in answer belongs to the case."""
    letters: bool = False
    """They get copies of the letters to the customer."""


class ActivityRecord(SQLModel, table=True):
    """The activity ledger: the case run's memory, and what managers audit.

    One row for each activity, step or wait that is over; ``attempt`` counts the times that a person had to help.
    """

    __table_args__ = (UniqueConstraint("case_id", "name", "occurrence", "attempt"),)
    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id")
    number: int | None = None
    """Of the SOP's section 7; None for steps and waits."""
    name: str
    occurrence: int
    attempt: int = 1
    state: RecordState = Field(sa_type=String)
    output: Json = Field(default_factory=dict, sa_type=JSON)
    performer: str
    started_at: datetime = Field(sa_type=UTC_TIME)
    ended_at: datetime = Field(sa_type=UTC_TIME, index=True)
    tries: int = 1
    """How often the engine ran it for this record."""
    run_id: str = ""
    sop_revision: str


class Decision(SQLModel, table=True):
    """What a person, or the system in a person's form, decided."""

    __table_args__ = (UniqueConstraint("case_id", "wait_key"),)
    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id")
    wait_key: str
    form: str
    role: str
    by: str
    """Name, or ``system``."""
    answers: Json = Field(default_factory=dict, sa_type=JSON)
    decided_at: datetime = Field(sa_type=UTC_TIME)
    signal_id: int | None = Field(default=None, foreign_key="signal.id")
    staff_id: int | None = None
    """Number of the member of staff who decided; None where nobody had signed in."""
    signed_in: str = ""
    """How (:class:`models.staff.SignedIn`)."""


_STALE = text("escalated_to <> shown_to")


class Wait(SQLModel, table=True):
    """What a case waits for now; the row goes when the wait is over."""

    # of many waits, the few whose form shows less than the row says
    __table_args__ = (Index("ix_wait_stale", "case_id", sqlite_where=_STALE, postgresql_where=_STALE),)
    case_id: int = Field(primary_key=True, foreign_key="case.id")
    wait_key: str
    form: str
    role: str
    since: datetime = Field(sa_type=UTC_TIME)
    due_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    """When it is escalated, or, with the supervisor, named again; None where a deadline of the case ends it."""
    escalated_to: str = ""
    """The role that it was escalated to, beside its own; either may answer."""
    escalated_for: EscalationReason | None = Field(default=None, sa_type=String)
    """Of the latest escalation."""
    asked_after: RecordState | None = Field(default=None, sa_type=String)
    """How the attempt before ended, where the same matter is asked again."""
    watch_at: datetime | None = Field(default=None, sa_type=UTC_TIME, index=True)
    """When the monitor looks at it next: at ``due_at``, or whether a deadline still ends it; None: at once."""
    shown_to: str = ""
    """As ``escalated_to``, as far as the form and the list of runs show it."""
    about: str = ""
    """What is to be decided: the description without the case's facts."""
    description: str
    json_schema: Json = Field(default_factory=dict, sa_type=JSON)
    given: Json = Field(default_factory=dict, sa_type=JSON)
    """What somebody has answered already: at the desk, or in a run that could not go on. The run takes it."""
    given_by: int | None = None
    """Number of the member of staff (:class:`models.staff.Staff`)."""
    given_how: str = ""
    """How they had signed in (:class:`models.staff.SignedIn`)."""


class Signal(SQLModel, table=True):
    """What happened to a case: a mail, a unit's report, a deadline. Kept until a wait takes it, or it is retired.

    Made, taken and retired by :mod:`tasks.run.signals` alone.
    """

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id", index=True)
    kind: SignalKind = Field(sa_type=String)
    source: str = Field(unique=True)
    """Idempotency key: one signal for each source."""
    answers: Json = Field(default_factory=dict, sa_type=JSON)
    """Of the form that takes it."""
    created_at: datetime = Field(sa_type=UTC_TIME)
    taken_at: datetime | None = Field(default=None, sa_type=UTC_TIME, index=True)
    """When a wait took it, or it was retired; None while it is pending."""
    taken_by: str = ""
    """Key of the wait that took it."""
    retired: Retired = Field(default=Retired.NO, sa_type=String)
    """Why no wait took it."""


class TicketRow(SQLModel, table=True):
    """A trouble ticket of a case, as last seen."""

    __tablename__ = "ticket"
    external_id: str = Field(primary_key=True)
    case_id: int = Field(foreign_key="case.id", index=True)
    ticket_id: str
    unit: str
    status: str
    status_reason: str = ""
    status_since: datetime = Field(sa_type=UTC_TIME)
    said_since: datetime | None = Field(default=None, sa_type=UTC_TIME)
    """What the system said where that cannot be, such as a moment in the future: its clock or zone is wrong."""
    said_by: str = ""
    """The system that said so."""
    open: bool = Field(default=True, index=True)


class Deadline(SQLModel, table=True):
    """A moment at which the monitor gives the case a signal of the same kind."""

    __table_args__ = (Index("ix_deadline_due", "over", "due_at"),)
    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id", index=True)
    kind: SignalKind = Field(sa_type=String)
    due_at: datetime = Field(sa_type=UTC_TIME)
    over: bool = False
    """Met, missed and passed on, or no longer wanted."""


class SystemRow(SQLModel, table=True):
    """What the whole service knows of one back-office system: whether it may be called, and what was wrong with it."""

    __tablename__ = "back_office"
    name: str = Field(primary_key=True)
    """Of its settings."""
    failures: int = 0
    """In a row."""
    since: datetime | None = Field(default=None, sa_type=UTC_TIME)
    """Of the first of them; all times here are the machine's."""
    why: str = ""
    until: datetime | None = Field(default=None, sa_type=UTC_TIME)
    """Before then nobody calls; after it one call goes first."""
    asked: bool = False
    """The system itself asked for it (``Retry-After``)."""
    probing: bool = False
    """That call is out; ``until`` is the end of its time."""
    left_out: str = ""
    """What an answer was read without: its place and fault, none of its words."""
    left_out_at: datetime | None = Field(default=None, sa_type=UTC_TIME)


class UnderWayRow(SQLModel, table=True):
    """A create that a back-office system has accepted (202), and not done yet: it is not sent again."""

    __tablename__ = "under_way"
    system: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    """Our external id."""
    monitor: str = ""
    """Where the system tells how far it is; empty: nowhere."""
    since: datetime = Field(sa_type=UTC_TIME)


class ServiceRow(SQLModel, table=True):
    """The settings that the service runs with on one machine, as its last sweep read them; no secrets."""

    __tablename__ = "service"
    host: str = Field(primary_key=True)
    settings: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    """By variable."""
    seen_at: datetime = Field(sa_type=UTC_TIME)


R = TypeVar("R", bound=SQLModel)


def row(table: type[R], new: SQLModel, **more: Any) -> R:
    """A table row from a validated plain model."""
    return table(**(new.model_dump() | more))
