"""The ledger: every decision runs inside its write transaction, and what was decided is appended there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, insert, select, update

from console.store.database import PATIENCE
from console.store.lease import WatchLease
from console.store.reader import STREAM, LedgerReader
from stages.entries import EMPTY, Draft, Entry, Head, LedgerAway, genesis, write
from stages.refusal import Refusal, Trouble
from stages.value import Struct

S = TypeVar("S")
C = TypeVar("C")


class _Known(Struct, Generic[S], frozen=True):
    """What this process has folded: the newest entry it saw and the state up to it."""

    last: Entry | None
    state: S

    @property
    def head(self) -> Head:
        return self.last.head if self.last else EMPTY


class SqlLedger(LedgerReader, Generic[S, C]):
    """A ledger of states ``S`` and commands ``C``, generic over the pure functions that give them their meaning.

    ``fold`` adds an entry to a state; ``decide`` answers a command with drafts (none: nothing to do) or a Refusal;
    ``denial`` turns a refused command into the entry that keeps it, appended in the same transaction. ``before`` is
    called before every decision with its time and its deadline; the Trouble that it raises stops the decision.
    Threads share one object; processes each open their own.
    """

    def __init__(
        self,
        url: str,
        *,
        fold: Callable[[S, Entry], S],
        initial: S,
        decide: Callable[[S, C, datetime], Sequence[Draft] | Refusal],
        denial: Callable[[C, Refusal], Draft | None] | None = None,
        before: Callable[[datetime, float | None], object] | None = None,
    ) -> None:
        super().__init__(url, read_only=False)
        self._fold, self._decide, self._denial = fold, decide, denial
        self._before = before
        self._known = _Known(None, initial)
        self._turn = threading.Lock()

    @cached_property
    def lease(self) -> WatchLease:
        """Who watches: the lease row of this ledger."""
        return WatchLease(self)

    def begin(self, *, ledger: str, actor: str, fingerprint: Mapping[str, Any] | str, now: datetime) -> Entry:
        """The genesis entry, written where there is none yet; file and folder are made.

        ``ledger`` is the UUID of a new ledger. Trouble when the one that is there belongs to another target.
        """
        first = genesis(ledger=ledger, actor=actor, fingerprint=fingerprint, now=now)
        self.database.create(self.tables.metadata)
        with self.database.write() as connection:
            known = self._catch_up(connection)
            if known.last is None:
                self._store(connection, [first])
        there = self.entry(1) or first
        if there.body.get("fingerprint") != first.body["fingerprint"]:
            raise Trouble(
                "the ledger belongs to another target",
                where=self.database.where,
                fix="name another ledger for this target; 'rampdeck ledger show 1' shows whose it is",
            )
        return there

    def writable(self, now: datetime, deadline: float) -> datetime:
        """Takes the write transaction and gives it back without a word; returns the time by the ledger's own clock.

        Trouble when it is not to be had within ``deadline`` seconds.
        """
        self.database.require()
        with self.database.write(deadline) as connection:
            return self.database.clock(connection, now)

    def state(self) -> S:
        """The state after every entry that is committed now."""
        with self.database.read() as connection:
            known = self._catch_up(connection)
        self._known = known
        return known.state

    def transact(
        self, command: C, *, now: datetime, deadline: float | None = None, term: int | None = None
    ) -> tuple[Entry, ...] | Refusal:
        """Decide a command on the newest state and append the outcome, alone and at once.

        ``deadline``: seconds to wait for the write lock (LedgerAway after that); ``term``: the watch's term, an old one
        is refused. A refused command changes nothing but its ``denied`` entry.
        """
        refusals: list[Refusal] = []

        def decide(connection: Connection, state: S) -> Sequence[Draft]:
            decided = self.lease.fence(connection, term) or self._decide(state, command, now)
            if not isinstance(decided, Refusal):
                return decided
            refusals.append(decided)
            denied = self._denial(command, decided) if self._denial else None
            return [denied] if denied else []

        if self._before is not None:
            self._before(now, deadline)
        entries = self.within(decide, now=now, deadline=deadline)
        return refusals[0] if refusals else entries

    def append(self, drafts: Sequence[Draft], *, now: datetime, deadline: float | None = None) -> tuple[Entry, ...]:
        """Record facts that ask no permission."""
        return self.join(lambda _newest: drafts, now=now, deadline=deadline)

    def join(
        self, build: Callable[[Entry], Sequence[Draft]], *, now: datetime, deadline: float | None = None
    ) -> tuple[Entry, ...]:
        """Record facts that depend on where they join the chain; ``build`` gets the entry that they follow."""
        return self._alone(lambda _connection, known: build(self._begun(known.last)), now=now, deadline=deadline)

    def within(
        self,
        build: Callable[[Connection, S], Sequence[Draft]],
        *,
        now: datetime,
        deadline: float | None = None,
    ) -> tuple[Entry, ...]:
        """Run ``build`` inside the write transaction, on the newest state, and append its drafts."""
        return self._alone(lambda connection, known: build(connection, known.state), now=now, deadline=deadline)

    def _alone(
        self,
        build: Callable[[Connection, _Known[S]], Sequence[Draft]],
        *,
        now: datetime,
        deadline: float | None,
    ) -> tuple[Entry, ...]:
        if not self._turn.acquire(timeout=PATIENCE if deadline is None else deadline):
            raise LedgerAway("the ledger is held by another thread", where=self.database.where, fix="wait for it")
        try:
            self.database.require()
            with self.database.write(deadline) as connection:
                known = self._catch_up(connection)
                entries = self._follow(known.last, build(connection, known), now)
                self._store(connection, entries)
            self._known = self._folded(known, entries)
            return tuple(entries)
        finally:
            self._turn.release()

    def _follow(self, last: Entry | None, drafts: Sequence[Draft], now: datetime) -> list[Entry]:
        last, entries = self._begun(last), []
        for draft in drafts:
            last = write(draft, ledger=last.ledger, previous=last, now=now)
            entries.append(last)
        return entries

    def _begun(self, last: Entry | None) -> Entry:
        if last is None:
            raise self.database.trouble("has no genesis entry", "begin it before anything is recorded")
        return last

    def _store(self, connection: Connection, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        rows = [{"seq": each.seq, "prev": each.prev, "hash": each.hash, "entry": each.text} for each in entries]
        connection.execute(insert(self.tables.entry), rows)
        newest = {"seq": entries[-1].seq, "hash": entries[-1].hash}
        if entries[0].seq == 1:
            connection.execute(insert(self.tables.head), {"one": 1, **newest})
        else:
            connection.execute(update(self.tables.head).values(**newest))

    def _catch_up(self, connection: Connection) -> _Known[S]:
        """Fold what was committed since; a chain that does not continue what was seen is LedgerAltered."""
        known, entry = self._known, self.tables.entry
        query = select(entry.c.seq, entry.c.entry).where(entry.c.seq > known.head.seq).order_by(entry.c.seq)
        news: list[Entry] = []
        head = known.head
        for seq, text in connection.execute(query, execution_options=STREAM):
            each = self._parse(seq, text)
            if (each.seq, each.prev) != (head.seq + 1, head.hash) or seq != each.seq:
                raise self._altered(seq, f"it does not follow entry {head.seq}")
            news.append(each)
            head = each.head
        if (self._head(connection) or EMPTY) != head:
            raise self._altered(head.seq, "the head row names another entry")
        return self._folded(known, news)

    def _folded(self, known: _Known[S], entries: Sequence[Entry]) -> _Known[S]:
        state = known.state
        for each in entries:
            state = self._fold(state, each)
        return _Known(entries[-1] if entries else known.last, state)
