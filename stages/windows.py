"""Windows: confirmation, K of N, dwell, hysteresis and coverage, all over distinct event times.

Every accumulator is an immutable value; a repeated or older event time changes nothing, so that a frozen source
read at any rate confirms nothing. Nothing here reads a clock.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from stages.value import Struct

GAP_INTERVALS = 2
"""A silence longer than this many intervals is a gap (semantics 1.5)."""
LATE_INTERVALS = 1.5
"""A sample that comes later than this many intervals after the one before it has left a hole between them."""


class Confirmations(Struct, frozen=True):
    """Consecutive bad readings with distinct event times."""

    bad: int = 0
    last: datetime | None = None

    def see(self, event: datetime, bad: bool) -> Confirmations:
        """After one more reading; a good one starts again from zero."""
        if self.last is not None and event <= self.last:
            return self
        return Confirmations(self.bad + 1 if bad else 0, event)


class Window(Struct, frozen=True):
    """The newest readings, ``True`` for a breach: K of N. A gap never makes it forget a breach."""

    marks: tuple[bool, ...] = ()
    last: datetime | None = None

    def see(self, event: datetime, breach: bool, of: int) -> Window:
        """After one more reading, of which the newest ``of`` count."""
        if self.last is not None and event <= self.last:
            return self
        return Window((*self.marks, breach)[-of:], event)

    @property
    def breaches(self) -> int:
        return sum(self.marks)


class Dwell(Struct, frozen=True):
    """How long a cause has been gone, in seconds of valid readings; a gap or a bad reading starts again from zero."""

    seconds: float = 0.0
    last: datetime | None = None

    def see(self, event: datetime, good: bool, interval: float) -> Dwell:
        """After one more reading of a source that is read every ``interval`` seconds."""
        if self.last is None or not good:
            return Dwell(0.0, event if self.last is None else max(event, self.last))
        if event <= self.last:
            return self
        step = (event - self.last).total_seconds()
        return Dwell(self.seconds + step if step <= GAP_INTERVALS * interval else 0.0, event)


class Coverage(Struct, frozen=True):
    """Distinct valid samples, and the time that they vouch for.

    Each sample vouches for the time since the one before it, where that is one interval or a little more: a reading
    loop that is a little late loses nothing, a sample that is missing loses itself.
    """

    samples: int = 0
    seconds: float = 0.0
    last: datetime | None = None

    def see(self, event: datetime, interval: float) -> Coverage:
        if self.last is not None and event <= self.last:
            return self
        since = interval if self.last is None else (event - self.last).total_seconds()
        vouched = since if since <= LATE_INTERVALS * interval else interval
        return Coverage(self.samples + 1, self.seconds + vouched, event)

    def share(self, expected_seconds: float) -> float:
        """Share of the expected time, 0 to 1; of no time at all it is 0."""
        return min(1.0, self.seconds / expected_seconds) if expected_seconds > 0 else 0.0


def clear_level(at: Decimal, hysteresis: Decimal) -> Decimal:
    """The share of a limit below which a cause counts as gone, given the share at which it trips; nominal is 0."""
    return at * (1 - hysteresis)
