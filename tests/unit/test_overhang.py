"""Overhang: REDUCE_ONLY with a figure and a deadline a name, a breach when a name grows, and an end by a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from stages.clearing import judge as judge_latch
from stages.commands import ClearLatch
from stages.entries import Draft
from stages.overhang import OVERHANG
from stages.posture import Mode, join
from stages.verdict import RowState
from stages.watching import WatchState
from stages.witness import Position
from tests.unit.watched import OPEN, Watched, make_policy, policy_document, signal

FLATTENING = datetime.fromisoformat("2026-11-24T20:45:00+00:00")
NAMES = ["NVDA", "AMD", "MU"]


def held(**dollars: int) -> tuple[Position, ...]:
    return tuple(Position(name, Decimal(1), Decimal(value)) for name, value in dollars.items())


def above(start: datetime = OPEN, gross: int = 18000, **dollars: int) -> Watched:
    """A world at L2, before it comes down to L1 (5,000 $ gross, 2,000 $ a name, NVDA and AMD alone)."""
    document = policy_document()["spec"]
    document["signals"] |= {
        "largest": signal("largest", limit={"control": "symbolConcentration"}),
        "outside": signal("outside universe", unit="count", limit={"control": "universe"}),
    }
    name = {"title": "a name over its limit", "kind": "limit", "confirm": {"reads": 2}, "then": [{"mode": "HALTED"}]}
    document["triggers"] |= {
        "nameLimit": name | {"signals": ["largest"]},
        "universeLimit": name | {"signals": ["outside"]},
    }
    world = Watched(make_policy(signals=document["signals"], triggers=document["triggers"]), stage=2, start=start)
    return hold(world, gross, **dollars).tick(3)


def lowered(start: datetime = OPEN, gross: int = 18000, **dollars: int) -> Watched:
    """The same world just after it came down."""
    return settled(began(above(start, gross, **dollars)))


def began(world: Watched) -> Watched:
    """The step down is pushed, and the upper limits still count."""
    world.push("reduce", "L2", "L1")
    return world.tick(2)


def settled(world: Watched) -> Watched:
    """The lower limits count."""
    world.stand(1)
    world.settle()
    return world.tick(3)


def hold(world: Watched, gross: int, **dollars: int) -> Watched:
    """The venue's positions, and what the application tells of them."""
    world.positions = held(**dollars)
    universe = world.git_values["universe"]
    assert isinstance(universe, tuple)
    world.values |= {
        "gross": Decimal(gross),
        "largest": Decimal(max(dollars.values(), default=0)),
        "outside": Decimal(sum(name not in universe for name in dollars)),
    }
    return world


def over(world: Watched) -> dict[str, tuple[str, datetime | None]]:
    return {one.words: (one.symbol, one.until_market) for one in world.judge().overhang}


def test_each_limit_and_each_name_has_its_figure_and_its_deadline() -> None:
    world = lowered(NVDA=3200, AMD=2400, MU=900)
    assert over(world) == {
        "gross: 13,000 $ over": ("", FLATTENING),
        "largest NVDA: 1,200 $ over": ("NVDA", FLATTENING),
        "largest AMD: 400 $ over": ("AMD", FLATTENING),
        "outside universe MU: 900 $ over": ("MU", FLATTENING),
    }
    assert world.row("largest").state is RowState.OVER


def test_it_asks_for_reduce_only_in_the_ledger_once() -> None:
    world = lowered(NVDA=3200)
    (latch,) = world.state.latches.values()
    assert (latch.trigger, latch.mode, latch.cap) == (OVERHANG, Mode.REDUCE_ONLY, None)
    assert "gross: 13,000 $ over; largest NVDA: 1,200 $ over" in latch.evidence
    assert world.tick(20).latches == [OVERHANG]


def test_a_posture_that_is_as_strict_already_opens_nothing_more_until_it_is_lifted() -> None:
    world = Watched(stage=2).tick(3).tick(3, gross=26000)
    assert world.latches == ["grossLimit"]
    world.push("reduce", "L2", "L1")
    world.stand(1)
    world.settle()
    assert world.tick(5, gross=18000).latches == ["grossLimit"]
    (latch,) = world.state.latches.values()
    body = {"key": latch.key, "trigger": latch.trigger, "cause": latch.cause, "approvals": [], "evidence": "signed"}
    world.append(Draft("latch-cleared", None, None, "erin", {**body, "itself": False}))
    assert world.tick(2).latches == [OVERHANG]


@pytest.mark.parametrize("read", [True, False])
def test_another_name_that_grows_beneath_the_largest_is_a_breach(read: bool) -> None:
    world = lowered(gross=6000, NVDA=3200, AMD=1500)
    world.tick(3)
    assert "nameLimit" not in world.latches
    hold(world, 6000, NVDA=3200, AMD=2100)
    world.venue_silent = not read
    world.tick(3)
    # Only the venue tells of the second name; without it the largest alone can be judged.
    assert ("nameLimit" in world.latches) is read


def test_a_name_that_grows_by_more_than_the_tolerance_is_a_breach() -> None:
    world = lowered(gross=6000, NVDA=3200)
    assert "nameLimit" not in hold(world, 6000, NVDA=3500).tick(3).latches
    assert "nameLimit" in hold(world, 6000, NVDA=3700).tick(3).latches


@pytest.mark.parametrize("silent", [("push",), ("settle",), ("push", "settle")], ids=" and ".join)
def test_a_venue_that_is_silent_for_a_moment_makes_no_breach_of_what_hangs_over(silent: tuple[str, ...]) -> None:
    world = above(gross=6000, NVDA=3200)
    for moment, act in (("push", began), ("settle", settled)):
        world.venue_silent = moment in silent
        act(world)
    world.venue_silent = False
    assert over(world.tick(5))["largest NVDA: 1,200 $ over"] == ("NVDA", FLATTENING)
    assert world.latches == [OVERHANG]
    hold(world, 6000, NVDA=3200, AMD=2100).tick(3)
    assert "nameLimit" in world.latches, "what is new afterwards is a breach as ever"


def test_what_was_added_while_the_upper_limits_still_counted_has_grown_though_the_venue_fell_silent() -> None:
    world = began(above(gross=6000, NVDA=3200))
    world.venue_silent = True
    settled(world)
    world.venue_silent = False
    assert "nameLimit" in hold(world, 6000, NVDA=3200, AMD=2100).tick(3).latches


def test_what_has_grown_stays_so_while_the_venue_is_silent() -> None:
    world = lowered(gross=6000, NVDA=3200)
    hold(world, 6000, NVDA=3200, AMD=2100).tick(1)
    world.venue_silent = True
    assert "nameLimit" in world.tick(3).latches


def test_one_name_outside_the_universe_for_another_is_a_breach() -> None:
    world = lowered(gross=3000, MU=900)
    assert "universeLimit" not in world.tick(3).latches
    assert "universeLimit" in hold(world, 3000, AVGO=900).tick(3).latches


def test_a_restart_forgets_neither_names_nor_deadline() -> None:
    world = lowered(start=FLATTENING - timedelta(minutes=1), gross=6000, NVDA=3200)
    before = over(world)
    world.watch = WatchState.from_document(world.watch.to_document())
    assert over(world.tick(2)) == before
    world.tick(60)
    assert {"grossLimit", "nameLimit"} <= set(world.latches), "the deadline has passed"


def test_a_person_ends_it_once_nothing_hangs_over_and_nobody_before() -> None:
    world = lowered(gross=6000, NVDA=2400)
    (latch,) = world.state.latches.values()
    found = judge_latch(world.policy, world.state, world.watch, world.snapshot, latch)
    assert (found.gone, found.why) == (False, "gross: 1,000 $ over; largest NVDA: 400 $ over")
    assert found.who == "operator or trader or risk, one key press"
    hold(world, 3000, NVDA=1200).tick(2)
    assert over(world) == {}
    assert world.latches == [OVERHANG], "nothing automatic lets risk grow"
    found = judge_latch(world.policy, world.state, world.watch, world.snapshot, latch)
    assert found.gone
    world.decide(ClearLatch("alice", latch.key, gone=True, roles=("operator",)))
    assert join(world.state.latches.values(), 2).mode is Mode.NORMAL


def test_nobody_ends_it_while_an_exposure_was_not_read_under_the_lower_limits() -> None:
    world = above(gross=6000, NVDA=3200)
    world.frozen.add("largest")
    world = settled(began(world.tick(60)))
    (latch,) = [one for one in world.state.latches.values() if one.trigger == OVERHANG]
    hold(world, 3000, NVDA=1200).tick(3)
    found = judge_latch(world.policy, world.state, world.watch, world.snapshot, latch)
    assert (found.gone, found.why) == (False, "largest was not read since")
    world.frozen.clear()
    world.tick(2)
    assert judge_latch(world.policy, world.state, world.watch, world.snapshot, latch).gone


def test_a_loss_hangs_over_without_a_reduction() -> None:
    world = Watched(stage=2).tick(3, pnl="-212.75")
    world.push("reduce", "L2", "L1")
    world.stand(1)
    world.settle()
    world.tick(5)
    (one,) = world.judge().overhang
    assert (one.title, one.loss, world.latches) == ("day P&L", True, [])
