"""Drills over time: what each step took in the last drills of one kind, beside its budget, and how often it held.

A drill under a fault answers another question, and stands apart: by fault, the last one of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from stages.drill import ACTS, KILL, PAPER, PASS, RUNNING
from stages.drill_faults import FAULTS
from stages.drill_progress import DONE, UNKNOWN, StepProgress, progress, seconds_from_act
from stages.facts import DrillRun
from stages.value import Struct

SAFE: Final = "D6"
"""The step after which nothing can add risk: every order is gone, or every lower limit is in Git."""
LAST: Final = 6
"""How many drills of one kind are set side by side."""


class Cell(Struct, frozen=True):
    """One step of one drill: seconds taken, None where it was not reached, and whether it held."""

    took: float | None
    held: bool
    known: bool = True
    """Whether anybody knows that it did not hold; unknown is never ok."""


class StepTrend(Struct, frozen=True):
    """One step through the drills, oldest first; ``budget`` is today's, in seconds."""

    id: str
    says: str
    budget: float
    cells: tuple[Cell, ...]
    streak: int = 0
    """How many drills in a row it has held in, the newest included, also those that are not set side by side."""

    @property
    def last(self) -> Cell:
        """The newest drill's."""
        return self.cells[-1]

    @property
    def change(self) -> float | None:
        """Seconds by which the newest drill took longer than the one before; None unless the step held in both."""
        if len(self.cells) < 2:
            return None
        before, now = self.cells[-2:]
        if before.took is None or now.took is None or not (before.held and now.held):
            return None
        return now.took - before.took


class Scorecard(Struct, frozen=True):
    """The last paper drills of one kind, oldest first, and every step through them."""

    act: str
    runs: tuple[DrillRun, ...]
    steps: tuple[StepTrend, ...]
    streak: int
    """How many drills in a row have passed, the newest included."""
    safe: tuple[float | None, ...]
    """Seconds from the act until no risk could be added any more, by drill; None where that was not reached."""
    limit: float | None
    """What ``safe`` may be at most; None where nothing limits it."""

    @property
    def newest(self) -> DrillRun:
        return self.runs[-1]


class FaultTrend(Struct, frozen=True):
    """One fault, and the newest drill under it; None where there was none."""

    name: str
    newest: DrillRun | None


def scorecards(runs: Iterable[DrillRun], budgets: Mapping[str, timedelta]) -> tuple[Scorecard, ...]:
    """One for each kind that was drilled on paper and has ended; a tabletop times people, and counts for nothing."""
    ended = [run for run in runs if run.mode == PAPER and run.state != RUNNING and not run.inject]
    found = ((act, tuple(run for run in ended if run.act == act)) for act in ACTS)
    return tuple(_scorecard(act, of_kind, budgets) for act, of_kind in found if of_kind)


def fault_trends(runs: Iterable[DrillRun]) -> tuple[FaultTrend, ...]:
    """Every fault with the newest drill under it that has ended."""
    newest = {run.inject: run for run in runs if run.inject and run.state != RUNNING}
    return tuple(FaultTrend(name, newest.get(name)) for name in FAULTS)


def _scorecard(act: str, runs: tuple[DrillRun, ...], budgets: Mapping[str, timedelta]) -> Scorecard:
    each = [progress(run, _end(run), budgets).steps for run in runs]
    steps = tuple(
        StepTrend(
            now.id,
            now.says,
            now.budget,
            tuple(_cell(steps[place]) for steps in each[-LAST:]),
            _in_a_row(steps[place].state == DONE for steps in reversed(each)),
        )
        for place, now in enumerate(each[-1])
    )
    shown = runs[-LAST:]
    safe = tuple(seconds_from_act(run, SAFE) for run in shown)
    limit = next(step.budget for step in steps if step.id == SAFE) if act == KILL else None
    return Scorecard(act, shown, steps, _in_a_row(run.state == PASS for run in reversed(runs)), safe, limit)


def _cell(step: StepProgress) -> Cell:
    return Cell(step.took, step.state == DONE, step.state != UNKNOWN)


def _in_a_row(held: Iterable[bool]) -> int:
    return sum(1 for _ in takewhile(bool, held))


def _end(run: DrillRun) -> datetime:
    return run.ended or run.started
