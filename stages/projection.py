"""Projection: when a trigger would fire if what it watches went on as it lately did.

A number is given only for a trend that is steady and significant: robust slopes (Theil and Sen) that agree in both
halves of the window, little noise, and a Mann-Kendall test. Nothing is projected far beyond what was seen, over a gap,
or across a change of limits. Once given, a moment stands until the evidence has clearly moved: it counts down and does
not flicker.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import combinations
from statistics import median
from typing import Final

from stages.value import Struct, replace
from stages.windows import GAP_INTERVALS

SPACING: Final = 15.0
"""Seconds that one point stands for; it is the worst of them, so that no rhythm of a source looks like a trend."""
MOST: Final = 16
"""Points kept: four minutes of a source that is read each second."""
LEAST: Final = 8
"""Points below which nothing is said."""
HORIZON: Final = 4.0
"""How far a trend is believed, as a multiple of the time in which it was seen."""
CERTAIN: Final = 2.58
"""Standard deviations of Mann and Kendall's statistic that a trend must exceed: one in two hundred by chance."""
QUIET: Final = 1 / 6
"""Noise around the line at most, as a share of what it moved."""
ALIKE: Final = 3.0
"""How many times faster one half of the window may move than the other."""
CONFIRMED: Final = 2
"""Points in a row that must show the trend before it is told, and lack it before it is dropped."""
MOVED: Final = 0.25
"""Share of the time left by which a new estimate must differ to replace the one that is told."""

Line = Sequence[tuple[float, float]]


class Course(Struct, frozen=True):
    """How the distance to firing of one thing moved: ``points`` are seconds since ``since`` and distance, oldest first.

    ``fires`` is when it reaches zero at this rate; None while no trend says so.
    """

    against: str = ""
    """The limits that distances are measured against; others begin a new course."""
    since: datetime | None = None
    points: tuple[tuple[float, float], ...] = ()
    opened: float = 0.0
    """Where the point that is being gathered began, in seconds since ``since``."""
    newest: float = 0.0
    """The newest reading's time, in seconds since ``since``."""
    worst: float | None = None
    """Smallest distance of the point that is being gathered."""
    fires: datetime | None = None
    hits: int = 0
    """Points in a row that showed a trend; below zero, that showed none."""

    def see(self, event: datetime, left: float, against: str, interval: float) -> Course:
        """After one more reading of a source that is read every ``interval`` seconds; old ones and no numbers are
        passed over, and a gap begins anew."""
        if not math.isfinite(left):
            return self
        if self.since is None or against != self.against:
            return Course(against, event, worst=left)
        at = (event - self.since).total_seconds()
        if at <= self.newest:
            return self
        if at - self.newest > max(SPACING, GAP_INTERVALS * interval):
            return Course(against, event, worst=left)
        worst = left if self.worst is None else min(self.worst, left)
        if at - self.opened < SPACING:
            return replace(self, newest=at, worst=worst)
        points = (*self.points, (round(at, 3), worst))[-MOST:]
        return self._told(points, event, at)

    def _told(self, points: tuple[tuple[float, float], ...], event: datetime, at: float) -> Course:
        """With a point more, and the moment of firing as it leaves it."""
        left, course = until_zero(points), replace(self, points=points, opened=at, newest=at, worst=None)
        if left is None:
            away = len(points) > 1 and points[-1][1] > points[-2][1]
            misses = min(self.hits, 0) - 1
            gone = self.fires is None or self.fires <= event or away or -misses >= CONFIRMED
            return replace(course, hits=misses, fires=None if gone else self.fires)
        hits, fresh = max(self.hits, 0) + 1, event + timedelta(seconds=left)
        if self.fires is None:
            return replace(course, hits=hits, fires=fresh if hits >= CONFIRMED else None)
        stands = abs((fresh - self.fires).total_seconds()) <= max(SPACING, MOVED * left)
        return replace(course, hits=hits, fires=self.fires if stands else fresh)


def until_zero(points: Line) -> float | None:
    """Seconds until the line through ``points`` (seconds, distance) reaches zero; None without a trend to go by."""
    if len(points) < LEAST:
        return None
    span = points[-1][0] - points[0][0]
    rate = _rate(points)
    if rate >= 0:
        return None
    level = median(left - rate * at for at, left in points)
    seconds = max(0.0, (level + rate * points[-1][0]) / -rate)
    if seconds > HORIZON * span:
        return None
    beside, most = [left - level - rate * at for at, left in points], QUIET * -rate * span
    # A wild point between others moves nothing; a newest one well clear of the line is the end of the trend.
    steady = median(map(abs, beside)) <= most and beside[-1] <= most and _alike(points)
    return seconds if steady and _significant(points) else None


def _rate(points: Line) -> float:
    """The median of all slopes between two points, in units a second: a few wild points do not move it."""
    return median((b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2))


def _alike(points: Line) -> bool:
    """Whether both halves go down, neither much faster than the other: a single step is no trend."""
    half = len(points) // 2
    rates = sorted((_rate(points[:half]), _rate(points[half:])))
    return rates[1] < 0 and rates[0] >= ALIKE * rates[1]


def _significant(points: Line) -> bool:
    """Whether points of no trend would hardly ever be ordered like this."""
    count = len(points)
    falls = sum((a[1] > b[1]) - (a[1] < b[1]) for a, b in combinations(points, 2))
    return falls - 1 >= CERTAIN * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)


def about(seconds: float) -> str:
    """``1 min``, ``12 min``, ``2 h``: as exact as a projection may sound."""
    minutes = max(1, round(seconds / 60))
    return f"{minutes} min" if minutes < 90 else f"{round(minutes / 60)} h"
