"""Owed reasons: counted down by name, overdue by name, rung once, and paid by whoever says why."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stages.commands import BeginReduce, GiveReason, Record
from stages.facts import CANCEL_BY_HAND
from stages.owing import WITHIN, owed
from stages.posture import Mode
from stages.releases import MANUAL_BLOCK, block_latch
from stages.value import replace
from stages.verdict import AlarmClass
from tests.unit.watched import Watched

SECOND = timedelta(seconds=1)


@pytest.fixture
def world() -> Watched:
    return Watched(stage=1).tick(3)


def step_down(world: Watched, mode: Mode = Mode.NORMAL, *, automatic: bool = False) -> None:
    world.decide(BeginReduce("carol", f"i{mode}", "L1", "L0", mode, world.market, "by hand", automatic=automatic))


def test_who_owes_for_which_act_is_counted_down_and_then_overdue(world: Watched) -> None:
    step_down(world)
    at = next(iter(world.state.intents.values())).at
    (early,), (late,) = owed(world.state, at + 108 * SECOND), owed(world.state, at + WITHIN + 63 * SECOND)
    assert early.text.startswith("the reason of carol's reduction to L0 is owed, 8:12 left")
    assert late.text.startswith("the reason of carol's reduction to L0 IS OVERDUE by 1:03")
    assert (early.overdue, late.overdue) == (False, True)
    assert owed(world.state, at + timedelta(days=2)) == ()


def test_a_kill_and_a_block_owe_as_well_and_an_automatic_reduction_owes_nothing(world: Watched) -> None:
    step_down(world, automatic=True)
    assert owed(world.state, world.wall) == ()
    world.decide(block_latch("dave", world.state, world.market))
    step_down(world, Mode.KILLED)
    assert sorted(one.what for one in owed(world.state, world.wall)) == ["carol's kill to L0", "dave's block"]


def test_a_reason_pays_and_so_does_the_end_of_a_block(world: Watched) -> None:
    step_down(world)
    world.decide(block_latch("dave", world.state, world.market))
    for one in owed(world.state, world.wall):
        world.decide(GiveReason("erin", one.intent, "prices are wrong"))
    assert owed(world.state, world.wall) == ()


def test_a_reason_that_was_written_aside_pays_for_the_latch_of_whatever_epoch(world: Watched) -> None:
    world.decide(block_latch("dave", world.state, world.market))
    world.decide(GiveReason("dave", f"{MANUAL_BLOCK}/blocked by hand/99", "prices are wrong"))
    assert owed(world.state, world.wall) == ()


def test_a_cancel_owes_its_reason_until_somebody_gives_it(world: Watched) -> None:
    world.decide(Record("dave", "note", {"text": "CANCEL by dave", "subject": CANCEL_BY_HAND}, intent="c1"))
    (debt,) = owed(world.state, world.wall)
    assert (debt.what, debt.intent) == ("dave's cancel", "c1")
    world.decide(GiveReason("erin", "c1", "prices are wrong"))
    assert owed(world.state, world.wall) == ()


def test_the_headline_says_it_in_every_tick_and_it_rings_once_it_is_overdue(world: Watched) -> None:
    step_down(world)
    said = world.tick(1).judge()
    assert said.headline.sentence.startswith("Reason owed, 9:5")
    assert "carol's reduction to L0." in said.headline.sentence
    assert not [one for one in said.alarms if one.key.startswith("reason/")]
    late = replace(next(iter(world.state.intents.values())), at=world.wall - WITHIN - SECOND)
    world.state = replace(world.state, intents={late.id: late})
    said = world.tick(1).judge()
    (alarm,) = [one for one in said.alarms if one.key.startswith("reason/")]
    assert (alarm.klass, alarm.text) == (AlarmClass.LOOK, "the reason of carol's reduction to L0 is OVERDUE")
    assert said.headline.sentence.startswith("Reason OVERDUE by 0:0")
