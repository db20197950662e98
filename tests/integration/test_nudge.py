"""After a push the GitOps controller is asked to look at once; that it cannot be asked changes nothing of the push."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.procedures.advance import apply
from console.procedures.reduce import Order, reduce
from stages.deployed import ApplicationReading
from stages.phrase import confirmation_phrase
from stages.posture import Mode
from stages.refusal import Trouble
from stages.value import replace
from tests.integration.actuation import World


@dataclass
class Controller:
    """Counts what it is asked; ``away`` is why it does not answer."""

    away: str = ""
    asked: int = 0

    def application(self) -> ApplicationReading:
        return ApplicationReading(None, datetime.now(UTC), "not read here")

    def refresh(self) -> None:
        self.asked += 1
        if self.away:
            raise Trouble(self.away)

    def sync(self, *, who: str, reason: str) -> None:
        raise Trouble("nobody asks for a sync here")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.make(tmp_path)


def notes(world: World) -> list[str]:
    found = [entry.body for entry in world.ledger.entries() if entry.kind == "note"]
    return [str(body["text"]) for body in found if body.get("subject") == "controller"]


def climb(world: World, controller: Controller) -> str:
    plan = world.plan("L1")
    phrase = confirmation_phrase(world.force.policy.name, plan)
    ports = replace(world.ports, runtime=controller)
    tokens = [world.approve(plan)]
    done = apply(ports, world.force, plan=plan, tokens=tokens, phrase=phrase, actor="alice", gates=lambda _plan: ())
    return done.outcome


def step_down(world: World, controller: Controller) -> str:
    ports = replace(world.reduce_ports, runtime=controller)
    digests = (world.force.policy_digest, world.force.roster_digest)
    order = Order("down", "carol", 0, Mode.NORMAL, "by hand")
    return reduce(ports, world.force.policy, order, digests=digests).outcome


def test_an_advance_and_a_reduction_ask_once_each(world: World) -> None:
    controller = Controller()
    assert climb(world, controller) == "pushed"
    assert controller.asked == 1
    assert step_down(world, controller) == "pushed"
    assert controller.asked == 2
    assert notes(world) == ["the GitOps controller was asked to look at Git now"] * 2


def test_a_controller_that_is_away_is_noted_and_the_push_stands(world: World) -> None:
    controller = Controller(away="connection refused")
    assert (climb(world, controller), step_down(world, controller)) == ("pushed", "pushed")
    assert len(notes(world)) == 2
    assert all("could not be asked: connection refused" in text for text in notes(world))


def test_what_was_not_pushed_asks_nobody(world: World) -> None:
    controller = Controller()
    assert step_down(world, controller) == "unchanged"
    assert controller.asked == 0
