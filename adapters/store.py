"""The case store: one SQL data base, SQLite (WAL) or PostgreSQL, and a folder of raw mails and letters.

Sessions are short: ``read`` for looking, ``write`` for one transaction. A write on SQLite takes the write lock at
its start, so that it never fails half-way because another wrote in between. Nothing outside is called in either.
"""

import hashlib
import os
import threading
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, QueuePool, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError, TimeoutError
from sqlmodel import Session

from adapters.folder import private
from models.errors import Defect, LayananError, Refused, SettingsError, Unavailable
from models.settings import Settings

QUIET: dict[str, Any] = {"hide_parameters": True}
"""The data base's errors stand in run histories, and rows hold customers' words."""
_KEPT = "files that the transaction waits for"
_WRITERS = 4
"""Files that are written at once."""
POOL_TIMEOUT = 30.0
"""Seconds to wait for a connection that is free."""
_TOO_LARGE = "54000"
"""PostgreSQL's word for a value that an index cannot hold: an OperationalError, though no failure of the data base."""


class Conflict(LayananError):
    """Somebody else recorded the same thing first; the first record stands."""


class Store:
    """The case store. Connects at first use, and has connections for so many ``threads``."""

    def __init__(self, url: str, blobs: Path, threads: int = 4) -> None:
        self.url = url
        self.blobs = blobs
        self._threads = threads
        self._engine: Engine | None = None
        self._lock = threading.Lock()
        self._lasting: set[Path] = set()
        """Folders of blobs that would outlive a power cut."""
        self._writers = ThreadPoolExecutor(_WRITERS, "blobs")

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
        """A session for looking.

        Raises:
            Unavailable: the data base does not answer.
        """
        with self._errors(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session for one transaction, committed at the end, undone on any error.

        Raises:
            Conflict: a row with the same key exists.
            Unavailable: the data base does not answer.
        """
        with self._errors(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            session.connection(execution_options={"layanan_write": True})
            yield session
            for kept in session.info.get(_KEPT, ()):
                kept.result()

    @staticmethod
    def alone(session: Session, names: Iterable[str]) -> None:
        """Until this transaction ends nobody else is in one that asked for any of the names; SQLite lets one write.

        To be asked for once in a transaction: two that ask twice could wait for each other.
        """
        if session.get_bind().dialect.name == "postgresql":
            for name in sorted(names):
                key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
                session.execute(select(func.pg_advisory_xact_lock(key)))

    def keep(self, content: bytes) -> str:
        """Keep bytes under their SHA-256 and return it; the same bytes are kept once, and outlive a power cut.

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

    def keep_soon(self, content: bytes) -> "Future[str]":
        """Do so meanwhile: several files that are written at once wait for the disk together."""
        return self._writers.submit(self.keep, content)

    def keep_within(self, session: Session, content: bytes) -> None:
        """Do so by the end of the transaction, which is undone where the folder cannot be written."""
        session.info.setdefault(_KEPT, []).append(self.keep_soon(content))

    def kept(self, name: str) -> bytes:
        """The bytes with this SHA-256.

        Raises:
            Refused: they were never kept here.
            Unavailable: the folder cannot be read.
        """
        with self._file_errors():
            try:
                return self._blob(name).read_bytes()
            except FileNotFoundError:
                raise Refused("case store", "a mail's or letter's bytes are missing in LAYANAN_HOME/blobs") from None

    def close(self) -> None:
        """Close all connections."""
        self._writers.shutdown()
        if self._engine is not None:
            self._engine.dispose()

    def _blob(self, name: str) -> Path:
        return self.blobs / name[:2] / name

    def _connect(self) -> Engine:
        private(self.blobs)
        # a thread may look into the store while it holds a session open
        size = {"pool_size": self._threads + 4, "max_overflow": self._threads, "pool_timeout": POOL_TIMEOUT}
        if not self.url.startswith("sqlite"):
            try:
                return create_engine(self.url, pool_pre_ping=True, **size, **QUIET)
            except (ArgumentError, ImportError):
                example = "postgresql+psycopg://layanan@db/layanan"
                raise SettingsError(f"LAYANAN_DATABASE_URL: no data base's address (for example {example})") from None
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
            raise Conflict(type(error.orig).__name__) from error
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) == _TOO_LARGE:
                raise _defect(error) from None
            what = f"{self._place()}: {type(error.orig).__name__}: is it up? Else look at LAYANAN_DATABASE_URL"
            raise Unavailable("case store", what) from error
        except TimeoutError as error:
            raise Unavailable("case store", "no connection is free") from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise Unavailable("case store", "connection lost") from error
            raise _defect(error) from None

    def _place(self) -> str:
        """Where the data base is; its address without user and password."""
        url = make_url(self.url)
        return f"{url.host}:{url.port or 5432}" if url.host else str(url.database)

    @contextmanager
    def _file_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable("case store", f"folder of blobs: {error.strerror}") from None


def _defect(error: DBAPIError) -> Defect:
    """What the data base says of a row may quote it."""
    return Defect(f"case store: {type(error.orig).__name__}")


def _write(path: Path, content: bytes) -> None:
    """The whole file or none, on the disk when this returns."""
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
    """What the folder lists, on the disk when this returns."""
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # the driver's own transactions begin late; ours begin where we say (see _begin_sqlite)
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get("layanan_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
