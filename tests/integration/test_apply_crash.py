"""``kill -9`` at every point of the protocol: the next start names what happened, and nothing got riskier."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from console.procedures.follow import resolve, settle
from console.wiring import SystemClock
from stages.commands import OpenLatch
from stages.posture import Mode
from stages.settling import Truth
from tests.integration.actuation import ROOT, World

APPLY = {
    "begin": ("", False),
    "verified": ("", False),
    "intent": ("abandoned", False),
    "committed": ("abandoned", False),
    "before-push": ("abandoned", False),
    "pushed": ("pushed", True),
    "outcome": ("pushed", True),
}
"""Where it dies -> the outcome that the next start names, and whether the remote runs L1."""


def die(world: World, act: str, point: str) -> None:
    """Carry an act out in another process that kills itself at ``point``."""
    world.ledger.close()
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.actuation", act, str(world.folder), point],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == -9, done.stderr


def recover(world: World) -> None:
    resolve(world.ledger, world.repository, world.running, SystemClock(), actor="alice", grace=timedelta())


@pytest.mark.parametrize("point", APPLY)
def test_a_killed_apply_is_named_by_the_next_start(tmp_path: Path, point: str) -> None:
    world = World.make(tmp_path)
    before = world.files()
    die(world, "apply", point)
    outcome, arrived = APPLY[point]
    started = World(tmp_path)
    assert (started.files() != before) == arrived
    intents = list(started.ledger.state().intents.values())
    assert [intent.kind for intent in intents] == (["advance"] if outcome else [])
    recover(started)
    state = started.ledger.state()
    assert [intent.outcome for intent in state.intents.values()] == ([outcome] if outcome else [])
    assert state.unresolved == ()
    assert (started.files() != before) == arrived
    recover(started)
    assert started.ledger.state().seq == state.seq
    assert started.ledger.verify().ok


@pytest.mark.parametrize("point", ["intent", "committed", "before-push"])
def test_an_advance_that_died_is_not_resumed_and_its_approval_is_used_up(tmp_path: Path, point: str) -> None:
    world = World.make(tmp_path)
    die(world, "apply", point)
    started = World(tmp_path)
    assert len(started.ledger.state().consumed) == 1
    plan = started.plan("L1")
    token = started.approve(plan)
    blocked = started.apply(plan, [token])
    assert blocked.refusal is not None
    assert blocked.refusal.code == "outcome-unknown"
    recover(started)
    assert started.commits() == ["Begin"]
    assert started.apply(plan, [token]).ok


@pytest.mark.parametrize("point", ["intent", "committed", "before-push"])
def test_after_the_crash_a_latch_still_holds_and_a_reduction_still_works(tmp_path: Path, point: str) -> None:
    world = World.make(tmp_path)
    die(world, "apply", point)
    started = World(tmp_path)
    started.command(OpenLatch("watch", "gross", "gross", "106 %", Mode.REDUCE_ONLY, "-1", 1, "L1", ("risk",)))
    assert started.reduce("L0", Mode.REDUCE_ONLY, automatic=True).outcome == "pushed"
    recover(started)
    assert started.says('TRADING_REDUCE_ONLY\n              value: "true"')
    assert started.says("value: paper")
    plan = started.plan("L1")
    refused = started.apply(plan, [started.approve(plan)])
    assert refused.refusal is not None
    assert not started.says("value: live")


@pytest.mark.parametrize("point", ["intent", "committed", "pushed", "outcome"])
def test_a_killed_reduction_is_carried_on_by_the_next_one(tmp_path: Path, point: str) -> None:
    world = World.make(tmp_path)
    low = world.files()
    plan = world.plan("L1")
    assert world.apply(plan, [world.approve(plan)]).ok
    settle(world.ledger, SystemClock(), actor="watch", truth=Truth(True), convergence=timedelta(minutes=1))
    die(world, "reduce", point)
    started = World(tmp_path)
    answer = started.reduce("L0", automatic=True)
    assert answer.outcome in ("pushed", "unchanged")
    assert started.files() == low
    state = started.ledger.state()
    assert state.epoch == 1
    assert state.unresolved == ()
    assert sum(intent.kind == "reduce" for intent in state.intents.values()) == 1
    assert started.commits().count("Roll back heron to L0") + started.commits().count("Step down heron to L0") == 1
    assert started.ledger.verify().ok


@pytest.mark.parametrize("act", ["apply", "reduce"])
def test_a_kill_between_any_two_entries_is_named_and_nothing_is_riskier(tmp_path: Path, act: str) -> None:
    for entries in range(1, 4):
        folder = tmp_path / str(entries)
        folder.mkdir()
        world = World.make(folder)
        low = world.files()
        if act == "reduce":
            plan = world.plan("L1")
            assert world.apply(plan, [world.approve(plan)]).ok
        known = world.ledger.state().seq
        high = world.files()
        die(world, act, str(entries))
        started = World(folder)
        assert started.ledger.state().seq == known + entries
        recover(started)
        state = started.ledger.state()
        assert state.unresolved == ()
        newest = list(state.intents.values())[-1]
        assert newest.outcome in ("pushed", "abandoned")
        moved = started.files() != high
        assert moved == (newest.outcome == "pushed"), entries
        if act == "reduce":
            assert started.files() in (low, high)
        assert started.ledger.verify().ok
