"""Drill: rehearse a kill or a rollback on the paper target for real, or lead people through it at a table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from console.drilling.broken import Injected
from console.drilling.course import Course, DrillTarget, LiveSide, StepWork, Surroundings, walk
from console.drilling.faulted import faulted
from console.drilling.killing import KillCourse
from console.drilling.rolling import RollbackCourse
from console.ports import LedgerStore, RunningActs
from stages.commands import Record
from stages.drill import ABORTED, COMMAND, FIRE, KILL, NEGATIVE, PAPER, RUNNING, TABLETOP, Drill, Step
from stages.drill_faults import require_injectable
from stages.drill_validity import transition
from stages.refusal import Trouble
from stages.value import replace

Asks: TypeAlias = Callable[[Step, Callable[[], None]], tuple[bool | None, str]]
"""Asks a person whether a step held: the answer with their words, None for not known.

While it waits it calls the second argument, which may end the drill.
"""


def paper(
    around: Surroundings,
    live: LiveSide,
    target: DrillTarget,
    *,
    run: str,
    act: str,
    actor: str,
    running: RunningActs,
    path: str = COMMAND,
    upper: int = 0,
    lower: int = 0,
) -> Drill:
    """The drill ``run`` on the paper target; ``upper`` and ``lower`` are the stages of a rollback's step down.

    It never raises for what the target does: that is a finding. Trouble means that it could not be begun or kept.
    """
    shared = target.scope.shares(live.scope)
    if shared:
        raise Trouble(
            f"the drill's target is not another one: it shares {', '.join(shared)} with the live one",
            fix="correct drillTarget",
        )
    fault = target.fault
    if fault is not None:
        require_injectable(fault.name, act, PAPER, target.scope)
    down = "" if act == KILL else transition(live.policy.stages[upper].name, live.policy.stages[lower].name)
    course = _course(around, live, target, run, act, PAPER, down, actor, path)
    with running.hold(run):
        course.begin(_image(target))
        steps = _steps(act, fault, upper, lower)
        try:
            return walk(course, steps.work(), steps.tidy)
        finally:
            _let_go(course, fault)


def _steps(act: str, fault: Injected | None, upper: int, lower: int) -> KillCourse | RollbackCourse:
    if act != KILL:
        return RollbackCourse(upper, lower)
    return KillCourse() if fault is None else faulted(fault)


def _let_go(course: Course, fault: Injected | None) -> None:
    """No fault outlives its drill; one that cannot be ended is told by whoever looks at the target next."""
    if fault is None:
        return
    try:
        fault.end()
    except Trouble as trouble:
        course.record({"observed": f"{fault.name} was not ended: {trouble.line}"})


def tabletop(
    around: Surroundings, live: LiveSide, target: DrillTarget, *, run: str, act: str, actor: str, ask: Asks,
    running: RunningActs,
) -> Drill:  # fmt: skip
    """Leads people through the steps and times them; nothing is touched, and no gate is opened by it."""
    course = _course(around, live, target, run, act, TABLETOP, "", actor)
    with running.hold(run):
        course.begin("")
        return walk(course, {step.id: _asking(ask, step) for step in course.drill.steps}, lambda _: None)


def _asking(ask: Asks, step: Step) -> StepWork:
    def work(course: Course) -> None:
        answer, words = ask(step, course.check_now_and_then)
        if step.id == FIRE:
            course.mark_fired()
        course.find(step.says, answer, words, negative=step.id in NEGATIVE)

    return work


def _course(
    around: Surroundings, live: LiveSide, target: DrillTarget, run: str, act: str, mode: str, down: str, actor: str,
    path: str = "",
) -> Course:  # fmt: skip
    spec = live.policy.spec.drill
    drill = Drill(run, act, mode, down, around.clock.wall(), dict(spec.budgets) if spec else {})
    if mode == PAPER and target.fault is not None:
        drill = replace(drill, inject=target.fault.name)
    return Course(around, live, target, drill, actor, path)


def _image(target: DrillTarget) -> str:
    """The image that runs now; empty when the trading process does not say."""
    try:
        return target.venue.app().image
    except Trouble:
        return ""


def abandon_dead(ledger: LedgerStore, running: RunningActs, now: datetime, actor: str) -> tuple[str, ...]:
    """Declare drills whose process died ABORTED; their runs. Their targets stay as they are."""
    dead = [one for one in ledger.state().drills.values() if one.state == RUNNING and running.alive(one.run) is False]
    for one in dead:
        why = f"its process died at {one.step}" if one.step else "its process died"
        body = {"run": one.run, "drill": one.run, "state": ABORTED, "reasons": [why]}
        ledger.transact(Record(actor, "drill", body), now=now)
    return tuple(one.run for one in dead)
