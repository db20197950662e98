"""The ledger for those who only read it: pages, filters, verification. Needs no fold, no policy and no write access."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, LargeBinary, Select, cast, func, select
from sqlalchemy.engine.interfaces import DBAPICursor

from console.store.database import Database
from console.store.schema import LedgerTables
from stages.chain import Anchor, Row, Verification, verify
from stages.entries import EMPTY, EVERY, Entry, EntryFilter, Head, LedgerAltered, LedgerAway, StoredEntry, parse, stamp

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

    def entries(self, after: int = 0, limit: int | None = None, only: EntryFilter = EVERY) -> Iterator[Entry]:
        """Entries with ``seq > after`` in order, streamed; the view is that of the moment of the first one."""
        entry = self.tables.entry
        query = _filtered(select(entry.c.seq, entry.c.entry), self.tables, only)
        query = query.where(entry.c.seq > after).order_by(entry.c.seq).limit(limit)
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

    # ----------------------------------------------------------------------------- as stored, whatever became of it

    def stored(
        self, only: EntryFilter = EVERY, *, before: int | None = None, after: int | None = None, limit: int = 100
    ) -> list[StoredEntry]:
        """Up to ``limit`` rows, newest first: those next below ``before``, or next above ``after``, or the newest."""
        seq = self.tables.entry.c.seq
        query = _filtered(self._as_stored(), self.tables, only)
        if after is not None:
            query = query.where(seq > after).order_by(seq)
        else:
            query = (query if before is None else query.where(seq < before)).order_by(seq.desc())
        with self.database.read() as connection:
            found = [_stored(row) for row in connection.execute(query.limit(limit))]
        return found[::-1] if after is not None else found

    def companions(self, intents: Collection[str], limit: int = 2000) -> list[StoredEntry]:
        """Every row that belongs to one of the intents, in order: the intent, its outcome, what was read back."""
        columns = self.tables.entry.c
        query = self._as_stored().where(columns.intent.in_(intents)).order_by(columns.seq).limit(limit)
        with self.database.read() as connection:
            return [_stored(row) for row in connection.execute(query)] if intents else []

    def unanswered(self, limit: int = 20) -> list[int]:
        """Numbers of intents without any outcome, newest first."""
        entry, other = self.tables.entry, self.tables.entry.alias()
        # An expression on the kind leaves the planner only the intent's index, of a few rows, and not all outcomes.
        ends = func.coalesce(other.c.kind, "") == "outcome"
        answered = select(other.c.seq).where(other.c.intent == entry.c.intent, ends).exists()
        query = select(entry.c.seq).where(entry.c.kind == "intent", ~answered).order_by(entry.c.seq.desc())
        with self.database.read() as connection:
            return list(connection.scalars(query.limit(limit)))

    def count(self, only: EntryFilter = EVERY) -> int:
        """How many entries pass the filter."""
        query = _filtered(select(func.count()).select_from(self.tables.entry), self.tables, only)
        with self.database.read() as connection:
            return connection.scalar(query) or 0

    def slice(self, after: int, limit: int) -> tuple[list[Row], Head | None]:
        """Up to ``limit`` rows with ``seq > after`` for an audit, and the head row, in one consistent view."""
        with self.database.read() as connection:
            return list(self._rows(connection, after, limit)), self._head(connection)

    def _as_stored(self) -> Select[Any]:
        columns = self.tables.entry.c
        return select(columns.seq, columns.hash, self._bytes())

    def _bytes(self) -> ColumnElement[bytes]:
        """The text's bytes. A driver refuses text that is no longer UTF-8, and that must be seen."""
        text = self.tables.entry.c.entry
        return cast(text, LargeBinary) if self.database.dialect == "sqlite" else func.convert_to(text, "UTF8")

    # --------------------------------------------------------------------------------------------------- verification

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

    def _rows(self, connection: Connection, after: int = 0, limit: int | None = None) -> Iterator[Row]:
        """Stored columns and bytes. SQLite gives the bytes as they are, even where they are no longer UTF-8.

        Its rows are taken from the driver: making row objects of them would take as long as the hashing.
        """
        entry = self.tables.entry.c
        query = select(entry.seq, entry.prev, entry.hash, self._bytes()).where(entry.seq > after)
        query = query.order_by(entry.seq).limit(limit)
        if self.database.dialect == "sqlite":
            cursor: DBAPICursor = connection.execute(query).cursor
            while page := cursor.fetchmany(STREAM["yield_per"]):
                yield from page
        else:
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


def _stored(row: Any) -> StoredEntry:
    return StoredEntry(row[0], row[1], bytes(row[2]).decode("utf-8", "replace"))


def _filtered(query: Select[Any], tables: LedgerTables, only: EntryFilter) -> Select[Any]:
    columns = tables.entry.c
    for name in ("kind", "actor", "stage", "intent"):
        if (wanted := getattr(only, name)) is not None:
            query = query.where(columns[name] == wanted)
    # Times never step back along the chain, so a time is a place in it, and pages stay in the order of numbers.
    if only.since is not None:
        first = select(columns.seq).where(columns.ts >= stamp(only.since)).order_by(columns.ts, columns.seq).limit(1)
        query = query.where(columns.seq >= first.scalar_subquery())
    if only.until is not None:
        last = select(columns.seq).where(columns.ts < stamp(only.until))
        last = last.order_by(columns.ts.desc(), columns.seq.desc()).limit(1)
        query = query.where(columns.seq <= last.scalar_subquery())
    if only.text is not None:
        written = json.dumps(only.text, ensure_ascii=False)[1:-1]
        query = query.where(columns.entry.icontains(written, autoescape=True))
    return query
