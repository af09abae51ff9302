"""Mailboxes of the simulator and of Dovecot; errors of small liars (SOP 11.1 EMS)."""

import re
import smtplib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from adapters.ems import Received, imap_session
from adapters.ems.imap_session import BEGINNING
from models.errors import Refused, Unavailable
from models.settings import Mailbox, Settings
from tests.adapters.ems.world import BUDI, OURS, World, call, ids, letter, liar, simulator
from tests.servers import PASSWORD, Dovecot, Postfix, cutting, dovecot, eventually, scripted


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


def test_a_mail_to_a_reference_of_ours_lies_where_mail_is_read(simulated: World) -> None:
    with smtplib.SMTP("127.0.0.1", simulated.relay) as smtp:
        smtp.sendmail(BUDI, [OURS.replace("@", "+JKT-0000001-bcdfghjk@")], letter(1))
    assert simulated.arrived(1)


def test_a_mail_says_when_it_came_to_the_server(world: World) -> None:
    early = datetime(2026, 3, 3, 10, 12, tzinfo=timezone(timedelta(hours=7)))
    with world.imap() as imap:
        imap.append("INBOX", None, early, letter(1))
    world.write(letter(2))
    with world.ems() as ems:
        first, second = ems.fetch(world.box, 9)
    assert first.arrived_at == early
    assert second.arrived_at is not None
    assert abs(datetime.now(UTC) - second.arrived_at) < timedelta(minutes=1)


SINCE = datetime(2026, 3, 3, 10, 12, tzinfo=timezone(timedelta(hours=7)))


def test_what_came_before_a_moment_is_not_seen_and_not_touched(world: World) -> None:
    day, second = timedelta(days=1), timedelta(seconds=1)
    came = [SINCE - 800 * day, SINCE - second, SINCE, SINCE + 9 * day, datetime(1970, 1, 2, tzinfo=UTC)]
    with world.imap() as imap:
        for number, at in enumerate(came):
            imap.append("INBOX", None, at, letter(number))
    box = world.box.model_copy(update={"since": SINCE})
    with world.ems() as ems:
        lying = ems.unsettled(box)
        mails = ems.fetch(box, 9)
        assert ids(mails) == [f"<c{number}@telkom.example>" for number in (2, 3, 4)], "no server ran in 1970"
        assert [mail.uid for mail in mails] == list(lying.new)
        assert {mail.since for mail in mails} == {SINCE}
        assert len(lying.older) == 2
        ems.settle(box, lying.uidvalidity, lying.new, [])
        assert ems.fetch(box, 9) == []
    assert [raw.count(b"Surat") for raw in world.mails(OURS)] == [1, 1]
    with world.imap() as imap:
        assert imap.search(None, "SEEN")[1] == [b""]


def test_where_it_is_flagged_what_came_before_gets_no_flag(genuine: World) -> None:
    with genuine.imap() as imap:
        for days in (-9, 9):
            imap.append("INBOX", None, SINCE + timedelta(days=days), letter(days + 9))
    box = genuine.box.model_copy(update={"since": SINCE, "after": "flag"})
    with genuine.ems() as ems:
        (mail,) = ems.fetch(box, 9)
        ems.settle(box, mail.uidvalidity, [mail.uid], [])
        assert ems.fetch(box, 9) == []
        assert ems.unsettled(box).new == ()
        assert len(ems.unsettled(box).older) == 1


@pytest.mark.parametrize(
    "said", [b"", b'INTERNALDATE "99-Mar-2026 10:12:00 +0700"', b'INTERNALDATE "1-Foo-0000 1:1:1 +0"']
)
def test_a_server_that_does_not_say_when_a_mail_came_is_read_all_the_same(said: bytes) -> None:
    size = b"* 1 FETCH (UID 5 RFC822.SIZE 2 " + said + b")\r\n%t OK done\r\n"
    with scripted(b"* OK\r\n", {b"RFC822.SIZE": size} | IMAP_ANSWERS) as port:
        ems, box = liar(port)
        assert [mail.arrived_at for mail in ems.fetch(box, 9)] == [None]


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


def bounded(world: World, **bounds: int) -> World:
    return World(world.settings.model_copy(update=bounds), world.relay)


def test_a_batch_is_bounded_by_bytes_and_a_large_mail_goes_alone(world: World) -> None:
    world.write(letter(1), letter(2), letter(3) + 9000 * b"x\r\n", letter(4))
    world = bounded(world, intake_batch_bytes=3000)
    batches, last = [], 0
    with world.ems() as ems:
        while batch := ems.fetch(world.box, 9, last):
            batches.append(ids(batch))
            last = batch[-1].uid
        walked = [len(mails) for _, mails in ems.walk(world.box)]
    assert batches == [[f"<c{n}@telkom.example>" for n in some] for some in ((1, 2), (3,), (4,))]
    assert walked == [4]


def test_a_batch_that_another_intake_was_faster_to_take_is_passed_over(
    genuine: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine.write(letter(1), letter(2))
    world, measured = bounded(genuine, intake_batch_bytes=1), imap_session._described
    with world.ems() as ems, world.ems() as other:
        one, two = other.fetch(world.box, 1)[0], other.fetch(world.box, 2, 1)[0]

        def is_slow(*asked: Any) -> dict[int, imap_session.Described]:
            known = measured(*asked)
            other.settle(world.box, one.uidvalidity, [one.uid], [])
            return known

        monkeypatch.setattr(imap_session, "_described", is_slow)
        assert ems.fetch(world.box, 9) == [two]


def test_of_a_mail_that_is_too_large_the_beginning_is_read(world: World) -> None:
    world.write(letter(1), letter(2) + 600_000 * b"x\r\n", letter(3))
    world = bounded(world, mail_max_bytes=1_500_000)
    with world.ems() as ems:
        small, large, other = ems.fetch(world.box, 9)
        assert (small.cut, large.cut, other.cut) == (False, True, False)
        assert len(large.raw) == BEGINNING
        assert ids([large, other]) == ["<c2@telkom.example>", "<c3@telkom.example>"]
        hashes = [sha256(mail.raw).hexdigest() for mail in (small, large, other)]
        assert [hashed for _, mails in ems.walk(world.box) for hashed in mails.values()] == hashes


def test_mail_that_is_done_may_stay_flagged_where_it_lies(genuine: World) -> None:
    genuine.write(letter(1), letter(2), letter(3))
    box = genuine.box.model_copy(update={"after": "flag"})
    with genuine.ems() as ems:
        one, two, three = ems.fetch(box, 9)
        for _ in range(2):
            ems.settle(box, one.uidvalidity, [one.uid], [two.uid])
        assert [mail.uid for mail in ems.fetch(box, 9)] == [three.uid]
        ems.reach_imap(box)
    assert (len(genuine.mails(OURS)), len(genuine.mails(OURS, "Set aside"))) == (2, 1)


def test_a_server_that_keeps_no_keywords_is_named(simulated: World) -> None:
    simulated.write(letter(1))
    box = simulated.box.model_copy(update={"after": "flag"})
    with simulated.ems() as ems:
        (mail,) = ems.fetch(box, 9)
        for ask in (partial(ems.settle, box, mail.uidvalidity, [mail.uid], []), partial(ems.reach_imap, box)):
            with pytest.raises(Refused, match=r"no keywords: set after to “move” in LAYANAN_MAILBOXES"):
                ask()


def test_a_connection_that_is_cut_in_the_midst_of_a_fetch_loses_nothing(genuine: World) -> None:
    genuine.write(*(letter(number) + 50_000 * b"x\r\n" for number in range(3)))
    with cutting(genuine.box.port, *[200_000] * 4) as port, genuine.ems() as ems:
        box = genuine.box.model_copy(update={"port": port})
        # thrice all of them, then one by one: the last cut, and then a connection that lasts
        assert ems.fetch(box, 9) == ems.fetch(genuine.box, 9)
        assert len(ems.fetch(box, 9)) == 3


def test_a_mail_that_the_server_cannot_read_keeps_no_other_back(
    genuine: World, real: tuple[Dovecot, Postfix], caplog: pytest.LogCaptureFixture
) -> None:
    genuine.write(*map(letter, range(3)))
    broken_there(real[0], 1)
    genuine.write(letter(4))
    with genuine.ems() as ems:
        mails = ems.fetch(genuine.box, 9)
        assert ids(mails) == [f"<c{number}@telkom.example>" for number in (0, 2, 4)]
        (uid,) = map(int, re.findall(r"cannot read mail UID (\d+) in INBOX", caplog.text))
        hashes = {mail.uid: sha256(mail.raw).hexdigest() for mail in mails}
        assert list(ems.walk(genuine.box)) == [("INBOX", hashes | {uid: ""})]
        ems.settle(genuine.box, mails[0].uidvalidity, list(hashes), [])
        with pytest.raises(Refused, match=f"cannot read mail UID {uid} in INBOX"):
            ems.fetch(genuine.box, 9)


def broken_there(server: Dovecot, *numbers: int) -> None:
    """As after a restored backup: the names of their files tell another size; the server takes them for new mails."""
    ids = [b"<c%d@" % number for number in numbers]
    for file in list((server.folder / "home" / OURS).rglob("*/*,S=*")):
        if any(one in file.read_bytes() for one in ids):
            file.rename(re.sub(r",S=\d+,W=\d+", ",S=999999,W=999999", str(file)))


def test_many_mails_that_the_server_cannot_read_keep_none_back(
    genuine: World, real: tuple[Dovecot, Postfix], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.ems.imap.MOST_BROKEN", 2)
    genuine.write(*map(letter, range(3)))
    broken_there(real[0], 0, 1, 2)
    genuine.write(letter(4))
    with genuine.ems() as ems:
        with pytest.raises(Refused, match="cannot read mail UID"):
            ems.fetch(genuine.box, 9)
        mails = ems.fetch(genuine.box, 9)
        assert ids(mails) == ["<c4@telkom.example>"]
        ems.settle(genuine.box, mails[0].uidvalidity, [mails[0].uid], [])
        with pytest.raises(Refused, match="cannot read mail UID"):
            ems.fetch(genuine.box, 9)


def test_uids_of_a_mailbox_that_was_made_anew_are_not_taken_for_the_old_ones(
    genuine: World, real: tuple[Dovecot, Postfix]
) -> None:
    genuine.write(letter(1), letter(2))
    with genuine.ems() as ems:
        one, two = ems.fetch(genuine.box, 9)
        real[0].doveadm("mailbox", "update", "-u", OURS, "--uid-validity", str(one.uidvalidity + 7), "INBOX")
        ems.settle(genuine.box, one.uidvalidity, [one.uid], [two.uid])
        anew = ems.fetch(genuine.box, 9)
    assert [mail.uidvalidity - one.uidvalidity for mail in anew] == [7, 7]
    assert [mail.raw for mail in anew] == [one.raw, two.raw]


def test_a_quota_is_told_before_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    more = "mail_plugins = quota\nprotocol imap {\n mail_plugins = quota imap_quota\n}\n"
    more += "plugin {\n quota = count:User quota\n quota_vsizes = yes\n quota_rule = *:storage=10K\n}\n"
    with dovecot(more=more) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        world = World(Settings(mailboxes=[mailbox(server)]), relay=0)
        with world.ems() as ems, world.imap() as imap:
            assert ems.reach_imap(world.box) == 0
            imap.append("INBOX", None, None, letter(1) + 3200 * b"x\r\n")
            assert ems.reach_imap(world.box) in range(95, 101)
            (mail,) = ems.fetch(world.box, 9)
            ems.settle(world.box, mail.uidvalidity, [mail.uid], [])
            assert ems.fetch(world.box, 9) == [], "a full mailbox is still emptied"


def test_a_full_mailbox_of_a_server_without_move_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    more = "mail_plugins = quota\nplugin {\n quota = count:User quota\n quota_vsizes = yes\n"
    more += " quota_rule = *:storage=10K\n}\n"
    with dovecot("IMAP4rev1 UIDPLUS", more) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        world = World(Settings(mailboxes=[mailbox(server)]), relay=0)
        with world.ems() as ems, world.imap() as imap:
            imap.append("INBOX", None, None, letter(1) + 3000 * b"x\r\n")
            (mail,) = ems.fetch(world.box, 9)
            with pytest.raises(Refused, match="imap: MailboxCopyError OVERQUOTA"):
                ems.settle(world.box, mail.uidvalidity, [mail.uid], [])
            assert ems.fetch(world.box, 9) == [mail]


def mailbox(server: Dovecot) -> Mailbox:
    return Mailbox(address=OURS, host="127.0.0.1", port=server.imaps, user=OURS, password=PASSWORD)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"folder": "Nowhere"}, "MailboxFolderSelectError.*check folder in LAYANAN_MAILBOXES"),
        ({"password": SecretStr("no")}, "MailboxLoginError AUTHENTICATIONFAILED: check user, password"),
        ({"user": "böse"}, "MailboxLoginError.*check user, password"),
    ],
)
def test_what_is_wrong_with_a_mailbox_is_named(change: dict[str, object], says: str, genuine: World) -> None:
    box = genuine.box.model_copy(update=change)
    with genuine.ems() as ems:
        for ask in (partial(ems.fetch, box, 1), partial(ems.reach_imap, box), partial(next, ems.listen(box))):
            with pytest.raises(Refused, match=f"imap: {says}"):
                ask()


def test_a_folder_that_cannot_be_made_is_named(genuine: World) -> None:
    genuine.write(letter(1))
    box = genuine.box.model_copy(update={"done_folder": "a//b"})
    with genuine.ems() as ems:
        (mail,) = ems.fetch(box, 9)
        with pytest.raises(Refused, match="MailboxMoveError CANNOT: check done_folder and aside_folder"):
            ems.settle(box, mail.uidvalidity, [mail.uid], [])
        assert ems.fetch(box, 9) == [mail]


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


def test_new_mail_is_heard_and_what_lies_there_is_told_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap_session, "SILENCE", 5)
    world.write(letter(1))
    news: list[float] = []

    def note() -> None:
        for _ in heard:
            news.append(time.monotonic())

    with world.ems() as ems:
        heard = ems.listen(world.box)
        next(heard)
        (mail,) = ems.fetch(world.box, 9)
        ems.settle(world.box, mail.uidvalidity, [mail.uid], [])
        thread = threading.Thread(target=note, daemon=True)
        thread.start()
        before = time.monotonic()
        world.write(letter(2))
        assert eventually(lambda: news)
        thread.join(60)
    assert not thread.is_alive(), "it ends after a silence"
    assert len(news) == 1, "a mail that leaves is no news"
    assert news[0] - before < 5


def test_one_who_listens_hears_of_the_end(tmp_path: Path) -> None:
    listening = threading.Event()

    def listen() -> type[BaseException] | None:
        try:
            for _ in ems.listen(world.box):
                listening.set()
        except Unavailable as error:
            return type(error)
        return None

    with ThreadPoolExecutor() as threads:
        with simulator(tmp_path) as server:
            world = World(Settings(**server.settings()), server.settings()["smtp"]["port"])
            world.write(letter(1))
            with world.ems() as ems:
                thread = threads.submit(listen)
                assert listening.wait(60)
        assert thread.result(60) is Unavailable


IMAP_ANSWERS = {
    b"CAPABILITY": b"* CAPABILITY IMAP4rev1 MOVE\r\n%t OK done\r\n",
    b"LOGIN": b"%t OK done\r\n",
    b"EXAMINE": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n%t OK done\r\n",
    b"SEARCH": b"* SEARCH 5\r\n%t OK done\r\n",
    b"NOOP": b"%t OK done\r\n",
    b"FETCH": b"* 1 FETCH (BODY[] {2}\r\nhi UID 5)\r\n%t OK done\r\n",
}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({b"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n%t OK done\r\n"}, Refused),
        ({b"IDLE": b"%t BAD no\r\n"}, Unavailable),
        ({b"IDLE": b"+ idling\r\n* BYE later\r\n"}, None),  # and then silence
        ({b"IDLE": b"+ idling\r\n* 2 EX"}, None),
        ({b"IDLE": None}, Unavailable),
    ],
)
def test_what_an_idle_that_breaks_means(
    change: dict[bytes, bytes | None], error: type[Exception] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if error is None:
        monkeypatch.setattr(imap_session, "SILENCE", 0.2)
    answers = IMAP_ANSWERS | {b"CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE\r\n%t OK done\r\n"} | change
    with scripted(b"* OK\r\n", answers) as port:
        ems, box = liar(port)
        with pytest.raises(error) if error else nullcontext():
            assert len(list(ems.listen(box))) == 1


def test_a_uid_told_after_the_text_is_read_too() -> None:
    with scripted(b"* OK\r\n", IMAP_ANSWERS) as port:
        ems, box = liar(port)
        assert ems.fetch(box, 9) == [Received(OURS, "JKT", 7, 5, b"hi")]


@pytest.mark.parametrize(
    ("said", "raw"),
    [
        (b"* 1 FETCH (UID 5 BODY[] NIL)\r\n", b""),
        (b"* 1 FETCH (BODY[] NIL UID 5)\r\n", b""),
        (b"", b""),  # all is well, and not a word of it
        (b'* 1 FETCH (UID 5 BODY[] "")\r\n', b""),
        (rb'* 1 FETCH (UID 5 BODY[] "a \"short\" one\\")' + b"\r\n", b'a "short" one\\'),
    ],
)
def test_a_mail_that_is_there_and_of_which_the_server_gives_nothing_is_not_left_out(
    said: bytes, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    size = b"* 1 FETCH (UID 5 RFC822.SIZE 2)\r\n%t OK done\r\n"
    answers = {b"RFC822.SIZE": size, b"FETCH": said + b"%t OK done\r\n"} | dict.fromkeys(
        [b"NOOP", b"LIST"], b'* LIST () "/" INBOX\r\n%t OK done\r\n'
    )
    with scripted(b"* OK\r\n", IMAP_ANSWERS | answers) as port:
        ems, box = liar(port)
        assert ems.fetch(box, 9) == [Received(OURS, "JKT", 7, 5, raw)]
        assert next(ems.walk(box)) == ("INBOX", {5: sha256(raw).hexdigest()})
    assert ("sends no content of mail UID 5 in INBOX" in caplog.text) is (not raw)


def test_a_mail_that_is_gone_before_it_is_read_is_left_out() -> None:
    gone = {b"SEARCH UID 5": b"* SEARCH\r\n%t OK done\r\n", b"NOOP": b"* 1 EXPUNGE\r\n%t OK done\r\n"}
    nothing = {b"FETCH": b"* 1 FETCH (UID 5 BODY[] NIL)\r\n%t OK done\r\n"}
    with scripted(b"* OK\r\n", gone | IMAP_ANSWERS | nothing) as port:
        ems, box = liar(port)
        assert ems.fetch(box, 9) == []


def test_a_mailbox_that_may_only_be_read_is_named_and_not_waited_for() -> None:
    with scripted(
        b"* OK\r\n", IMAP_ANSWERS | {b"SELECT": b"* OK [UIDVALIDITY 7]\r\n%t OK [READ-ONLY] done\r\n"}
    ) as port:
        ems, box = liar(port)
        for ask in (partial(ems.settle, box, 7, [5], []), partial(ems.reach_imap, box)):
            with pytest.raises(Refused, match="imap: readonly: check the rights of user in LAYANAN_MAILBOXES"):
                ask()


HALF_A_MAIL = b"* 1 FETCH (UID 5 BODY[] {2000}\r\nhalf a mail"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({b"FETCH": HALF_A_MAIL}, Refused),  # all else is well: it is the mail
        ({b"LOGIN": b"%t NO [UNAVAILABLE] later\r\n"}, Unavailable),
        ({b"LOGIN": b"%t NO [AUTHENTICATIONFAILED] no\r\n"}, Refused),
        ({b"EXAMINE": b"%t NO [NONEXISTENT] no such folder\r\n"}, Refused),
        ({b"EXAMINE": b"%t OK done\r\n"}, Refused),  # no UIDVALIDITY
        ({b"SEARCH": None}, Unavailable),
        ({b"FETCH": b"%t NO [SERVERBUG] oops\r\n"}, Refused),
    ],
)
def test_what_an_imap_session_that_breaks_means(
    change: dict[bytes, bytes | None], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    if HALF_A_MAIL in change.values():
        monkeypatch.setattr("adapters.ems.imap_session.IMAP_TIMEOUT", 0.5)
    with scripted(b"* OK\r\n", IMAP_ANSWERS | change) as port, pytest.raises(error):
        call("fetch")(*liar(port))
