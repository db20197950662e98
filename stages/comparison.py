"""Comparison: a stage's costs against a baseline's by an anytime-valid confidence sequence (semantics 1.6).

Costs are paired by time bucket: what the stage's orders and the baseline's orders cost within the same minutes. After
``t`` buckets with mean difference ``m`` and variance ``v`` the interval is ``m +- h`` with

    h = sqrt(v) * sqrt( 2 (t r^2 + 1) / (t^2 r^2) * log( sqrt(t r^2 + 1) / alpha ) )

the normal-mixture boundary with an estimated variance: the asymptotic confidence sequence of Waudby-Smith, Arbour,
Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences", Annals of Statistics
52(6), 2024, theorem 2.2. It holds at all ``t`` at once, so that it may be looked at as often as anybody likes. ``r``
places its tightest point at ``t*`` buckets: ``r^2 = (-2 log alpha + log(-2 log alpha + 1)) / t*`` (their appendix).

That it is asymptotic is no small print: its level is reached as the first look moves away from zero, because a variance
of few values is often far too small. Looked at from two buckets on, one such interval in six misses with normal costs
and one in four with exponential ones. Therefore it has no bounds before ``START`` buckets, from where on it keeps its
level with costs as skewed as the means of four exponential ones, at every look.

Where the baseline has no book of its own any more (the stage below traded the same account), its recorded mean stands
with an interval of its own, and both sides get half of alpha.
"""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from stages.value import Struct, field

ALPHA: Final = 0.05
LEAST: Final = 2
"""Buckets below which there is no variance."""
START: Final = 50
"""Buckets from which on the sequence has bounds."""


class Verdict(StrEnum):
    NON_INFERIOR = "NON_INFERIOR"
    INFERIOR = "INFERIOR"
    UNDECIDED = "UNDECIDED"


class Moments(Struct, frozen=True):
    """Count, mean and sum of squared deviations of what was seen so far (Welford); bp, harm positive."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> Moments:
        """After one more value; ValueError for one that is not finite."""
        if not math.isfinite(value):
            raise ValueError(f"{value} is no cost")
        count = self.count + 1
        step = value - self.mean
        mean = self.mean + step / count
        return Moments(count, mean, self.squares + step * (value - mean))

    @property
    def variance(self) -> float:
        """Sample variance; 0 below two values."""
        return self.squares / (self.count - 1) if self.count >= LEAST else 0.0


class Interval(Struct, frozen=True):
    """Bounds in bp that hold at every look."""

    low: float
    high: float


def interval(seen: Moments, best_at: int, alpha: float = ALPHA) -> Interval:
    """The confidence sequence at this look, tightest around ``best_at`` values; without bounds before START."""
    if seen.count < START:
        return Interval(-math.inf, math.inf)
    rho2 = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / max(best_at, LEAST)
    spread = seen.count * rho2 + 1
    boundary = 2 * spread / (seen.count**2 * rho2) * math.log(math.sqrt(spread) / alpha)
    half = math.sqrt(seen.variance * boundary)
    return Interval(seen.mean - half, seen.mean + half)


class Evidence(Struct, frozen=True):
    """What the comparison rests on so far."""

    differences: Moments = Moments()
    """Stage less baseline, one value for each bucket in which both had fills."""
    stage: Moments = Moments()
    """The stage's own buckets; what a later stage compares itself with."""
    fills: int = 0
    days: tuple[date, ...] = ()
    outliers: int = 0
    """Buckets of the stage at or beyond the tail."""
    worst: float | None = None


class Base(Struct, frozen=True):
    """Lifetime count and sum of a book when a bucket began."""

    count: Decimal
    total: Decimal


class CostWatch(Struct, frozen=True):
    """The bucket that is open, and the evidence of those before it."""

    bucket: int | None = None
    """Number of the bucket: market seconds since the epoch over its length."""
    stage: Base | None = None
    baseline: Base | None = None
    evidence: Evidence = field(default_factory=Evidence)


class Terms(Struct, frozen=True):
    """What is asked: margin and tail in bp."""

    margin: float
    min_fills: int
    min_days: int
    tail: float | None = None
    tail_share: float = 1.0


class Comparison(Struct, frozen=True):
    """The verdict with its interval; ``why`` says what it waits for, or what the tail guard found."""

    verdict: Verdict
    interval: Interval
    margin: float
    why: str = ""


def compare_costs(seen: Evidence, terms: Terms, recorded: Moments | None = None) -> Comparison:
    """The verdict at this look. ``recorded``: the baseline's own buckets, where there are no pairs."""
    found = _difference(seen, terms, recorded)
    short = _too_little(seen, terms) or _too_early(seen, recorded)
    if short:
        return Comparison(Verdict.UNDECIDED, found, terms.margin, short)
    tail = _tail(seen, terms)
    if found.low > terms.margin:
        return Comparison(Verdict.INFERIOR, found, terms.margin)
    if found.high < terms.margin and not tail:
        return Comparison(Verdict.NON_INFERIOR, found, terms.margin)
    return Comparison(Verdict.UNDECIDED, found, terms.margin, tail)


def _difference(seen: Evidence, terms: Terms, recorded: Moments | None) -> Interval:
    if recorded is None:
        return interval(seen.differences, terms.min_fills)
    here = interval(seen.stage, terms.min_fills, ALPHA / 2)
    there = interval(recorded, terms.min_fills, ALPHA / 2)
    return Interval(here.low - there.high, here.high - there.low)


def _too_little(seen: Evidence, terms: Terms) -> str:
    if seen.fills < terms.min_fills:
        return f"n = {seen.fills} of {terms.min_fills} needed"
    if len(seen.days) < terms.min_days:
        return f"{len(seen.days)} of {terms.min_days} days"
    return ""


def _too_early(seen: Evidence, recorded: Moments | None) -> str:
    sides = (seen.differences,) if recorded is None else (seen.stage, recorded)
    count = min(side.count for side in sides)
    return f"{count} of {START} buckets" if count < START else ""


def _tail(seen: Evidence, terms: Terms) -> str:
    if terms.tail is None or not seen.stage.count or seen.outliers <= terms.tail_share * seen.stage.count:
        return ""
    return f"{seen.outliers} of {seen.stage.count} beyond {terms.tail:g} bp, worst {seen.worst or 0.0:+.1f}"
