"""Close-ups made by hand: a signal that climbs, a hole in it, a near miss, a stage change."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from stages.closeup import Closeup, Kind, Moment
from stages.plot import Point
from stages.signals import SignalKey

LEVELS = {"gross": 3912.0, "pnl": -21.4, "net": 1351.0, "slippage": 2.4, "filled": 0.962}
"""Where signals stand at the end, as in the frames made by hand."""


def closeup(key: SignalKey, start: datetime, end: datetime) -> Closeup:
    """One reading a tenth of a minute, climbing to the level of the frame, blind for five minutes of the hour."""
    level, span = LEVELS.get(key.name, 40.0), (end - start).total_seconds()
    points = []
    for step in range(600):
        at = start + timedelta(seconds=span * (step + 1) / 600)
        share = step / 599
        shape = 0.62 + 0.38 * share + 0.03 * math.sin(step / 9)
        if 200 <= step < 214:
            shape = 1.15
        blind = 300 <= step < 380
        points.append(Point(at, None, "torghut gives no answer") if blind else Point(at, level * shape))
    moments = (
        Moment(start + (end - start) / 10, Kind.STAGE, "L0 to L1 in force"),
        Moment(start + (end - start) * 0.9, Kind.ALARM, "alarm: gross past its warn level"),
    )
    return Closeup(key, start, end, tuple(points), moments)
