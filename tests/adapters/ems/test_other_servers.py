"""Courier, Cyrus, and Dovecot with a prefix: where folders stand, how mail is moved, and what they make up."""

import imaplib
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

import pytest
from sqlalchemy import update

from adapters.ems import ImapSmtp, imap_session
from adapters.mail.parser import parse
from adapters.wiring import Systems
from flows.receive_mail import take_batches
from models.errors import LayananError, Refused
from models.settings import Mailbox, Settings, Smtp
from models.tables import Case, Letter, Message, Outbox
from tasks.find_case import references
from tasks.run import drain
from tasks.run.own_copy import is_copy
from tests.adapters.ems.world import ids, letter, liar
from tests.cases import BUDI, MATI, STRANGER, mail, rows
from tests.fakes import fake
from tests.other_servers import courier, cyrus, relay
from tests.servers import dovecot, scripted

_users = count(1)


@dataclass(frozen=True)
class Account:
    """A mailbox of its own on one of the servers."""

    name: str
    box: Mailbox
    lmtp: int = 0

    def ems(self, **smtp: Any) -> "closing[ImapSmtp]":
        return closing(ImapSmtp(Settings(mailboxes=[self.box], smtp=Smtp(tls="none", **smtp))))

    @contextmanager
    def session(self, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """Another client's."""
        with imaplib.IMAP4("127.0.0.1", self.box.port) as client:
            client.login(self.box.user, "pw")
            client.select(f'"{folder}"')
            yield client

    def write(self, *mails: bytes) -> None:
        with self.session() as client:
            for raw in mails:
                assert client.append("INBOX", None, None, raw)[0] == "OK"

    def mails(self, folder: str = "INBOX") -> list[bytes]:
        with self.session(folder) as client:
            if client.state != "SELECTED":
                return []
            found = client.search(None, "ALL")[1][0].decode().split()
            data = client.fetch(",".join(found), "(BODY.PEEK[])")[1] if found else []
        return [item[1] for item in data if isinstance(item, tuple)]

    def expunge(self, *uids: int) -> None:
        with self.session() as client:
            client.uid("STORE", ",".join(map(str, uids)), "+FLAGS", r"(\Deleted)")
            client.expunge()


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, tuple[int, int]]]:
    """All of them: ports for IMAP and LMTP."""
    prefix = "namespace inbox {\n prefix = INBOX.\n separator = .\n}\n"
    with courier() as one, cyrus() as two, dovecot(more=prefix) as three:
        yield {"courier": (one.imap, 0), "cyrus": (two.imap, two.lmtp), "dovecot": (three.imap, three.lmtp)}


def account(name: str, servers: dict[str, tuple[int, int]]) -> Account:
    user = f"layanan{next(_users)}"
    imap, lmtp = servers[name]
    box = Mailbox(
        address=f"{user}@telkom.example",
        host="127.0.0.1",
        port=imap,
        tls=False,
        user=user,
        password="pw",
    )
    return Account(name, box, lmtp)


@pytest.fixture(params=["courier", "cyrus", "dovecot"])
def ours(request: pytest.FixtureRequest, servers: dict[str, tuple[int, int]]) -> Account:
    return account(request.param, servers)


@pytest.fixture
def on_courier(servers: dict[str, tuple[int, int]]) -> Account:
    return account("courier", servers)


@pytest.fixture
def on_cyrus(servers: dict[str, tuple[int, int]]) -> Account:
    return account("cyrus", servers)


def test_folders_are_made_and_opened_below_the_personal_namespace(ours: Account) -> None:
    ours.write(*map(letter, range(5)))
    with ours.session() as client:
        client.store("5", "+FLAGS", r"(\Deleted)")
    with ours.ems() as ems:
        ems.reach_imap(ours.box)
        one, two, three, four, five = ems.fetch(ours.box, 9)
        for _ in range(2):
            ems.settle(ours.box, one.uidvalidity, [one.uid, two.uid], [three.uid], [four.uid])
        assert ems.fetch(ours.box, 9) == [five], "what another client marks as deleted stays its matter"
        walked = {folder: len(mails) for folder, mails in ems.walk(ours.box)}
        assert walked == {"INBOX": 1, "Processed": 2, "Set aside": 1}
        assert ems.has_copy("<c3@telkom.example>", ours.box)
    assert [len(ours.mails(f"INBOX.{name}")) for name in ("Processed", "Set aside", "Sent")] == [2, 1, 1]


def test_a_folder_that_says_where_it_stands_is_taken_as_it_is(ours: Account) -> None:
    ours.write(letter(1))
    box = ours.box.model_copy(update={"done_folder": "INBOX.Selesai"})
    with ours.ems() as ems:
        (one,) = ems.fetch(box, 9)
        ems.settle(box, one.uidvalidity, [one.uid], [])
    assert len(ours.mails("INBOX.Selesai")) == 1


def test_a_folder_for_copies_that_is_missing_is_named(ours: Account) -> None:
    with relay() as (port, _), ours.ems(port=port) as ems:
        with pytest.raises(Refused, match=r"there is no folder Sent: create it .* sent_folder of LAYANAN_MAILBOXES"):
            ems.reach_copies(ours.box)
        with ours.session() as client:
            client.create("INBOX.Sent")
        assert ems.reach_copies(ours.box) == "they come to Sent"


def test_a_mail_that_another_session_removes_is_left_out_and_keeps_no_other_back(
    ours: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Courier gives one that it makes up in its place: “message unavailable”, from root@localhost."""
    ours.write(letter(1), letter(2), letter(3))
    measured = imap_session._described
    with ours.ems() as ems:
        one, two, _three = ems.fetch(ours.box, 9)

        def is_slow(*asked: Any) -> dict[int, imap_session.Described]:
            known = measured(*asked)
            monkeypatch.setattr(imap_session, "_described", measured)
            ours.expunge(one.uid)
            return known

        monkeypatch.setattr(imap_session, "_described", is_slow)
        assert ids(ems.fetch(ours.box, 9)) == ["<c2@telkom.example>", "<c3@telkom.example>"]
        ours.expunge(two.uid)
        ems.settle(ours.box, one.uidvalidity, [one.uid, two.uid], [])
    assert ours.mails("INBOX.Processed") == [], "nor is one that is made up moved"


def test_two_folders_of_one_uidvalidity_are_told_apart(on_courier: Account, systems: Systems) -> None:
    with on_courier.session() as client:
        client.create("INBOX.Satu")
        client.create("INBOX.Dua")
        for folder in ("Satu", "Dua"):
            raw = mail(f"{folder.lower()}@pelanggan.example", f"Internet di rumah {folder} mati.")
            client.append(f"INBOX.{folder}", None, None, raw)
    places = []
    for folder in ("Satu", "Dua"):
        box = on_courier.box.model_copy(update={"folder": folder})
        systems.settings.mailboxes = [box]
        assert list(take_batches(systems, box)) == [{"opened": 1}]
    places = [(row.uidvalidity, row.uid) for row in rows(systems, Message)]
    assert abs(places[0][0] - places[1][0]) <= 1
    assert places[0][1] == places[1][1]
    assert len(rows(systems, Case)) == 2


def test_news_that_come_late_are_found_by_the_poll(on_cyrus: Account) -> None:
    """Without its idled, Cyrus looks once a minute."""
    on_cyrus.write(letter(1))
    told: list[None] = []
    with on_cyrus.ems() as ems:
        listening = ems.listen(on_cyrus.box)
        next(listening)

        def listen() -> None:
            with suppress(LayananError):  # the server ends
                told.extend(listening)

        threading.Thread(target=listen, daemon=True).start()
        on_cyrus.write(letter(2))
        assert len(ems.fetch(on_cyrus.box, 9)) == 2


def test_a_header_of_which_the_server_leaves_an_x_for_each_octet_still_has_its_reference(on_cyrus: Account) -> None:
    head = "Subject: Gangguan – é tagihan [JKT-0000001-bcdfghjk]"
    on_cyrus.write(f"From: {BUDI}\r\n{head}\r\n\r\nMasih mati.\r\n".encode())
    with on_cyrus.ems() as ems:
        (received,) = ems.fetch(on_cyrus.box, 9)
    subject = parse(received.raw).subject
    assert "Gangguan XXX XX tagihan" in subject
    assert references(subject) == references(head)
    assert references(subject)


def served(systems: Systems, at: Account, port: int, **smtp: Any) -> None:
    """The service with this mailbox and a relay."""
    systems.settings.mailboxes = [at.box]
    systems.settings.smtp = Smtp(port=port, tls="none", **smtp)


def test_a_copy_that_the_relay_delivers_where_mail_is_read_counts_and_goes_where_copies_are(
    on_cyrus: Account, systems: Systems
) -> None:
    """Cyrus takes layanan+Sent and puts it into the inbox, as long as nobody may post to the folder."""
    on_cyrus.write(mail(BUDI, MATI))
    with on_cyrus.session() as client:
        client.create("INBOX.Sent")
    with relay(on_cyrus.lmtp) as (port, sent):
        served(systems, on_cyrus, port)
        assert systems.ems.reach_copies(on_cyrus.box)
        with fake(systems, "ems", settle=lambda *_: drain.begin()):
            assert list(take_batches(systems, on_cyrus.box)) == [{"opened": 1}]
            drain.reset()
        assert len(sent.out) == 1
        assert len(on_cyrus.mails()) == 2, "it is in the inbox"
        (written,) = rows(systems, Letter)
        raw = systems.store.kept(written.sha256)
        assert systems.ems.has_copy(written.message_id, on_cyrus.box, partial(is_copy, letter=raw))
        with systems.store.write() as session:
            session.execute(update(Outbox).values(state="sending"))
        assert list(take_batches(systems, on_cyrus.box)) == [{"opened": 1, "automatic": 1}]
    assert [row.state for row in rows(systems, Outbox)] == ["sent"]
    assert [len(on_cyrus.mails(folder)) for folder in ("INBOX", "INBOX.Sent", "INBOX.Processed")] == [0, 1, 1]
    assert systems.ems.has_copy(written.message_id, on_cyrus.box, partial(is_copy, letter=raw))


def test_nobody_makes_a_letter_sent_by_its_message_id(on_cyrus: Account, systems: Systems) -> None:
    on_cyrus.write(mail(BUDI, MATI))
    served(systems, on_cyrus, 9)
    assert list(take_batches(systems, on_cyrus.box)) == [{"opened": 1}]
    with systems.store.write() as session:
        session.execute(update(Outbox).values(state="sending"))
    (written,) = rows(systems, Letter)
    on_cyrus.write(
        mail(on_cyrus.box.address, "Terkirim.", written.subject, Message_ID=written.message_id),
        mail(STRANGER, "Terkirim.", written.subject, Message_ID=written.message_id),
    )
    with on_cyrus.session() as client:
        client.create("INBOX.Sent")
        client.copy("1", "INBOX.Sent")
    raw = systems.store.kept(written.sha256)
    assert not systems.ems.has_copy(written.message_id, on_cyrus.box, partial(is_copy, letter=raw))
    list(take_batches(systems, on_cyrus.box))
    assert rows(systems, Outbox, letter_id=written.id)[0].state == "sending"


def test_a_relay_that_takes_no_address_for_copies_is_named_and_another_way_kept(on_courier: Account) -> None:
    with on_courier.session() as client:
        client.create("INBOX.Sent")
    with relay(plus=False) as (port, sent):
        refused = pytest.raises(Refused, match=r"550 to the address for copies .* LAYANAN_SMTP__COPIES to “append”")
        with on_courier.ems(port=port) as ems, refused:
            ems.reach_copies(on_courier.box)
        assert sent.out == [], "nothing was sent"
        with on_courier.ems(port=port, copies="append") as ems:
            assert ems.reach_copies(on_courier.box) == "they come to Sent"
            ems.send(letter(1), on_courier.box.address, [BUDI])
            assert ems.has_copy("<c1@telkom.example>", on_courier.box, partial(is_copy, letter=letter(1)))
        with on_courier.ems(port=port, copies="none") as ems:
            assert "none are kept" in ems.reach_copies(on_courier.box)
            ems.send(letter(2), on_courier.box.address, [BUDI])
    assert len(sent.out) == 2
    assert len(on_courier.mails("INBOX.Sent")) == 1


def test_a_copy_that_cannot_be_kept_stops_no_letter(on_courier: Account, caplog: pytest.LogCaptureFixture) -> None:
    with relay() as (port, sent), on_courier.ems(port=port, copies="append") as ems:
        ems._settings.mailboxes[0].sent_folder = "#shared.x"
        ems.send(letter(1), on_courier.box.address, [BUDI])
    assert len(sent.out) == 1
    assert "the copy of a letter was not kept: imap" in caplog.text


DONE = b"%t OK done\r\n"
SESSION = {
    b"CAPABILITY": b"* CAPABILITY IMAP4rev1 UIDPLUS\r\n" + DONE,
    b"LOGIN": DONE,
    b"NOOP": DONE,
    b"EXAMINE": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n" + DONE,
    b"SELECT": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n" + DONE,
    b"LIST": b'* LIST () "/" "Processed"\r\n' + DONE,
    b"SEARCH": b"* SEARCH 5\r\n" + DONE,
}
BAD, NO = b"%t BAD what is that\r\n", b"%t NO not now\r\n"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({b"SEARCH": BAD}, "UID SEARCH: the server refuses this command: check its log"),
        ({b"SEARCH": NO}, "UID SEARCH: the server refuses this command: check its log"),
        ({b"EXAMINE": BAD}, "error to EXAMINE: the server refuses this command: check its log"),
    ],
)
def test_a_command_that_the_server_does_not_do_is_named(change: dict[bytes, bytes | None], says: str) -> None:
    with scripted(b"* OK\r\n", change | {k: v for k, v in SESSION.items() if k not in change}) as port:
        ems, box = liar(port)
        with pytest.raises(Refused, match=says):
            ems.fetch(box, 9)


@pytest.mark.parametrize("command", [b"STORE", b"EXPUNGE"])
def test_a_command_that_a_move_needs_is_named(command: bytes) -> None:
    with scripted(b"* OK\r\n", {b"COPY": DONE, b"STORE": DONE} | {command: NO} | SESSION) as port:
        ems, box = liar(port)
        with pytest.raises(Refused, match=f"UID {command.decode()}: the server refuses this command"):
            ems.settle(box, 7, [5], [])
