"""Settings of the EMS: mailboxes, and the SMTP relay for letters. Held by `tests/models/test_settings.py`."""

from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, Field, SecretStr, ValidationInfo, field_validator

from models.settings.base import SettingsGroup, TokenSource, ZoneName
from models.sop import Site


class Xoauth2(TokenSource):
    """Login with an access token instead of a password (XOAUTH2). The token is read again at each login."""


class Mailbox(SettingsGroup):
    """One mailbox of the EMS, read over IMAP. A case belongs to the site of the mailbox that its first mail reached."""

    site: Site = Field(default="JKT", description="Site that handles this mailbox's cases")
    address: str = Field(description="Address of the mailbox", examples=["layanan@telkom.example"])
    aliases: tuple[str, ...] = Field(
        default=(),
        description="Other addresses that deliver into this mailbox, including those of mailing groups. A mail that a "
        "group forwards belongs to its author. Mail from one of these addresses is never a customer's",
        examples=['["cs@telkom.example"]'],
    )
    timezone: ZoneName = Field(
        default="",
        description="Time zone of this site's customers and staff. Empty: `LAYANAN_TIMEZONE`",
        examples=["Asia/Makassar"],
    )
    host: str = Field(default="127.0.0.1", description="Host name of the IMAP server", examples=["imap.telkom.example"])
    port: int = Field(default=993, ge=1, le=65535, description="Port of the IMAP server")
    tls: bool = Field(default=True, description="Whether the connection starts with TLS (IMAPS)")
    user: str = Field(description="Login name", examples=["layanan"])
    password: SecretStr = Field(
        default=SecretStr(""),
        description="Login password. Required unless `xoauth2` is set",
        examples=["in a file of LAYANAN_SECRETS_DIR, or in the environment"],
    )
    xoauth2: Xoauth2 = Field(default=Xoauth2(), validate_default=True, description="Login with an access token")
    idle: bool = Field(
        default=True,
        description="Whether a worker of type `layanan` listens for new mail (IMAP IDLE), so that intake starts within "
        "seconds. Scheduled polls go on either way",
    )
    after: Literal["move", "flag"] = Field(
        default="move",
        description="What happens to a mail after its outcome is committed: `move` puts it into `done_folder`, `flag` "
        "leaves it where it is and sets the keyword `LayananDone`",
    )
    folder: str = Field(default="INBOX", description="Folder that intake reads")
    since: AwareDatetime | None = Field(
        default=None,
        description="Intake ignores mail that arrived at the mail server before this time. Empty: three days before "
        "the service first opened this mailbox; older mail has been answered by hand, or nobody waits for an answer",
        examples=["2026-11-27T00:00:00+07:00"],
    )
    done_folder: str = Field(
        default="Processed", description="Folder for mail whose outcome is committed, with `after` = `move`"
    )
    forwarded: bool = Field(
        default=False,
        description="Whether a forwarder that breaks its senders' DMARC delivers into this mailbox. If true, a mail "
        "that fails DMARC still joins the case whose letter it answers or whose signed reference it contains. By "
        "default such a mail waits for an agent, because its sender may be forged",
    )
    aside_folder: str = Field(default="Set aside", description="Folder for mail that cannot be parsed")
    sent_folder: str = Field(default="Sent", description="Folder that receives the copies of our letters")

    @field_validator("folder", "done_folder", "aside_folder", "sent_folder")
    @classmethod
    def _one_folder(cls, folder: str) -> str:
        if not folder or set(folder) & {"*", "%"}:
            raise ValueError("give the name of one folder; * and % are wildcards (RFC 3501, 6.3.8)")
        return folder

    @field_validator("done_folder", "aside_folder")
    @classmethod
    def _another_folder(cls, folder: str, known: ValidationInfo) -> str:
        read = known.data.get("folder", "")
        if folder == read or folder.upper() == read.upper() == "INBOX":
            raise ValueError("this is the folder that intake reads: the mail would be read again and again")
        return folder

    @field_validator("xoauth2")
    @classmethod
    def _some_secret(cls, token: Xoauth2, known: ValidationInfo) -> Xoauth2:
        if not token.used and known.data.get("password") == SecretStr(""):
            raise ValueError("a password or a token is required")
        return token


class Dkim(SettingsGroup):
    """DKIM signatures of our letters (RFC 6376), for a relay that does not sign them."""

    selector: str = Field(default="", description="Selector of the key. Empty: the service does not sign letters")
    domain: str = Field(default="", description="Signing domain. Empty: the domain of the letter's sender")
    key_file: Path = Field(default=Path("dkim.pem"), description="File with the private key, PEM: RSA or Ed25519")


class Smtp(SettingsGroup):
    """The SMTP relay that takes our letters."""

    host: str = Field(default="127.0.0.1", description="Host name of the SMTP relay")
    port: int = Field(default=587, ge=1, le=65535, description="Port of the SMTP relay")
    tls: Literal["none", "starttls", "tls"] = Field(default="starttls", description="Encryption of the connection")
    user: str = Field(default="", description="Login name. Empty: no login")
    password: SecretStr = Field(default=SecretStr(""), description="Login password")
    xoauth2: Xoauth2 = Field(default=Xoauth2(), description="Login with an access token")
    timeout: float = Field(default=30, gt=0, description="Timeout in seconds of one step of an SMTP session")
    probe_seconds: float = Field(
        default=600,
        gt=0,
        description="Longest pause in seconds between two probes. While the relay refuses us or cannot be reached, the "
        "service probes it with one letter at a time; the pauses grow from 30 s to this. Ten minutes is short enough "
        "that letters go on soon after a repair, and long enough that failed logins do not lock the account",
    )
    dkim: Dkim = Field(default=Dkim(), description="DKIM signatures of our letters")
    in_doubt: Literal["send_again", "ask"] = Field(
        default="send_again",
        description="What happens to an unconfirmed letter whose copy has not arrived: `send_again` sends it once more "
        "with the same Message-ID, `ask` leaves it to a person",
    )
    copies: Literal["address", "append", "none"] = Field(
        default="address",
        description="How the mailbox gets a copy of each letter: `address` adds `copy_to` as a recipient, so that the "
        "copy proves that the relay accepted the letter; `append` stores the letter in `sent_folder` after the relay "
        "accepted it, for servers without such an address; `none` keeps no copy",
    )
    copy_to: str = Field(
        default="",
        description="Our address that gets a copy of every letter in the same SMTP transaction: after a crash, the "
        "copy proves that the relay accepted the letter. Empty: the mailbox's own address with `+Sent`",
        examples=["layanan+Sent@telkom.example"],
    )

    @property
    def account(self) -> str:
        """Our account at the relay. Different accounts may get different answers."""
        return f"{self.user}@{self.host}:{self.port}"
