"""Seeing: how long it takes from what happens to what the screens are given, measured on every new event time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from console.desk import BELIEVED
from stages.policy import Policy
from stages.verdict import Row, Sees

KEPT: Final = 600
"""Newest measurements that the percentile is over: ten minutes at one source's cadence of a second."""


class Seeing:
    """Measurements of the limits that triggers act on; each event time of a source counts once."""

    def __init__(self) -> None:
        self._delays: deque[float] = deque(maxlen=KEPT)
        self._newest: dict[str, datetime] = {}
        self._worst = 0.0

    def look(self, policy: Policy, rows: Sequence[Row], now: datetime) -> None:
        """Counts what is new among the rows as they are handed to the screens at ``now``."""
        acted_on = {
            name for one in policy.spec.triggers.values() if one.kind in ("limit", "loss") for name in one.signals
        }
        fresh: dict[str, datetime] = {}
        for row in rows:
            if row.key.name in acted_on and row.state in BELIEVED and row.event_time is not None:
                source = f"{row.key.book}/{policy.spec.signals[row.key.name].source.endpoint}"
                fresh[source] = max(fresh.get(source, row.event_time), row.event_time)
        for source, event in fresh.items():
            before = self._newest.get(source)
            self._newest[source] = event
            # The first one may be as old as the source likes: nobody was looking when it happened.
            if before is not None and event > before:
                delay = max(0.0, (now - event).total_seconds())
                self._delays.append(delay)
                self._worst = max(self._worst, delay)

    def sees(self) -> Sees | None:
        """The measurements so far; None before the first."""
        if not self._delays:
            return None
        ranked = sorted(self._delays)
        return Sees(ranked[(len(ranked) * 99 + 99) // 100 - 1], self._worst, len(ranked))
