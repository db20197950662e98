"""A demo whose drills can be held: its world, its people's verbs, and what is waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from time import monotonic

from console.demo.cast import Done, verb
from console.demo.command import adopt
from console.demo.floor import Pace
from console.demo.household import POLICY_PATH, Household, first_commit, write_configurations
from console.demo.world import Settings, World
from console.wiring import Wiring
from stages.state import ControlState

FAST = Settings(seed=3, speed=20, pace=Pace(restart_seconds=0.3), sync_delay=0.2)


@dataclass
class Demo:
    house: Household
    world: World

    def drill(self, *words: str) -> Done:
        return verb(self.house.config, "drill", *words)

    def state(self) -> ControlState:
        wiring = Wiring.of(self.house.config)
        try:
            return wiring.ledger.state()
        finally:
            wiring.close()

    def bundle(self, run: str) -> Path:
        return self.house.folder / "state" / "drills" / f"drill-{run[:8]}.json"


def eventually(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline, pause = monotonic() + seconds, Event()
    while not condition():
        assert monotonic() < deadline, "it never came"
        pause.wait(0.05)


@contextmanager
def drilled_demo(folder: Path) -> Iterator[Demo]:
    """The demo's world with a policy that asks for drills, and a restore that is not waited for long."""
    house = Household(folder)
    content = first_commit(house)
    content[POLICY_PATH] += b"\n  drill: {budgets: {D12: 15s}}\n"
    with World(house.folder, content, FAST) as world:
        write_configurations(
            house,
            remote=world.remote_url,
            endpoints={"heron": world.live.app_url, "heron-paper": world.paper.app_url},
            broker=world.live.broker_url,
            anchor=datetime.now(UTC),
            speed=FAST.speed,
            paper={"app": world.paper.app_url, "broker": world.paper.broker_url},
        )
        adopt(house, world)
        yield Demo(house, world)
