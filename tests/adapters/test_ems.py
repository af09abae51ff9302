"""The EMS against the simulator's mail servers and against Dovecot and Postfix; its errors against small liars."""

import asyncio
import imaplib
import json
import logging
import smtplib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.clock import SystemClock
from adapters.ems import KEPT, ImapSmtp, NotLetIn, Received
from adapters.mail.parser import parse
from adapters.simulator.mail import MailServer
from adapters.simulator.seed import Seed, SeededCustomer, SeededMailbox
from models.errors import OutcomeUnknown, Refused, Unavailable
from models.mail import Automatic
from models.settings import Mailbox, Settings, Smtp
from tests.servers import AWAY, PASSWORD, Dovecot, Postfix, closed_port, dovecot, eventually, postfix, scripted

OURS = "layanan@telkom.example"
BUDI = "budi@pelanggan.example"
SEED = Seed(
    mailboxes=[SeededMailbox(address=OURS, password=PASSWORD, site="JKT")],
    customers=[SeededCustomer(customer_id="C1", name="Budi", addresses=[BUDI], service_no="122123456789")],
)


def letter(number: int, to: str = BUDI) -> bytes:
    """A letter whose text tries the wire: dots at line starts."""
    head = f"From: {OURS}\nTo: {to}\nDate: Tue, 3 Mar 2026 10:12:00 +0700\nSubject: Surat {number}\n"
    text = f"{head}Message-ID: <c{number}@telkom.example>\n\nYth. Bapak Budi,\n.satu\n..dua\n.\nSalam\n"
    return text.replace("\n", "\r\n").encode()


@contextmanager
def simulator(folder: Path) -> Iterator[MailServer]:
    """The simulator's mail servers in an event loop of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = MailServer(SEED, folder, SystemClock())
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@dataclass
class World:
    """Mail servers, the settings that lead there, and where anybody may hand mail in."""

    settings: Settings
    relay: int

    @property
    def box(self) -> Mailbox:
        return self.settings.mailboxes[0]

    def ems(self, **smtp: object) -> "closing[ImapSmtp]":
        settings = self.settings.model_copy(update={"smtp": self.settings.smtp.model_copy(update=smtp)})
        return closing(ImapSmtp(settings))

    def write(self, *mails: bytes) -> None:
        """Deliver mails to our mailbox, one after the other."""
        for mail in mails:
            before = len(self.mails(OURS))
            with smtplib.SMTP("127.0.0.1", self.relay) as smtp:
                smtp.sendmail(BUDI, [OURS], mail)
            assert self.arrived(before + 1)

    def arrived(self, count: int) -> bool:
        return eventually(lambda: len(self.mails(OURS)) == count)

    @contextmanager
    def imap(self, address: str = OURS, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        box = self.box
        client = imaplib.IMAP4_SSL(box.host, box.port) if box.tls else imaplib.IMAP4(box.host, box.port)
        with client:
            client.login(address, PASSWORD)
            client.select(f'"{folder}"')
            yield client

    def mails(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """What lies in a folder; nothing where there is no such folder."""
        with self.imap(address, folder) as imap:
            if imap.state != "SELECTED":
                return []
            found = imap.search(None, "ALL")[1][0].decode().split()
            data = imap.fetch(",".join(found), "(BODY.PEEK[])")[1] if found else []
        return [item[1] for item in data if isinstance(item, tuple)]


@pytest.fixture(scope="module")
def real() -> Iterator[tuple[Dovecot, Postfix]]:
    with dovecot() as inside, postfix(inside, "telkom.example", "pelanggan.example") as outside:
        yield inside, outside


@pytest.fixture
def genuine(real: tuple[Dovecot, Postfix], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Dovecot over IMAPS and Postfix over STARTTLS with a login."""
    inside, outside = real
    monkeypatch.setenv("SSL_CERT_FILE", str(inside.certificate))
    box = Mailbox(address=OURS, host="127.0.0.1", port=inside.imaps, user=OURS, password=PASSWORD)
    smtp = Smtp(host="127.0.0.1", port=outside.submission, tls="starttls", user=OURS, password=PASSWORD)
    yield World(Settings(mailboxes=[box], smtp=smtp), outside.smtp)
    inside.empty()


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[World]:
    with simulator(tmp_path) as server:
        yield World(Settings(**server.settings()), server.settings()["smtp"]["port"])


@pytest.fixture(params=["simulated", "genuine"])
def world(request: pytest.FixtureRequest) -> World:
    world: World = request.getfixturevalue(request.param)
    return world


def ids(mails: list[Received]) -> list[str]:
    return [parse(mail.raw).message_id for mail in mails]


def test_fetch_gives_the_oldest_first_and_leaves_no_mark(world: World) -> None:
    world.write(letter(1), letter(2), letter(3))
    with world.ems() as ems:
        first = ems.fetch(world.box, 2)
        assert ids(first) == ["<c1@telkom.example>", "<c2@telkom.example>"]
        assert first[0].raw.endswith(letter(1))
        assert (first[0].mailbox, first[0].site) == (OURS, "JKT")
        assert ems.fetch(world.box, 2) == first
        assert len(ems.fetch(world.box, 9)) == 3
    with world.imap() as imap:
        assert imap.search(None, "SEEN")[1] == [b""]


def test_what_is_received_does_not_print_its_text(world: World) -> None:
    world.write(letter(1))
    with world.ems() as ems:
        assert "Yth." not in repr(ems.fetch(world.box, 1))


def test_settle_moves_once_and_touches_nothing_else(world: World) -> None:
    world.write(letter(1), letter(2), letter(3))
    with world.imap() as imap:
        imap.store("3", "+FLAGS", r"(\Deleted)")
    with world.ems() as ems:
        one, two, three = ems.fetch(world.box, 9)
        for _ in range(2):
            ems.settle(world.box, one.uidvalidity, [one.uid], [two.uid])
        assert [mail.uid for mail in ems.fetch(world.box, 9)] == [three.uid]
    assert world.mails(OURS, "Processed") == [one.raw]
    assert world.mails(OURS, "Set aside") == [two.raw]


def test_settle_moves_nothing_when_uids_mean_other_mails(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.write(letter(1))
    with world.ems() as ems:
        (mail,) = ems.fetch(world.box, 9)
        ems.settle(world.box, mail.uidvalidity + 1, [mail.uid], [])
        assert len(ems.fetch(world.box, 9)) == 1
    assert "UIDVALIDITY" in caplog.text


def test_of_two_intakes_that_settle_one_mail_neither_fails(world: World) -> None:
    world.write(*map(letter, range(4)))
    with world.ems() as ems:
        mails = ems.fetch(world.box, 9)
        uids = [mail.uid for mail in mails]
        with ThreadPoolExecutor(4) as threads:
            work = [threads.submit(ems.settle, world.box, mails[0].uidvalidity, uids, []) for _ in range(4)]
        assert [one.exception() for one in work] == [None] * 4
        assert ems.fetch(world.box, 9) == []
    # a race may leave a mail there twice
    assert set(world.mails(OURS, "Processed")) == {mail.raw for mail in mails}


@pytest.mark.parametrize("capability", ["IMAP4rev1 UIDPLUS", "IMAP4rev1"])
def test_settle_on_a_server_without_move(capability: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with dovecot(capability) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        box = Mailbox(address=OURS, host="127.0.0.1", port=server.imaps, user=OURS, password=PASSWORD)
        world = World(Settings(mailboxes=[box]), relay=0)
        with world.imap() as imap:
            for number in (1, 2):
                imap.append("INBOX", r"(\Deleted)" if number == 2 else None, None, letter(number))
        with world.ems() as ems:
            one, two = ems.fetch(box, 9)
            if "UIDPLUS" not in capability:
                with pytest.raises(Refused, match="neither MOVE nor UIDPLUS"):
                    ems.settle(box, one.uidvalidity, [one.uid], [])
                assert len(ems.fetch(box, 9)) == 2
                return
            for _ in range(2):
                ems.settle(box, one.uidvalidity, [one.uid], [])
            assert [mail.uid for mail in ems.fetch(box, 9)] == [two.uid]
        assert world.mails(OURS, "Processed") == [letter(1)]


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


def test_threads_do_not_share_connections(world: World) -> None:
    world.write(letter(1), letter(2))
    with world.ems() as ems, ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _: ids(ems.fetch(world.box, 9)), range(12)))
    assert results == [["<c1@telkom.example>", "<c2@telkom.example>"]] * 12


def logged(log: Path, words: str) -> int:
    return log.read_text().count(words)


LOGIN, LOGOUT, END = "imap-login: Info: Login: ", ">: Info: Disconnected: Logged out ", ">: Info: Disconnected: "
LETTERS = "auth=1 mail=3 "
"""How Postfix ends its line on a session with one login and three letters."""


@pytest.fixture
def logs(genuine: World, real: tuple[Dovecot, Postfix]) -> tuple[Path, Path]:
    """What Dovecot and Postfix log; all earlier sessions have ended."""
    inside, outside = (server.log for server in real)
    assert eventually(lambda: logged(inside, LOGIN) == logged(inside, END))
    return inside, outside


def test_threads_that_come_and_go_use_one_connection(genuine: World, logs: tuple[Path, Path]) -> None:
    inside, outside = logs
    logins, logouts, sessions = logged(inside, LOGIN), logged(inside, LOGOUT), logged(outside, LETTERS)

    def work(number: int) -> None:
        ems.send(letter(number), OURS, [BUDI])
        ems.fetch(genuine.box, 9)

    with genuine.ems() as ems:
        for number in (1, 2, 3):
            thread = threading.Thread(target=work, args=(number,))
            thread.start()
            thread.join()
        assert (logged(inside, LOGIN), logged(inside, LOGOUT)) == (logins + 1, logouts)
        assert logged(outside, LETTERS) == sessions
    assert eventually(lambda: logged(inside, LOGOUT) == logouts + 1)
    assert eventually(lambda: logged(outside, LETTERS) == sessions + 1)


def test_of_many_connections_at_once_a_few_are_kept(genuine: World, logs: tuple[Path, Path]) -> None:
    many, log = KEPT + 3, logs[0]
    logins, logouts, together = logged(log, LOGIN), logged(log, LOGOUT), threading.Barrier(many)

    def use() -> bool:
        with ems._imap(genuine.box) as imap:
            together.wait(10)
            return imap.folder.exists("INBOX")

    with genuine.ems() as ems:
        with ThreadPoolExecutor(many) as threads:
            assert [one.result() for one in [threads.submit(use) for _ in range(many)]] == [True] * many
        assert logged(log, LOGIN) == logins + many
        assert eventually(lambda: logged(log, LOGOUT) == logouts + 3)
    assert eventually(lambda: logged(log, LOGOUT) == logouts + many)


def test_a_connection_after_an_error_is_not_used_again(genuine: World, logs: tuple[Path, Path]) -> None:
    before = logged(logs[0], LOGIN)
    lost = genuine.box.model_copy(update={"folder": "Nowhere"})
    with genuine.ems() as ems:
        with pytest.raises(Refused):
            ems.fetch(lost, 1)
        ems.fetch(genuine.box, 1)
    assert logged(logs[0], LOGIN) == before + 2


def test_a_wrong_password_is_refused(world: World) -> None:
    box = world.box.model_copy(update={"user": OURS, "password": Settings(smtp={"password": "no"}).smtp.password})
    with world.ems() as ems, pytest.raises(Refused, match="imap: MailboxLoginError"):
        ems.fetch(box, 1)


def test_a_wrong_smtp_password_is_no_letters_fault(genuine: World, logs: tuple[Path, Path]) -> None:
    no = "SASL PLAIN authentication failed"
    before = logged(logs[1], no)
    with genuine.ems(password=SecretStr("no")) as ems:
        for ask in (partial(ems.send, letter(1), OURS, [BUDI]), ems.reach_smtp):
            with pytest.raises(NotLetIn, match=r"smtp: 535 to the login: look at .*LAYANAN_SMTP__PASSWORD"):
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
        with pytest.raises(NotLetIn, match=r"smtp: SSLCertVerificationError to .*LAYANAN_SMTP__TLS"):
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


def test_the_simulator_tells_an_idle_client_of_new_mail(simulated: World) -> None:
    with simulated.imap() as imap:
        imap.send(b"x IDLE\r\n")
        assert imap.readline().startswith(b"+")
        with simulated.ems() as ems:
            ems.send(letter(1), OURS, [OURS])
        assert b"EXISTS" in imap.readline()
        imap.send(b"DONE\r\n")
        while not imap.readline().startswith(b"x OK"):
            pass


def call(name: str) -> Callable[[ImapSmtp, Mailbox], object]:
    return {
        "fetch": lambda ems, box: ems.fetch(box, 9),
        "settle": lambda ems, box: ems.settle(box, 1, [1], []),
        "has_copy": lambda ems, box: ems.has_copy("<c1@telkom.example>", box),
        "send": lambda ems, _: ems.send(letter(1), OURS, [BUDI]),
    }[name]


def liar(port: int) -> tuple[ImapSmtp, Mailbox]:
    box = Mailbox(address=OURS, host="127.0.0.1", port=port, tls=False, user=OURS, password=PASSWORD)
    return ImapSmtp(Settings(mailboxes=[box], smtp=Smtp(port=port, tls="none", timeout=0.1))), box


@pytest.mark.parametrize("name", ["fetch", "settle", "has_copy", "send"])
def test_nobody_listening_is_unavailable_within_seconds(name: str) -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable):
        call(name)(*liar(closed_port()))
    assert time.monotonic() - began < 4


SMTP_ANSWERS = {
    b"ehlo": b"250 mx\r\n",
    b"mail FROM": b"250 ok\r\n",
    b"rcpt TO": b"250 ok\r\n",
    b"DATA": b"354 go\r\n",
}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({b"DATA": b""}, Unavailable),  # silence before the text
        ({b"DATA": None}, Unavailable),
        ({}, OutcomeUnknown),  # silence after it
        ({b"Salam": None}, OutcomeUnknown),
        ({b"Salam": b"gibberish\r\n"}, OutcomeUnknown),
        ({b"Salam": b"421 4.3.2 shutting down\r\n"}, Unavailable),
        ({b"Salam": b"554 5.6.0 no\r\n"}, Refused),
        ({b"rcpt TO": b"421 4.7.0 later\r\n"}, Unavailable),
        ({b"rcpt TO": b"550 5.1.1 unknown\r\n"}, Refused),
        ({b"DATA": b"554 5.5.1 no\r\n"}, Refused),
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
    with scripted(b"220 mx\r\n", SMTP_ANSWERS | change) as port, pytest.raises(error) as raised:
        call("send")(*liar(port))
    assert type(raised.value) is error


@pytest.mark.parametrize(("greeting", "error"), [(b"554 no\r\n", NotLetIn), (b"421 later\r\n", Unavailable)])
def test_a_greeting_that_says_no_is_no_letters_fault(greeting: bytes, error: type[Exception]) -> None:
    with scripted(greeting, {}) as port, pytest.raises(error, match=r"LAYANAN_SMTP__HOST") as raised:
        call("send")(*liar(port))
    assert type(raised.value) is error


IMAP_ANSWERS = {
    b"CAPABILITY": b"* CAPABILITY IMAP4rev1 MOVE\r\n%t OK done\r\n",
    b"LOGIN": b"%t OK done\r\n",
    b"EXAMINE": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n%t OK done\r\n",
    b"SEARCH": b"* SEARCH 5\r\n%t OK done\r\n",
    b"FETCH": b"* 1 FETCH (BODY[] {2}\r\nhi UID 5)\r\n%t OK done\r\n",
}


def test_a_uid_told_after_the_text_is_read_too() -> None:
    with scripted(b"* OK\r\n", IMAP_ANSWERS) as port:
        ems, box = liar(port)
        assert ems.fetch(box, 9) == [Received(OURS, "JKT", 7, 5, b"hi")]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({b"FETCH": b"* 1 FETCH (UID 5 BODY[] {2000}\r\nhalf a mail"}, Unavailable),
        ({b"LOGIN": b"%t NO [UNAVAILABLE] later\r\n"}, Unavailable),
        ({b"LOGIN": b"%t NO [AUTHENTICATIONFAILED] no\r\n"}, Refused),
        ({b"EXAMINE": b"%t NO [NONEXISTENT] no such folder\r\n"}, Refused),
        ({b"EXAMINE": b"%t OK done\r\n"}, Refused),  # no UIDVALIDITY
        ({b"SEARCH": None}, Unavailable),
        ({b"FETCH": b"%t NO [SERVERBUG] oops\r\n"}, Unavailable),
    ],
)
def test_what_an_imap_session_that_breaks_means(
    change: dict[bytes, bytes | None], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.ems.IMAP_TIMEOUT", 0.2)
    with scripted(b"* OK\r\n", IMAP_ANSWERS | change) as port, pytest.raises(error):
        call("fetch")(*liar(port))
