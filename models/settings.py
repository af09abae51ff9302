"""Every setting of the service, with its default, unit and an example.

Read from, strongest first: the environment (``LAYANAN_…``, nested with ``__``), ``.env``, a folder of secret
files (``LAYANAN_SECRETS_DIR``), and ``layanan.toml`` (or the file that ``LAYANAN_SETTINGS`` names). A wrong or missing
value stops the start: see :func:`load_settings`. Secrets are ``SecretStr`` and never printed.
"""

import hashlib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from difflib import get_close_matches
from email.utils import parseaddr
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as SourceError

from models.errors import SettingsError
from models.mail import Ours
from models.office_hours import HolidayKind, OfficeHours, Weekday, is_estimated, is_holiday, spans
from models.sop import Site

DEFAULT_FILE = Path("layanan.toml")


def _zone_exists(name: str) -> str:
    try:
        ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is no time zone; an example: Asia/Jakarta") from error
    return name


ZoneName = Annotated[str, AfterValidator(_zone_exists)]


class Part(BaseModel):
    """Base of the settings' parts: unknown names are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid")


class TokenSource(Part):
    """Where an access token comes from that somebody else refreshes."""

    token_file: Path | None = Field(
        default=None,
        description="File that holds the current access token; an external process refreshes it",
        examples=["/run/token"],
    )
    token_command: tuple[str, ...] = Field(
        default=(),
        description="Command, and its arguments, that prints a token; run for each login where there is no file",
        examples=['["/usr/local/bin/token", "layanan"]'],
    )

    @property
    def used(self) -> bool:
        """Whether there is one."""
        return self.token_file is not None or bool(self.token_command)


class Xoauth2(TokenSource):
    """Login with a token in a password's place (XOAUTH2). It is read anew for each login."""


class Mailbox(Part):
    """One mailbox of the EMS, read over IMAP. Each case belongs to the site of the mailbox it came by."""

    site: Site = Field(default="JKT", description="Site that the mailbox's cases belong to")
    address: str = Field(description="Its address", examples=["layanan@telkom.example"])
    aliases: tuple[str, ...] = Field(
        default=(),
        description="Other addresses whose mail comes to it, those of groups (mailing lists) included: a mail that one "
        "of these groups passes on is its author's; who writes from one of these addresses is no customer",
        examples=['["cs@telkom.example"]'],
    )
    timezone: ZoneName = Field(
        default="",
        description="Zone in which this site's people and customers read times; empty: LAYANAN_TIMEZONE",
        examples=["Asia/Makassar"],
    )
    host: str = Field(default="127.0.0.1", description="IMAP server", examples=["imap.telkom.example"])
    port: int = Field(default=993, ge=1, le=65535, description="IMAP port")
    tls: bool = Field(default=True, description="TLS from the first byte (IMAPS)")
    user: str = Field(description="Login name", examples=["layanan"])
    password: SecretStr = Field(
        default=SecretStr(""),
        description="Login password; needed unless there is a token",
        examples=["in a file of LAYANAN_SECRETS_DIR, or in the environment"],
    )
    xoauth2: Xoauth2 = Field(default=Xoauth2(), validate_default=True, description="Login with a token")
    idle: bool = Field(
        default=True,
        description="The worker of the type “layanan” waits for news of new mail (IDLE); passes by schedule stay",
    )
    after: Literal["move", "flag"] = Field(
        default="move",
        description="What happens to mail whose outcome is committed: it goes to `done_folder`, or gets the keyword "
        "`LayananDone` where it lies",
    )
    folder: str = Field(default="INBOX", description="Folder that is read")
    since: AwareDatetime | None = Field(
        default=None,
        description="Moment from which on mail is taken in, by its arrival at the mail server; what came earlier is "
        "left where it lies. Empty: three days before the service first saw this mailbox, since what has lain longer "
        "somebody has answered, or nobody waits for",
        examples=["2026-11-27T00:00:00+07:00"],
    )
    done_folder: str = Field(
        default="Processed", description="Folder that mail is moved to once its outcome is committed"
    )
    forwarded: bool = Field(
        default=False,
        description="Mail reaches it through a forwarder that breaks its senders' DMARC: a mail that its sender's "
        "domain disowns still joins the case whose letter it answers, or whose signed reference it names. By default "
        "such a mail waits for an agent, since anybody could have written it",
    )
    aside_folder: str = Field(default="Set aside", description="Folder for mail that no parser reads")
    sent_folder: str = Field(default="Sent", description="Folder where copies of our letters arrive")

    @field_validator("folder", "done_folder", "aside_folder", "sent_folder")
    @classmethod
    def _one_folder(cls, folder: str) -> str:
        if not folder or set(folder) & {"*", "%"}:
            raise ValueError("the name of one folder is needed; * and % stand for many (RFC 3501, 6.3.8)")
        return folder

    @field_validator("done_folder", "aside_folder")
    @classmethod
    def _another_folder(cls, folder: str, known: ValidationInfo) -> str:
        read = known.data.get("folder", "")
        if folder == read or folder.upper() == read.upper() == "INBOX":
            raise ValueError("mail would come back to the folder that is read, and be read for ever")
        return folder

    @field_validator("xoauth2")
    @classmethod
    def _some_secret(cls, token: Xoauth2, known: ValidationInfo) -> Xoauth2:
        if not token.used and known.data.get("password") == SecretStr(""):
            raise ValueError("a password or a token is needed")
        return token


class Dkim(Part):
    """Signing of letters (RFC 6376), where the server for letters does not do it."""

    selector: str = Field(default="", description="Selector of the key; empty: letters are not signed here")
    domain: str = Field(default="", description="Signing domain; empty: that of the letter's sender")
    key_file: Path = Field(default=Path("dkim.pem"), description="Private key, PEM: RSA or Ed25519")


class Smtp(Part):
    """The server that takes our letters."""

    host: str = Field(default="127.0.0.1", description="SMTP server")
    port: int = Field(default=587, ge=1, le=65535, description="SMTP port")
    tls: Literal["none", "starttls", "tls"] = Field(default="starttls", description="Encryption")
    user: str = Field(default="", description="Login name; empty: no login")
    password: SecretStr = Field(default=SecretStr(""), description="Login password")
    xoauth2: Xoauth2 = Field(default=Xoauth2(), description="Login with a token")
    timeout: float = Field(default=30, gt=0, description="Seconds that one step of a session may take")
    probe_seconds: float = Field(
        default=600,
        gt=0,
        description="Longest pause in seconds between two probes, single letters that are tried while the relay "
        "refuses us or cannot be reached; the pauses grow from 30 s. Short enough that letters go on soon, long enough "
        "that no account is locked for its attempts",
    )
    dkim: Dkim = Field(default=Dkim(), description="Signing of letters")
    in_doubt: Literal["send_again", "ask"] = Field(
        default="send_again",
        description="What happens to a letter whose delivery is unconfirmed, and no copy of which has come: it is sent "
        "once more with the same Message-ID, or a person is asked",
    )
    copies: Literal["address", "append", "none"] = Field(
        default="address",
        description="How the mailbox gets a copy of each letter: its server is given `copy_to` as one more recipient, "
        "so that the copy proves that the letter was taken; or, where it takes no such address, the letter is put into "
        "`sent_folder` once it is taken; or there is none",
    )
    copy_to: str = Field(
        default="",
        description="Address of ours that gets a copy of every letter in the same SMTP transaction: the proof, after a "
        "crash, that a letter was accepted. Empty: the mailbox's own address with “+Sent”",
        examples=["layanan+Sent@telkom.example"],
    )

    @property
    def account(self) -> str:
        """Our account at the relay: what the relay says to one says nothing of another."""
        return f"{self.user}@{self.host}:{self.port}"


HttpName = Literal["mycx", "nossa", "siska", "epayment", "tenoss", "telkom_center", "embassy"]
"""Settings of back-office systems."""
Api = Literal[
    "troubleTicket",
    "serviceProblemManagement",
    "customerManagement",
    "party",
    "productInventory",
    "customerBillManagement",
    "serviceInventory",
    "resourceInventoryManagement",
    "serviceTestManagement",
]
"""The TM Forum APIs that we call, as they stand in their base paths."""


class HttpSystem(TokenSource):
    """A back-office system behind a TM Forum Open API."""

    url: str = Field(
        default="http://127.0.0.1:8900",
        pattern=r"^https?://[^\s/]+(/\S*)?$",
        description="Server root, before /tmf-api/…",
        examples=["https://system.telkom.example"],
    )
    base_paths: dict[Api, Annotated[str, Field(pattern=r"^/[^\s?#]*$")]] = Field(
        default={},
        description="Base path of an API below the server root, where it is not `/tmf-api/<api>/v4`",
        examples=['{"troubleTicket": "/troubleTicketManagement/v4"}'],
    )
    token: SecretStr = Field(
        default=SecretStr(""),
        description="Bearer token that does not change; empty: none. One from `token_file` or `token_command` is read "
        "at the first call, and again when the system answers 401",
    )
    api_key: SecretStr = Field(default=SecretStr(""), description="API key; empty: none")
    api_key_header: str = Field(
        default="X-API-Key", pattern=r"^[A-Za-z0-9_-]+$", description="Name of the header that carries the API key"
    )
    user: str = Field(default="", description="User for HTTP basic authentication; empty: none")
    password: SecretStr = Field(default=SecretStr(""), description="Password for HTTP basic authentication")
    timezone: ZoneName = Field(
        default="",
        description="Zone of the times that the system gives without one; empty: LAYANAN_TIMEZONE",
        examples=["Asia/Makassar"],
    )
    timeout: float = Field(default=10, gt=0, description="Seconds that one call may take")


class Mrtg(Part):
    """MRTG's configuration and logs."""

    cfg: Path = Field(default=Path("/etc/mrtg.cfg"), description="MRTG's configuration file")


class SecureCrt(Part):
    """Device sessions: SecureCRT's session files, and our account on the devices."""

    sessions: Path = Field(default=Path("Sessions"), description="Folder of SecureCRT's session .ini files")
    known_hosts: Path = Field(default=Path("known_hosts"), description="Host keys that a person has checked")
    user: str = Field(default="", description="Read-only account, where the session file names none")
    password: SecretStr = Field(default=SecretStr(""), description="Its password")
    device_type: str = Field(default="huawei_vrp", description="netmiko's name of the devices' kind")
    timeout: float = Field(default=15, gt=0, description="Seconds that one diagnosis of a device may take")


class Office(Part):
    """When a site works: routine letters go out, and the time of people's decisions counts, within these hours."""

    hours: dict[Weekday, str] = Field(
        default={
            "mon": "08:00-20:00",
            "tue": "08:00-20:00",
            "wed": "08:00-20:00",
            "thu": "08:00-20:00",
            "fri": "08:00-20:00",
            "sat": "08:00-17:00",
        },
        description="Hours of each weekday in the zone of the mailbox, one or more spans; a day that is not named is "
        "closed. Default: when customers read mail without being woken",
        examples=['{"mon": "08:00-12:00, 13:00-17:00", "sat": "22:00-06:00", "sun": "00:00-24:00"}'],
    )
    holidays: tuple[HolidayKind, ...] = Field(
        default=("public",),
        description="Kinds of Indonesian holidays on which the site is closed; `joint_leave` is cuti bersama, which "
        "binds offices of the state and leaves the choice to companies",
    )
    also_closed: tuple[date, ...] = Field(
        default=(), description="More days on which the site is closed", examples=['["2027-03-09"]']
    )
    also_open: tuple[date, ...] = Field(
        default=(),
        description="Holidays on which the site works, also where a decree has moved an estimated one",
        examples=['["2027-03-10"]'],
    )

    @field_validator("hours")
    @classmethod
    def _readable(cls, hours: dict[Weekday, str]) -> dict[Weekday, str]:
        if not [span for text in hours.values() for span in spans(text)]:
            raise ValueError("the office never opens; one day needs hours")
        return hours

    def in_zone(self, zone: ZoneInfo) -> OfficeHours:
        """The hours as moments of a zone."""
        week = {day: spans(text) for day, text in self.hours.items()}
        return OfficeHours(zone, week, self._is_closed)

    def estimated(self, days: Iterable[date]) -> list[date]:
        """Those of the days that are closed for a holiday whose date is estimated, and that no setting decides on."""
        decided = {*self.also_open, *self.also_closed}
        return [day for day in days if day not in decided and self.holidays and is_estimated(self.holidays, day)]

    def _is_closed(self, day: date) -> bool:
        if day in self.also_closed:
            return True
        return bool(self.holidays) and day not in self.also_open and is_holiday(self.holidays, day)


class Policy(Part):
    """The SOP's times and thresholds. Hours are of the (perhaps simulated) clock."""

    analysis_threshold: float = Field(
        default=0.7,
        ge=0,
        le=1,
        description="Confidence below which the agent decides on the analysis of a mail",
    )
    first_response_hours: float = Field(
        default=1,
        gt=0,
        description="Hours within which a first response (5.2) counts as in time in the report; the SOP names no "
        "figure, the service needs seconds, and after an hour something is wrong",
    )
    update_hours: float = Field(
        default=6,
        gt=0,
        description="Hours between two status updates to the customer (5.8); one that falls due while the office is "
        "closed is written when it opens",
    )
    result_at_once: tuple[str, ...] = Field(
        default=("HVC_VVIP",),
        description="Tiers whose customers get the result letter at once, also while the office is closed; the default "
        "is the tier with the shortest time to repair",
    )
    agent_hours: float = Field(
        default=1,
        gt=0,
        description="Office hours that an agent has for a decision, before it is escalated to the team leader (5.9). "
        "Default: a matter has reached the supervisor before the shortest time to repair (3 h) is over",
    )
    agent_information_hours: float = Field(
        default=4,
        gt=0,
        description="The same where the customer asks for information; longer, for nothing of theirs is broken",
    )
    team_leader_hours: float = Field(
        default=1,
        gt=0,
        description="Office hours that a team leader has for a decision, before it is escalated to the supervisor",
    )
    supervisor_hours: float = Field(
        default=2,
        gt=0,
        description="Office hours that a supervisor has for a decision; after each such time the case is named again",
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
        description="Hours that a unit has for a repair, by the customer's tier, before the case is escalated (5.9)",
    )
    answer_hours: float = Field(
        default=72, gt=0, description="Hours that we wait for a customer's answer to a question"
    )
    closing_hours: float = Field(
        default=48, gt=0, description="Hours in which an answer to the closing letter reopens the case"
    )
    same_matter_days: float = Field(
        default=14,
        gt=0,
        description="Days in which a new mail on the same line and matter joins an open case (5.3)",
    )
    same_matter_threshold: float = Field(
        default=0.7, ge=0, le=1, description="Score from which on two mails are one matter; below it a person decides"
    )
    our_segments: tuple[str, ...] = Field(
        default=("DCS", "DBS"),
        description="Segments that this desk serves; all others are handed over (W-89)",
    )
    segment_desks: dict[str, str] = Field(
        default={
            "DES": "Enterprise Care <enterprise.care@telkom.example>",
            "DGS": "Government Care <government.care@telkom.example>",
            "DWS": "Wholesale Care <wholesale.care@telkom.example>",
            "OLO": "Wholesale Care <wholesale.care@telkom.example>",
        },
        description="Desk of each other segment, as name <address>; its customers' mail is forwarded there",
    )
    units: tuple[str, ...] = Field(
        default=("Access Network", "Core Network", "Billing", "Telkom"),
        min_length=1,
        description="Units that repair; the last is Telkom itself (5.6)",
    )


class Limits(Part):
    """Limits against loops and floods. What is over them is kept for a person to look at."""

    letters_a_day: int = Field(default=20, ge=1, description="Letters that one address gets within a day")
    mails_an_hour: int = Field(default=30, ge=1, description="Mails of one sender that are served within an hour")
    quick_seconds: float = Field(
        default=10, ge=0, description="Seconds after our letter within which hardly a person answers"
    )
    quick_answers: int = Field(
        default=5, ge=1, description="Number of such answers within a day from which on they count as a robot's"
    )
    resent_hours: float = Field(
        default=24, ge=0, description="Hours in which a mail of the same content counts as sent twice"
    )


PREFIX = "LAYANAN_"


class Settings(BaseSettings):
    """All settings. ``Settings()`` reads them; use :func:`load_settings` to get readable errors."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=".env",
        extra="ignore",
    )

    home: Path = Field(
        default=Path(".layanan"), description="Folder for everything that is written, for the service's user alone"
    )
    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="Case store; empty: SQLite in the home folder",
        examples=["postgresql+psycopg://layanan@db/layanan"],
    )
    clock: Literal["system", "simulated"] = Field(
        default="system",
        description="“simulated” lets `layanan clock advance` move the time: rehearsals and tests only",
    )
    timezone: ZoneName = Field(default="Asia/Jakarta", min_length=1, description="Zone in which people read times")
    log_format: Literal["readable", "json"] = Field(default="readable", description="Form of log lines")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least level that is logged"
    )

    prefect_api_url: str = Field(
        default="http://127.0.0.1:4200/api",
        pattern=r"^https?://[^\s/]+(/\S+)?/api$",
        description="Prefect server's API",
    )
    prefect_ui_url: str = Field(default="", description="Prefect's UI; empty: the server's own")
    worker_type: Literal["layanan", "process"] = Field(
        default="layanan",
        description="“layanan” runs flows in the worker's process; “process” starts one for each run",
    )
    worker_threads: int = Field(default=16, ge=1, description="Runs that one worker carries at a time")
    poll_seconds: float = Field(default=0.5, gt=0, description="Seconds between a worker's looks for runs that are due")
    run_minutes: float = Field(
        default=30, gt=0, description="Minutes after which a run that does not end counts as hung"
    )
    claim_seconds: float = Field(
        default=120,
        gt=0,
        description="Seconds after which a letter that a process took to send, and did not report, is looked into; "
        "within half of them its text must be on its way",
    )
    first_poll_most: int = Field(
        default=200,
        ge=0,
        description="Mails to be taken in up to which the first poll of a mailbox begins by itself; of more it takes "
        "none until a person has agreed (`layanan mail begin`), since each of them gets a letter",
    )
    intake_batch: int = Field(default=100, ge=1, description="Mails that one batch of intake holds")
    intake_batch_bytes: int = Field(
        default=25_000_000, ge=1, description="Bytes that one batch of intake holds; a larger mail goes alone"
    )
    mail_max_bytes: int = Field(
        default=100_000_000,
        ge=1_000_000,
        description="Bytes up to which a mail is read whole; of a larger one the first megabyte, and an agent is asked",
    )

    authserv_id: str = Field(
        default="",
        description="Name of our own mail server in Authentication-Results; empty: no such header is believed",
        examples=["mx.telkom.example"],
    )
    dkim_check: bool = Field(
        default=False,
        description="The DKIM signature of a mail's sender is checked here, where our own server says nothing of it; "
        "its key is asked for in DNS",
    )
    dkim_check_seconds: float = Field(
        default=2, gt=0, le=10, description="Seconds that the check of one mail may wait for keys"
    )
    spam_headers: tuple[str, ...] = Field(
        default=(),
        description="Headers in which our own server calls a mail spam by “yes”, such as `X-Spam-Flag`",
    )
    mailboxes: list[Mailbox] = Field(default=[], description="Mailboxes of the EMS")
    forms: tuple[str, ...] = Field(
        default=(),
        description="Addresses (From) of contact forms, on our site or at a form service, whose Reply-To is the "
        "customer: their mails are the customer's, letters go to Reply-To. Other forms' mails are quarantined",
        examples=['["formulir@telkom.example"]'],
    )
    smtp: Smtp = Field(default=Smtp(), description="Server for letters")
    sender_name: str = Field(default="Layanan Pelanggan Telkom", description="Name that letters come from")
    reply_to_reference: bool = Field(
        default=False,
        description="Letters ask for answers to the mailbox's address with “+” and the case's signed reference "
        "(Reply-To); the mail server must deliver such addresses into the folder that is read",
    )
    letters_to_cc: bool = Field(
        default=False,
        description="Who stands in To or Cc of a customer's mail gets copies of the letters of its case. Off, since "
        "letters tell of the customer's lines and bills; `layanan party --letters` does so for one case",
    )
    mycx: HttpSystem = Field(default=HttpSystem(), description="My CX: trouble tickets (TMF621)")
    nossa: HttpSystem = Field(default=HttpSystem(), description="NOSSA: progress of tickets (TMF621)")
    siska: HttpSystem = Field(default=HttpSystem(), description="SISKA: customers (TMF629, TMF632)")
    epayment: HttpSystem = Field(default=HttpSystem(), description="E-Payment: bills (TMF678)")
    tenoss: HttpSystem = Field(default=HttpSystem(), description="TENOSS: services (TMF638)")
    telkom_center: HttpSystem = Field(default=HttpSystem(), description="TELKOM.CENTER: topology (TMF639)")
    embassy: HttpSystem = Field(default=HttpSystem(), description="EMBASSY: line quality (TMF653)")
    mrtg: Mrtg = Field(default=Mrtg(), description="MRTG: traffic of links")
    securecrt: SecureCrt = Field(default=SecureCrt(), description="SecureCRT: device sessions")
    policy: Policy = Field(default=Policy(), description="The SOP's times and thresholds")
    office: Office = Field(default=Office(), description="Office hours and holidays")
    offices: dict[Site, Office] = Field(
        default={},
        description="Office hours and holidays of a site that differ, each with all that LAYANAN_OFFICE has",
        examples=['{"BDG": {"hours": {"mon": "07:00-16:00"}}}'],
    )
    limits: Limits = Field(default=Limits(), description="Limits against loops and floods")

    @field_validator("mailboxes")
    @classmethod
    def _each_by_its_address(cls, boxes: list[Mailbox]) -> list[Mailbox]:
        if len({box.address.lower() for box in boxes}) < len(boxes):
            raise ValueError("two mailboxes have one address, by which the intake ledger tells their mails apart")
        return boxes

    @field_validator("forms")
    @classmethod
    def _addresses(cls, forms: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [form for form in forms if not re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", form)]:
            raise ValueError(f"{wrong[0]!r} is not an address")
        return tuple(form.lower() for form in forms)

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which people read times that belong to no site."""
        return ZoneInfo(self.timezone)

    @property
    def store_url(self) -> str:
        """The case store's SQLAlchemy address."""
        return self.database_url.get_secret_value() or f"sqlite:///{(self.home / 'cases.sqlite').absolute()}"

    @property
    def store_id(self) -> str:
        """Tells two case stores on one Prefect server apart, without naming the data base."""
        return hashlib.sha256(self.store_url.encode()).hexdigest()[:8]

    @property
    def ui_url(self) -> str:
        """Where people open Prefect's UI."""
        return self.prefect_ui_url or self.prefect_api_url.removesuffix("/api")

    @cached_property
    def own_addresses(self) -> frozenset[str]:
        """Every address of ours, lower case: mail from one of them is never a customer's."""
        of_boxes = (address.lower() for box in self.mailboxes for address in (box.address, *box.aliases))
        return frozenset([*of_boxes, self.smtp.copy_to.lower()]) - {""}

    def is_ours(self, address: str) -> bool:
        """Whether an address, lower case, is one of ours, or a folder of it (``layanan+Sent@…``)."""
        return self.ours.has(address)

    @cached_property
    def ours(self) -> Ours:
        """The addresses by which the author of a mail is told from who has passed it on."""
        return Ours(self.own_addresses, frozenset(self.forms))

    @cached_property
    def desk_addresses(self) -> frozenset[str]:
        """Addresses of the other segments' desks, lower case: no customer's either."""
        return frozenset(parseaddr(desk)[1].lower() for desk in self.policy.segment_desks.values())

    def shown(self) -> dict[str, str]:
        """All values by their variables, without secrets, logins within addresses, and arguments of commands."""
        return dict(_values(self, PREFIX))

    @property
    def pool_name(self) -> str:
        """Prefect's work pool: one for each type of worker."""
        return "layanan" if self.worker_type == "layanan" else f"layanan-{self.worker_type}"

    def zone_of(self, address: str) -> ZoneInfo:
        """The zone of a case's people: that of the mailbox that it came by."""
        box = self._mailbox(address)
        return ZoneInfo(box.timezone) if box and box.timezone else self.zone

    def office_of(self, address: str) -> OfficeHours:
        """Office hours of a case's site: that of the mailbox that it came by."""
        if address not in self._offices:
            box = self._mailbox(address)
            office = self.offices.get(box.site, self.office) if box else self.office
            self._offices[address] = office.in_zone(self.zone_of(address))
        return self._offices[address]

    @cached_property
    def _offices(self) -> dict[str, OfficeHours]:
        return {}

    def mailbox(self, address: str) -> Mailbox:
        """The mailbox with this address.

        Raises:
            SettingsError: the settings know none; letters of its cases cannot be looked after.
        """
        box = self._mailbox(address)
        if box is None:
            raise SettingsError("LAYANAN_MAILBOXES: a mailbox that has open cases is missing")
        return box

    def _mailbox(self, address: str) -> Mailbox | None:
        return next((box for box in self.mailboxes if box.address.lower() == address.lower()), None)

    def comes_forwarded(self, address: str) -> bool:
        """Whether mail reaches the mailbox with this address through a forwarder that breaks DMARC."""
        box = self._mailbox(address)
        return box is not None and box.forwarded

    def repair_time(self, tier: str) -> timedelta:
        """Time that a unit has for a repair; an unknown tier has the longest."""
        hours = self.policy.repair_hours
        return timedelta(hours=hours.get(tier, max(hours.values())))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order of sources, strongest first."""
        secrets: tuple[PydanticBaseSettingsSource, ...] = ()
        if folder := _named_path("LAYANAN_SECRETS_DIR"):
            secrets = (
                NestedSecretsSettingsSource(file_secret_settings, secrets_dir=folder, secrets_nested_delimiter="__"),
            )
        toml = TomlConfigSettingsSource(settings_cls, _named_path("LAYANAN_SETTINGS") or DEFAULT_FILE)
        return (init_settings, env_settings, dotenv_settings, *secrets, toml)


def _values(part: BaseModel, prefix: str) -> Iterator[tuple[str, str]]:
    for name in type(part).model_fields:
        value, variable = getattr(part, name), f"{prefix}{name.upper()}"
        if isinstance(value, BaseModel):
            yield from _values(value, f"{variable}__")
        elif value and isinstance(value, list) and isinstance(value[0], BaseModel):
            for item in value:
                yield from _values(item, f"{variable}[{item.address}].")
        elif name == "home":  # where the service runs it is made absolute
            yield variable, str(value.absolute())
        elif name == "token_command":
            yield variable, " ".join(value[:1])
        elif not isinstance(value, SecretStr):
            yield variable, re.sub("//[^/]*@", "//", str(value))


def load_settings(**overrides: Any) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: one line a problem, with the setting's name, what is wrong and an example.
    """
    try:
        _refuse_unknown_names()
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError("; ".join(_problem(item) for item in error.errors(include_input=False))) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{_named_path('LAYANAN_SETTINGS') or DEFAULT_FILE}: {error}") from None
    except SourceError as error:
        # its words are no more than the field's name
        name = re.sub(r'.*field "(\w+)".*', r"LAYANAN_\1", str(error)).upper()
        raise SettingsError(f"{name}: no JSON (docs/settings.md has examples)") from None


def _refuse_unknown_names() -> None:
    """A misspelt name would otherwise leave its default in force without a word."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields} | {"LAYANAN_SETTINGS", "LAYANAN_SECRETS_DIR"}
    file = _named_path("LAYANAN_SETTINGS") or DEFAULT_FILE
    in_file = tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
    for name in [*os.environ, *dotenv_values(".env"), *(f"{PREFIX}{name}" for name in in_file)]:
        whole = name.upper().partition("__")[0]
        if whole.startswith(PREFIX) and whole not in known:
            # what all of them begin with would make any two alike
            near = get_close_matches(whole.removeprefix(PREFIX), [one.removeprefix(PREFIX) for one in known], 1)
            hint = f"; did you mean {PREFIX}{near[0]}?" if near else " (docs/settings.md lists them)"
            raise SettingsError(f"{whole}: there is no such setting{hint}")


def _named_path(variable: str) -> Path | None:
    """The file or folder that a variable names; what is named must be there."""
    name = os.environ.get(variable)
    if name and not Path(name).exists():
        raise SettingsError(f"{variable}: there is no {name}")
    return Path(name) if name else None


def _problem(item: Any) -> str:
    path = [str(part) for part in item["loc"]]
    examples: list[Any] = []
    model: Any = Settings
    for part in path:
        known = getattr(model, "model_fields", {})
        if item["type"] == "extra_forbidden" and part == path[-1]:
            near = get_close_matches(part, known, 1)
            hint = f"; did you mean {near[0].upper()}?" if near else f"; there are {', '.join(known).upper()}"
            return f"LAYANAN_{'__'.join(path).upper()}: there is no such setting{hint}"
        field = known.get(part)
        if field is None:
            continue
        examples = field.examples or ([] if field.is_required() or field.default in ("", []) else [field.default])
        model = next(
            (t for t in (field.annotation, *getattr(field.annotation, "__args__", ())) if hasattr(t, "model_fields")),
            None,
        )
    example = f" (for example {examples[0]})" if examples and not isinstance(examples[0], BaseModel) else ""
    return f"LAYANAN_{'__'.join(path).upper()}: {item['msg']}{example}"
