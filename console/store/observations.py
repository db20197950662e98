"""Observations: what was measured, second by second. Outside the chain; a seal in the ledger holds their digests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Select, delete, func, insert, select

from console.store.database import Database, from_microseconds, microseconds
from console.store.schema import ObservationTables
from stages.entries import canonical
from stages.refusal import Trouble
from stages.value import Struct

BATCH: Final = 1_000
"""Rows pruned in one transaction, so that the next tick never waits long."""

READ: Final = 100
"""Ticks held at a time while many are read."""

START: Final = "0" * 64
"""The digest of no ticks."""


class ObservationsAway(Trouble):
    """Observations cannot be read or written now: burn-in is blind, reductions go on."""


class Tick(Struct, frozen=True):
    """One evaluation: its number, its time and its canonical text."""

    seq: int
    at: datetime
    text: str

    @property
    def body(self) -> Any:
        """The tick as plain JSON values; exact decimals are strings."""
        return json.loads(self.text)


class SqlObservations:
    """The observation store by URL: a file of its own, or the ledger's database. Missing files and tables are made."""

    def __init__(self, url: str) -> None:
        self.database = Database(url, name="observation store", away=ObservationsAway, durable=False, mapped=0)
        self._tables = ObservationTables(self.database.dialect)

    def begin(self) -> None:
        """Make file and tables where they are missing; call once before the first write."""
        self.database.create(self._tables.metadata)

    def writable(self, deadline: float) -> None:
        """Takes the write transaction and gives it back; Trouble when it cannot be had within ``deadline`` seconds."""
        self.database.require()
        with self.database.write(deadline):
            pass

    def append_tick(self, at: datetime, body: Mapping[str, Any]) -> int:
        """Keep one tick; its number. Numbers grow and are never used again."""
        values = {"at": microseconds(at), "body": canonical(body)}
        with self._writing() as connection:
            key = connection.execute(insert(self._tables.tick).values(**values)).inserted_primary_key
            assert key is not None
            return int(key[0])

    def newest_tick(self) -> Tick | None:
        """The newest tick: what every desk shows."""
        tick = self._tables.tick
        with self.database.read() as connection:
            row = connection.execute(select(tick).order_by(tick.c.seq.desc()).limit(1)).first()
        return Tick(row.seq, from_microseconds(row.at), row.body) if row else None

    def ticks(
        self, *, after: int = 0, upto: int | None = None, since: datetime | None = None, every: int = 1
    ) -> Iterator[Tick]:
        """Ticks with ``after < seq <= upto`` and ``at >= since``, in order, streamed; ``every`` thins them out."""
        span = self._span(after, upto, since)
        if every > 1:
            span = span.where(self._tables.tick.c.seq % every == 0)
        with self.database.read() as connection:
            for row in connection.execute(span, execution_options={"yield_per": READ}):
                yield Tick(row.seq, from_microseconds(row.at), row.body)

    def digest(self, *, after: int = 0, upto: int | None = None) -> tuple[str, int]:
        """What a seal says of the ticks since the last one: their chained digest and their number."""
        count = 0

        def counted() -> Iterator[str]:
            nonlocal count
            for tick in self.ticks(after=after, upto=upto):
                count += 1
                yield tick.text

        return chain_digest(counted()), count

    def put_accumulators(self, body: Mapping[str, Any], *, at: datetime) -> str:
        """Keep the accumulators that a seal names; their digest."""
        text = canonical(body)
        digest = sha256(text.encode()).hexdigest()
        table = self._tables.accumulators
        with self._writing() as connection:
            if not self._holds(connection, select(table.c.digest).where(table.c.digest == digest)):
                connection.execute(insert(table).values(digest=digest, at=microseconds(at), body=text))
        return digest

    def accumulators(self, digest: str) -> Any | None:
        """The accumulators of a seal; None when they are lost or no longer give the digest."""
        table = self._tables.accumulators
        with self.database.read() as connection:
            text = connection.execute(select(table.c.body).where(table.c.digest == digest)).scalar_one_or_none()
        return json.loads(text) if text is not None and sha256(text.encode()).hexdigest() == digest else None

    def prune(self, before: datetime, *, through: int | None = None, batches: int | None = None) -> int:
        """Remove what is older than ``before``, in small batches; how many ticks. The newest of each kind stay.

        ``through``: no tick after this one; ``batches``: at most so many now, the rest at the next call.
        """
        removed, left = 0, batches
        while (left is None or left > 0) and (batch := self._prune_ticks(before, through)):
            removed, left = removed + batch, None if left is None else left - 1
        table = self._tables.accumulators
        with self._writing() as connection:
            newest = select(func.max(table.c.at)).scalar_subquery()
            connection.execute(delete(table).where(table.c.at < microseconds(before), table.c.at < newest))
        return removed

    def close(self) -> None:
        """Give the connections back."""
        self.database.close()

    def _prune_ticks(self, before: datetime, through: int | None) -> int:
        tick = self._tables.tick
        with self._writing() as connection:
            newest = select(func.max(tick.c.seq)).scalar_subquery()
            old = select(tick.c.seq).where(tick.c.at < microseconds(before), tick.c.seq < newest)
            old = old if through is None else old.where(tick.c.seq <= through)
            seqs = connection.execute(old.order_by(tick.c.seq).limit(BATCH)).scalars().all()
            return connection.execute(delete(tick).where(tick.c.seq.in_(seqs))).rowcount if seqs else 0

    def _span(self, after: int, upto: int | None, since: datetime | None) -> Select[Any]:
        tick = self._tables.tick
        query = select(tick).where(tick.c.seq > after).order_by(tick.c.seq)
        if upto is not None:
            query = query.where(tick.c.seq <= upto)
        return query if since is None else query.where(tick.c.at >= microseconds(since))

    def _writing(self) -> AbstractContextManager[Connection]:
        self.database.require()
        return self.database.write()

    def _holds(self, connection: Connection, query: Select[Any]) -> bool:
        return connection.execute(query).first() is not None


def chain_digest(texts: Iterable[str]) -> str:
    """SHA-256 chained over canonical texts in order: ``d = sha256(d ‖ text)`` from 32 zero bytes; in hex."""
    digest = bytes.fromhex(START)
    for text in texts:
        digest = sha256(digest + text.encode()).digest()
    return digest.hex()
