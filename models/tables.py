"""The case store's tables. Times are aware UTC; JSON columns hold what a pydantic model wrote.

``SQLModel(table=True)`` does not validate. So the tables that intake and activities fill have a plain base model
(``New…``) that does, and :func:`row` makes rows of those.
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
    """Stores aware times as UTC and returns aware times, on databases with and without time zones."""

    impl = SqlDateTime
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, whose time zone is unknown."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite returns naive times; they are UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# sqlmodel wants a class or an instance per column; one cacheable instance serves all
UTC_TIME: Any = UtcDateTime()


CONSONANTS = "bcdfghjkmnpqrstvwxz"
"""Letters of tokens; without vowels and digits, a token looks like no word and no number."""


class NewCase(SQLModel):
    """A case as intake opens it."""

    site: Site = Field(sa_type=String)
    mailbox: str
    address: str = Field(min_length=1)
    """The customer's address, to which all letters go, except the one that forwards the mail to a desk (SOP W-89)."""
    name: str = ""
    subject: str = ""
    language: Language = Field(default="id", sa_type=String)
    opened_at: AwareDatetime
    sop_revision: str
    previous_id: int | None = None
    """A closed case that this one follows."""
    perhaps_id: int | None = None
    """A case that may be about the same matter: a person decides (5.3)."""
    sender_doubt: str = ""
    """Doubts about its first mail's sender, as :attr:`NewMessage.doubts`; no letter goes until a person decides."""
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
    """Number of restarts of its run after a crash or failure."""
    token: str = Field(default_factory=lambda: "".join(secrets.choice(CONSONANTS) for _ in range(8)))
    """A secret of ours and the customer's: it signs the reference in the Subject of letters."""
    perhaps_id: int | None = Field(default=None, foreign_key="case.id")
    merged_into: int | None = Field(default=None, foreign_key="case.id", index=True)

    @property
    def reference(self) -> str:
        """What customers and staff call the case: site and number, ``JKT-0000123``."""
        return f"{self.site}-{self.key:07d}"

    @property
    def key(self) -> int:
        """The id of a stored case."""
        if self.id is None:
            raise ValueError("the case is not stored yet")
        return self.id


class NewMessage(SQLModel):
    """A mail that intake has seen, with its one outcome."""

    mailbox: str
    uidvalidity: int = Field(sa_type=BigInteger)
    uid: int = Field(sa_type=BigInteger)
    """Both are 32 bits without a sign (RFC 9051, 2.3.1.1)."""
    sha256: str
    message_id: str = ""
    sender: str = ""
    sender_key: str = ""
    """The sender's address without the part after a plus: limits count by it."""
    sender_name: str = ""
    subject: str = ""
    language: Language = Field(default="id", sa_type=String)
    text: str = ""
    new_text: str = ""
    references: list[str] = []
    conversation: str = ""
    """As of :class:`models.mail.ParsedMail`."""
    content: str = ""
    """SHA-256 of the mail without headers that differ each time; empty if nothing was read."""
    doubts: str = ""
    """Codes of :class:`models.mail.Doubt`, separated by blanks; empty if there is no doubt about the sender."""
    warnings: list[str] = []
    """Codes of :class:`models.mail.Caution`, and of problems because of which not all of it was read."""
    automatic: str = ""
    """As :class:`models.mail.Automatic`; empty for a person's."""
    authentication: dict[str, str] = {}
    """As :class:`models.mail.Authentication`, without empty values."""
    attachments: list[Json] = []
    """Each as :class:`models.mail.Attachment`; the bytes are stored under their SHA-256."""
    arrived_at: AwareDatetime | None = None
    """When it arrived in the mailbox; None if the server does not say, or says an impossible time."""
    received_at: AwareDatetime
    """When intake took it in."""
    outcome: MailOutcome = Field(sa_type=String, index=True)
    reasons: list[list[str]] = []
    """Why it has that outcome and case, each as :class:`models.reasons.Reason`; in words: :attr:`Message.reason`."""
    case_id: int | None = None


class Message(NewMessage, table=True):
    """The intake ledger: one row for every mail ever seen."""

    __table_args__ = (
        # a mail server that was restored from a backup assigns the same UIDs again
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
        """When the mail arrived, as far as we know: from then on somebody waits for an answer."""
        return self.arrived_at or self.received_at


class FirstPoll(SQLModel, table=True):
    """When the service first saw a mailbox, and who agreed that it takes mail in there."""

    __tablename__ = "first_poll"
    mailbox: str = Field(primary_key=True)
    """Its address, lower case."""
    seen_at: datetime = Field(sa_type=UTC_TIME)
    """Machine time, as mail servers use it."""
    uidvalidity: int = Field(sa_type=BigInteger)
    """Of the folder that somebody agreed to or is asked about; a recreated folder has another one."""
    agreed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    """None while a person is waited for: nothing is taken in."""
    agreed_by: str = ""
    """Their name; empty if there was nothing to ask."""


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
    """The recipient's address without the part after a plus."""
    sender: str
    subject: str
    sha256: str
    written_at: AwareDatetime


class Letter(NewLetter, table=True):
    """A letter as written; ``outbox`` has its delivery. Its bytes are stored under their SHA-256."""

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
    """The delivery of one letter."""

    # with the time: each refusal that may concern us looks for the latest of perhaps a million sent letters
    __table_args__ = (Index("ix_outbox_state", "state", "not_before"),)
    letter_id: int = Field(default=0, primary_key=True, foreign_key="letter.id")
    """Filled from ``letter``, if that is set."""
    state: LetterState = Field(default="queued", sa_type=String)
    attempts: int = 0
    not_before: datetime = Field(sa_type=UTC_TIME)
    """Machine time of the earliest next attempt; while sending, the end of the lease; once sent, when that was."""
    sent_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    error: str = ""
    unanswered: int = 0
    """Number of times that the connection broke after the text and before the relay's answer."""
    deferrals: int = 0
    """Number of times that the relay said "later" (4xx)."""
    tries: int = 1
    """Number of times that it was queued: a person may send it again."""
    handled: bool = False
    """Whether a person has decided about a letter that did not arrive."""
    cause: RefusalCause = Field(default="", sa_type=String)
    reply: str = ""
    """The relay's latest refusal: code and status, such as ``550 5.7.1``."""
    words: str = ""
    """The relay's own words with it, without addresses; only if it is unclear whom the refusal concerns."""
    refused_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    """Machine time of the first refusal with this reply."""
    refusals: int = 0
    """Number of permanent refusals that may concern us."""
    routine: bool = False
    """Whether it keeps office hours: it is not sent while the site is closed."""
    letter: Letter = Relationship()


class Relay(SQLModel, table=True):
    """An SMTP relay that refuses us or cannot be reached; the row is deleted when the relay accepts a letter.

    Until then one letter at a time is tried, the probe.
    """

    name: str = Field(primary_key=True)
    """Our account at the relay, from the settings."""
    since: datetime = Field(sa_type=UTC_TIME)
    """Machine time."""
    error: str
    """What went wrong, with the setting to look at."""
    words: str = ""
    """The relay's own words, without addresses."""
    reply: str = ""
    """Its code and status; empty if it gave none."""
    probes: int = 0
    not_before: datetime = Field(sa_type=UTC_TIME)
    """Machine time of the next probe."""


class Bounce(SQLModel, table=True):
    """What a delivery report says about one recipient of a letter (RFC 3464)."""

    id: int | None = Field(default=None, primary_key=True)
    letter_id: int = Field(foreign_key="letter.id", index=True)
    mail_id: int = Field(foreign_key="message.id", index=True)
    """The report itself."""
    address: str
    action: str
    """``failed``, ``delayed``, …"""
    status: str = ""
    """Enhanced status code (RFC 3463), such as ``5.1.1``; empty if the report has none."""
    hard: bool
    """Whether a retry will not help."""


class Kept(SQLModel, table=True):
    """A small mail or letter, byte for byte; attachments and large ones are files (``Store.keep``)."""

    sha256: str = Field(primary_key=True)
    content: bytes


class Party(SQLModel, table=True):
    """Somebody else whose mails belong to a case: added by a person, or by the customer's Cc."""

    case_id: int = Field(primary_key=True, foreign_key="case.id")
    address: str = Field(primary_key=True, index=True)
    added_by: str
    added_at: datetime = Field(sa_type=UTC_TIME)
    copied: bool = False
    """Whether they were in To or Cc of the customer's mail: then only their answers belong to the case."""
    letters: bool = False
    """Whether they get copies of the letters to the customer."""


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
    """Number of the engine's tries for this record."""
    run_id: str = ""
    sop_revision: str


class Decision(SQLModel, table=True):
    """A decision of a person, or of the system on a person's form."""

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
    """What a case waits for now; the row is deleted when the wait is over."""

    # finds the few waits whose form shows an old escalation
    __table_args__ = (Index("ix_wait_stale", "case_id", sqlite_where=_STALE, postgresql_where=_STALE),)
    case_id: int = Field(primary_key=True, foreign_key="case.id")
    wait_key: str
    form: str
    role: str
    since: datetime = Field(sa_type=UTC_TIME)
    due_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    """When it is escalated, or logged again for the supervisor; None if a deadline of the case ends it."""
    escalated_to: str = ""
    """The role to which it was escalated; its own role may still answer, too."""
    escalated_for: EscalationReason | None = Field(default=None, sa_type=String)
    """Of the latest escalation."""
    asked_after: RecordState | None = Field(default=None, sa_type=String)
    """How the attempt before ended, if the form is asked again."""
    watch_at: datetime | None = Field(default=None, sa_type=UTC_TIME, index=True)
    """When the monitor looks at it next; None: at once."""
    shown_to: str = ""
    """The ``escalated_to`` that the form and the list of runs show."""
    about: str = ""
    """What to decide: the description without the case's facts."""
    description: str
    json_schema: Json = Field(default_factory=dict, sa_type=JSON)
    given: Json = Field(default_factory=dict, sa_type=JSON)
    """What somebody has answered already: at the desk, or in a run that could not go on. The run takes it."""
    given_by: int | None = None
    """Number of the member of staff (:class:`models.staff.Staff`)."""
    given_how: str = ""
    """How they had signed in (:class:`models.staff.SignedIn`)."""


class Signal(SQLModel, table=True):
    """What happened to a case: a mail, a unit's report, a deadline. Pending until a wait takes it or it is retired.

    Made, taken and retired by :mod:`tasks.run.signals` alone.
    """

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id", index=True)
    kind: SignalKind = Field(sa_type=String)
    source: str = Field(unique=True)
    """Idempotency key: one signal for each source."""
    answers: Json = Field(default_factory=dict, sa_type=JSON)
    """What it answers on the form that takes it."""
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
    """The time that the system reported, if that is impossible: its clock or time zone is wrong."""
    said_by: str = ""
    """The system that reported it."""
    open: bool = Field(default=True, index=True)


class Deadline(SQLModel, table=True):
    """A time at which the monitor gives the case a signal of the same kind."""

    __table_args__ = (Index("ix_deadline_due", "over", "due_at"),)
    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id", index=True)
    kind: SignalKind = Field(sa_type=String)
    due_at: datetime = Field(sa_type=UTC_TIME)
    over: bool = False
    """Whether it was met, became a signal, or is no longer wanted."""


class SystemRow(SQLModel, table=True):
    """What the whole service knows about a back-office system: whether it may be called, and what failed."""

    __tablename__ = "back_office"
    name: str = Field(primary_key=True)
    """Name of its settings."""
    failures: int = 0
    """Number of failures in a row."""
    since: datetime | None = Field(default=None, sa_type=UTC_TIME)
    """Time of the first failure; all times here are machine time."""
    why: str = ""
    until: datetime | None = Field(default=None, sa_type=UTC_TIME)
    """Nobody calls before this time; then one call goes first."""
    asked: bool = False
    """Whether the system asked for the pause (``Retry-After``)."""
    probing: bool = False
    """Whether the first call is under way; ``until`` is then the end of its time."""
    left_out: str = ""
    """What was dropped from an answer: its place and problem, never its value."""
    left_out_at: datetime | None = Field(default=None, sa_type=UTC_TIME)


class UnderWayRow(SQLModel, table=True):
    """A create that a system has accepted (202) and not finished: it is not sent again."""

    __tablename__ = "under_way"
    system: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    """Our external id."""
    monitor: str = ""
    """URL that reports its progress; empty: none."""
    since: datetime = Field(sa_type=UTC_TIME)


class ServiceRow(SQLModel, table=True):
    """The settings of the service on one machine, as its last sweep read them, without secrets."""

    __tablename__ = "service"
    host: str = Field(primary_key=True)
    settings: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    """By variable."""
    seen_at: datetime = Field(sa_type=UTC_TIME)


R = TypeVar("R", bound=SQLModel)


def row(table: type[R], new: SQLModel, **more: Any) -> R:
    """Make a table row of a validated plain model."""
    return table(**(new.model_dump() | more))
