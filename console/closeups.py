"""Reading a close-up: the kept samples of one signal, and the ledger's entries of the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol

from console.ports import Observations
from stages.closeup import Closeup, moments, reading_at, stride_for
from stages.entries import EVERY, Entry, EntryFilter
from stages.plot import Point
from stages.policy import Policy
from stages.refusal import Trouble
from stages.signals import SignalKey


class Entries(Protocol):
    """The ledger for reading."""

    def entries(self, after: int = 0, limit: int | None = None, only: EntryFilter = EVERY) -> Iterator[Entry]: ...


def read_closeup(
    ledger: Entries,
    observations: Callable[[], Observations],
    policy: Policy,
    key: SignalKey,
    start: datetime,
    end: datetime,
) -> Closeup:
    """The signal from ``start`` to ``end``. What cannot be read is told in ``trouble`` and never guessed."""
    stride, troubles = stride_for(end - start), []
    points: tuple[Point, ...] = ()
    try:
        points = tuple(_points(observations(), policy, key, start, end, stride))
    except Trouble as away:
        troubles.append(f"readings: {away.line}")
    try:
        told = moments(policy, key.name, ledger.entries(only=EntryFilter(since=start, until=end)))
    except Trouble as away:
        told = ()
        troubles.append(f"events: {away.line}")
    return Closeup(key, start, end, points, told, stride, "; ".join(troubles))


def _points(
    observations: Observations, policy: Policy, key: SignalKey, start: datetime, end: datetime, stride: int
) -> Iterator[Point]:
    signal = policy.spec.signals.get(key.name)
    if signal is None:
        return
    for tick in observations.ticks(since=start, every=stride):
        if tick.at > end:
            return
        yield reading_at(tick.at, tick.body["snapshot"]["samples"].get(key.book, {}).get(key.name), signal)
