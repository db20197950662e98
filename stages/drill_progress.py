"""How far a drill is, and what the drills so far allow: pure projections of the runs that the ledger knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from stages.drill import ABORTED, FROM_THE_ACT, KILL, PAPER, PASS, PLANT, PUT_BACK, RUNNING, STEPS, Finding, Step
from stages.drill_validity import Validity, running_image, transition, validity
from stages.facts import DrillRun
from stages.policy import Policy
from stages.signals import Snapshot
from stages.standing import Standing
from stages.state import ControlState
from stages.value import Struct, replace

DONE, FAILED, UNKNOWN, WAITING, NOT_RUN = "done", "failed", "unknown", "waiting", "not run"
UNDER_WAY = "running"

CLOCK_STEPS: Final[Mapping[str, str]] = {
    "D4": "intent written",
    "D5": "new orders blocked",
    "D6": "all cancels acknowledged",
    "D8": "read back",
    "D9": "restarted, still so",
    "D10": "Git, runtime, venue agree",
    "D12": "back as it was",
}
"""What is timed from the act, by the step in which it is seen. The first is the act itself."""


class StepProgress(Struct, frozen=True):
    """One step: its state, seconds taken against its budget, and what was seen in it."""

    id: str
    says: str
    state: str
    took: float | None
    budget: float
    note: str = ""


class PlantedOrder(Struct, frozen=True):
    """An order that the drill planted. ``state`` is done, failed, unknown, or running while it is waited for."""

    name: str
    says: str
    state: str
    outcome: str = ""
    took: float | None = None


class ClockRow(Struct, frozen=True):
    """Seconds from the act until something was seen: now, as allowed where it is timed, and in the last drill."""

    says: str
    now: float | None
    budget: float | None
    last: float | None
    running: bool = False


class DrillProgress(Struct, frozen=True):
    """A drill as a page draws it."""

    run: DrillRun
    steps: tuple[StepProgress, ...]
    orders: tuple[PlantedOrder, ...]
    clock: tuple[ClockRow, ...]
    proofs: tuple[Finding, ...]
    """What was refused, or should have been."""
    since_act: float | None
    """Seconds since it was fired, until it ended."""

    @property
    def passed(self) -> int:
        """How many steps held."""
        return sum(step.state == DONE for step in self.steps)

    @property
    def current(self) -> StepProgress | None:
        """The step under way."""
        return next((step for step in self.steps if step.state == UNDER_WAY), None)


class DrillBoard(Struct, frozen=True):
    """Every drill, oldest first, and whether the next advance may rely on them. ``down`` is its step down."""

    runs: tuple[DrillRun, ...]
    validity: Validity
    down: str = ""
    asked: bool = True
    """Whether the policy asks for drills at all."""

    @property
    def newest(self) -> DrillRun | None:
        return self.runs[-1] if self.runs else None

    @property
    def running(self) -> DrillRun | None:
        """The newest drill while it runs."""
        return self.newest if self.newest is not None and self.newest.state == RUNNING else None


def board(policy: Policy, state: ControlState, standing: Standing, snapshot: Snapshot) -> DrillBoard:
    """What the drills so far allow at ``snapshot``."""
    stage = standing.stage
    above = policy.stages[stage + 1].name if stage is not None and stage < policy.top else ""
    down = transition(above, policy.stages[stage].name) if stage is not None and above else ""
    found = validity(policy, state, snapshot.market, down, image=running_image(policy, snapshot))
    return DrillBoard(tuple(state.drills.values()), found, down, policy.spec.drill is not None)


def left_behind(run: DrillRun) -> bool:
    """Whether a drill that ended left its target otherwise than it found it."""
    if run.state == RUNNING or run.mode != PAPER or PLANT not in run.entered or run.tidied:
        return False
    return not _holds(run, PUT_BACK)


def left_words(run: DrillRun) -> str:
    """``torghut-sim stays as it is: gross-over fired on the live target``"""
    return f"{run.target.get('target', 'its target')} stays as it is: {why_not(run)}"


def unclean(runs: Iterable[DrillRun]) -> DrillRun | None:
    """The newest drill whose traces nobody has removed since: a later one found its target in order at D0."""
    found: DrillRun | None = None
    for run in runs:
        if found is not None and run.target.get("account") == found.target.get("account") and _holds(run, "D0"):
            found = None
        if left_behind(run):
            found = run
    return found


def progress(
    run: DrillRun, now: datetime, budgets: Mapping[str, timedelta], earlier: Sequence[DrillRun] = ()
) -> DrillProgress:
    """``run`` at ``now``; ``budgets`` are the policy's own, ``earlier`` the drills before it, oldest first."""
    until = run.ended or now
    steps = tuple(_step(run, replace(step, budget=budgets.get(step.id, step.budget)), until) for step in STEPS[run.act])
    last = next((one for one in reversed(earlier) if _comparable(one, run)), None)
    since = (until - run.fired).total_seconds() if run.fired is not None else None
    return DrillProgress(
        run=run,
        steps=steps,
        orders=_orders(run, until),
        clock=_clock(run, steps, last, until),
        proofs=tuple(one for one in run.findings if one.negative),
        since_act=since,
    )


def _comparable(one: DrillRun, run: DrillRun) -> bool:
    return (one.act, one.mode, one.state) == (run.act, run.mode, PASS) and one.run != run.run


def _of(run: DrillRun, step: str) -> list[Finding]:
    return [one for one in run.findings if one.step == step]


def _holds(run: DrillRun, step: str) -> bool:
    found = _of(run, step)
    return bool(found) and all(one.ok is True for one in found) and (run.step != step or run.state != RUNNING)


def _step(run: DrillRun, step: Step, until: datetime) -> StepProgress:
    found, entered = _of(run, step.id), run.entered.get(step.id)
    budget = step.budget.total_seconds()
    taken = max((one.took for one in found), default=None)
    wrong = next((one for one in found if one.ok is not True), None)
    if entered is None and not found:
        return StepProgress(step.id, step.says, WAITING if run.state == RUNNING else NOT_RUN, None, budget)
    if wrong is not None:
        said = f"{wrong.says}: {wrong.observed}" if wrong.observed else wrong.says
        return StepProgress(step.id, step.says, FAILED if wrong.ok is False else UNKNOWN, taken, budget, said)
    if run.state == RUNNING and run.step == step.id:
        since = _since(run, step.id, until)
        return StepProgress(step.id, step.says, UNDER_WAY, since, budget, _so_far(run, step.id))
    if not found:
        return StepProgress(step.id, step.says, NOT_RUN, None, budget)
    return StepProgress(step.id, step.says, DONE, taken, budget, found[-1].observed)


def _since(run: DrillRun, step: str, until: datetime) -> float:
    """Seconds of the current step; what a kill must reach quickly counts from the act."""
    quick = run.act == KILL and step in FROM_THE_ACT and run.fired is not None
    since = run.fired if quick and run.fired is not None else run.entered.get(step, until)
    return max((until - since).total_seconds(), 0.0)


def _so_far(run: DrillRun, step: str) -> str:
    found = [one for one in _of(run, step) if one.subject]
    return f"{len(found)} of {len(run.orders)}" if step == "D6" and run.orders else ""


def _orders(run: DrillRun, until: datetime) -> tuple[PlantedOrder, ...]:
    """The planted orders, each with what became of it; one that gave no answer is never a success."""
    planted = [one for one in _of(run, PLANT) if one.subject]
    return tuple(_order(run, number, one, until) for number, one in enumerate(planted, 1))


def _order(run: DrillRun, number: int, planted: Finding, until: datetime) -> PlantedOrder:
    name, says = f"P{number}", planted.says.removeprefix("probe ").removesuffix(", is taken")
    later = (*_of(run, "D6"), *_of(run, "D7"))
    gone = next((one for one in later if one.subject == planted.subject), None)
    if gone is not None:
        state = {True: DONE, False: FAILED, None: UNKNOWN}[gone.ok]
        return PlantedOrder(name, says, state, gone.observed.partition(";")[0], gone.took)
    if run.fired is None:
        if run.state == RUNNING:
            return PlantedOrder(name, says, WAITING, "open")
        return PlantedOrder(name, says, DONE if run.tidied else UNKNOWN, "taken back" if run.tidied else "not known")
    if run.state != RUNNING:
        return PlantedOrder(name, says, UNKNOWN, "ASKED, NO ANSWER")
    return PlantedOrder(name, says, UNDER_WAY, "ASKED, NO ANSWER", (until - run.fired).total_seconds())


def _clock(
    run: DrillRun, steps: Sequence[StepProgress], last: DrillRun | None, until: datetime
) -> tuple[ClockRow, ...]:
    rows: list[ClockRow] = []
    by_id = {step.id: step for step in steps}
    for step_id, says in CLOCK_STEPS.items():
        step = by_id[step_id]
        quick = run.act == KILL and step_id in FROM_THE_ACT
        running = step.state == UNDER_WAY and run.fired is not None
        now = (
            (until - run.fired).total_seconds() if running and run.fired is not None else seconds_from_act(run, step_id)
        )
        before = seconds_from_act(last, step_id) if last is not None else None
        rows.append(ClockRow(says, now, step.budget if quick else None, before, running))
    return tuple(rows)


def seconds_from_act(run: DrillRun, step: str) -> float | None:
    """Seconds from the act until the last finding of a step that held."""
    found = [one.at for one in _of(run, step) if one.at is not None]
    if run.fired is None or not found or not all(one.ok is True for one in _of(run, step)):
        return None
    return max((max(found) - run.fired).total_seconds(), 0.0)


def why_not(run: DrillRun) -> str:
    """Why a drill did not pass, in one sentence; empty when it did, or runs."""
    if run.state in (RUNNING, PASS):
        return ""
    return run.reasons[0] if run.reasons else ("broken off" if run.state == ABORTED else "no reason was recorded")
