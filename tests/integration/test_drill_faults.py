"""Drills of the kill with a fault in them, on the demo's paper target: safe and honest under it, whole after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from console.demo.cast import Approver, Done
from console.hands import PersonsHands
from console.wiring import Wiring
from stages.drill import ITSELF
from stages.drill_faults import CANCELS, DISK, FAULTS, HEAL, NAN, PUSH
from tests.integration.drilling import Demo, drilled_demo, eventually


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with drilled_demo(tmp_path_factory.mktemp("faults")) as made:
        player = Approver(made.house, lambda _: None)
        player.start()
        yield made
        player.leave()
        player.join(60)


def findings(done: Done) -> dict[str, dict[str, Any]]:
    """What the drill found, by what it says."""
    return {one["says"]: one for step in done.document["steps"] for one in step["findings"]}


@pytest.mark.parametrize("name", [NAN, PUSH, CANCELS, HEAL])
def test_the_kill_holds_under_it_and_everything_does_after_it(demo: Demo, name: str) -> None:
    done = demo.drill("--inject", name)
    assert done.code == 0, done.document.get("reasons") or done.words
    found = findings(done)
    assert found[f"the fault strikes: {FAULTS[name].says}"]["ok"]
    assert found[f"under it: {FAULTS[name].must}"]["ok"]
    run = demo.state().drills[done.document["run"]]
    assert (run.inject, run.state) == (name, "PASS")
    assert f"fault {name}" in run.effects


def test_the_choice_on_the_screen_is_the_same_drill(demo: Demo) -> None:
    wiring = Wiring.of(demo.house.config)
    try:
        drills = PersonsHands(wiring, lambda: None).drills
        begun = drills.start("drill kill heron-paper with ledger-full")
        assert begun.ok, begun.note
        run = next(one for one in wiring.ledger.state().drills.values() if one.state == "RUNNING").run
        eventually(lambda: wiring.ledger.state().drills[run].state != "RUNNING")
        done = wiring.ledger.state().drills[run]
        assert (done.state, done.reasons, done.inject, done.path) == ("PASS", (), DISK, ITSELF)
        found = {one.says: one for one in done.findings}
        assert "decisions wait beside the ledger" in found[f"under it: {FAULTS[DISK].must}"].observed
        assert "gap" in found["what waited joined, with the gap named"].observed
    finally:
        wiring.close()


def test_no_fault_is_let_loose_at_a_table(demo: Demo) -> None:
    done = demo.drill("--mode", "tabletop", "--inject", PUSH)
    assert done.code == 2
    assert "a tabletop touches nothing" in done.words
