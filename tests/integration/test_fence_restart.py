"""A fence that was pushed without a ledger, by somebody who died then: the next start knows it and goes on from it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from console.procedures.follow import resolve, settle
from console.store.ledger import SqlLedger
from console.wiring import SystemClock
from stages.decide import decide, denial
from stages.settling import Truth
from stages.state import ControlState, fold
from tests.integration.actuation import World

FENCE = "Roll back heron to L0"

DEATHS = {
    "intent": ("abandoned", 0),
    "committed": ("abandoned", 0),
    "pushed": ("pushed", 1),
    "outcome": ("pushed", 1),
}
"""Where it dies -> the outcome that the next start names, and how many fences the branch holds."""


class Died(BaseException):
    """The end of a process, as far as its files are concerned."""


def die_without_ledger(folder: Path, point: str) -> None:
    """Roll back to L0, where nothing is to be lowered, without reaching the ledger, and end at ``point``."""

    def checkpoint(reached: str) -> None:
        if reached == point:
            raise Died

    other = World(folder, checkpoint=checkpoint)
    other.__dict__["ledger"] = SqlLedger(
        f"sqlite:///{folder}/away.db", fold=fold, initial=ControlState(), decide=decide, denial=denial
    )
    with pytest.raises(Died):
        other.reduce("L0")


def start(folder: Path) -> World:
    """What a start and its first tick do: bring in what was spilled, and ask the remote what became of it."""
    world = World(folder)
    world.spill.merge(world.ledger, actor="watch", now=SystemClock().wall())
    resolve(world.ledger, world.repository, world.running, SystemClock(), actor="watch", grace=timedelta())
    return world


@pytest.mark.parametrize("point", DEATHS)
def test_the_next_start_knows_the_fence_and_the_way_up_is_free_again(tmp_path: Path, point: str) -> None:
    before, (outcome, fences) = World.make(tmp_path), DEATHS[point]
    plan = before.plan("L1")
    token = before.approve(plan)
    before.ledger.close()
    die_without_ledger(tmp_path, point)

    started = start(tmp_path)
    state = started.ledger.state()
    assert [(one.kind, one.outcome, one.to_stage) for one in state.intents.values()] == [("reduce", outcome, "L0")]
    assert (state.unresolved, state.epoch) == ((), plan.epoch + 1)
    late = started.apply(plan, [token])
    assert late.outcome == "refused", late
    assert started.commits() == [FENCE] * fences + ["Begin"]

    again = start(tmp_path)
    assert again.ledger.state().intents == started.ledger.state().intents
    settle(again.ledger, SystemClock(), actor="watch", truth=Truth(True), convergence=timedelta(minutes=1))
    state = again.ledger.state()
    assert [one.settled for one in state.intents.values()] == ["converged" if fences else ""]
    fresh = again.plan("L1")
    assert again.apply(fresh, [again.approve(fresh)]).ok
    assert again.ledger.verify().ok


@pytest.mark.parametrize("point", DEATHS)
def test_the_same_reduction_carried_on_with_the_ledger_makes_no_second_fence(tmp_path: Path, point: str) -> None:
    """Nothing raises risk meanwhile, and the ledger's epoch keeps the older plans off by itself."""
    World.make(tmp_path).ledger.close()
    die_without_ledger(tmp_path, point)
    started = World(tmp_path)
    started.spill.merge(started.ledger, actor="watch", now=SystemClock().wall())
    answer = started.reduce("L0", automatic=True)
    state = started.ledger.state()
    assert answer.outcome == "unchanged", answer
    assert len(state.intents) == 1
    assert (state.unresolved, state.epoch) == ((), 1)
    assert started.commits().count(FENCE) == DEATHS[point][1]


@pytest.mark.parametrize("point", ["pushed", "outcome"])
def test_an_apply_that_was_past_its_checks_is_stopped_by_the_fence_of_a_dead_reduction(
    tmp_path: Path, point: str
) -> None:
    world = World.make(tmp_path)
    plan, files = world.plan("L1"), world.files()
    world.checkpoint = lambda reached: die_without_ledger(tmp_path, point) if reached == "before-push" else None
    late = world.apply(plan, [world.approve(plan)])
    assert late.outcome == "abandoned", late
    started = start(tmp_path)
    state = started.ledger.state()
    assert {one.kind: one.outcome for one in state.intents.values()} == {"advance": "abandoned", "reduce": "pushed"}
    assert (state.unresolved, started.files()) == ((), files)
