"""A console that dies between the push and its arrival: the next one goes on, once, or says what is not known."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from stages.commands import BeginReduce, RecordCommitted, RecordOutcome
from stages.entries import EntryFilter
from stages.posture import Mode
from stages.signals import Snapshot
from stages.value import replace
from stages.witness import RuntimeReading
from tests.integration.watching import Console, HandClock, ScriptedReader, World, begun, console, demo_policy

HEAD = "a" * 40
"""Where the world's Git stands."""


@pytest.fixture
def world(root: Path, clock: HandClock, tmp_path: Path) -> World:
    """A step down that is pushed, and that the runtime does not run yet."""
    ledger, now = begun(tmp_path, clock), clock.wall()
    ledger.transact(BeginReduce("carol", "down", "L2", "L1", Mode.NORMAL, now, "by hand"), now=now)
    ledger.transact(RecordCommitted("carol", "down", HEAD), now=now)
    ledger.transact(RecordOutcome("carol", "down", "pushed", HEAD), now=now)
    return World(demo_policy(root), clock, runtime_stage=2)


class Dark(ScriptedReader):
    """A reader that reads nothing of the runtime in its first so many looks."""

    looks = 3

    def snapshot(self, seq: int) -> Snapshot:
        self.looks -= 1
        found = super().snapshot(seq)
        if self.looks < 0:
            return found
        unread = {name: RuntimeReading(None, found.wall, error="no answer yet") for name in found.runtime}
        return replace(found, runtime=unread)


class Blind(Dark):
    """A reader that never reads the runtime."""

    looks = 1_000_000


def run(clock: HandClock, seconds: int, *consoles: Console) -> None:
    for _ in range(seconds):
        for one in consoles:
            one.watch.tick()
        clock.move(1)


def ends(one: Console) -> list[tuple[str, str]]:
    """How the act was closed: every such entry, and what it says of it."""
    found = (one.ledger.newest(EntryFilter(kind=kind)) for kind in ("converged", "diverged"))
    return [(entry.kind, str(entry.body.get("detail", ""))) for kind in found for entry in kind]


def died_after_the_push(folder: Path, world: World, clock: HandClock) -> Console:
    """A watch that saw the change under way, and is heard of no more."""
    one = console(folder, world, "watch@a:1", acting=True)
    run(clock, 3, one)
    assert ends(one) == []
    return one


def test_one_of_those_that_come_after_writes_the_arrival(tmp_path: Path, world: World, clock: HandClock) -> None:
    died_after_the_push(tmp_path, world, clock)
    clock.move(11)
    others = [console(tmp_path, world, f"watch@b:{number}", acting=True) for number in range(3)]
    run(clock, 3, *others)
    assert ends(others[0]) == []
    world.runtime_stage = 1
    run(clock, 3, *others)
    assert ends(others[0]) == [("converged", "")]


def test_the_countdown_goes_on_from_the_push_and_not_from_the_restart(
    tmp_path: Path, world: World, clock: HandClock
) -> None:
    pushed = clock.wall()
    died_after_the_push(tmp_path, world, clock)
    clock.move(60)
    two = console(tmp_path, world, "watch@a:2", acting=True)
    convergence = world.policy.spec.target.convergence
    while clock.wall() < pushed + convergence:
        run(clock, 1, two)
        assert ends(two) == []
    run(clock, 1, two)
    ((kind, detail),) = ends(two)
    assert kind == "diverged"
    assert "maxGrossExposure" in detail


def test_what_arrived_while_nobody_looked_is_not_called_astray_before_it_is_read(
    tmp_path: Path, world: World, clock: HandClock
) -> None:
    died_after_the_push(tmp_path, world, clock)
    clock.move(timedelta(hours=12).total_seconds())
    world.runtime_stage = 1
    two = console(tmp_path, world, "watch@a:2", acting=True, reader=Dark)
    run(clock, Dark.looks, two)
    assert ends(two) == []
    run(clock, 1, two)
    assert ends(two) == [("converged", "")]


def test_what_is_read_to_run_something_else_after_a_night_has_diverged_at_once(
    tmp_path: Path, world: World, clock: HandClock
) -> None:
    died_after_the_push(tmp_path, world, clock)
    clock.move(timedelta(hours=12).total_seconds())
    two = console(tmp_path, world, "watch@a:2", acting=True)
    run(clock, 1, two)
    ((kind, detail),) = ends(two)
    assert kind == "diverged"
    assert "maxGrossExposure" in detail


def test_a_runtime_that_stays_unread_is_named_after_a_whole_window_of_looking(
    tmp_path: Path, world: World, clock: HandClock
) -> None:
    died_after_the_push(tmp_path, world, clock)
    clock.move(timedelta(hours=12).total_seconds())
    two = console(tmp_path, world, "watch@a:2", acting=True, reader=Blind)
    window = round(world.policy.spec.target.convergence.total_seconds())
    run(clock, window, two)
    assert ends(two) == []
    run(clock, 1, two)
    ((kind, detail),) = ends(two)
    assert kind == "diverged"
    assert "no answer yet" in detail
