"""One database by URL, SQLite or PostgreSQL: short transactions, and errors as plain sentences."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, MetaData, create_engine, func, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from stages.refusal import Trouble

PATIENCE: Final = 5.0
"""Seconds a caller waits for the write lock when it names no deadline."""

MAPPED: Final = 256 * 2**20
"""Bytes of a SQLite file read through memory: half the time of a verification goes into copying pages otherwise."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ADVISORY_LOCK: Final = 0x52414D50
"""The key under which every writer of one PostgreSQL database queues."""

SQLITE_TROUBLE: Final = {
    "BUSY": ("is locked by another process", "wait for it, or find who holds the file"),
    "LOCKED": ("is locked by another writer", "wait for it"),
    "READONLY": ("is read-only", "check the owner and mode of the file and of its folder"),
    "FULL": ("cannot grow: the disk is full", "free some space"),
    "CANTOPEN": ("cannot be opened", "check that the path exists and that you may use it"),
    "NOTADB": ("is not a SQLite database", "name another file, or restore it from a copy"),
    "CORRUPT": ("is damaged", "restore it from a copy"),
    "IOERR": ("cannot be read or written: the disk reports an error", "check the disk"),
    "PERM": ("may not be used", "check the owner and mode of the file"),
}


class Database:
    """An engine with short transactions. ``name`` and ``away`` shape the error: what it is and how it is raised.

    SQLite is opened ``rw`` (a missing file stays missing until ``create``), or ``ro`` with ``read_only``; ``mapped``
    bytes of the file are read through memory, and stay in this process's memory once they were read.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        away: type[Trouble],
        read_only: bool = False,
        durable: bool = True,
        mapped: int = MAPPED,
    ) -> None:
        self.name, self.away, self.read_only = name, away, read_only
        self.url = database_url(url)
        self.path = sqlite_path(self.url)
        self.dialect: Literal["sqlite", "postgresql"] = "sqlite" if self.path else "postgresql"
        self.where = str(self.path or self.url.render_as_string(hide_password=True))
        self._mapped = mapped
        self._synchronous = "FULL" if durable else "NORMAL"
        self.engine = self._engine()

    def _engine(self) -> Engine:
        """Connections without an upper bound: a reduction must not wait for one that a slow reader keeps."""
        if self.path is None:
            return create_engine(self.url, max_overflow=-1, pool_pre_ping=True, connect_args={"connect_timeout": 2})
        return create_engine(self.url, max_overflow=-1, creator=lambda: self._connect("ro" if self.read_only else "rw"))

    def _connect(self, mode: Literal["ro", "rw", "rwc"]) -> sqlite3.Connection:
        assert self.path is not None
        options = f"mode={mode}"
        if mode == "ro" and not _writable(self.path.parent) and not _beside(self.path, "-wal").exists():
            options += "&immutable=1"  # a copy on read-only media: no one can be writing it
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?{options}",
            uri=True,
            timeout=PATIENCE,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute(f"PRAGMA mmap_size={self._mapped}")
        return connection

    def create(self, metadata: MetaData) -> None:
        """Make folder, file and tables where they are missing."""
        with self._plainly():
            if self.path is not None:
                self._create_file(self.path)
        with self.write() as connection:
            metadata.create_all(connection)

    def _create_file(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise self.trouble(f"has no folder: {error.strerror}", "name a folder that you may write") from error
        connection = self._connect("rwc")
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()

    def require(self) -> None:
        """Trouble when the SQLite file is not there: asking a question never makes a database."""
        if self.path is not None and not self.path.is_file():
            what = "is a folder, not a file" if self.path.is_dir() else "does not exist"
            raise self.trouble(what, "check the path or the URL")

    @contextmanager
    def write(self, deadline: float | None = None) -> Iterator[Connection]:
        """The write transaction: taken at once, held alone, committed at the end of the block, undone by an exception.

        ``deadline``: seconds to wait for it (default 5); ``away`` is raised after that.
        """
        milliseconds = max(1, round(1000 * (PATIENCE if deadline is None else deadline)))
        with self._plainly(milliseconds), self.engine.connect() as connection:
            if self.dialect == "sqlite":
                self._begin_immediate(connection, milliseconds)
            else:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
                connection.execute(select(func.pg_advisory_xact_lock(ADVISORY_LOCK)))
            yield connection
            connection.commit()

    def _begin_immediate(self, connection: Connection, milliseconds: int) -> None:
        """Ask every millisecond: SQLite's own waiting backs off to 100 ms, so a busy neighbour starves the rest."""
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.execute("PRAGMA busy_timeout=0")
        try:
            self._begin_now(driver, milliseconds)
        finally:
            driver.execute(f"PRAGMA busy_timeout={round(1000 * PATIENCE)}")

    def _begin_now(self, driver: sqlite3.Connection, milliseconds: int) -> None:
        pause = threading.Event()
        for left in range(milliseconds, -1, -1):
            try:
                driver.execute(f"PRAGMA synchronous={self._synchronous}")
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not left or error.sqlite_errorname.split("_")[1] != "BUSY":
                    raise
                pause.wait(0.001)
            else:
                return

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the database, however long the block reads."""
        self.require()
        with self._plainly(), self.engine.connect() as connection:
            if self.dialect == "sqlite":
                connection.exec_driver_sql("BEGIN")
            else:
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield connection

    def clock(self, connection: Connection, now: datetime) -> datetime:
        """The clock that leases live by: PostgreSQL's own; for SQLite, ``now`` of this one machine."""
        if self.dialect == "sqlite":
            return now
        at: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return at.astimezone(UTC)

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    def trouble(self, what: str, fix: str = "") -> Trouble:
        """``away`` as a sentence about this database."""
        return self.away(f"the {self.name} {what}", where=self.where, fix=fix)

    @contextmanager
    def _plainly(self, milliseconds: int = round(1000 * PATIENCE)) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeout, sqlite3.Error) as error:
            raise self.trouble(*_sentence(error, milliseconds)) from error


def database_url(url: str) -> URL:
    """The URL with ``~`` expanded and psycopg as PostgreSQL's driver; Trouble for anything else."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Trouble(
            "not a database URL", where=url, fix="write sqlite:////path/to/file or postgresql://host/name"
        ) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database and parsed.database != ":memory:":
        return parsed.set(drivername="sqlite", database=str(Path(parsed.database).expanduser().absolute()))
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    raise Trouble(
        f"no store for {backend!r} without a file or server",
        where=parsed.render_as_string(hide_password=True),
        fix="write sqlite:////path/to/file or postgresql://host/name",
    )


def sqlite_path(url: URL) -> Path | None:
    """The file of a SQLite URL; None for a server."""
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def microseconds(at: datetime) -> int:
    """Whole microseconds since 1970 of an aware time: how the stores write times that they compare."""
    return (at - EPOCH) // timedelta(microseconds=1)


def from_microseconds(value: int) -> datetime:
    """The aware UTC time of ``microseconds``."""
    return EPOCH + timedelta(microseconds=value)


def _sentence(error: DBAPIError | PoolTimeout | sqlite3.Error, milliseconds: int) -> tuple[str, str]:
    original = error.orig if isinstance(error, DBAPIError) else error
    code = str(getattr(original, "sqlite_errorname", "")).removeprefix("SQLITE_").split("_")[0]
    if code in SQLITE_TROUBLE:
        what, fix = SQLITE_TROUBLE[code]
        return (f"{what} ({milliseconds} ms waited)" if code in ("BUSY", "LOCKED") else what), fix
    if getattr(original, "sqlstate", None) == "55P03":
        return f"is locked by another writer ({milliseconds} ms waited)", "wait for it"
    first_line = (str(original).strip().splitlines() or [type(original).__name__])[0]
    return f"cannot be used: {first_line}", "check that it is a store of Rampdeck and that it can be reached"


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
