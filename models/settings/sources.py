"""Where settings are read from, strongest first. Held by `tests/models/test_settings.py`.

The environment (``LAYANAN_…``, nested with ``__``), ``.env``, a folder of secret files (``LAYANAN_SECRETS_DIR``), and
``layanan.toml`` (or the file that ``LAYANAN_SETTINGS`` names).
"""

import os
from pathlib import Path

from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from models.errors import SettingsError

PREFIX = "LAYANAN_"
DEFAULT_FILE = Path("layanan.toml")


class FromSources(BaseSettings):
    """Base of the settings: reads them from their sources."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=".env",
        extra="ignore",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The sources in their order, strongest first."""
        secrets: tuple[PydanticBaseSettingsSource, ...] = ()
        if folder := named_path("LAYANAN_SECRETS_DIR"):
            secrets = (
                NestedSecretsSettingsSource(file_secret_settings, secrets_dir=folder, secrets_nested_delimiter="__"),
            )
        toml = TomlConfigSettingsSource(settings_cls, settings_file())
        return (init_settings, env_settings, dotenv_settings, *secrets, toml)


def settings_file() -> Path:
    """The TOML file of settings; the default one may be missing.

    Raises:
        SettingsError: ``LAYANAN_SETTINGS`` names a file that does not exist.
    """
    return named_path("LAYANAN_SETTINGS") or DEFAULT_FILE


def named_path(variable: str) -> Path | None:
    """The file or folder that an environment variable names; None where it is not set.

    Raises:
        SettingsError: the file or folder does not exist.
    """
    name = os.environ.get(variable)
    if name and not Path(name).exists():
        raise SettingsError(f"{variable}: {name} does not exist")
    return Path(name) if name else None
