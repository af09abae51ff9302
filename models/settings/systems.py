"""Settings of the back-office systems. Held by `tests/models/test_settings.py`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from models.settings.base import SettingsGroup, TokenSource, ZoneName

HttpName = Literal["mycx", "nossa", "siska", "epayment", "tenoss", "telkom_center", "embassy"]
"""Back-office systems behind HTTP, by the names of their settings."""
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
"""The TM Forum APIs that we call, as in their base paths."""


class HttpSystem(TokenSource):
    """A back-office system behind a TM Forum Open API."""

    url: str = Field(
        default="http://127.0.0.1:8900",
        pattern=r"^https?://[^\s/]+(/\S*)?$",
        description="Root URL of the server, without `/tmf-api/…`",
        examples=["https://system.telkom.example"],
    )
    base_paths: dict[Api, Annotated[str, Field(pattern=r"^/[^\s?#]*$")]] = Field(
        default={},
        description="Base path of an API below the root URL, where it is not `/tmf-api/<api>/v4`",
        examples=['{"troubleTicket": "/troubleTicketManagement/v4"}'],
    )
    token: SecretStr = Field(
        default=SecretStr(""),
        description="Bearer token that does not expire. Empty: none. A token of `token_file` or `token_command` is "
        "read at the first call, and again when the system answers 401",
    )
    api_key: SecretStr = Field(default=SecretStr(""), description="API key. Empty: none")
    api_key_header: str = Field(
        default="X-API-Key", pattern=r"^[A-Za-z0-9_-]+$", description="Name of the HTTP header for the API key"
    )
    user: str = Field(default="", description="User name for HTTP basic authentication. Empty: none")
    password: SecretStr = Field(default=SecretStr(""), description="Password for HTTP basic authentication")
    timezone: ZoneName = Field(
        default="",
        description="Time zone of times that the system sends without one. Empty: `LAYANAN_TIMEZONE`",
        examples=["Asia/Makassar"],
    )
    timeout: float = Field(default=10, gt=0, description="Timeout in seconds of one call")


class Mrtg(SettingsGroup):
    """MRTG's configuration and logs."""

    cfg: Path = Field(default=Path("/etc/mrtg.cfg"), description="MRTG's configuration file")


class SecureCrt(SettingsGroup):
    """Device sessions: SecureCRT's session files, and our account on the devices."""

    sessions: Path = Field(default=Path("Sessions"), description="Folder of SecureCRT's session files (`.ini`)")
    known_hosts: Path = Field(
        default=Path("known_hosts"), description="File of the devices' host keys, each compared by a person"
    )
    user: str = Field(default="", description="Read-only account for sessions whose file has no user name")
    password: SecretStr = Field(default=SecretStr(""), description="Password of the account")
    device_type: str = Field(default="huawei_vrp", description="netmiko's name for the type of the devices")
    timeout: float = Field(default=15, gt=0, description="Timeout in seconds of the diagnosis of one device")
