"""The comparison covers at every look: seeded costs, a peek after each bucket, at most one miss in twenty."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import pytest

from stages.comparison import ALPHA, START, Evidence, Moments, Terms, Verdict, compare_costs, interval
from tests.unit.test_comparison import DAYS

RUNS, LOOKS = 400, 300

COSTS: dict[str, tuple[Callable[[Random], float], float]] = {
    "normal": (lambda chance: chance.gauss(0.5, 2.0), 0.5),
    "long tails": (lambda chance: chance.expovariate(1.0) - chance.expovariate(1.0), 0.0),
    "skewed": (lambda chance: chance.gammavariate(4.0, 0.25), 1.0),
    "two values": (lambda chance: float(chance.random() < 0.3), 0.3),
}
"""A draw of a bucket's cost, and its true mean."""


@pytest.mark.parametrize("best_at", [25, 100])
@pytest.mark.parametrize("name", COSTS)
def test_an_interval_that_is_looked_at_always_misses_at_most_once_in_twenty(name: str, best_at: int) -> None:
    draw, mean = COSTS[name]
    chance, missed = Random(f"{name}/{best_at}"), 0
    for _ in range(RUNS):
        seen, out = Moments(), False
        for _ in range(LOOKS):
            seen = seen.add(draw(chance))
            found = interval(seen, best_at)
            out = out or not found.low <= mean <= found.high
        missed += out
    assert missed / RUNS <= ALPHA


def test_a_stage_at_the_margin_is_called_worse_or_no_worse_at_most_once_in_twenty() -> None:
    """The verdicts themselves, asked for after every bucket and kept once they are given."""
    chance, terms, wrong = Random(11), Terms(margin=1.0, min_fills=2, min_days=3), 0
    for _ in range(RUNS):
        seen, said = Moments(), False
        for _ in range(LOOKS):
            seen = seen.add(chance.gauss(1.0, 1.5))
            evidence = Evidence(differences=seen, stage=seen, fills=2 * seen.count, days=DAYS)
            said = said or compare_costs(evidence, terms).verdict is not Verdict.UNDECIDED
        wrong += said
    assert wrong / RUNS <= ALPHA


def test_before_its_first_look_it_has_no_bounds_and_the_comparison_says_how_far_it_is() -> None:
    seen = Moments()
    for place in range(START - 1):
        seen = seen.add(9.0 + place % 2)
    assert interval(seen, 100).low == -math.inf
    early = compare_costs(Evidence(differences=seen, stage=seen, fills=400, days=DAYS), Terms(1.0, 100, 3))
    assert (early.verdict, early.why) == (Verdict.UNDECIDED, f"{START - 1} of {START} buckets")
    assert interval(seen.add(9.0), 100).low > 1.0
