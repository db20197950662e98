"""Costs: the evidence of a comparison, gathered tick by tick from lifetime means of two books."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from stages.burnin_spec import ComparisonSpec
from stages.comparison import Base, Comparison, CostWatch, Evidence, Moments, Terms, compare_costs
from stages.policy import Policy
from stages.quality import Reading
from stages.session import session_date
from stages.signals import SignalKey
from stages.state import ControlState
from stages.value import replace


def baseline_of(policy: Policy, stage: int, spec: ComparisonSpec) -> int | None:
    """Index of the stage that is compared with; None for the lowest one."""
    found = stage - 1 if spec.baseline == "previous" else policy.stage_index(spec.baseline)
    return found if found is not None and 0 <= found < stage else None


def terms_of(policy: Policy, stage: int) -> ComparisonSpec | None:
    """What the stage's costs are gathered for: its own comparison, or a later stage's that looks back at it."""
    own = policy.stages[stage].burn_in
    if own is not None and own.comparison is not None:
        return own.comparison
    for later in range(stage + 1, len(policy.stages)):
        spec = policy.stages[later].burn_in
        if spec is not None and spec.comparison is not None and baseline_of(policy, later, spec.comparison) == stage:
            return spec.comparison
    return None


def paired(policy: Policy, stage: int, baseline: int) -> bool:
    """Whether both have books of their own, so that the same minutes can be compared."""
    return policy.stages[stage].book != policy.stages[baseline].book


def gather(
    policy: Policy,
    spec: ComparisonSpec,
    mine: CostWatch,
    readings: Mapping[SignalKey, Reading],
    books: tuple[str, str | None],
    market: datetime,
) -> CostWatch:
    """After one more tick. ``books``: the stage's, and the baseline's where there is one to pair with."""
    bucket = int(market.timestamp() // spec.bucket.total_seconds())
    here, there = _base(spec, readings, books[0]), _base(spec, readings, books[1])
    if here is None or (books[1] is not None and there is None):
        return mine
    if mine.bucket == bucket:
        return mine
    evidence = mine.evidence
    if mine.bucket is not None and mine.stage is not None:
        evidence = _closed(policy, spec, mine, here, there, market)
    return CostWatch(bucket, here, there, evidence)


def _closed(
    policy: Policy, spec: ComparisonSpec, mine: CostWatch, here: Base, there: Base | None, market: datetime
) -> Evidence:
    """The evidence with the bucket that has just ended in it; one without fills of both says nothing."""
    assert mine.stage is not None
    seen, cost, fills = mine.evidence, _cost(mine.stage, here), int(here.count - mine.stage.count)
    other = _cost(mine.baseline, there) if mine.baseline is not None and there is not None else None
    if cost is None or (mine.baseline is not None and other is None):
        return seen
    day = session_date(policy.spec.target.session, market)
    tail = spec.tail is not None and cost >= float(spec.tail)
    return replace(
        seen,
        differences=seen.differences.add(cost - other) if other is not None else seen.differences,
        stage=seen.stage.add(cost),
        fills=seen.fills + fills,
        days=tuple(sorted({*seen.days, *([day] if day else [])})),
        outliers=seen.outliers + tail,
        worst=cost if seen.worst is None else max(seen.worst, cost),
    )


def _cost(before: Base, after: Base) -> float | None:
    """Mean cost of the fills between two bases; None without any, or when the application counts anew."""
    fills = after.count - before.count
    return float((after.total - before.total) / fills) if fills > 0 else None


def _base(spec: ComparisonSpec, readings: Mapping[SignalKey, Reading], book: str | None) -> Base | None:
    if book is None:
        return None
    mean, count = readings.get(SignalKey(book, spec.signal)), readings.get(SignalKey(book, spec.count))
    if mean is None or count is None or not (mean.believed and count.believed):
        return None
    if mean.value is None or count.value is None:
        return None
    return Base(count.value, count.value * mean.value)


def verdict(policy: Policy, state: ControlState, stage: int, spec: ComparisonSpec, seen: Evidence) -> Comparison:
    """What the evidence says at this look."""
    terms = Terms(
        margin=float(spec.margin),
        min_fills=spec.min_fills,
        min_days=spec.min_days,
        tail=None if spec.tail is None else float(spec.tail),
        tail_share=float(spec.tail_share),
    )
    baseline = baseline_of(policy, stage, spec)
    if baseline is None or paired(policy, stage, baseline):
        return compare_costs(seen, terms)
    return compare_costs(seen, terms, recorded(state, policy.stages[baseline].name))


def recorded(state: ControlState, stage: str) -> Moments:
    """The buckets that the baseline's own run was recorded with; none when it has no such record."""
    run = state.runs.get(stage)
    body = run.figures.get("costs") if run is not None else None
    if body is None:
        return Moments()
    return Moments(int(body["buckets"]), float(body["mean"]), float(body["squares"]))


def figures(seen: Evidence) -> dict[str, object]:
    """What a run's entry keeps of its costs."""
    one = seen.stage
    return {"buckets": one.count, "mean": f"{one.mean:.6f}", "squares": f"{one.squares:.6f}", "fills": seen.fills}
