"""What the groups of settings share. Held by `tests/models/test_settings.py`."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _zone_exists(name: str) -> str:
    try:
        ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not a time zone; an example: Asia/Jakarta") from error
    return name


ZoneName = Annotated[str, AfterValidator(_zone_exists)]


class SettingsGroup(BaseModel):
    """Base of a group of settings. It refuses unknown names, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid")


class TokenSource(SettingsGroup):
    """Where an access token comes from that an external process refreshes."""

    token_file: Path | None = Field(
        default=None,
        description="File that holds the current access token. An external process refreshes it",
        examples=["/run/token"],
    )
    token_command: tuple[str, ...] = Field(
        default=(),
        description="Command, with its arguments, that prints the current access token. It runs at each login, unless "
        "`token_file` is set",
        examples=['["/usr/local/bin/token", "layanan"]'],
    )

    @property
    def used(self) -> bool:
        """Whether a file or a command is set."""
        return self.token_file is not None or bool(self.token_command)
