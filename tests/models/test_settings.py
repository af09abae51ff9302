"""Where settings come from, which source is stronger, and what a wrong one says."""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest

from models.errors import SettingsError
from models.settings import Settings, load_settings

BOX = '{ address = "layanan@telkom.example", user = "layanan", password = "rahasia-imap" }'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and none of the developer's own settings."""
    for name in [name for name in os.environ if name.startswith("LAYANAN_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def secret_files(folder: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> None:
    (folder / "secrets").mkdir()
    for name, text in files.items():
        (folder / "secrets" / name).write_text(text)
    monkeypatch.setenv("LAYANAN_SECRETS_DIR", str(folder / "secrets"))


def test_nothing_is_needed_to_begin() -> None:
    settings = load_settings()
    assert settings.clock == "system"
    assert settings.store_url == f"sqlite:///{Path.cwd() / '.layanan' / 'cases.sqlite'}"
    assert settings.ui_url == "http://127.0.0.1:4200"


def test_each_source_is_stronger_than_the_next(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "layanan.toml").write_text('sender_name = "toml"\n')
    assert load_settings().sender_name == "toml"
    secret_files(folder, monkeypatch, LAYANAN_SENDER_NAME="secret")
    assert load_settings().sender_name == "secret"
    (folder / ".env").write_text("LAYANAN_SENDER_NAME=dotenv\n")
    assert load_settings().sender_name == "dotenv"
    monkeypatch.setenv("LAYANAN_SENDER_NAME", "environment")
    assert load_settings().sender_name == "environment"
    assert load_settings(sender_name="given").sender_name == "given"


def test_parts_of_one_setting_come_from_different_places(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "layanan.toml").write_text('[mycx]\nurl = "https://mycx.telkom.example"\n[smtp]\nhost = "mx"\n')
    secret_files(folder, monkeypatch, LAYANAN_MYCX__TOKEN="rahasia", LAYANAN_SMTP__PASSWORD="kunci\n")
    monkeypatch.setenv("LAYANAN_SMTP__PORT", "25")
    settings = load_settings()
    assert (settings.mycx.url, settings.mycx.token.get_secret_value()) == ("https://mycx.telkom.example", "rahasia")
    assert (settings.smtp.host, settings.smtp.port) == ("mx", 25)
    assert settings.smtp.password.get_secret_value() == "kunci"


def test_the_file_may_lie_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "elsewhere.toml").write_text(f"mailboxes = [{BOX}]\n")
    monkeypatch.setenv("LAYANAN_SETTINGS", str(folder / "elsewhere.toml"))
    assert load_settings().mailboxes[0].port == 993


def test_no_secret_is_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "layanan.toml").write_text(f"mailboxes = [{BOX}]\n")
    for name in ("SMTP__PASSWORD", "MYCX__TOKEN", "SISKA__PASSWORD", "SECURECRT__PASSWORD"):
        monkeypatch.setenv(f"LAYANAN_{name}", "rahasia-lain")
    monkeypatch.setenv("LAYANAN_DATABASE_URL", "postgresql+psycopg://u:rahasia@db/one")
    settings = load_settings()
    assert settings.store_url == "postgresql+psycopg://u:rahasia@db/one"
    assert "rahasia" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert settings.mailboxes[0].password.get_secret_value() == "rahasia-imap"


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ('clock = "broken"', r"LAYANAN_CLOCK: .*'system' or 'simulated'"),
        ("worker_threads = 0", r"LAYANAN_WORKER_THREADS: .*greater than or equal to 1.* \(for example 16\)"),
        ('prefect_api_url = "localhost:4200"', r"LAYANAN_PREFECT_API_URL: .*http://127\.0\.0\.1:4200/api"),
        ('timezone = "Mars/Olympus"', r"LAYANAN_TIMEZONE: .*Mars/Olympus.*Asia/Jakarta"),
        ("smtp = { port = 99999 }", r"LAYANAN_SMTP__PORT: .* \(for example 587\)"),
        (
            'mycx = { adress = "x" }',
            r"LAYANAN_MYCX__ADRESS: there is no such setting; there are .*URL, .*TOKEN, .*API_KEY",
        ),
        ('smtp = { passwrd = "x" }', r"LAYANAN_SMTP__PASSWRD: there is no such setting; did you mean PASSWORD\?"),
        ("policy = { update_hours = 0 }", r"LAYANAN_POLICY__UPDATE_HOURS: .* \(for example 6\)"),
        ("policy = { units = [] }", r"LAYANAN_POLICY__UNITS: .*at least 1 item"),
        ("policy = { repair_hours = {} }", r"LAYANAN_POLICY__REPAIR_HOURS: .*at least 1 item"),
        (
            'mailboxes = [{ user = "u", password = "p" }]',
            r"LAYANAN_MAILBOXES__0__ADDRESS: Field required \(for example layanan@telkom\.example\)",
        ),
        (
            'mailboxes = [{ address = "a", user = "u", password = "p", done_folder = "inbox" }]',
            r"LAYANAN_MAILBOXES__0__DONE_FOLDER: .*folder that intake reads",
        ),
        (
            'mailboxes = [{ address = "a", user = "u", password = "p", aside_folder = "INBOX" }]',
            r"LAYANAN_MAILBOXES__0__ASIDE_FOLDER: .*folder that intake reads",
        ),
        (
            'mailboxes = [{ address = "a", user = "u", password = "p", done_folder = "Done*" }]',
            r"LAYANAN_MAILBOXES__0__DONE_FOLDER: .*name of one folder",
        ),
        (
            f"mailboxes = [{BOX}, {BOX.replace('layanan@', 'Layanan@')}]",
            r"LAYANAN_MAILBOXES: .*two mailboxes have the same address",
        ),
        ('mailboxes = [{ address = "a", user = "u" }]', r"LAYANAN_MAILBOXES__0__XOAUTH2: .*a password or a token"),
    ],
)
def test_a_wrong_setting_is_named_with_an_example(folder: Path, toml: str, says: str) -> None:
    (folder / "layanan.toml").write_text(toml)
    with pytest.raises(SettingsError, match=says):
        load_settings()


def test_every_problem_is_told_at_once_and_no_value(folder: Path) -> None:
    (folder / "layanan.toml").write_text('log_level = "LOUD"\nmailboxes = [{ address = "a", password = 1234567 }]\n')
    with pytest.raises(SettingsError) as error:
        load_settings()
    named = re.findall(r"(?:^|; )(LAYANAN_\w+)", str(error.value))
    assert named == ["LAYANAN_LOG_LEVEL", "LAYANAN_MAILBOXES__0__USER", "LAYANAN_MAILBOXES__0__PASSWORD"]
    assert "1234567" not in str(error.value)


def test_an_unknown_name_is_like_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYANAN_UNKNOWN", "x")
    with pytest.raises(SettingsError, match=r"^LAYANAN_UNKNOWN: there is no such setting \(docs"):
        load_settings()


@pytest.mark.parametrize("where", ["environment", "toml", ".env"])
def test_a_misspelt_name_is_noticed(where: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if where == "environment":
        monkeypatch.setenv("LAYANAN_DATABSE_URL", "x")
    elif where == "toml":
        (folder / "layanan.toml").write_text('databse_url = "x"')
    else:
        (folder / ".env").write_text("LAYANAN_DATABSE_URL=x\nOTHERS=y\n")
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert str(error.value) == "LAYANAN_DATABSE_URL: there is no such setting; did you mean LAYANAN_DATABASE_URL?"


@pytest.mark.parametrize("file", ["= nonsense", "mailboxes = ["])
def test_a_broken_file_is_named(folder: Path, file: str) -> None:
    (folder / "layanan.toml").write_text(file)
    with pytest.raises(SettingsError, match=r"layanan\.toml"):
        load_settings()


@pytest.mark.parametrize("value", ["[{", "layanan@telkom.example"])
def test_a_broken_list_in_the_environment_is_named(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYANAN_MAILBOXES", value)
    with pytest.raises(SettingsError, match="LAYANAN_MAILBOXES"):
        load_settings()


def test_a_missing_settings_file_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYANAN_SETTINGS", str(folder / "typo.toml"))
    with pytest.raises(SettingsError, match=r"typo\.toml"):
        load_settings()


def test_a_missing_folder_of_secrets_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYANAN_SECRETS_DIR", str(folder / "typo"))
    with pytest.raises(SettingsError, match="LAYANAN_SECRETS_DIR"):
        load_settings()


def test_repair_times_by_tier() -> None:
    settings = Settings()
    assert settings.repair_time("HVC_DIAMOND") == timedelta(hours=3)
    assert settings.repair_time("") == timedelta(hours=24)


def test_mailboxes_are_known_in_any_case_of_letters(folder: Path) -> None:
    (folder / "layanan.toml").write_text(f"mailboxes = [{BOX.replace('layanan@', 'Layanan@')}]\n")
    settings = load_settings()
    assert settings.mailbox("LAYANAN@telkom.example").user == "layanan"
    assert settings.own_addresses == {"layanan@telkom.example"}
    with pytest.raises(SettingsError):
        settings.mailbox("lain@telkom.example")


def test_two_stores_are_told_apart_without_naming_them() -> None:
    one = Settings(database_url="postgresql+psycopg://u:rahasia@db/one")
    assert one.store_id != Settings().store_id
    assert "rahasia" not in one.store_id
