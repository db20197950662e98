"""The scorecard of ``drill list``: the last drills of a kind side by side, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from stages.drill_trend import Cell, Scorecard

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
    outcomes = "".join(run.state.rjust(_RUN) for run in card.runs)
    yield f"  {'outcome':<{_STEP + _BUDGET}}{outcomes}"


def card_document(card: Scorecard) -> dict[str, Any]:
    """The same as JSON; lists are by drill, in the order of ``runs``."""
    return {
        "act": card.act,
        "runs": [run.run for run in card.runs],
        "steps": [
            {
                "step": step.id,
                "says": step.says,
                "budgetSeconds": step.budget,
                "tookSeconds": [cell.took for cell in step.cells],
                "held": [cell.held for cell in step.cells],
                "changeSeconds": step.change,
            }
            for step in card.steps
        ],
    }


def _said(cell: Cell) -> str:
    return "-" if cell.took is None else f"{cell.took:.1f}{'' if cell.held else '*'}"
