"""The watch's lease: one holder per ledger, a term that only grows, and the fence that refuses an old term."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, insert, select, update

from console.store.database import from_microseconds, microseconds
from stages.entries import Draft
from stages.refusal import Refusal
from stages.value import Struct

if TYPE_CHECKING:
    from console.store.ledger import SqlLedger

LIFE: Final = timedelta(seconds=10)
"""How long a lease lives without being renewed."""


class Held(Struct, frozen=True):
    """The lease row. ``holder`` is None when it was released; an expired lease is free for the taking."""

    holder: str | None
    term: int
    expires: datetime

    def alive(self, at: datetime) -> bool:
        """True while somebody holds it."""
        return self.holder is not None and at < self.expires


class WatchLease:
    """Take, renew, release and take over, each in one write transaction and by the database's clock.

    ``now`` is the machine's clock, used where the database has none of its own (SQLite). Changes of hands are ``lease``
    entries; a renewal is not.
    """

    def __init__(self, ledger: SqlLedger[Any, Any]) -> None:
        self._ledger = ledger
        self._row = ledger.tables.lease

    def current(self) -> Held | None:
        """The lease as it stands; None when it was never taken."""
        with self._ledger.database.read() as connection:
            return self._read(connection)

    def acquire(self, holder: str, now: datetime, ttl: timedelta = LIFE, *, acting: bool = False) -> int | None:
        """A new term when the lease is free, expired or the holder's own; None while another holds it."""
        return self._change(holder, now, ttl, acting, by_force=False)[0]

    def take_over(
        self, holder: str, now: datetime, ttl: timedelta = LIFE, *, acting: bool = True
    ) -> tuple[int, str | None]:
        """A new term whoever holds it, and whom that relieved."""
        term, relieved = self._change(holder, now, ttl, acting, by_force=True)
        assert term is not None
        return term, relieved

    def renew(self, term: int, now: datetime, ttl: timedelta = LIFE, *, deadline: float | None = None) -> bool:
        """Live ``ttl`` longer; False when the term is no longer the newest: somebody took over."""
        with self._ledger.database.write(deadline) as connection:
            held = self._read(connection)
            if held is None or held.term != term or held.holder is None:
                return False
            self._write(connection, held.holder, term, self._ledger.database.clock(connection, now) + ttl)
            return True

    def release(self, term: int, now: datetime) -> bool:
        """Give it back; False when the term was already relieved."""
        released = False

        def build(connection: Connection, _state: object) -> Sequence[Draft]:
            nonlocal released
            held = self._read(connection)
            if held is None or held.term != term or held.holder is None:
                return []
            released = True
            self._write(connection, None, term, held.expires)
            return [_entry("released", held.holder, term)]

        self._ledger.within(build, now=now)
        return released

    def fence(self, connection: Connection, term: int | None) -> Refusal | None:
        """A Refusal for a command of an older term; commands of people carry none and pass."""
        held = self._read(connection) if term is not None else None
        if term is None or (held and held.term == term and held.holder):
            return None
        newest = f"{held.holder or 'nobody'} holds term {held.term}" if held else "nobody ever took the lease"
        return Refusal("relieved", f"the watch of term {term} was relieved: {newest}")

    def _change(
        self, holder: str, now: datetime, ttl: timedelta, acting: bool, *, by_force: bool
    ) -> tuple[int | None, str | None]:
        outcome: tuple[int | None, str | None] = (None, None)

        def build(connection: Connection, _state: object) -> Sequence[Draft]:
            nonlocal outcome
            at, held = self._ledger.database.clock(connection, now), self._read(connection)
            other = held.holder if held and held.alive(at) and held.holder != holder else None
            if other and not by_force:
                return []
            term = held.term + 1 if held else 1
            self._write(connection, holder, term, at + ttl)
            outcome = term, other
            taken = _entry("taken", holder, term, acting=acting, **({"relieved": other} if other else {}))
            lapsed = held is not None and held.holder is not None and not held.alive(at)
            return [_entry("expired", held.holder, held.term), taken] if lapsed and held and held.holder else [taken]

        self._ledger.within(build, now=now)
        return outcome

    def _read(self, connection: Connection) -> Held | None:
        row = connection.execute(select(self._row.c.holder, self._row.c.term, self._row.c.expires)).first()
        return Held(row.holder, row.term, from_microseconds(row.expires)) if row else None

    def _write(self, connection: Connection, holder: str | None, term: int, expires: datetime) -> None:
        values = {"holder": holder, "term": term, "expires": microseconds(expires)}
        if not connection.execute(update(self._row).values(**values)).rowcount:
            connection.execute(insert(self._row), {"one": 1, **values})


def _entry(state: str, holder: str, term: int, **more: Any) -> Draft:
    return Draft("lease", None, None, holder, {"state": state, "holder": holder, "term": term, **more})
