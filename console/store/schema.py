"""Tables of the ledger database. One definition; only the generated columns differ by dialect."""

from __future__ import annotations

import zlib
from typing import Any

from sqlalchemy import BigInteger, Column, Computed, Dialect, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.types import TypeDecorator, TypeEngine


class LedgerTables:
    """``entry`` (canonical text with generated columns), ``head`` (one row) and ``lease`` (one row)."""

    def __init__(self, dialect: str) -> None:
        self.metadata = MetaData()
        self.entry = Table(
            "entry",
            self.metadata,
            Column("seq", _counter(dialect), primary_key=True, autoincrement=False),
            Column("prev", Text, nullable=False, unique=True),
            Column("hash", Text, nullable=False, unique=True),
            Column("entry", Text, nullable=False),
            *(_generated(name, dialect) for name in ("kind", "actor", "stage", "intent", "ts")),
        )
        self.head = Table(
            "head",
            self.metadata,
            Column("one", Integer, primary_key=True, autoincrement=False),
            Column("seq", BigInteger, nullable=False),
            Column("hash", Text, nullable=False),
        )
        self.lease = Table(
            "lease",
            self.metadata,
            Column("one", Integer, primary_key=True, autoincrement=False),
            Column("holder", Text),
            Column("term", BigInteger, nullable=False),
            Column("expires", BigInteger, nullable=False, comment="microseconds since 1970, the database's clock"),
        )


class Packed(TypeDecorator[str]):
    """A text that takes a tenth of its room: compressed here for SQLite; PostgreSQL does it by itself.

    What was damaged reads as a text that says nothing, so that its digest tells.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(LargeBinary() if dialect.name == "sqlite" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return zlib.compress(value.encode()) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> str:  # noqa: ARG002
        if isinstance(value, str):
            return value
        try:
            return zlib.decompress(value).decode()
        except (zlib.error, UnicodeDecodeError):
            return ""


class ObservationTables:
    """``tick`` (one evaluation a second) and ``accumulators`` (bodies of seals)."""

    def __init__(self, dialect: str) -> None:
        self.metadata = MetaData()
        self.tick = Table(
            "tick",
            self.metadata,
            Column("seq", _counter(dialect), primary_key=True, autoincrement=True),
            Column("at", BigInteger, nullable=False, index=True, comment="microseconds since 1970"),
            Column("body", Packed, nullable=False),
            sqlite_autoincrement=True,
        )
        self.accumulators = Table(
            "accumulators",
            self.metadata,
            Column("digest", Text, primary_key=True),
            Column("at", BigInteger, nullable=False, index=True),
            Column("body", Packed, nullable=False),
        )


def _counter(dialect: str) -> type[Integer]:
    """SQLite makes only an INTEGER primary key the row's own number."""
    return Integer if dialect == "sqlite" else BigInteger


def _generated(name: str, dialect: str) -> Column[Any]:
    if dialect == "sqlite":
        return Column(name, Text, Computed(f"json_extract(entry, '$.{name}')", persisted=False), index=True)
    return Column(name, Text, Computed(f"(entry::jsonb ->> '{name}')", persisted=True), index=True)
