"""The case store: one SQL database, SQLite (WAL) or PostgreSQL, and a folder for large content.

Mails and letters are stored byte for byte: small ones in the database, together with the rows that refer to them, large
ones as files. Sessions are short: ``read`` for queries, ``write`` for one transaction; neither calls other systems.
A write on SQLite takes the write lock at its start, so that a write in between cannot make it fail.
"""

import hashlib
import math
import os
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from sqlite3 import SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE
from time import monotonic
from typing import Any

from sqlalchemy import Dialect, Engine, QueuePool, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, IntegrityError, OperationalError, TimeoutError
from sqlmodel import Session, select

from adapters.case_store.audit import append_noted
from adapters.folder import private
from models.errors import Defect, LayananError, Refused, SettingsError, Unavailable
from models.settings import Settings
from models.tables import Kept

QUIET: dict[str, Any] = {"hide_parameters": True}
"""Errors of the database appear in run histories, and rows contain customers' words."""
SMALL = 64 * 1024
"""Largest content in bytes that is stored in the database, which saves a disk wait for each file.

It saves a tenth of a mail's CPU (SQLite: 13.0 ms instead of 14.5)."""
_KEPT = "bytes that are kept with the transaction"
POOL_TIMEOUT = 30.0
"""Seconds to wait for a free connection."""
SURE = 1.0
"""Seconds after its last use in which a connection is used without a ping."""
_TOO_LARGE = "54000"
"""PostgreSQL's SQLSTATE for a value too large for an index: an OperationalError, although the database works."""
_TAKEN = {"23505", SQLITE_CONSTRAINT_UNIQUE, SQLITE_CONSTRAINT_PRIMARYKEY}
"""What PostgreSQL and SQLite say of a unique key that another row has."""


class AlreadyRecorded(LayananError):
    """A row with the same key exists: another transaction recorded the same thing first, and its record stands."""


class Store:
    """The case store. It connects at first use, and has connections for ``threads`` threads."""

    def __init__(self, url: str, blobs: Path, threads: int = 4) -> None:
        self.url = url
        self.blobs = blobs
        self._threads = threads
        self._engine: Engine | None = None
        self._lock = threading.Lock()
        self._lasting: set[Path] = set()
        """Folders of blobs whose directory entries are on the disk."""

    @classmethod
    def of(cls, settings: Settings) -> "Store":
        """The store that the settings name."""
        return cls(settings.store_url, settings.home / "blobs", settings.worker_threads)

    @property
    def engine(self) -> Engine:
        """The engine, made at first use and shared by the process's threads."""
        with self._lock:
            if self._engine is None:
                self._engine = self._connect()
            return self._engine

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for queries.

        Raises:
            Unavailable: the database does not answer.
        """
        with self._errors(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session for one transaction, committed at the end, rolled back on any error.

        Raises:
            AlreadyRecorded: a row with the same key exists.
            Unavailable: the database does not answer.
        """
        with self._errors(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            session.connection(execution_options={"layanan_write": True})
            yield session
            if kept := session.info.get(_KEPT):
                # sorted, so that two transactions with the same content do not deadlock
                rows = [{"sha256": name, "content": kept[name]} for name in sorted(kept)]
                session.execute(_INSERT[session.get_bind().dialect.name], rows)
            append_noted(session)

    @staticmethod
    def alone(session: Session, names: Iterable[str]) -> None:
        """Lock these names until the transaction ends; SQLite has one writer anyway.

        Call it once in a transaction: two transactions that lock twice could deadlock.
        """
        if session.get_bind().dialect.name == "postgresql":
            digests = (hashlib.sha256(name.encode()).digest() for name in names)
            session.execute(_LOCK, {"keys": sorted(int.from_bytes(one[:8], "big", signed=True) for one in digests)})

    def keep(self, content: bytes) -> str:
        """Keep bytes under their SHA-256 and return it. Equal bytes are kept once, and survive a power cut.

        Raises:
            Unavailable: the folder cannot be written.
        """
        name = hashlib.sha256(content).hexdigest()
        path = self._blob(name)
        with self._file_errors():
            if not path.exists():
                if path.parent not in self._lasting:
                    private(path.parent)
                    _sync(self.blobs)
                    self._lasting.add(path.parent)
                _write(path, content)
        return name

    def keep_within(self, session: Session, content: bytes) -> str:
        """Keep bytes as part of the transaction: they are kept once it is committed.

        Raises:
            Unavailable: the folder cannot be written.
        """
        if len(content) > SMALL:
            return self.keep(content)
        name = hashlib.sha256(content).hexdigest()
        session.info.setdefault(_KEPT, {})[name] = content
        return name

    def kept(self, name: str) -> bytes:
        """The bytes with this SHA-256.

        Raises:
            Refused: these bytes are not kept here.
            Unavailable: the database does not answer, or the folder cannot be read.
        """
        with self.read() as session:
            content = session.exec(select(Kept.content).where(Kept.sha256 == name)).first()
        return self.kept_file(name) if content is None else content

    def kept_file(self, name: str) -> bytes:
        """The bytes with this SHA-256 that are kept as a file. Errors as for ``kept``."""
        with self._file_errors():
            try:
                return self._blob(name).read_bytes()
            except FileNotFoundError:
                raise Refused("case store", "a mail's or letter's bytes are missing in LAYANAN_HOME/blobs") from None

    def close(self) -> None:
        """Close all connections."""
        if self._engine is not None:
            self._engine.dispose()

    def _blob(self, name: str) -> Path:
        return self.blobs / name[:2] / name

    def _connect(self) -> Engine:
        private(self.blobs)
        # a thread may open a second session while it holds one
        size = {"pool_size": self._threads + 4, "max_overflow": self._threads, "pool_timeout": POOL_TIMEOUT}
        if not self.url.startswith("sqlite"):
            try:
                engine = create_engine(self.url, **size, **QUIET)
            except (ArgumentError, ImportError):
                example = "postgresql+psycopg://layanan@db/layanan"
                raise SettingsError(f"LAYANAN_DATABASE_URL: not a valid database URL (for example {example})") from None
            event.listen(engine, "checkin", _note_use)
            event.listen(engine, "checkout", partial(_ping_if_idle, engine.dialect))
            return engine
        private(Path(self.url.removeprefix("sqlite:///")).parent)
        engine = create_engine(self.url, poolclass=QueuePool, connect_args={"timeout": 30}, **size, **QUIET)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError as error:
            if not _is_taken_key(error.orig):
                raise _defect(error) from None
            raise AlreadyRecorded(type(error.orig).__name__) from error
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) == _TOO_LARGE:
                raise _defect(error) from None
            what = f"{self._place()}: {type(error.orig).__name__}: is the database up? Else check LAYANAN_DATABASE_URL"
            raise Unavailable("case store", what) from error
        except TimeoutError as error:
            raise Unavailable("case store", "no connection is free") from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise Unavailable("case store", "connection lost") from error
            raise _defect(error) from None

    def _place(self) -> str:
        """Where the database is: its URL without user and password."""
        url = make_url(self.url)
        return f"{url.host}:{url.port or 5432}" if url.host else str(url.database)

    @contextmanager
    def _file_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable("case store", f"folder of blobs: {error.strerror}") from None


_LOCK = text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")
_INSERT: dict[str, Any] = {
    name: dialect.insert(Kept).on_conflict_do_nothing()
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}


def _defect(error: DBAPIError) -> Defect:
    """An error without the database's text, which may quote a row."""
    return Defect(f"case store: {type(error.orig).__name__}")


def _is_taken_key(error: BaseException | None) -> bool:
    return getattr(error, "sqlstate", None) in _TAKEN or getattr(error, "sqlite_errorcode", None) in _TAKEN


def _write(path: Path, content: bytes) -> None:
    """Write the whole file, or none, to the disk."""
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Write the folder's own entries to the disk."""
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def _note_use(_connection: Any, record: Any) -> None:
    record.info["used"] = monotonic()


def _ping_if_idle(dialect: Dialect, connection: Any, record: Any, _proxy: Any) -> None:
    """Ping a connection as the pool would (``pool_pre_ping``), but only if it was idle; the pool replaces a dead one.

    It saves a fifth of a mail's CPU (PostgreSQL: 16.4 ms instead of 20.5).
    """
    if monotonic() < record.info.get("used", math.inf) + SURE:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error:
        raise DisconnectionError from None


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # the driver begins its transactions late; we begin them ourselves (see _begin_sqlite)
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get("layanan_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
