"""One breach, however many watch: the demo's real world, two watchers that may act, a desk, one ledger."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from console.demo.cast import Trader
from console.demo.household import Household, first_commit, write_configurations
from console.demo.world import Settings, World
from console.wiring import SystemClock, Wiring
from stages.entries import Entry
from stages.state import REDUCE

pytestmark = pytest.mark.timeout(300)

SPEED = 30.0
SEAT = "watch@"


def until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Wait for a condition, and fail when it does not come."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"no {what} in {seconds} s"
        pause.wait(0.01)


def command(house: Household, *words: str) -> list[str]:
    """The command line of a verb under the proposer's configuration."""
    return [sys.executable, "-m", "console", "--config", str(house.config), "--json", *words]


@dataclass
class Scene:
    """The demo's world at L1, and who looks at it."""

    house: Household
    world: World
    wiring: Wiring
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def watch(self, *words: str) -> subprocess.Popen[bytes]:
        """One more ``rampdeck watch``, in a process of its own."""
        line = command(self.house, "watch", *words)
        with (self.house.folder / f"watch-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self.processes.append(process)
        return process

    def entries(self, kind: str) -> list[Entry]:
        return [entry for entry in self.wiring.ledger.entries() if entry.kind == kind]

    def holder(self) -> int | None:
        """The process that watches now."""
        row = self.wiring.lease.current()
        return int(row.holder.rpartition(":")[2]) if row and row.holder else None

    def reductions(self) -> list[Entry]:
        return [entry for entry in self.entries("intent") if entry.body["act"] == "reduce"]

    def step_downs(self) -> list[str]:
        """The commits of reductions on the remote."""
        done = subprocess.run(
            ["git", "--git-dir", str(self.world.remote), "log", "--format=%s", "main"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return [line for line in done.stdout.splitlines() if line.startswith(("Step down", "Roll back"))]

    def settled(self) -> bool:
        """Whether every reduction has an outcome and has reached the runtime, or will not."""
        state = self.wiring.ledger.state()
        reduced = any(intent.kind == REDUCE for intent in state.intents.values())
        return reduced and not state.unresolved and not state.settling

    def breach(self) -> None:
        """The first breach at L1."""
        assert "gap" in self.world.inject("gap")


@pytest.fixture
def scene(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Two watchers that may act and one that only looks; L1 in force, its burn-in under way."""
    monkeypatch.setenv("PYTHONPATH", str(root))
    house = Household(tmp_path)
    world = World(tmp_path, first_commit(house), Settings(speed=SPEED))
    with ExitStack() as open_, world:
        write_configurations(
            house, remote=world.remote_url, endpoints={"heron": world.live.app_url, "heron-paper": world.paper.app_url},
            broker=world.live.broker_url, anchor=SystemClock().wall(), speed=SPEED,
        )  # fmt: skip
        world.ready(30)
        subprocess.run(command(house, "policy", "adopt"), check=True, capture_output=True, timeout=60)
        wiring = Wiring.of(house.config)
        open_.callback(wiring.close)
        scene = Scene(house, world, wiring)
        open_.callback(end, scene.processes)
        for words in (("--act",), ("--act",), ()):
            scene.watch(*words)
        told: list[str] = []
        trader = Trader(house, wiring.ledger, wiring.in_force().policy, "L1", told.append)
        trader.start()
        open_.callback(trader.leave)
        until(lambda: at_l1(scene), 90, f"L1 ({told})")
        yield scene


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(60)


def at_l1(scene: Scene) -> bool:
    state = scene.wiring.ledger.state()
    run = state.runs.get("L1")
    return run is not None and run.state == "OBSERVING"


def once(scene: Scene) -> None:
    """One latch per trigger, one intent, one commit, one outcome; the chain holds and the runtime is at L0."""
    latches = Counter(entry.body["trigger"] for entry in scene.entries("latch-opened"))
    assert "grossLimit" in latches
    assert set(latches.values()) == {1}, latches
    (intent,) = scene.reductions()
    assert (intent.body["to"], intent.body["automatic"]) == ("L0", True)
    assert len(scene.step_downs()) == 1
    outcomes = [entry.body["outcome"] for entry in scene.entries("outcome") if entry.intent == intent.intent]
    assert outcomes == ["pushed"]
    assert [entry.intent for entry in scene.entries("converged")][-1] == intent.intent
    assert scene.wiring.ledger_reader().verify().ok


def test_two_watchers_and_a_desk_through_a_breach_make_one_latch_and_one_commit(scene: Scene) -> None:
    assert sum(process.pid == scene.holder() for process in scene.processes) == 1
    scene.breach()
    until(scene.settled, 60, "step down")
    once(scene)
    assert all(process.poll() is None for process in scene.processes)
    assert len({entry.actor for entry in scene.entries("latch-opened")}) == 1, "one watches"


def test_a_watch_that_is_killed_after_the_latch_is_relieved_and_the_reduction_happens_once(scene: Scene) -> None:
    killed = scene.holder()
    assert killed in [process.pid for process in scene.processes]
    scene.breach()
    until(lambda: scene.entries("latch-opened"), 40, "latch")
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert not scene.entries("outcome") or scene.entries("outcome")[-1].intent not in [
        entry.intent for entry in scene.reductions()
    ], "killed before the push"
    until(lambda: scene.holder() not in (killed, None), 30, "new holder")
    until(scene.settled, 90, "step down")
    once(scene)
