"""Settings of the desk, the pages on which people decide. Held by `tests/models/test_settings.py`."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from models.settings.base import SettingsGroup


class Desk(SettingsGroup):
    """The desk: where it listens, and how people sign in. Its times are of the machine's clock."""

    port: int = Field(
        default=4280,
        ge=1,
        le=65535,
        description="Port of the desk, on loopback. A TLS proxy stands before it",
    )
    public_url: str = Field(
        default="",
        description="URL at which people open the desk, without a path. The desk answers no other host name. Empty: "
        "loopback alone",
        examples=["https://layanan.telkom.example"],
    )
    code: Literal["leaders", "all", "nobody"] = Field(
        default="leaders",
        description="Who signs in with a one-time code beside the password: `leaders` are team leaders, supervisors "
        "and administrators, and whoever has set a code up. A trusted proxy asks for its own",
    )
    decide_in_prefect: Literal["code", "no", "anyone"] = Field(
        default="code",
        description="Who may answer a form in the Prefect UI, once there is a staff list: `code` asks for a name on "
        "it, that person's one-time code, and their right to decide; `no` refers everybody to the desk; `anyone` takes "
        "every name as it is typed, and checks nothing",
    )
    session_hours: float = Field(
        default=12, gt=0, description="Hours after which a session ends. Default: a long shift"
    )
    idle_minutes: float = Field(
        default=60, gt=0, description="Minutes without a request after which a session ends. Default: a meal"
    )
    proxy_header: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9-]*$",
        description="Header in which a trusted proxy on this machine names the e-mail of who has signed in there. The "
        "proxy must remove the header from what people send; every program on this machine can send it. Empty: none",
        examples=["X-Forwarded-Email"],
    )
    claim_minutes: float = Field(
        default=10,
        gt=0,
        description="Minutes for which colleagues see that a person has opened a wait to decide it",
    )

    @field_validator("public_url")
    @classmethod
    def _a_root(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/")):
            raise ValueError("not the URL of a host without a path")
        return url.rstrip("/")

    @property
    def url(self) -> str:
        """Where people open it."""
        return self.public_url or f"http://127.0.0.1:{self.port}"
