"""Drills over time: what each step took in the last drills of one kind, beside its budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stages.drill import ACTS, PAPER, RUNNING
from stages.drill_progress import DONE, progress
from stages.facts import DrillRun

LAST: Final = 6
"""How many drills of one kind are set side by side."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One step of one drill: seconds taken, None where it was not reached, and whether it held."""

    took: float | None
    held: bool


@dataclass(frozen=True, slots=True)
class StepTrend:
    """One step through the drills, oldest first; ``budget`` is today's, in seconds."""

    id: str
    says: str
    budget: float
    cells: tuple[Cell, ...]

    @property
    def change(self) -> float | None:
        """Seconds by which the newest drill took longer than the one before; None unless the step held in both."""
        if len(self.cells) < 2:
            return None
        before, now = self.cells[-2:]
        if before.took is None or now.took is None or not (before.held and now.held):
            return None
        return now.took - before.took


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The last paper drills of one kind, oldest first, and every step through them."""

    act: str
    runs: tuple[DrillRun, ...]
    steps: tuple[StepTrend, ...]


def scorecards(runs: Iterable[DrillRun], budgets: Mapping[str, timedelta]) -> tuple[Scorecard, ...]:
    """One for each kind that was drilled on paper and has ended; a tabletop times people, and counts for nothing."""
    ended = [run for run in runs if run.mode == PAPER and run.state != RUNNING]
    found = ((act, tuple(run for run in ended if run.act == act)[-LAST:]) for act in ACTS)
    return tuple(_scorecard(act, of_kind, budgets) for act, of_kind in found if of_kind)


def _scorecard(act: str, runs: tuple[DrillRun, ...], budgets: Mapping[str, timedelta]) -> Scorecard:
    each = [progress(run, _end(run), budgets).steps for run in runs]
    steps = tuple(
        StepTrend(
            now.id,
            now.says,
            now.budget,
            tuple(Cell(steps[place].took, steps[place].state == DONE) for steps in each),
        )
        for place, now in enumerate(each[-1])
    )
    return Scorecard(act, runs, steps)


def _end(run: DrillRun) -> datetime:
    return run.ended or run.started
