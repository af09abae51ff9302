"""The settings as a whole, and what follows from them. Held by `tests/models/test_settings.py`."""

import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parseaddr
from functools import cached_property
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, SecretStr, field_validator

from models.errors import SettingsError
from models.mail import Ours
from models.office_hours import OfficeHours
from models.settings.base import ZoneName
from models.settings.desk import Desk
from models.settings.mail import Mailbox, Smtp
from models.settings.office import Office
from models.settings.policy import Audit, Limits, Policy
from models.settings.sources import PREFIX, FromSources
from models.settings.systems import HttpSystem, Mrtg, SecureCrt
from models.sop import Site


class Settings(FromSources):
    """All settings. ``Settings()`` reads them; :func:`load_settings` does, too, and gives readable errors."""

    home: Path = Field(
        default=Path(".layanan"),
        description="Folder for everything that the service writes. Only the service's user may read it, because it "
        "holds customers' mail",
    )
    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="URL of the case store's database. Empty: SQLite in `LAYANAN_HOME`",
        examples=["postgresql+psycopg://layanan@db/layanan"],
    )
    clock: Literal["system", "simulated"] = Field(
        default="system",
        description="Business clock. With `simulated`, `layanan clock advance` moves the time: for rehearsals and "
        "tests only",
    )
    timezone: ZoneName = Field(
        default="Asia/Jakarta", min_length=1, description="Time zone in which people read times, unless a site has one"
    )
    log_format: Literal["readable", "json"] = Field(default="readable", description="Format of log lines")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Lowest level of log lines that are written"
    )

    prefect_api_url: str = Field(
        default="http://127.0.0.1:4200/api",
        pattern=r"^https?://[^\s/]+(/\S+)?/api$",
        description="URL of the Prefect server's API",
    )
    prefect_ui_url: str = Field(
        default="", description="URL of Prefect's UI in links for people. Empty: `LAYANAN_PREFECT_API_URL` without /api"
    )
    worker_type: Literal["layanan", "process"] = Field(
        default="layanan",
        description="Type of worker. `layanan` runs flows in the worker's own process, which costs far less CPU; "
        "`process` starts a process for each run",
    )
    worker_threads: int = Field(default=16, ge=1, description="Number of runs that one worker executes at a time")
    poll_seconds: float = Field(
        default=0.5, gt=0, description="Seconds between two polls in which a worker asks Prefect for scheduled runs"
    )
    run_minutes: float = Field(
        default=30, gt=0, description="Minutes after which a run that has not ended or suspended counts as hung"
    )
    claim_seconds: float = Field(
        default=120,
        gt=0,
        description="Send lease in seconds. After it another worker checks whether the letter was sent. A worker must "
        "hand a letter to the relay within half of it",
    )
    first_poll_most: int = Field(
        default=200,
        ge=0,
        description="Number of mails up to which the first poll of a mailbox starts by itself. If more are waiting, it "
        "takes none in until a person agrees (`layanan mail begin`), because each of them gets a letter",
    )
    intake_batch: int = Field(default=100, ge=1, description="Largest number of mails in one batch of intake")
    intake_batch_bytes: int = Field(
        default=25_000_000,
        ge=1,
        description="Largest total size in bytes of one batch of intake. A larger mail is a batch of its own",
    )
    mail_max_bytes: int = Field(
        default=100_000_000,
        ge=1_000_000,
        description="Size in bytes up to which a mail is read whole. Of a larger one intake reads the first megabyte, "
        "and an agent decides",
    )

    authserv_id: str = Field(
        default="",
        description="Name by which our own mail server signs its Authentication-Results headers. Empty: intake "
        "ignores all such headers",
        examples=["mx.telkom.example"],
    )
    spam_headers: tuple[str, ...] = Field(
        default=(),
        description="Headers in which our own mail server marks spam with “yes”, such as `X-Spam-Flag`",
    )
    mailboxes: list[Mailbox] = Field(default=[], description="Mailboxes of the EMS")
    forms: tuple[str, ...] = Field(
        default=(),
        description="From addresses of contact forms, on our site or at a form service, whose Reply-To is the "
        "customer. Their mails count as the customer's, and letters go to Reply-To. Mails of other forms are "
        "quarantined",
        examples=['["formulir@telkom.example"]'],
    )
    smtp: Smtp = Field(default=Smtp(), description="SMTP relay for letters")
    sender_name: str = Field(default="Layanan Pelanggan Telkom", description="Display name of the letters' sender")
    reply_to_reference: bool = Field(
        default=False,
        description="Whether letters have a Reply-To of the mailbox's address with `+` and the case's signed "
        "reference. The mail server must deliver such addresses into the mailbox's `folder`",
    )
    letters_to_cc: bool = Field(
        default=False,
        description="Whether the people in To and Cc of a customer's mail get copies of its case's letters. Off, "
        "because letters contain the customer's lines and bills. `layanan party` does it for one case",
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
        description="Office hours and holidays of sites that differ from `LAYANAN_OFFICE`. Each entry has the same "
        "members; a member that is missing has its default, not the value of `LAYANAN_OFFICE`",
        examples=['{"BDG": {"hours": {"mon": "07:00-16:00"}}}'],
    )
    desk: Desk = Field(default=Desk(), description="The desk, on which people decide")
    limits: Limits = Field(default=Limits(), description="Limits against loops and floods")
    audit: Audit = Field(default=Audit(), description="Seals of the audit log")

    @field_validator("mailboxes")
    @classmethod
    def _each_by_its_address(cls, boxes: list[Mailbox]) -> list[Mailbox]:
        if len({box.address.lower() for box in boxes}) < len(boxes):
            raise ValueError("two mailboxes have the same address; the intake ledger tells mailboxes apart by it")
        return boxes

    @field_validator("forms")
    @classmethod
    def _addresses(cls, forms: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [form for form in forms if not re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", form)]:
            raise ValueError(f"{wrong[0]!r} is not an address")
        return tuple(form.lower() for form in forms)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of times that belong to no site."""
        return ZoneInfo(self.timezone)

    @property
    def store_url(self) -> str:
        """The case store's SQLAlchemy URL."""
        return self.database_url.get_secret_value() or f"sqlite:///{(self.home / 'cases.sqlite').absolute()}"

    @property
    def audit_seals(self) -> Path:
        """File of the audit log's seals."""
        return self.home / "audit-seals"

    @property
    def store_id(self) -> str:
        """Distinguishes two case stores on one Prefect server without revealing the database."""
        return hashlib.sha256(self.store_url.encode()).hexdigest()[:8]

    @property
    def ui_url(self) -> str:
        """The URL of Prefect's UI in links for people."""
        return self.prefect_ui_url or self.prefect_api_url.removesuffix("/api")

    @cached_property
    def own_addresses(self) -> frozenset[str]:
        """All our addresses, lower case. Mail from one of them is never a customer's."""
        of_boxes = (address.lower() for box in self.mailboxes for address in (box.address, *box.aliases))
        return frozenset([*of_boxes, self.smtp.copy_to.lower()]) - {""}

    def is_ours(self, address: str) -> bool:
        """Whether an address, lower case, is one of ours, or a folder of it (``layanan+Sent@…``)."""
        return self.ours.has(address)

    @cached_property
    def ours(self) -> Ours:
        """Our own addresses and those of contact forms, which distinguish a mail's author from who forwarded it."""
        return Ours(self.own_addresses, frozenset(self.forms))

    @cached_property
    def segment_desk_addresses(self) -> frozenset[str]:
        """Addresses of the segment desks, lower case. Mail from one of them is never a customer's."""
        return frozenset(parseaddr(desk)[1].lower() for desk in self.policy.segment_desks.values())

    def shown(self) -> dict[str, str]:
        """All values by their variables, without secrets, logins within URLs, and arguments of commands."""
        return dict(_values(self, PREFIX))

    @property
    def pool_name(self) -> str:
        """Name of Prefect's work pool; each type of worker has one."""
        return "layanan" if self.worker_type == "layanan" else f"layanan-{self.worker_type}"

    def zone_of(self, address: str) -> ZoneInfo:
        """The time zone of the mailbox with this address, else the general one."""
        box = self._mailbox(address)
        return ZoneInfo(box.timezone) if box and box.timezone else self.zone

    def office_of(self, address: str) -> OfficeHours:
        """Office hours of the site of the mailbox with this address."""
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
            SettingsError: there is none, so that its cases cannot be served.
        """
        box = self._mailbox(address)
        if box is None:
            raise SettingsError("LAYANAN_MAILBOXES: a mailbox with open cases is missing; add it again")
        return box

    def _mailbox(self, address: str) -> Mailbox | None:
        return next((box for box in self.mailboxes if box.address.lower() == address.lower()), None)

    def comes_forwarded(self, address: str) -> bool:
        """Whether a forwarder that breaks DMARC delivers into the mailbox with this address."""
        box = self._mailbox(address)
        return box is not None and box.forwarded

    def repair_time(self, tier: str) -> timedelta:
        """Time that a unit has for a repair. An unknown tier has the longest."""
        hours = self.policy.repair_hours
        return timedelta(hours=hours.get(tier, max(hours.values())))


def _values(group: BaseModel, prefix: str) -> Iterator[tuple[str, str]]:
    for name in type(group).model_fields:
        value, variable = getattr(group, name), f"{prefix}{name.upper()}"
        if isinstance(value, BaseModel):
            yield from _values(value, f"{variable}__")
        elif value and isinstance(value, list) and isinstance(value[0], BaseModel):
            for item in value:
                yield from _values(item, f"{variable}[{item.address}].")
        elif name == "home":  # the same folder from any working directory
            yield variable, str(value.absolute())
        elif name == "token_command":
            yield variable, " ".join(value[:1])
        elif not isinstance(value, SecretStr):
            yield variable, re.sub("//[^/]*@", "//", str(value))
