"""The reflex's rule: what is asked for once is not asked for again while Git is as the reduction left it."""

from __future__ import annotations

from stages.entries import Draft
from stages.posture import Mode, Posture
from stages.reflex import carried_out, under_way
from tests.unit.watched import Watched

HALTED_AT_L0 = Posture(Mode.HALTED, 0)


def reduced(outcome: str, mode: str = "HALTED") -> Watched:
    """A reduction to L0 that ended at head ``abc``."""
    world = Watched(stage=1).tick(1)
    body = {"act": "reduce", "from": "L1", "to": "L0", "mode": mode, "market": world.market, "cause": "grossLimit"}
    world.append(Draft("intent", "L0", "i1", "watch", {**body, "automatic": True}, epoch=1))
    world.append(Draft("outcome", None, "i1", "watch", {"outcome": outcome, "sha": "abc", "message": ""}))
    return world


def test_what_git_holds_is_not_asked_for_again() -> None:
    for outcome in ("pushed", "unchanged"):
        world = reduced(outcome)
        assert carried_out(world.policy, HALTED_AT_L0, world.state, "abc"), outcome
        assert not carried_out(world.policy, HALTED_AT_L0, world.state, "def"), "somebody has changed Git since"


def test_what_never_reached_git_is_asked_for_again() -> None:
    for outcome in ("rejected", "abandoned", "unknown"):
        world = reduced(outcome)
        assert not carried_out(world.policy, HALTED_AT_L0, world.state, "abc"), outcome
    world = Watched(stage=1).tick(1)
    assert not carried_out(world.policy, HALTED_AT_L0, world.state, "c0"), "nothing was reduced yet"


def test_a_posture_that_asks_for_more_is_not_carried_out() -> None:
    world = reduced("pushed", mode="FROZEN")
    assert not carried_out(world.policy, HALTED_AT_L0, world.state, "abc")
    assert carried_out(world.policy, Posture(Mode.FROZEN, 1), world.state, "abc")
    assert not under_way(world.policy, HALTED_AT_L0, None)
