"""A watch that starts while its observation store is away: it judges what it reads, and decides no burn-in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import pytest

from console.store.observations import ObservationsAway
from console.watch.once import look_once
from stages.commands import ChangeBurnIn
from stages.signals import LIVE_BOOK, SignalKey
from stages.value import replace
from stages.verdict import RowState
from tests.integration.watching import (
    Console,
    HandClock,
    ScriptedReader,
    World,
    begun,
    console,
    kinds,
    run,
)


class Gone:
    """An observation store that answers nothing at all."""

    def __getattr__(self, name: str) -> Any:
        def away(*_: object, **__: object) -> NoReturn:
            raise ObservationsAway("the observation store does not answer", fix="wait")

        return away


@contextmanager
def without_store(one: Console) -> Iterator[None]:
    ports = one.watch._ports
    one.watch._ports = replace(ports, observations=Gone())
    yield
    one.watch._ports = ports


def test_it_judges_what_it_reads_and_steps_down(tmp_path: Path, world: World, clock: HandClock) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    with without_store(one):
        frame = run(one, clock, 3)
        assert {row.state for row in frame.evaluation.rows if row.key.name == "gross"} == {RowState.OK}
        assert any("does not answer" in notice for notice in frame.notices)
        world.values["gross"] = "5300"
        run(one, clock, 3)
        assert len(kinds(one, "latch-opened")) == 1
        assert len(one.memory.launched) == 1
        assert not kinds(one, "burn-in"), "what nobody can seal decides nothing about a burn-in"
    frame = run(one, clock, 2)
    assert not frame.notices
    assert len(list(one.observations.ticks())) == 2
    assert len(kinds(one, "latch-opened")) == 1, "what was latched without a store is not latched again"


def burning_in(folder: Path, world: World, clock: HandClock) -> Console:
    """A watch that has ended after five seconds of a burn-in."""
    begun(folder, clock)
    one = console(folder, world, "watch@a:1", acting=True)
    run(one, clock, 5)
    one.watch.close()
    return one


def test_a_burn_in_goes_on_where_it_stood_when_the_store_is_back(
    tmp_path: Path, world: World, clock: HandClock
) -> None:
    one = burning_in(tmp_path, world, clock)
    assert one.watch._memory is not None
    before, written = one.watch._memory.watch.burn_in, kinds(one, "burn-in")
    two = console(tmp_path, world, "watch@a:2", acting=True)
    with without_store(two):
        run(two, clock, 20)
    run(two, clock, 1)
    assert two.watch._memory is not None
    after = two.watch._memory.watch.burn_in
    assert after.observed <= before.observed + 1
    assert after.blind - before.blind >= 20
    assert kinds(two, "burn-in") == written


@pytest.mark.parametrize("state", ["OBSERVING", "PASSED"])
def test_how_far_a_burn_in_came_is_not_told_by_who_cannot_know(
    tmp_path: Path, world: World, clock: HandClock, state: str
) -> None:
    """A pass may have been voided by ticks that cannot be read, so it opens nothing either."""
    one = burning_in(tmp_path, world, clock)
    if state == "PASSED":
        (stage, going) = next(iter(one.ledger.state().runs.items()))
        passed = ChangeBurnIn("watch", stage, going.run, "PASSED", going.started, clock.now)
        one.ledger.transact(passed, now=clock.now)
    two = console(tmp_path, world, "watch@a:2", acting=True)
    with without_store(two):
        found = run(two, clock, 2).evaluation
        assert (found.burn_in.state, found.burn_in.items) == ("NOT READ", ())
        assert two.watch.look() is None, "no page judges a gate by this"
    found = look_once(
        world.policy,
        one.ledger.state(),
        clock,
        lambda _policy: ScriptedReader(world),
        actor="alice",
        observations=Gone(),
        patience=0.0,
    ).evaluation
    assert found.burn_in.state == "NOT READ"
    assert run(two, clock, 1).evaluation.burn_in.state == state


def test_a_desk_reads_for_itself_and_writes_nothing(tmp_path: Path, world: World, clock: HandClock) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    run(one, clock, 2)
    written = one.ledger.head().seq
    world.values["gross"] = "5300"
    two = console(tmp_path, world, "watch@a:2")
    with without_store(two):
        frame = run(two, clock, 3)
        assert any("own readings" in notice for notice in frame.notices)
        read = {row.value for row in frame.evaluation.rows if row.key == SignalKey(LIVE_BOOK, "gross")}
        assert read == {Decimal(5300)}
        assert one.ledger.head().seq == written
        run(one, clock, 1)
    assert not run(two, clock, 1).notices, "the watch's ticks again"
