"""Mailboxes of the simulator and of Dovecot; errors of small liars."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.ems import Received
from models.errors import Refused, Unavailable
from models.settings import Mailbox, Settings
from tests.adapters.ems.world import OURS, World, call, ids, letter, liar
from tests.servers import PASSWORD, dovecot, scripted


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


def test_a_wrong_password_is_refused(world: World) -> None:
    box = world.box.model_copy(update={"user": OURS, "password": Settings(smtp={"password": "no"}).smtp.password})
    with world.ems() as ems, pytest.raises(Refused, match="imap: MailboxLoginError"):
        ems.fetch(box, 1)


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
    monkeypatch.setattr("adapters.ems.imap_session.IMAP_TIMEOUT", 0.2)
    with scripted(b"* OK\r\n", IMAP_ANSWERS | change) as port, pytest.raises(error):
        call("fetch")(*liar(port))
