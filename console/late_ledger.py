"""A ledger that is opened when it is first asked, in the thread that asks: nothing waits for it before that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol

from console.ports import LedgerStore
from stages.commands import Command
from stages.entries import EVERY, Draft, Entry, EntryFilter, Head, LedgerAway
from stages.refusal import Refusal, Trouble
from stages.state import ControlState


class Store(LedgerStore, Protocol):
    """The ledger with what a merge of the spill needs beside."""

    def join(
        self, build: Callable[[Entry], Sequence[Draft]], *, now: datetime, deadline: float | None = None
    ) -> tuple[Entry, ...]: ...
    def newest(self, only: EntryFilter = ..., *, before: int | None = None, limit: int = 100) -> list[Entry]: ...


class LateLedger:
    """A ``LedgerStore``. One that is not configured, or that cannot be opened, is away as any other."""

    def __init__(self, opened: Callable[[], Store]) -> None:
        self._opened = opened

    def transact(
        self, command: Command, *, now: datetime, deadline: float | None = None, term: int | None = None
    ) -> tuple[Entry, ...] | Refusal:
        return self._store().transact(command, now=now, deadline=deadline, term=term)

    def state(self) -> ControlState:
        return self._store().state()

    def entries(self, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
        return self._store().entries(after, limit)

    def head(self) -> Head:
        return self._store().head()

    def join(self, build: Callable[[Entry], Sequence[Draft]], **options: Any) -> tuple[Entry, ...]:
        return self._store().join(build, **options)

    def newest(self, only: EntryFilter = EVERY, **options: Any) -> list[Entry]:
        return self._store().newest(only, **options)

    def _store(self) -> Store:
        try:
            return self._opened()
        except LedgerAway:
            raise
        except Trouble as trouble:
            raise LedgerAway(trouble.what, where=trouble.where, fix=trouble.fix) from None
