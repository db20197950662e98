"""The trend of a signal on a fixed scale from nothing to its limit; it ends where knowledge ends."""

from __future__ import annotations

import math
from collections.abc import Sequence

_LEVELS = "▁▂▃▄▅▆▇█"


POINTS_A_MINUTE = 6
SPANS = (5, 15, 60)
"""Minutes that a trend may span: the shortest that holds what is known, so that a young console shows a shape too."""


def span_minutes(points: int) -> int:
    """The span that ``points`` points are drawn on."""
    return next((minutes for minutes in SPANS if points <= minutes * POINTS_A_MINUTE), SPANS[-1])


def trend(harm: Sequence[float | None], cells: int, minutes: int = SPANS[-1]) -> str:
    """``harm`` (share of the limit, one point for ten seconds, oldest first) over the last ``minutes``.

    Each of the ``cells`` cells is the worst of its part of the time; before the first point there is nothing. None, NaN
    and infinities are gaps. At or past the limit a cell is full and the newest one ``►``.
    """
    if not harm or cells < 1:
        return " " * max(0, cells)
    span = minutes * POINTS_A_MINUTE
    harm = [*([None] * (span - len(harm))), *harm[-span:]]
    drawn = []
    for cell in range(cells):
        part = harm[cell * len(harm) // cells : (cell + 1) * len(harm) // cells]
        known = [value for value in part if value is not None and math.isfinite(value)]
        drawn.append(_level(max(known)) if known else " ")
    newest = harm[-1]
    if newest is not None and math.isfinite(newest) and newest >= 1:
        drawn[-1] = "►"
    return "".join(drawn)


def _level(share: float) -> str:
    return _LEVELS[min(7, int(max(0.0, min(share, 1.0)) * 8))]
