"""Tables of the ledger database. One definition; only the generated columns differ by dialect."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Computed, Integer, MetaData, Table, Text


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


class ObservationTables:
    """``tick`` (one evaluation a second) and ``accumulators`` (bodies of seals)."""

    def __init__(self, dialect: str) -> None:
        self.metadata = MetaData()
        self.tick = Table(
            "tick",
            self.metadata,
            Column("seq", _counter(dialect), primary_key=True, autoincrement=True),
            Column("at", BigInteger, nullable=False, index=True, comment="microseconds since 1970"),
            Column("body", Text, nullable=False),
            sqlite_autoincrement=True,
        )
        self.accumulators = Table(
            "accumulators",
            self.metadata,
            Column("digest", Text, primary_key=True),
            Column("at", BigInteger, nullable=False, index=True),
            Column("body", Text, nullable=False),
        )


def _counter(dialect: str) -> type[Integer]:
    """SQLite makes only an INTEGER primary key the row's own number."""
    return Integer if dialect == "sqlite" else BigInteger


def _generated(name: str, dialect: str) -> Column[Any]:
    if dialect == "sqlite":
        return Column(name, Text, Computed(f"json_extract(entry, '$.{name}')", persisted=False), index=True)
    return Column(name, Text, Computed(f"(entry::jsonb ->> '{name}')", persisted=True), index=True)
