"""A plan that is open for hours: how it stands is asked every other second, and must cost nobody much."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.feed import Desk
from console.gitops.mirror import Mirror
from console.hands import PersonsHands
from console.watch.loop import Watch
from console.watch.once import Look
from console.wiring import Wiring
from stages.plan import Plan
from stages.policy import Policy
from tests.pty.sight import site


@pytest.fixture
def wiring(tmp_path: Path) -> Iterator[Wiring]:
    with site(tmp_path) as (_, config):
        made = Wiring.of(config)
        yield made
        made.close()


@pytest.fixture
def watch(wiring: Wiring) -> Iterator[Watch]:
    """A watch of this very console that has seen something."""
    watch = wiring.watch(Desk(), acting=False)
    watch.start()
    deadline, pause = time.monotonic() + 60, threading.Event()
    while watch.look() is None:
        assert time.monotonic() < deadline, "no tick"
        pause.wait(0.05)
    yield watch
    watch.stop()


def planned(hands: PersonsHands) -> Plan:
    plan = hands.rehearse(1).plan
    assert plan is not None
    return plan


def test_it_is_judged_by_what_this_consoles_watch_has_just_seen(
    wiring: Wiring, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Policy] = []
    own = wiring.look

    def look(policy: Policy) -> Look:
        looked.append(policy)
        return own(policy)

    monkeypatch.setattr(wiring, "look", look)
    hands = PersonsHands(wiring, lambda: watch)
    plan = planned(hands)
    near = hands.answers(plan)
    assert looked == []
    far = PersonsHands(wiring, lambda: None).answers(plan)
    assert len(looked) == 1, "without a watch it looks for itself"
    assert [gate.gate_id for gate in near.gates] == [gate.gate_id for gate in far.gates]


def test_git_is_asked_once_for_what_cannot_change(
    wiring: Wiring, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = PersonsHands(wiring, lambda: watch)
    plan = planned(hands)
    hands.answers(plan)
    asked: list[str] = []
    own = Mirror._must

    def must(self: Mirror, *words: str, **more: object) -> object:
        asked.append(words[0])
        return own(self, *words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Mirror, "_must", must)
    hands.answers(plan)
    assert "cat-file" not in asked
    assert "ls-tree" not in asked
    assert "log" in asked, "what may have come since is asked for each time"
