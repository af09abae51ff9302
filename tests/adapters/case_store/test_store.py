"""The case store on both kinds of data base, and its folder of blobs."""

import hashlib
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text, update
from sqlmodel import col, select

from adapters.case_store import schema
from adapters.case_store.store import SMALL, AlreadyRecorded, Store
from models.errors import Defect, Refused, Unavailable
from models.settings import Settings
from models.tables import Case, Kept
from tests.models.test_tables import new_case, stored
from tests.servers import Postgres


def errors_at_once(*acts: Callable[[], object]) -> list[BaseException | None]:
    """Do all of these, each in a thread, from one moment on; what they raised."""
    start = threading.Barrier(len(acts))

    def do(act: Callable[[], object]) -> None:
        start.wait(60)
        act()

    with ThreadPoolExecutor(len(acts)) as threads:
        done = [threads.submit(do, act) for act in acts]
    return [one.exception() for one in done if one.exception()]


def count_up(store: Store, times: int) -> None:
    """Read and write back, as an activity does: lost where two may do so at once."""
    for _ in range(times):
        with store.write() as session:
            case = session.exec(select(Case).where(Case.id == 1).with_for_update()).one()
            seen = case.restarts
            time.sleep(0.001)
            session.execute(update(Case).where(col(Case.id) == 1).values(restarts=seen + 1))


def test_writes_of_two_threads_follow_each_other(store: Store) -> None:
    stored(store, new_case())
    assert errors_at_once(*[partial(count_up, store, 20)] * 2) == []
    with store.read() as session:
        assert session.exec(select(Case.restarts)).one() == 40


def test_a_reader_sees_no_half_of_a_write(store: Store) -> None:
    stored(store, new_case())
    with store.write() as writing:
        writing.execute(update(Case).values(outcome="half"))
        with store.read() as session:
            assert session.exec(select(Case.outcome)).one() == ""
    with store.read() as session:
        assert session.exec(select(Case.outcome)).one() == "half"


def test_an_error_undoes_the_whole_write(store: Store) -> None:
    def fail() -> None:
        with store.write() as session:
            session.add(new_case())
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.read() as session:
        assert session.exec(select(Case)).all() == []


def test_the_same_key_is_a_conflict(store: Store) -> None:
    stored(store, new_case())
    with pytest.raises(AlreadyRecorded) as error:
        stored(store, Case.model_validate(new_case().model_dump() | {"id": 1}))
    assert error.value.permanent
    assert "budi" not in str(error.value)


@pytest.mark.parametrize("wrong", [{"mailbox": None}, {"previous_id": 99}], ids=["not null", "foreign key"])
def test_a_row_that_breaks_another_rule_is_a_defect(store: Store, wrong: dict[str, object]) -> None:
    """Only a unique key that is taken means that somebody else has recorded the same."""
    with pytest.raises(Defect, match=r"^case store: \w+$"):
        stored(store, Case(**new_case().model_dump(exclude_unset=True) | wrong))


def test_rows_stay_readable_after_the_session(store: Store) -> None:
    case = new_case()
    stored(store, case)
    assert case.reference == "JKT-0000001"


def test_sqlite_waits_for_another_process(tmp_path: Path) -> None:
    one, two = (Store(f"sqlite:///{tmp_path / 'cases.sqlite'}", tmp_path) for _ in range(2))
    schema.upgrade(one)
    with one.read() as session:
        assert session.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert session.execute(text("PRAGMA synchronous")).scalar() == 2
        assert session.execute(text("PRAGMA foreign_keys")).scalar() == 1
    with one.write() as session:
        session.add(new_case())
        waiting = threading.Thread(target=stored, args=(two, new_case()))
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
    waiting.join(60)
    with two.read() as session:
        assert len(session.exec(select(Case)).all()) == 2
    one.close()
    two.close()


def test_a_data_base_that_went_away_is_unavailable_and_comes_back(postgresql: Postgres, tmp_path: Path) -> None:
    store = Store(postgresql.new(), tmp_path)
    schema.upgrade(store)
    with store.read() as session:
        assert session.exec(select(Case)).all() == []

    def cut_off() -> None:
        with store.write() as session:
            session.add(new_case())
            postgresql.stop()

    with pytest.raises(Unavailable) as error:
        cut_off()
    assert not error.value.permanent
    # where to look, and nobody's name or password
    assert re.fullmatch(
        r"case store: 127\.0\.0\.1:\d+: \w+: is the database up\? Else check LAYANAN_DATABASE_URL", str(error.value)
    )
    try:
        with pytest.raises(Unavailable), store.read() as session:
            session.exec(select(Case)).all()
    finally:
        postgresql.start()
    stored(store, new_case())
    store.close()


def test_a_connection_that_rested_is_asked_whether_it_lives(
    postgresql: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(postgresql.new(), tmp_path)
    schema.upgrade(store)
    stored(store, new_case())
    monkeypatch.setattr("adapters.case_store.store.SURE", 0.0)
    postgresql.stop()
    postgresql.start()
    stored(store, new_case())
    store.close()


def test_an_sqlite_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "cases.sqlite").mkdir()
    store = Store(f"sqlite:///{tmp_path / 'cases.sqlite'}", tmp_path)
    with pytest.raises(Unavailable), store.read() as session:
        session.exec(select(Case)).all()


def test_nothing_is_opened_before_the_first_use(tmp_path: Path) -> None:
    Store(f"sqlite:///{tmp_path / 'new' / 'cases.sqlite'}", tmp_path / "blobs").close()
    assert list(tmp_path.iterdir()) == []


def test_files_are_kept_once_under_their_hash(store: Store) -> None:
    content = bytes(range(256)) * 1000
    name = store.keep(content)
    assert name == hashlib.sha256(content).hexdigest()
    assert store.kept(name) == content
    before = [file.stat().st_mtime_ns for file in store.blobs.rglob("*") if file.is_file()]
    assert store.keep(content) == name
    assert [file.stat().st_mtime_ns for file in store.blobs.rglob("*") if file.is_file()] == before
    assert len(before) == 1
    with pytest.raises(Refused, match=r"case store: .* missing"):
        store.kept("0" * 64)


@pytest.mark.parametrize("size", [0, SMALL, SMALL + 1])
def test_bytes_that_a_transaction_keeps_are_there_once_it_is_committed(store: Store, size: int) -> None:
    content = bytes(size)
    with store.write() as session:
        name = store.keep_within(session, content)
    with store.write() as session:
        assert store.keep_within(session, content) == name, "again, and in the same words"
    assert (store.kept(name), name) == (content, hashlib.sha256(content).hexdigest())
    with store.read() as session:
        assert len(session.exec(select(Kept)).all()) == (size <= SMALL)


def test_small_bytes_are_undone_with_their_transaction(store: Store) -> None:
    names = []

    def fail() -> None:
        with store.write() as session:
            names.append(store.keep_within(session, b"x"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with pytest.raises(Refused, match="missing"):
        store.kept(names[0])


def test_two_transactions_at_once_may_keep_the_same_bytes(store: Store) -> None:
    def keep(numbers: Sequence[int]) -> None:
        for one in range(20):
            with store.write() as session:
                for number in numbers:
                    store.keep_within(session, b"%d %d" % (one, number))

    assert errors_at_once(partial(keep, range(20)), partial(keep, range(19, -1, -1))) == []
    with store.read() as session:
        assert len(session.exec(select(Kept)).all()) == 400


def test_what_keeps_or_kept_cannot_do_is_told_without_a_name(store: Store) -> None:
    name = store.keep(b"x")
    (store.blobs / name[:2] / name).unlink()
    (store.blobs / name[:2] / name).mkdir()
    with pytest.raises(Unavailable, match="case store: folder of blobs: Is a directory"):
        store.kept(name)


def test_two_processes_may_keep_the_same_blob_at_once(tmp_path: Path) -> None:
    keep = (
        "import sys; from pathlib import Path; from adapters.case_store.store import Store; sys.stdin.read(1); "
        "[Store('sqlite://', Path(sys.argv[1]) / str(n)).keep(b'x' * 100_000) for n in range(300)]"
    )
    command = [sys.executable, "-c", keep, str(tmp_path)]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    for one in both:
        assert one.stdin
        one.stdin.write(b"g")
        one.stdin.flush()
    assert [(one.communicate(timeout=60)[1], one.returncode) for one in both] == [(b"", 0)] * 2
    assert len([file for file in tmp_path.rglob("*") if file.is_file()]) == 300


@pytest.mark.parametrize("database", ["cases.sqlite", ""])
def test_what_the_store_makes_is_for_its_own_user_alone(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    home = tmp_path / "new" / "home"
    url = f"sqlite:///{home / database}" if database else request.getfixturevalue("postgresql").new()
    store = Store(url, home / "blobs")
    schema.upgrade(store)
    name = store.keep(b"x")
    store.close()
    for folder in (home.parent, home, home / "blobs", home / "blobs" / name[:2]):
        assert folder.stat().st_mode & 0o777 == 0o700, folder


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o750)
    Store("sqlite://", home / "blobs").keep(b"x")
    assert home.stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)
def test_a_store_without_a_free_connection_is_unavailable(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.case_store.store.POOL_TIMEOUT", 0.1)
    small = Store(store.url, store.blobs, threads=1)
    with ExitStack() as held:
        for _ in range(6):  # each thread may hold two; and four for the others
            held.enter_context(small.read()).connection()
        with pytest.raises(Unavailable, match="case store: no connection is free"), small.read() as session:
            session.connection()
    with small.read() as session:
        assert session.exec(select(Case)).all() == []
    small.close()


def test_the_settings_threads_find_connections(tmp_path: Path) -> None:
    store = Store.of(Settings(home=tmp_path, worker_threads=40))
    with ExitStack() as held:
        for _ in range(80):
            held.enter_context(store.read()).connection()
    store.close()


def test_threads_may_keep_the_same_blob_at_once(tmp_path: Path) -> None:
    store = Store("sqlite://", tmp_path / "blobs")
    names: list[str] = []
    assert errors_at_once(*[lambda: names.append(store.keep(b"x" * 100_000))] * 8) == []
    assert len(set(names)) == 1
    assert len(names) == 8
    assert [file.name for file in (tmp_path / "blobs").rglob("*") if file.is_file()] == names[:1]
