"""Objective: a condition on a signal that burn-in checks, tick by tick and in sum (semantics 1.2, 1.4, 1.5)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal
from enum import IntEnum
from typing import Final

from stages.burnin_spec import BurnInSpec, Objective
from stages.policy import Policy
from stages.quality import Reading
from stages.rows import books_of, bound_of, compare, reads_needed
from stages.session import session_length
from stages.signals import Quality
from stages.value import replace
from stages.verdict import BurnInItem, Row, RowState
from stages.watching import BurnWatch, ObjectiveWatch
from stages.windows import Confirmations, Window

SAFETY_COVERAGE, PERFORMANCE_COVERAGE = Decimal("0.99"), Decimal("0.95")
PERFORMANCE_BREACHES, PERFORMANCE_WINDOW = 3, 5
"""Where an objective says nothing of its own (semantics 1.4 c, 1.5)."""


COMPARISON: Final = "comparison"
NOTHING: Final[Mapping[str, str]] = {}


class Outcome(IntEnum):
    """What one objective says at one tick, best first (semantics 1.2)."""

    PASS = 0
    SUSPENDED = 1
    NO_SAMPLE = 2
    BLIND = 3
    FAIL = 4


def outcome(policy: Policy, objective: Objective, reading: Reading, stage: int) -> Outcome:
    """One objective at one tick (the table of semantics 1.2)."""
    if reading.quality in (Quality.CLOSED, Quality.RESTARTING):
        return Outcome.SUSPENDED
    if not reading.believed:
        safety = policy.spec.signals[objective.signal].class_ == "safety"
        return Outcome.BLIND if safety and not reading.lacks else Outcome.NO_SAMPLE
    broken = _broken(policy, objective, reading, stage)
    if broken is None:
        return Outcome.NO_SAMPLE
    return Outcome.FAIL if broken else Outcome.PASS


def _broken(policy: Policy, objective: Objective, reading: Reading, stage: int) -> bool | None:
    if objective.within_limit:
        bound = bound_of(policy, objective.signal, stage)
        compared = compare(policy, objective.signal, reading, bound) if bound else None
        if compared is None:
            return None
        if compared.broken:
            return True
    if reading.value is None:
        return None if objective.at_most is not None or objective.at_least is not None else False
    if objective.at_most is not None and reading.value >= objective.at_most:
        return True
    return objective.at_least is not None and reading.value < objective.at_least


def objectives(spec: BurnInSpec) -> tuple[tuple[str, Objective], ...]:
    """The objectives with names that stay unique when a signal has two."""
    return tuple((f"{index}:{objective.signal}", objective) for index, objective in enumerate(spec.objectives))


def see(policy: Policy, objective: Objective, reading: Reading, mine: ObjectiveWatch, now: Outcome) -> ObjectiveWatch:
    """The objective's accumulators after one more reading; only a pass or a fail counts, each event time once."""
    if now not in (Outcome.PASS, Outcome.FAIL) or reading.event_time is None:
        return mine
    every = policy.spec.signals[objective.signal].every.total_seconds()
    broken = now is Outcome.FAIL
    of = objective.fail_when.of if objective.fail_when else PERFORMANCE_WINDOW
    return ObjectiveWatch(
        mine.coverage.see(reading.event_time, every),
        mine.window.see(reading.event_time, broken, of),
        mine.failing.see(reading.event_time, broken),
    )


def failed(policy: Policy, spec: BurnInSpec, mine: BurnWatch) -> str:
    """Title of the first objective that has failed; empty when none has."""
    for name, objective in objectives(spec):
        seen = mine.objectives.get(name, ObjectiveWatch())
        if _has_failed(policy, objective, seen.window, seen.failing):
            return policy.spec.signals[objective.signal].title
    return ""


def _has_failed(policy: Policy, objective: Objective, window: Window, failing: Confirmations) -> bool:
    if objective.fail_when is not None:
        return window.breaches >= objective.fail_when.breaches
    if policy.spec.signals[objective.signal].class_ == "safety":
        return failing.bad >= reads_needed(policy, objective.signal)
    return window.breaches >= PERFORMANCE_BREACHES


def items(
    policy: Policy,
    spec: BurnInSpec,
    mine: BurnWatch,
    rows: tuple[Row, ...],
    compared: BurnInItem | None = None,
    waived: Mapping[str, str] = NOTHING,
) -> tuple[BurnInItem, ...]:
    """Every condition of the run, with what there is and what is needed (semantics 1.4).

    ``compared`` is the comparison with the baseline, where there is one; ``waived`` are items with their reasons.
    """
    need = spec.min_market_time.minutes(session_length(policy.spec.target.session))
    have = mine.observed / 60
    found = [_item("market time", have, need, "market min")]
    for name, objective in objectives(spec):
        title = policy.spec.signals[objective.signal].title
        seen = mine.objectives.get(name, ObjectiveWatch()).coverage
        found.append(_item(f"samples of {title}", seen.samples, objective.min_samples, f"samples of {title}"))
        due = Decimal(str(round(seen.share(mine.session) * 100, 1)))
        wanted = needed_coverage(policy, objective) * 100
        found.append(BurnInItem(f"coverage of {title}", due, wanted, "% coverage", due >= wanted))
    found.append(_item("evaluations in a row", mine.streak, spec.pass_run, "good evaluations"))
    books = books_of(policy, rows)
    unclean, total = [row.title for row in books if row.state not in _CLEAN], len(books)
    detail = ", ".join(unclean)
    found.append(
        BurnInItem("reconciliation", Decimal(total - len(unclean)), Decimal(total), "books", not unclean, detail)
    )
    found += [compared] if compared is not None else []
    return tuple(_waived(policy, spec, item, waived) for item in found)


def waivable(policy: Policy, spec: BurnInSpec, item: str) -> bool:
    """Whether a person may let the run pass without an item: those about performance alone (semantics 1.4)."""
    if item == COMPARISON:
        return True
    named = {
        f"{what} of {policy.spec.signals[objective.signal].title}"
        for objective in spec.objectives
        for what in ("samples", "coverage")
        if policy.spec.signals[objective.signal].class_ == "performance"
    }
    return item in named


def _waived(policy: Policy, spec: BurnInSpec, item: BurnInItem, waived: Mapping[str, str]) -> BurnInItem:
    if item.met or item.name not in waived or not waivable(policy, spec, item.name):
        return item
    return replace(item, met=True, detail=f"waived: {waived[item.name]}")


_CLEAN = (RowState.OK, RowState.WARN, RowState.INFO)


def needed_coverage(policy: Policy, objective: Objective) -> Decimal:
    """The share of the expected time that an objective's samples have to vouch for."""
    if objective.coverage is not None:
        return objective.coverage
    return SAFETY_COVERAGE if policy.spec.signals[objective.signal].class_ == "safety" else PERFORMANCE_COVERAGE


def _item(name: str, have: float, need: float, unit: str) -> BurnInItem:
    # Rounded down, so that what is nearly enough never reads as enough.
    shown = Decimal(str(have)).quantize(Decimal("0.1"), ROUND_DOWN)
    return BurnInItem(name, shown, Decimal(str(round(need, 1))), unit, have >= need)


def lacks(item: BurnInItem) -> str:
    """``lacks 73 samples of gross``"""
    if item.unit.startswith("%"):
        return f"{item.name} {item.have:f} % of {item.need:f}"
    if item.name == COMPARISON:
        return f"{COMPARISON}: {item.detail}"
    if item.name == "reconciliation":
        return f"reconciliation not clean: {item.detail}"
    missing = max((item.need - item.have).to_integral_value(ROUND_CEILING), Decimal(1))
    return f"lacks {missing:f} {item.unit}"
