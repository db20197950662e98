"""TCA over windows, though the application gives lifetime means only: by differencing (semantics 1.5).

Mean times count is a sum; between two samples the sums differ by what the orders between them cost. Fewer orders than
before means that the application has started to count anew: a new base, and no sample until the windows fill again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from stages.looking import Look, Observation, why
from stages.quality import Reading
from stages.session import market_seconds
from stages.signals import SignalKey
from stages.value import Struct
from stages.watching import Mark, Tape, key_text

Passed = Callable[[datetime, datetime], float]
"""Market seconds between two market times."""


class Mean(Struct, frozen=True):
    """What the orders of a window cost: how many there were, and their mean."""

    count: Decimal
    value: Decimal


def follow(tape: Tape, at: datetime, count: Decimal, mean: Decimal, keep: timedelta, passed: Passed) -> Tape:
    """The tape after one more pair of lifetime ``count`` and ``mean``, at a market time; it reaches back ``keep``."""
    mark = Mark(at, count, count * mean)
    if not tape.marks or count < tape.marks[-1].count:
        return Tape((mark,))
    newest = tape.marks[-1]
    if at <= newest.at:
        return tape
    if count == newest.count:
        # Count and mean are two samples: where the mean came later, the newest mark's sum is put right.
        return Tape((*tape.marks[:-1], Mark(newest.at, count, mark.total))) if mark.total != newest.total else tape
    marks = (*tape.marks, mark)
    old = [place for place, one in enumerate(marks) if passed(one.at, at) > keep.total_seconds()]
    return Tape(marks[old[-1] :] if old else marks)


def window(tape: Tape, now: datetime, length: timedelta, passed: Passed) -> Mean | None:
    """Count and mean of the orders within ``length`` of market time before ``now``; None without any."""
    if not tape.marks:
        return None
    before = [one for one in tape.marks if passed(one.at, now) >= length.total_seconds()]
    base, newest = before[-1] if before else tape.marks[0], tape.marks[-1]
    orders = newest.count - base.count
    return Mean(orders, (newest.total - base.total) / orders) if orders > 0 else None


def taped(look: Look) -> Tape:
    """The trigger's tape after the tick that ``look`` is about."""
    spec = look.trigger.windows
    assert spec is not None
    mean, count = _pair(look)
    if not (mean.believed and count.believed) or mean.value is None or count.value is None or mean.event_time is None:
        return look.mine.tape
    at = look.snapshot.market_of(mean.event_time)
    return follow(look.mine.tape, at, count.value, mean.value, spec.long, _passed(look))


def tca(look: Look) -> Iterator[Observation]:
    """Sustained degradation: the long window confirms, the short one proves that it still happens."""
    spec = look.trigger.windows
    assert spec is not None
    key, signal = _key(look), look.policy.spec.signals[look.trigger.signals[0]]
    mean, _ = _pair(look)
    if not mean.believed or mean.event_time is None:
        yield Observation(key_text(key), None, None, lost=mean.lost, why=why(signal.title, mean))
        return
    passed, tape = _passed(look), look.mine.tape
    long = window(tape, look.here.market, spec.long, passed)
    short = window(tape, look.here.market, spec.short, passed)
    if long is None or short is None or long.count < spec.min_long or short.count < spec.min_short:
        have = f"{long.count if long else 0} of {spec.min_long}, {short.count if short else 0} of {spec.min_short}"
        yield Observation(key_text(key), None, None, why=f"{signal.title}: NO SAMPLE ({have})")
        return
    over = long.value >= spec.threshold and short.value >= spec.threshold
    clear_at = spec.threshold - look.trigger.hysteresis * (spec.threshold - spec.nominal)
    left, whole = spec.threshold - min(long.value, short.value), spec.threshold - spec.nominal
    said = f"{long.value:+.1f} bp over {_minutes(spec.long)}, {short.value:+.1f} over {_minutes(spec.short)}"
    yield Observation(
        key=key_text(key),
        bad=over,
        event=mean.event_time,
        cause=look.trigger.title,
        evidence=f"{signal.title}: {said} of {spec.threshold:+.1f}",
        clear=short.value < clear_at,
        left=left,
        unit=signal.unit,
        share=left / whole if whole else None,
        root=f"{key.book} costs",
    )


def _key(look: Look) -> SignalKey:
    return SignalKey(look.here.book, look.trigger.signals[0])


def _pair(look: Look) -> tuple[Reading, Reading]:
    spec = look.trigger.windows
    assert spec is not None
    return look.here.readings[_key(look)], look.here.readings[SignalKey(look.here.book, spec.count)]


def _passed(look: Look) -> Passed:
    return lambda start, end: market_seconds(look.policy.spec.target.session, start, end)


def _minutes(length: timedelta) -> str:
    return f"{int(length.total_seconds() // 60)} min"
