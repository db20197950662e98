"""Tenure: who watches. Takes the lease when it is free or asked for, renews it, and knows whose it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from console.ports import Lease, LeaseRow, StoredTick
from stages.refusal import Trouble
from stages.value import Struct
from stages.verdict import WatchPresence

LIFE: Final = timedelta(seconds=10)
"""How long the lease lives without being renewed."""

HASTE: Final = 0.5
"""Seconds that a tick waits for the ledger's write lock."""


class Seat(Struct, frozen=True):
    """Who sits at this console. ``holder`` names this process alone; ``actor`` is what the ledger says."""

    holder: str
    actor: str
    who: str
    environment: str = ""
    acting: bool = False
    read_only: bool = False
    take_over: bool = False


class Tenure:
    """This process and the lease. ``term`` is None while somebody else watches, or nobody."""

    def __init__(self, lease: Lease, seat: Seat) -> None:
        self._lease, self._seat = lease, seat
        self.acting = seat.acting
        self.term: int | None = None
        self.row: LeaseRow | None = None
        """The lease as last read, while it is not ours."""
        self.trouble = ""
        self._asked = seat.take_over

    def ask(self) -> None:
        """Take the lease at the next tick, whoever has it, and act; nothing where this process does already."""
        self._asked = self.term is None or not self.acting
        self.acting = True

    def hold(self, now: datetime, *, idle: str = "") -> bool:
        """Once a tick: renew, take or look. True when a new term began. A ledger that is away changes nothing.

        ``idle`` is a holder that the ledger knows not to act: whoever was told to act relieves it, or nobody would.
        """
        before = self.term
        try:
            self.trouble = ""
            self.term = self._next_term(now, idle)
            self.row = None if self.term is not None else self._lease.current()
        except Trouble as trouble:
            self.trouble = f"the lease cannot be renewed: {trouble.what}"
        return self.term is not None and self.term != before

    def _next_term(self, now: datetime, idle: str) -> int | None:
        holder = self._seat.holder
        if self._seat.read_only:
            return None
        if self._asked:
            term, _ = self._lease.take_over(holder, now, LIFE, acting=self.acting)
            self._asked = False
            return term
        if self.term is not None:
            return self.term if self._lease.renew(self.term, now, LIFE, deadline=HASTE) else None
        row = self._lease.current()
        if row is None or not row.alive(now):
            return self._lease.acquire(holder, now, LIFE, acting=self.acting)
        if self.acting and row.holder == idle:
            return self._lease.take_over(holder, now, LIFE, acting=True)[0]
        return None

    def relieved(self) -> None:
        """The ledger refused our term: somebody took over."""
        self.term = None

    def release(self, now: datetime) -> None:
        """Gives the lease back. Raises Trouble when the ledger is away; it then expires by itself."""
        if self.term is not None:
            term, self.term = self.term, None
            self._lease.release(term, now)

    def here(self) -> WatchPresence:
        """This process as the watch."""
        return WatchPresence(self._seat.holder, self.acting, here=True, age=0.0)

    def elsewhere(self, tick: StoredTick | None, now: datetime) -> WatchPresence:
        """Who watches elsewhere, and whether it acts, by its newest tick."""
        row = self.row
        if row is None or not row.alive(now):
            return WatchPresence(None, acting=False, here=False, age=None)
        acting = tick is not None and tick.body["holder"] == row.holder and bool(tick.body["acting"])
        age = max((LIFE - (row.expires - now)).total_seconds(), 0.0)
        return WatchPresence(row.holder, acting, here=False, age=age)
