"""Letters through the simulator and Postfix; errors of small liars (SOP 11.1 EMS)."""

import json
import logging
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.ems import ImapSmtp, NotLetIn
from adapters.ems.protocol import UsOrRecipient
from adapters.mail.parser import parse
from models.errors import OutcomeUnknown, Refused, Unavailable
from models.mail import Automatic
from models.settings import Settings
from tests.adapters.ems.world import BUDI, OURS, World, call, letter, liar, logged, simulator
from tests.servers import AWAY, eventually, scripted


def test_a_letter_arrives_as_it_is_and_its_copy_is_found(world: World) -> None:
    with world.ems() as ems:
        ems.send(letter(1), OURS, [BUDI])
        assert eventually(lambda: ems.has_copy("<c1@telkom.example>", world.box))
        assert not ems.has_copy("<c2@telkom.example>", world.box)
        assert not ems.has_copy("<c1@telkom.exampl", world.box)
    (mail,) = eventually(lambda: world.mails(BUDI))
    assert mail.endswith(letter(1))
    assert mail.startswith(f"Return-Path: <{OURS}>".encode())
    assert len(world.mails(OURS, "Sent")) == 1


def test_a_copy_is_found_wherever_the_intake_has_put_it(world: World) -> None:
    with world.ems(copy_to=OURS) as ems:
        ems.send(letter(1), OURS, [BUDI])
        (copy,) = eventually(lambda: ems.fetch(world.box, 9))
        assert ems.has_copy("<c1@telkom.example>", world.box)
        ems.settle(world.box, copy.uidvalidity, [copy.uid], [])
        assert ems.has_copy("<c1@telkom.example>", world.box)


def test_a_refused_customer_gets_nothing_sent_to_anybody(world: World) -> None:
    nobody = "nobody@pelanggan.example"
    with world.ems() as ems:
        with pytest.raises(Refused, match=r"550 5\.1\.1 to RCPT") as refusal:
            ems.send(letter(1), OURS, [BUDI, nobody])
        assert "@" not in str(refusal.value)
        ems.send(letter(2), OURS, [BUDI])
        assert eventually(lambda: ems.has_copy("<c2@telkom.example>", world.box))
        assert not ems.has_copy("<c1@telkom.example>", world.box)
    assert len(eventually(lambda: world.mails(BUDI))) == 1


def test_a_refused_copy_for_somebody_else_does_not_stop_the_letter(world: World) -> None:
    with world.ems() as ems:
        ems.send(letter(1), OURS, [BUDI], copies=["nobody@pelanggan.example"])
        assert eventually(lambda: ems.has_copy("<c1@telkom.example>", world.box))
    assert len(eventually(lambda: world.mails(BUDI))) == 1


def test_a_refused_copy_does_not_stop_the_letter(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), world.ems(copy_to="nobody@telkom.example") as ems:
        ems.send(letter(1), OURS, [BUDI])
    assert len(eventually(lambda: world.mails(BUDI))) == 1
    assert "copy of a letter was refused (550)" in caplog.text
    assert "nobody@" not in caplog.text


def test_eight_bit_text_and_addresses_travel(world: World) -> None:
    raw = letter(1).replace(b"Salam", "Salam – tim".encode())
    with world.ems() as ems:
        ems.send(raw, OURS, [BUDI])
    assert eventually(lambda: world.mails(BUDI))[0].endswith(raw)


@pytest.mark.parametrize(
    "address", ["budi@pelanggan.example\r\nRCPT TO:<eve@pelanggan.example>", "bu di@pelanggan.example"]
)
def test_an_address_cannot_carry_a_command(world: World, address: str) -> None:
    with world.ems() as ems, pytest.raises(Refused):
        ems.send(letter(1), OURS, [address])
    assert world.mails(BUDI) == []


def test_a_wrong_smtp_password_is_no_letters_fault(genuine: World, logs: tuple[Path, Path]) -> None:
    no = "SASL PLAIN authentication failed"
    before = logged(logs[1], no)
    with genuine.ems(password=SecretStr("no")) as ems:
        for ask in (partial(ems.send, letter(1), OURS, [BUDI]), ems.reach_smtp):
            with pytest.raises(NotLetIn, match=r"smtp: 535 to the login: check .*LAYANAN_SMTP__PASSWORD"):
                ask()
    assert eventually(lambda: logged(logs[1], no) >= before + 2)
    assert logged(logs[1], no) == before + 2, "many wrong passwords lock an account"


def test_a_server_without_tls_or_login_is_no_letters_fault(simulated: World) -> None:
    for change, name in (({"tls": "starttls"}, "LAYANAN_SMTP__TLS"), ({"user": "u"}, "LAYANAN_SMTP__USER")):
        with simulated.ems(**change) as ems, pytest.raises(NotLetIn, match=f"SMTPNotSupportedError to .*{name}"):
            ems.send(letter(1), OURS, [BUDI])


def test_an_unknown_certificate_is_refused(genuine: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with genuine.ems() as ems:
        with pytest.raises(Refused, match="imap: SSLCertVerificationError"):
            ems.fetch(genuine.box, 1)
        with pytest.raises(NotLetIn, match=r"SSLCertVerificationError.*LAYANAN_SMTP__TLS.*server's certificate"):
            ems.send(letter(1), OURS, [BUDI])


def test_a_login_that_is_offered_after_tls_alone_names_that_setting(genuine: World) -> None:
    with genuine.ems(tls="none") as ems, pytest.raises(NotLetIn, match=r"NotSupported.* check LAYANAN_SMTP__TLS"):
        ems.send(letter(1), OURS, [BUDI])


def test_real_bounces_and_vacation_notes_are_known_for_what_they_are(genuine: World) -> None:
    with genuine.ems() as ems:
        ems.send(letter(1, "gone@elsewhere.example"), OURS, ["gone@elsewhere.example"])
        ems.send(letter(2, AWAY), OURS, [AWAY])
        mails = eventually(lambda: len(found := ems.fetch(genuine.box, 9)) == 2 and found)
    found = {mail.automatic: mail for mail in (parse(received.raw) for received in mails or [])}
    bounce, note = found[Automatic.BOUNCE], found[Automatic.AUTO_REPLY]
    (lost,) = bounce.bounce
    assert (lost.address, lost.action, lost.hard) == ("gone@elsewhere.example", "failed", True)
    assert bounce.reported_message_id == "<c1@telkom.example>"
    assert note.in_reply_to == ("<c2@telkom.example>",)


def letters_of(folder: Path, message_id: str) -> int:
    index = folder / "mail" / "index.jsonl"
    lines = index.read_text().splitlines() if index.exists() else []
    return sum(json.loads(line)["message_id"] == message_id for line in lines)


def test_a_later_please_is_tried_again_for_seconds(simulated: World, tmp_path: Path) -> None:
    with simulated.ems() as ems:
        ems.send(letter(1), OURS, ["once4xx@pelanggan.example"])
        for fault, at in (("4xx", "RCPT"), ("data4xx", "the letter")):
            with pytest.raises(Unavailable, match=rf"451 4\.\d\.\d to {at}"):
                ems.send(letter(2), OURS, [f"{fault}@pelanggan.example"])
    assert letters_of(tmp_path, "<c1@telkom.example>") == 1
    assert letters_of(tmp_path, "<c2@telkom.example>") == 0


def test_a_lost_answer_is_unknown_and_not_repeated(simulated: World, tmp_path: Path) -> None:
    with simulated.ems() as ems:
        with pytest.raises(OutcomeUnknown):
            ems.send(letter(1), OURS, ["drop@pelanggan.example"])
        assert ems.has_copy("<c1@telkom.example>", simulated.box)
    assert letters_of(tmp_path, "<c1@telkom.example>") == 1


def test_connections_outlive_a_restart_of_the_servers(tmp_path: Path) -> None:
    with simulator(tmp_path) as server:
        settings = Settings(**server.settings())
        ems = ImapSmtp(settings)
        ems.send(letter(1), OURS, [BUDI])
        assert ems.has_copy("<c1@telkom.example>", settings.mailboxes[0])
    with simulator(tmp_path) as server, closing(ems):
        assert Settings(**server.settings()).smtp.port == settings.smtp.port
        ems.send(letter(2), OURS, [BUDI])
        assert ems.has_copy("<c2@telkom.example>", settings.mailboxes[0])
    assert [file.name for file in sorted((tmp_path / "mail").glob("*.eml"))] == ["00001.eml", "00002.eml"]


SMTP_ANSWERS = {
    b"mail FROM": b"250 ok\r\n",
    b"rcpt TO": b"250 ok\r\n",
    b"DATA": b"354 go\r\n",
}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({b"DATA": None}, Unavailable),
        ({b"Salam": None}, OutcomeUnknown),
        ({b"Salam": b"gibberish\r\n"}, OutcomeUnknown),
        ({b"Salam": b"421 4.3.2 shutting down\r\n"}, Unavailable),
        ({b"Salam": b"554 5.6.0 no\r\n"}, Refused),
        ({b"rcpt TO": b"421 4.7.0 later\r\n"}, Unavailable),
        ({b"rcpt TO": b"550 5.1.1 unknown\r\n"}, Refused),
        ({b"DATA": b"554 5.5.1 no\r\n"}, UsOrRecipient),
        ({b"mail FROM": b"552 5.3.4 too large\r\n"}, Refused),
        ({b"mail FROM": b"554 5.3.4 too large\r\n"}, Refused),
        ({b"rcpt TO": b"gibberish\r\n"}, Unavailable),
        ({b"rcpt TO": b"530 5.7.0 log in first\r\n"}, NotLetIn),
        ({b"mail FROM": b"553 5.7.1 not your address\r\n"}, NotLetIn),
        ({b"mail FROM": b"451 4.3.0 later\r\n"}, Unavailable),
        ({b"ehlo": b"550 no\r\n", b"helo": b"550 no\r\n"}, NotLetIn),
        ({b"ehlo": b"421 no\r\n", b"helo": b"421 no\r\n"}, Unavailable),
    ],
)
def test_what_an_smtp_session_that_breaks_means(change: dict[bytes, bytes | None], error: type[Exception]) -> None:
    answers = SMTP_ANSWERS | {b"ehlo": b"250 mx\r\n"} | change
    with scripted(b"220 mx\r\n", answers) as port, pytest.raises(error) as raised:
        call("send")(*liar(port))
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("change", "error"), [({b"DATA": b""}, Unavailable), ({}, OutcomeUnknown)], ids=["before the text", "after it"]
)
def test_what_a_silence_means(change: dict[bytes, bytes], error: type[Exception]) -> None:
    answers = SMTP_ANSWERS | {b"ehlo": b"250 mx\r\n"} | change
    # all that is answered is answered well within a second
    with scripted(b"220 mx\r\n", answers) as port, pytest.raises(error) as raised:
        call("send")(*liar(port, seconds=1))
    assert type(raised.value) is error


def test_an_address_that_the_server_cannot_take_is_that_letters_matter() -> None:
    """Else it would keep all letters behind it waiting."""
    answers = {b"SMTPUTF8": b"555 5.5.4 unsupported\r\n"} | SMTP_ANSWERS | {b"ehlo": b"250 mx\r\n"}
    with scripted(b"220 mx\r\n", answers) as port, pytest.raises(Refused):
        liar(port)[0].send(letter(1), OURS, ["jos\u00e9@pelanggan.example"])


@pytest.mark.parametrize(("greeting", "error"), [(b"554 no\r\n", NotLetIn), (b"421 later\r\n", Unavailable)])
def test_a_greeting_that_says_no_is_no_letters_fault(greeting: bytes, error: type[Exception]) -> None:
    with scripted(greeting, {}) as port, pytest.raises(error, match=r"LAYANAN_SMTP__HOST") as raised:
        call("send")(*liar(port))
    assert type(raised.value) is error
