"""Close-ups made by hand: a signal that climbs, a hole in it, a near miss, a stage change."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from console.desk import Frame
from stages.closeup import Closeup, Kind, Moment
from stages.plot import Point
from stages.signals import SignalKey
from stages.verdict import Row


def rows_of(frame: Frame | None) -> dict[SignalKey, Row]:
    """What the signals of a frame are drawn from."""
    rows = frame.evaluation.rows if frame is not None and frame.evaluation is not None else ()
    return {row.key: row for row in rows if row.value is not None}


def closeup(key: SignalKey, start: datetime, end: datetime, row: Row | None) -> Closeup:
    """One reading a tenth of a minute: a climb to where the row stands, a near miss, a time of which none is known."""
    level = float(row.value) if row is not None and row.value is not None else 40.0
    peak = 0.9 * float(row.limit) if row is not None and row.limit else 1.15 * level
    span = (end - start).total_seconds()
    points = []
    for step in range(600):
        at = start + timedelta(seconds=span * (step + 1) / 600)
        share = step / 599
        value = level * (0.62 + 0.38 * share + 0.03 * math.sin(step / 9))
        if 200 <= step < 214:
            value = math.copysign(peak, level)
        blind = 300 <= step < 380
        points.append(Point(at, None, "torghut gives no answer") if blind else Point(at, value))
    moments = (
        Moment(start + (end - start) / 10, Kind.STAGE, "L0 to L1 in force"),
        Moment(start + (end - start) * 0.9, Kind.ALARM, "alarm: gross past its warn level"),
    )
    return Closeup(key, start, end, tuple(points), moments)
