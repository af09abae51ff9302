"""Logging in with a token: Dovecot and Postfix check it, and it is fresh for each login."""

import logging
import sys
from pathlib import Path

import pytest

from adapters.ems import NotLetIn
from adapters.ems.login import NoToken, bearer
from models.errors import Refused
from models.settings import Xoauth2
from tests.adapters.ems.world import BUDI, OURS, World, letter
from tests.servers import Dovecot, Postfix, eventually


def by(world: World, token: Xoauth2) -> World:
    """The same mail servers, entered with a token."""
    box = world.box.model_copy(update={"password": type(world.box.password)(""), "xoauth2": token})
    smtp = world.settings.smtp.model_copy(update={"password": box.password, "xoauth2": token})
    return World(world.settings.model_copy(update={"mailboxes": [box], "smtp": smtp}), world.relay)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "token"


def test_a_token_opens_both_ways_and_is_read_anew_for_each_login(
    genuine: World, real: tuple[Dovecot, Postfix], file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    inside, world = real[0], by(genuine, Xoauth2(token_file=file))
    file.write_text(inside.token(OURS, seconds=-5))
    with caplog.at_level(logging.DEBUG), world.ems() as ems:
        with pytest.raises(Refused, match=r"imap: MailboxLoginError.*xoauth2") as no:
            ems.fetch(world.box, 1)
        with pytest.raises(NotLetIn, match=r"smtp: 535 to the login: check .*LAYANAN_SMTP__XOAUTH2") as none:
            ems.send(letter(1), OURS, [BUDI])
        file.write_text(inside.token(OURS) + "\n")
        ems.send(letter(1), OURS, [BUDI])
        assert eventually(lambda: ems.has_copy("<c1@telkom.example>", world.box))
    for said in (str(no.value), str(none.value), caplog.text):
        assert "eyJ" not in said, "tokens are secrets"


def test_a_token_of_somebody_else_opens_nothing(genuine: World, real: tuple[Dovecot, Postfix], file: Path) -> None:
    file.write_text(real[0].token(BUDI))
    world = by(genuine, Xoauth2(token_file=file))
    with world.ems() as ems, pytest.raises(Refused, match="imap: MailboxLoginError"):
        ems.fetch(world.box, 1)


def test_a_command_gives_the_token(genuine: World, real: tuple[Dovecot, Postfix]) -> None:
    command = (sys.executable, "-c", f"print({real[0].token(OURS)!r})")
    world = by(genuine, Xoauth2(token_command=command))
    with world.ems() as ems:
        assert ems.fetch(world.box, 1) == []
        ems.reach_smtp()


HANGS = "import time; time.sleep(600)"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import sys; print('geheim', file=sys.stderr); sys.exit(3)", "its command ended with 3"),
        ("print()", "no token"),
        ("print('two\\nlines')", "no token"),
        ("print(9_999 * 'junk')", "no token"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", "UnicodeDecodeError"),
        (HANGS, "TimeoutExpired"),
    ],
)
def test_a_command_that_gives_none_is_named_without_its_words(
    code: str, says: str, genuine: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if code == HANGS:
        monkeypatch.setattr("adapters.token.TOKEN_SECONDS", 0.5)
    world = by(genuine, Xoauth2(token_command=(sys.executable, "-c", code)))
    with world.ems() as ems:
        with pytest.raises(Refused, match=f"imap: NoToken: {says}.*: check xoauth2") as no:
            ems.fetch(world.box, 1)
        with pytest.raises(NotLetIn, match=rf"smtp: NoToken \({says}.*LAYANAN_SMTP__XOAUTH2"):
            ems.reach_smtp()
    assert "geheim" not in str(no.value)


@pytest.mark.parametrize("of", [Xoauth2(token_file=Path("/nowhere/token")), Xoauth2(token_command=("/nowhere/token",))])
def test_a_file_or_command_that_is_missing_is_named(of: Xoauth2) -> None:
    with pytest.raises(NoToken, match="No such file"):
        bearer(OURS, of)
