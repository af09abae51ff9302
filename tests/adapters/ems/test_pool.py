"""Connections are kept, shared by nobody, and given up after an error."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapters.ems.pool import KEPT
from models.errors import Refused, Unavailable
from tests.adapters.ems.world import BUDI, LETTERS, LOGIN, LOGOUT, OURS, World, call, ids, letter, liar, logged
from tests.ports import free_port
from tests.servers import eventually


def test_threads_do_not_share_connections(world: World) -> None:
    world.write(letter(1), letter(2))
    with world.ems() as ems, ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _: ids(ems.fetch(world.box, 9)), range(12)))
    assert results == [["<c1@telkom.example>", "<c2@telkom.example>"]] * 12


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
        # Dovecot's lines may come a little after its answers
        assert eventually(lambda: logged(inside, LOGIN) > logins)
        assert (logged(inside, LOGIN), logged(inside, LOGOUT)) == (logins + 1, logouts)
        assert logged(outside, LETTERS) == sessions
    assert eventually(lambda: logged(inside, LOGOUT) == logouts + 1)
    assert eventually(lambda: logged(outside, LETTERS) == sessions + 1)


def test_of_many_connections_at_once_a_few_are_kept(genuine: World, logs: tuple[Path, Path]) -> None:
    many, log = KEPT + 3, logs[0]
    logins, logouts, together = logged(log, LOGIN), logged(log, LOGOUT), threading.Barrier(many)

    def use() -> bool:
        with ems._imap(genuine.box) as imap:
            together.wait(60)
            return imap.folder.exists("INBOX")

    with genuine.ems() as ems:
        with ThreadPoolExecutor(many) as threads:
            assert [one.result() for one in [threads.submit(use) for _ in range(many)]] == [True] * many
        assert eventually(lambda: logged(log, LOGOUT) == logouts + 3)
        assert eventually(lambda: logged(log, LOGIN) == logins + many)
    assert eventually(lambda: logged(log, LOGOUT) == logouts + many)


def test_a_connection_after_an_error_is_not_used_again(genuine: World, logs: tuple[Path, Path]) -> None:
    before = logged(logs[0], LOGIN)
    lost = genuine.box.model_copy(update={"folder": "Nowhere"})
    with genuine.ems() as ems:
        with pytest.raises(Refused):
            ems.fetch(lost, 1)
        ems.fetch(genuine.box, 1)
    assert eventually(lambda: logged(logs[0], LOGIN) == before + 2)


@pytest.mark.parametrize("name", ["fetch", "settle", "has_copy", "send"])
def test_nobody_listening_is_unavailable_within_seconds(name: str) -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable):
        call(name)(*liar(free_port()))
    assert time.monotonic() - began < 4
