"""The scorecard of ``drill list``: the last drills of a kind side by side, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from stages.drill_trend import Cell, FaultTrend, Scorecard

_STEP: Final = 46
_BUDGET: Final = 8
_RUN: Final = 14
"""Columns of a step's words, of its budget, and of one drill."""


def card_lines(card: Scorecard) -> Iterator[str]:
    """The steps through the drills, oldest first: seconds, and whether each held."""
    yield f"{card.act} drills on paper, oldest first, in seconds; * did not hold"
    heads = "".join(f"{run.started:%d %b %H:%M}".rjust(_RUN) for run in card.runs)
    yield f"  {'step':<{_STEP}}{'budget':>{_BUDGET}}{heads}{'change':>9}"
    for step in card.steps:
        cells = "".join(_said(cell).rjust(_RUN) for cell in step.cells)
        change = "" if step.change is None else f"{step.change:+.1f}"
        words = f"{step.id} {step.says}"[: _STEP - 1]
        yield f"  {words:<{_STEP}}{step.budget:>{_BUDGET}g}{cells}{change:>9}".rstrip()
    safe = "".join(("-" if one is None else f"{one:.1f}").rjust(_RUN) for one in card.safe)
    limit = "" if card.limit is None else f"{card.limit:g}"
    yield f"  {'safe after the act':<{_STEP}}{limit:>{_BUDGET}}{safe}"
    outcomes = "".join(run.state.rjust(_RUN) for run in card.runs)
    yield f"  {'outcome':<{_STEP + _BUDGET}}{outcomes}"


def card_document(card: Scorecard, reasons: Sequence[str] = ()) -> dict[str, Any]:
    """The same as JSON; lists are by drill, in the order of ``runs``. ``reasons`` are why drills are not in date."""
    return {
        "act": card.act,
        "runs": [run.run for run in card.runs],
        "outcomes": [run.state for run in card.runs],
        "ended": card.newest.ended,
        "inDate": not any(reason.startswith(f"{card.act} drill") for reason in reasons),
        "streak": card.streak,
        "safeSeconds": list(card.safe),
        "safeLimitSeconds": card.limit,
        "steps": [
            {
                "step": step.id,
                "says": step.says,
                "budgetSeconds": step.budget,
                "tookSeconds": [cell.took for cell in step.cells],
                "held": [cell.held for cell in step.cells],
                "changeSeconds": step.change,
                "streak": step.streak,
            }
            for step in card.steps
        ],
    }


def fault_document(trend: FaultTrend) -> dict[str, Any]:
    """A fault with the newest drill under it, as JSON."""
    run = trend.newest
    return {
        "fault": trend.name,
        "run": run.run if run is not None else None,
        "state": run.state if run is not None else None,
        "ended": run.ended if run is not None else None,
    }


def fault_lines(trends: Sequence[FaultTrend]) -> Iterator[str]:
    """Each fault's last drill, when there was any under one."""
    if any(trend.newest is not None for trend in trends):
        yield "drills of the kill under a fault, the last of each"
        for trend in trends:
            run = trend.newest
            said = "never" if run is None else f"{run.state:<8} {run.started:%Y-%m-%d %H:%M}Z  {run.run[:8]}"
            yield f"  {trend.name:<20} {said}"


def _said(cell: Cell) -> str:
    return "-" if cell.took is None else f"{cell.took:.1f}{'' if cell.held else '*'}"
