"""Comparison: the interval that may be looked at always, its verdicts, and evidence gathered from lifetime means."""

from __future__ import annotations

import math
import random
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from stages.comparison import ALPHA, Evidence, Moments, Terms, Verdict, compare_costs, interval
from tests.unit.watched import Watched, make_policy, policy_document

DAYS = (date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25))
TERMS = Terms(margin=1.0, min_fills=100, min_days=3)


def moments(values: list[float]) -> Moments:
    seen = Moments()
    for value in values:
        seen = seen.add(value)
    return seen


def evidence(differences: list[float], **changes: Any) -> Evidence:
    given: dict[str, Any] = {"fills": 400, "days": DAYS, "stage": moments(differences)} | changes
    return Evidence(differences=moments(differences), **given)


def around(mean: float, count: int = 400, spread: float = 1.0) -> list[float]:
    return [mean + (spread if place % 2 else -spread) for place in range(count)]


def test_moments_are_those_of_the_values() -> None:
    seen = moments([1.0, 2.0, 4.0])
    assert seen.count == 3
    assert [seen.mean, seen.variance] == pytest.approx([7 / 3, 7 / 3])
    with pytest.raises(ValueError, match="no cost"):
        seen.add(math.nan)


def test_the_interval_holds_its_level_over_every_look() -> None:
    chance, missed, runs = random.Random(7), 0, 400
    for _ in range(runs):
        seen = Moments()
        for look in range(300):
            seen = seen.add(chance.gauss(0.5, 2.0))
            found = interval(seen, 100)
            # Asymptotic: the first looks rest on an estimated variance, and no verdict is given on so few.
            if look >= 30 and not found.low <= 0.5 <= found.high:
                missed += 1
                break
    assert missed / runs <= ALPHA


def test_the_interval_narrows_and_says_nothing_of_one_value() -> None:
    assert interval(Moments().add(1.0), 100).high == math.inf
    few, many = interval(moments(around(0, 50)), 100), interval(moments(around(0, 800)), 100)
    assert many.high - many.low < few.high - few.low


@pytest.mark.parametrize(
    ("mean", "expected"),
    [(0.2, Verdict.NON_INFERIOR), (2.0, Verdict.INFERIOR), (1.0, Verdict.UNDECIDED)],
)
def test_verdicts(mean: float, expected: Verdict) -> None:
    assert compare_costs(evidence(around(mean)), TERMS).verdict is expected


def test_too_few_fills_or_days_are_undecided_and_say_so() -> None:
    few = compare_costs(evidence(around(2.0), fills=99), TERMS)
    assert (few.verdict, few.why) == (Verdict.UNDECIDED, "n = 99 of 100 needed")
    days = compare_costs(evidence(around(2.0), days=DAYS[:2]), TERMS)
    assert (days.verdict, days.why) == (Verdict.UNDECIDED, "2 of 3 days")


def test_a_heavy_tail_is_no_pass() -> None:
    terms = Terms(margin=1.0, min_fills=100, min_days=3, tail=15.0, tail_share=0.02)
    found = compare_costs(evidence(around(0.2), outliers=9, worst=31.0), terms)
    assert (found.verdict, found.why) == (Verdict.UNDECIDED, "9 of 400 beyond 15 bp, worst +31.0")


def test_a_recorded_baseline_widens_the_interval() -> None:
    base = moments(around(3.0))
    alone = compare_costs(evidence(around(0.0)), TERMS).interval
    both = compare_costs(evidence(around(3.0)), TERMS, base).interval
    assert both.low < alone.low
    assert both.high > alone.high
    assert compare_costs(evidence(around(3.2)), TERMS, Moments()).verdict is Verdict.UNDECIDED


def compared(stage: int, **changes: Any) -> Watched:
    """A world whose stage has to show that its costs are not worse than those of the stage below."""
    spec = policy_document()["spec"]
    comparison = {"signal": "slippage", "count": "orders", "margin": 1, "minFills": 20, "minDays": 1, "bucket": "5s"}
    spec["stages"][stage]["burnIn"]["comparison"] = comparison | changes
    return Watched(make_policy(stages=spec["stages"], signals=spec["signals"]), stage=stage)


def trade(watched: Watched, seconds: int, cost: float) -> None:
    """Two orders a second, and lifetime means of them; costs alternate a little."""
    for place in range(seconds):
        count = watched.values["orders"]
        total = count * watched.values["slippage"]
        each = Decimal(str(cost)) + (Decimal("0.1") if place % 10 < 5 else Decimal("-0.1"))
        watched.tick(1, orders=count + 2, slippage=(total + 2 * each) / (count + 2))


def item(watched: Watched) -> tuple[bool, str]:
    return next((one.met, one.detail) for one in watched.judge().burn_in.items if one.name == "comparison")


def test_a_run_needs_a_comparison_that_is_decided() -> None:
    watched = compared(2)
    watched.tick(2)
    trade(watched, 60, 2.0)
    assert item(watched)[0] is False
    assert watched.state.runs["L2"].state == "OBSERVING"
    assert "comparison: UNDECIDED" in watched.judge().burn_in.lacks


def advanced(cost: float) -> Watched:
    """L1 has run and kept its costs; L2, on the same account, is compared with them."""
    spec = policy_document()["spec"]
    comparison = {"signal": "slippage", "count": "orders", "margin": 1, "minFills": 20, "minDays": 1, "bucket": "5s"}
    spec["stages"][1]["burnIn"]["minMarketTime"] = "270s"
    spec["stages"][2]["burnIn"]["comparison"] = comparison
    watched = Watched(make_policy(stages=spec["stages"]), stage=1)
    watched.tick(2)
    trade(watched, 290, 2.0)
    assert watched.state.runs["L1"].state == "PASSED"
    watched.push("advance", "L1", "L2")
    watched.stand(2)
    watched.settle()
    watched.tick(2)
    trade(watched, 300, cost)
    return watched


def test_costs_like_those_of_the_stage_below_pass_and_worse_ones_fail() -> None:
    assert advanced(2.1).state.runs["L2"].state == "PASSED"
    worse = advanced(5.0)
    assert worse.state.runs["L2"].state == "FAILED"
    assert "costs are worse" in worse.state.runs["L2"].reason
    assert "burn-in-failed" in worse.latches


def test_the_interval_is_one_of_ninety_five_percent() -> None:
    seen = moments(around(0.0))
    assert interval(seen, 100) == interval(seen, 100, alpha=0.05)
    assert interval(seen, 100).high < interval(seen, 100, alpha=0.04).high


def test_a_baseline_with_a_book_of_its_own_is_paired_by_time() -> None:
    spec = policy_document()["spec"]
    spec["stages"][0]["endpoints"] = {"heron": "paper"}
    comparison = {"signal": "slippage", "count": "orders", "margin": 1, "minFills": 20, "minDays": 1, "bucket": "5s"}
    spec["stages"][1]["burnIn"]["comparison"] = comparison
    watched = Watched(make_policy(stages=spec["stages"]), stage=1)
    watched.paper = dict(watched.values)
    watched.tick(2)
    for _ in range(30):
        trade_both(watched)
    differences = watched.watch.burn_in.costs.evidence.differences
    assert 10 <= differences.count <= 13, "a minute has twelve buckets of five seconds"
    assert differences.mean == pytest.approx(1.0, abs=0.3)
    for _ in range(5):
        trade_both(watched, live=1)
    worst = watched.watch.burn_in.costs.evidence.worst
    assert worst == pytest.approx(3.0, abs=0.3), "the worst one stays, however good those after it are"


def trade_both(watched: Watched, live: int = 3) -> None:
    """Two seconds in which the live book pays 3 bp and the paper book 2."""
    for values, cost in ((watched.values, live), (watched.paper, 2)):
        count, total = values["orders"], values["orders"] * values["slippage"]
        values["orders"], values["slippage"] = count + 2, (total + 2 * cost) / (count + 2)
    watched.tick(2)
