"""The trend of a signal on a fixed scale from nothing to its limit; it ends where knowledge ends."""

from __future__ import annotations

import math
from collections.abc import Sequence

_LEVELS = "▁▂▃▄▅▆▇█"


def trend(harm: Sequence[float | None], cells: int) -> str:
    """``harm`` (share of the limit, oldest first) in ``cells`` cells, each the worst of its part.

    None, NaN and infinities are gaps. At or past the limit a cell is full and the newest one ``►``.
    """
    if not harm or cells < 1:
        return " " * max(0, cells)
    if len(harm) < cells:
        harm = [*([None] * (cells - len(harm))), *harm]
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
    return _LEVELS[max(0, min(7, int(share * 8)))]
