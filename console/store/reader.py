"""The ledger for those who only read it: pages, filters, verification. Needs no fold, no policy and no write access."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, LargeBinary, Select, cast, func, select
from sqlalchemy.engine.interfaces import DBAPICursor

from console.store.database import Database
from console.store.schema import LedgerTables
from stages.chain import Anchor, Row, Verification, verify
from stages.entries import EMPTY, EVERY, Entry, EntryFilter, Head, LedgerAltered, LedgerAway, parse, stamp

STREAM: Final = {"yield_per": 200}
"""Rows are fetched in pages of this size, so that memory does not grow with the ledger."""


class LedgerReader:
    """Reads a ledger database by URL. Every method raises LedgerAway when it cannot be read."""

    def __init__(self, url: str, *, read_only: bool = True) -> None:
        self.database = Database(url, name="ledger", away=LedgerAway, read_only=read_only)
        self.tables = LedgerTables(self.database.dialect)

    def head(self) -> Head:
        """The newest entry's number and hash, as the head row says; ``EMPTY`` before the genesis entry."""
        with self.database.read() as connection:
            return self._head(connection) or EMPTY

    def entries(self, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
        """Entries with ``seq > after`` in order, streamed; the view is that of the moment of the first one."""
        entry = self.tables.entry
        query = select(entry.c.seq, entry.c.entry).where(entry.c.seq > after).order_by(entry.c.seq).limit(limit)
        with self.database.read() as connection:
            for row in connection.execute(query, execution_options=STREAM):
                yield self._parse(row.seq, row.entry)

    def entry(self, seq: int) -> Entry | None:
        """One entry by its number."""
        return next((found for found in self.entries(seq - 1, 1) if found.seq == seq), None)

    def newest(self, only: EntryFilter = EVERY, *, before: int | None = None, limit: int = 100) -> list[Entry]:
        """The newest entries that pass the filter, newest first; ``before`` continues a page further back."""
        entry = self.tables.entry
        query = _filtered(select(entry.c.seq, entry.c.entry), self.tables, only)
        if before is not None:
            query = query.where(entry.c.seq < before)
        with self.database.read() as connection:
            rows = connection.execute(query.order_by(entry.c.seq.desc()).limit(limit))
            return [self._parse(row.seq, row.entry) for row in rows]

    def verify(self, anchors: Sequence[Anchor] = ()) -> Verification:
        """Verify the whole chain in one consistent view."""
        with self.database.read() as connection:
            return verify(self._rows(connection), self._head(connection), anchors)

    def close(self) -> None:
        """Give the connections back."""
        self.database.close()

    def _head(self, connection: Connection) -> Head | None:
        row = connection.execute(select(self.tables.head.c.seq, self.tables.head.c.hash)).first()
        return Head(row.seq, row.hash) if row else None

    def _rows(self, connection: Connection) -> Iterator[Row]:
        """Stored columns and bytes. SQLite gives the bytes as they are, even where they are no longer UTF-8.

        Its rows are taken from the driver: making row objects of them would take as long as the hashing.
        """
        entry = self.tables.entry.c
        if self.database.dialect == "sqlite":
            query = select(entry.seq, entry.prev, entry.hash, cast(entry.entry, LargeBinary)).order_by(entry.seq)
            cursor: DBAPICursor = connection.execute(query).cursor
            while page := cursor.fetchmany(STREAM["yield_per"]):
                yield from page
        else:
            text = func.convert_to(entry.entry, "UTF8")
            query = select(entry.seq, entry.prev, entry.hash, text).order_by(entry.seq)
            for row in connection.execute(query, execution_options=STREAM):
                yield row.seq, row.prev, row.hash, row[3]

    def _parse(self, seq: int, text: str) -> Entry:
        try:
            return parse(text)
        except ValueError as error:
            raise self._altered(seq, str(error)) from error

    def _altered(self, seq: int, what: str) -> LedgerAltered:
        return LedgerAltered(
            f"the ledger was altered at entry {seq}: {what}",
            where=self.database.where,
            fix="run 'rampdeck ledger verify' and restore it from a copy",
        )


def _filtered(query: Select[tuple[int, str]], tables: LedgerTables, only: EntryFilter) -> Select[tuple[int, str]]:
    columns = tables.entry.c
    for name in ("kind", "actor", "stage", "intent"):
        if (wanted := getattr(only, name)) is not None:
            query = query.where(columns[name] == wanted)
    return query if only.since is None else query.where(columns.ts >= stamp(only.since))
