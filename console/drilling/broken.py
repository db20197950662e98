"""Broken ports: the drill's own reduction goes through them, so that a fault strikes there and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, cast

from console.ports import LedgerStore, Pushed, Repository
from stages.entries import Draft, LedgerAway
from stages.value import Struct

REFUSED: Final = "injected by a drill: the remote's hook declined it"
FULL: Final = "injected by a drill: it cannot grow, the disk is full"


class Injected(Struct, frozen=True):
    """One fault of one drill. ``strike`` and ``end`` say what happened and may raise Trouble; ``end`` may come twice.

    ``spilled`` is what waits beside the ledger meanwhile, each with its time.
    """

    name: str
    strike: Callable[[], str]
    end: Callable[[], str]
    spilled: Callable[[], Sequence[tuple[datetime, Draft]]] = tuple


class Switch:
    """Whether a broken port is broken now."""

    def __init__(self, broken: str, whole: str) -> None:
        self._says = {True: broken, False: whole}
        self.on = False

    def strike(self) -> str:
        self.on = True
        return self._says[True]

    def end(self) -> str:
        self.on = False
        return self._says[False]


class _Around:
    """Passes on what it does not break."""

    def __init__(self, whole: Any, switch: Switch) -> None:
        self._whole, self._switch = whole, switch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)


class _RefusingRemote(_Around):
    def push(self, sha: str, expected: str) -> Pushed:
        return self._said() or cast("Pushed", self._whole.push(sha, expected))

    def propose(self, sha: str, branch: str) -> Pushed:
        return self._said() or cast("Pushed", self._whole.propose(sha, branch))

    def _said(self) -> Pushed | None:
        return Pushed("rejected", REFUSED) if self._switch.on else None


class _FullLedger(_Around):
    """It can still be read: a full disk keeps what it has."""

    def transact(self, *arguments: Any, **options: Any) -> Any:
        self._grow()
        return self._whole.transact(*arguments, **options)

    def join(self, *arguments: Any, **options: Any) -> Any:
        self._grow()
        return self._whole.join(*arguments, **options)

    def _grow(self) -> None:
        if self._switch.on:
            raise LedgerAway(FULL)


def refusing(repository: Repository, switch: Switch) -> Repository:
    """The same remote, which takes no push while ``switch`` is on."""
    return cast("Repository", _RefusingRemote(repository, switch))


def full(ledger: LedgerStore, switch: Switch) -> LedgerStore:
    """The same ledger, which takes no entry while ``switch`` is on."""
    return cast("LedgerStore", _FullLedger(ledger, switch))
