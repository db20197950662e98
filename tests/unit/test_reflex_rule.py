"""The reflex's rule: what is asked for once is not asked for again while Git is as the reduction left it."""

from __future__ import annotations

from stages.entries import Draft
from stages.posture import Mode, Posture
from stages.reflex import carried_out, need, slipped_in, under_way
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


FREE = Posture(Mode.NORMAL, 2)


def rolled_back() -> Watched:
    """L2 was rolled back to L1 by hand, and both Git and the runtime show it; nothing is latched."""
    world = Watched(stage=2).tick(1)
    world.push("reduce", "L2", "L1")
    world.stand(1)
    world.tick(1)
    world.settle()
    return world


def asked(world: Watched) -> Posture:
    return slipped_in(world.policy, world.state, world.watch, world.wall)


def test_what_slips_in_within_a_convergence_window_is_reduced_again_though_nothing_is_latched() -> None:
    world = rolled_back()
    assert not world.state.latches
    assert need(world.policy, asked(world), world.judge().standing) is None, "Git shows it"
    world.stand(2)
    world.trailers = {}
    wanted = need(world.policy, asked(world.tick(1)), world.judge().standing)
    assert wanted is not None
    assert wanted.cap == 1


def test_another_hands_change_begins_the_window_anew_and_two_equal_reads_end_it() -> None:
    world = rolled_back()
    world.tick(25)
    world.stand(0)
    world.trailers = {}
    world.tick(10)
    assert asked(world).cap == 1, "35 s after the reduction, 10 s after the change"
    world.tick(25)
    assert asked(world) == FREE, "one convergence window without another change"
    world.stand(2)
    world.trailers = {}
    assert need(world.policy, Posture(Mode.NORMAL, 2), world.tick(1).judge().standing) is None


def test_an_act_after_the_reduction_ends_its_claim() -> None:
    world = rolled_back()
    world.push("advance", "L1", "L2", "i2")
    assert asked(world) == FREE
