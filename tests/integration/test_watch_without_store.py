"""A watch that starts while its observation store is away: it judges what it reads, and decides no burn-in."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import pytest

from console.store.observations import ObservationsAway
from stages.signals import LIVE_BOOK, SignalKey
from stages.value import replace
from stages.verdict import RowState
from tests.conftest import ROOT
from tests.integration.test_watch_loop import kinds, run
from tests.integration.watching import HandClock, World, begun, console, demo_policy


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def world(clock: HandClock) -> World:
    return World(demo_policy(ROOT), clock)


class Gone:
    """An observation store that answers nothing at all."""

    def __getattr__(self, name: str) -> Any:
        def away(*_: object, **__: object) -> NoReturn:
            raise ObservationsAway("the observation store does not answer", fix="wait")

        return away


def test_a_watch_that_starts_without_its_store_judges_what_it_reads_and_steps_down(
    tmp_path: Path, world: World, clock: HandClock
) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    store = one.watch._ports.observations
    one.watch._ports = replace(one.watch._ports, observations=Gone())
    frame = run(one, clock, 3)
    assert {row.state for row in frame.evaluation.rows if row.key.name == "gross"} == {RowState.OK}
    assert any("does not answer" in notice for notice in frame.notices)
    world.values["gross"] = "5300"
    run(one, clock, 3)
    assert len(kinds(one, "latch-opened")) == 1
    assert len(one.memory.launched) == 1
    assert not kinds(one, "burn-in"), "what nobody can seal decides nothing about a burn-in"
    one.watch._ports = replace(one.watch._ports, observations=store)
    frame = run(one, clock, 2)
    assert not frame.notices
    assert len(list(store.ticks())) == 2
    assert len(kinds(one, "latch-opened")) == 1, "what was latched without a store is not latched again"


def test_a_burn_in_goes_on_where_it_stood_when_the_store_is_back(
    tmp_path: Path, world: World, clock: HandClock
) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    run(one, clock, 5)
    assert one.watch._memory is not None
    before = one.watch._memory.watch.burn_in
    one.watch.close()
    written = kinds(one, "burn-in")
    two = console(tmp_path, world, "watch@a:2", acting=True)
    store = two.watch._ports.observations
    two.watch._ports = replace(two.watch._ports, observations=Gone())
    run(two, clock, 20)
    two.watch._ports = replace(two.watch._ports, observations=store)
    run(two, clock, 1)
    assert two.watch._memory is not None
    after = two.watch._memory.watch.burn_in
    assert after.observed <= before.observed + 1
    assert after.blind - before.blind >= 20
    assert kinds(two, "burn-in") == written


def test_a_desk_that_starts_without_the_store_reads_for_itself_and_writes_nothing(
    tmp_path: Path, world: World, clock: HandClock
) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    run(one, clock, 2)
    written = one.ledger.head().seq
    world.values["gross"] = "5300"
    two = console(tmp_path, world, "watch@a:2")
    store = two.watch._ports.observations
    two.watch._ports = replace(two.watch._ports, observations=Gone())
    frame = run(two, clock, 3)
    assert any("own readings" in notice for notice in frame.notices)
    read = {row.value for row in frame.evaluation.rows if row.key == SignalKey(LIVE_BOOK, "gross")}
    assert read == {Decimal(5300)}
    assert one.ledger.head().seq == written
    run(one, clock, 1)
    two.watch._ports = replace(two.watch._ports, observations=store)
    frame = run(two, clock, 1)
    assert not frame.notices, "the watch's ticks again"
