"""SQL: one row of a database by one read-only SELECT, and no longer than its time.

The statement was checked when the policy was loaded; the database itself refuses writes all the same. Connections are
not kept: a server that restarts leaves none half-open.
"""

from __future__ import annotations

import math
import os
import socket
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

from pydantic import SecretStr
from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from console.ports import Clock
from stages.measures import Signal, Source
from stages.queries import ACCOUNT
from stages.raw_values import is_measurement, moment_of, number_of
from stages.refusal import Trouble
from stages.signals import Quality, Sample
from stages.value import Struct

SLACK: Final = 0.25
"""Seconds that the server has beyond its own time limit before the connection to it is cut."""

_STEPS: Final = 1000
"""Instructions of SQLite between two looks at the clock."""

_CANCELLED, _READ_ONLY = "57014", "25006"
"""SQLSTATE of a statement that took too long, and of one that would write."""


class _NotThere(Exception):
    def __init__(self, detail: str, quality: Quality = Quality.MISSING) -> None:
        super().__init__(detail)
        self.detail, self.quality = detail, quality


class Rows(Struct, frozen=True):
    """What a SELECT returned: at most two rows are read, and exactly one is an answer."""

    found: tuple[Mapping[str, object], ...]

    def sample(self, signal: Signal, read_time: datetime) -> Sample:
        """The signal's column with the columns of its event time and of its label."""
        source = signal.source.sql
        assert source is not None
        try:
            row = self._row()
            value = _column(row, source.value)
            event = None if signal.event_time is None else _moment(_column(row, signal.event_time), signal.event_time)
            if not signal.unit.is_number:
                return Sample(Quality.OK, read_time, event_time=event, text=_words(value))
            label = "" if signal.label is None else _words(row.get(signal.label) or "")
            return Sample(Quality.OK, read_time, _finite(value, source.value), event, label)
        except _NotThere as missing:
            return Sample(missing.quality, read_time, detail=missing.detail)

    def said(self, source: Source) -> str | tuple[str, ...] | None:
        """The text of a readback. Raises Trouble when the row does not hold it."""
        assert source.sql is not None
        try:
            return _words(_column(self._row(), source.sql.value))
        except _NotThere as missing:
            raise Trouble(missing.detail) from None

    def _row(self) -> Mapping[str, object]:
        if len(self.found) != 1:
            raise _NotThere("no row" if not self.found else "several rows, expected one")
        return self.found[0]


class Select:
    """One SELECT on one database; asked by one thread."""

    def __init__(self, name: str, url: SecretStr | None, query: str, account: str, clock: Clock) -> None:
        self._name, self._url, self._clock = name, url, clock
        self._query = query.strip().removesuffix(";")
        self._parameters = {ACCOUNT[1:]: account} if ACCOUNT in query else {}
        self._deadline = 0.0

    def ask(self, seconds: float) -> Rows:
        """The rows, within ``seconds``. Raises Trouble with a short reason."""
        self._deadline = self._clock.monotonic() + seconds
        try:
            with self._engine.connect() as connection, _cut_after(connection, seconds + SLACK):
                if connection.dialect.name == "postgresql":
                    connection.exec_driver_sql("SET TRANSACTION READ ONLY")
                    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {math.ceil(1000 * seconds)}")
                streamed = connection.execution_options(stream_results=True, max_row_buffer=2)
                with streamed.execute(text(self._query), self._parameters) as result:
                    return Rows(tuple(dict(row) for row in result.mappings().fetchmany(2)))
        except DBAPIError as error:
            late = self._clock.monotonic() >= self._deadline
            raise Trouble(f"no answer in {seconds:g} s" if late else _reason(error)) from None
        except SQLAlchemyError as error:
            raise Trouble(f"the query cannot be asked: {_first_line(error)}") from None

    @cached_property
    def _engine(self) -> Engine:
        url = self._checked_url()
        if url.get_backend_name() == "sqlite":
            return create_engine("sqlite://", poolclass=NullPool, creator=lambda: self._open(url.database or ""))
        postgresql = url.set(drivername="postgresql+psycopg")
        settings = {"connect_timeout": 3, "application_name": "rampdeck", "prepare_threshold": None}
        return create_engine(postgresql, poolclass=NullPool, connect_args=settings)

    def _checked_url(self) -> URL:
        if self._url is None:
            raise Trouble(f"database {self._name} is not configured")
        try:
            url = make_url(self._url.get_secret_value())
        except ArgumentError:
            raise Trouble(f"the URL of database {self._name} is none") from None
        if url.get_backend_name() not in ("postgresql", "sqlite"):
            raise Trouble(f"database {self._name} is neither PostgreSQL nor SQLite")
        return url

    def _open(self, path: str) -> sqlite3.Connection:
        """A file that is there, for reading alone, interrupted at the deadline."""
        connection = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=0.5, check_same_thread=False)
        connection.execute("PRAGMA query_only = ON")
        connection.set_progress_handler(lambda: self._clock.monotonic() >= self._deadline, _STEPS)
        return connection


@contextmanager
def _cut_after(connection: Connection, seconds: float) -> Iterator[None]:
    """Shuts the connection's socket down after so long: a server that hangs keeps no time limit of its own."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name != "postgresql":
        yield
        return
    own = socket.socket(fileno=os.dup(driver.fileno()))
    timer = threading.Timer(seconds, _shut, (own,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        own.close()


def _shut(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is shut already


def _column(row: Mapping[str, object], name: str) -> object:
    if name not in row:
        raise _NotThere(f"the row has no column {name}", Quality.PROVIDER_ERROR)
    if row[name] is None:
        raise _NotThere(f"{name} is null")
    return row[name]


def _finite(value: object, column: str) -> Decimal:
    number = number_of(value)
    if number is None:
        raise _NotThere(f"{column} is not a number", Quality.PROVIDER_ERROR)
    if not is_measurement(number):
        raise _NotThere(f"{column} is {str(value)[:20]}", Quality.NONFINITE)
    return number or Decimal(0)


def _moment(value: object, column: str) -> datetime:
    try:
        moment = moment_of(value)
    except ValueError as error:
        raise _NotThere(f"{column} is {error}") from None
    if moment is None:
        raise _NotThere(f"{column} is not a time")
    return moment


def _words(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _reason(error: DBAPIError) -> str:
    """A few words; the statement and its parameters stay out of them."""
    state = getattr(error.orig, "sqlstate", None)
    if state == _CANCELLED or getattr(error.orig, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
        return "the query takes too long"
    if state == _READ_ONLY or getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_READONLY"):
        return "the query would write, and was refused"
    said = _first_line(error.orig or error)
    return "connection refused" if "refused" in said.lower() else said


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:120] if lines else type(error).__name__
