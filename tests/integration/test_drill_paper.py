"""Drills on the demo's real paper venue: a kill that holds and is restored, a rollback, and what makes one fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests

from console.demo.cast import Approver, verb
from console.hands import PersonsHands
from console.venue.demo import BLOCK_REASON, DemoVenue
from console.verbs.drill_target import target_wiring
from console.wiring import Wiring
from stages.drill import INJECTED
from stages.state import ControlState
from tests.integration.drilling import Demo, drilled_demo, eventually


def waits_at(wiring: Wiring, run: str, step: str) -> bool:
    return wiring.ledger.state().drills[run].step == step


def drill_gate(demo: Demo) -> dict[str, Any]:
    """The gate of the next advance, as a plan shows it."""
    gates = verb(demo.house.config, "plan", "--to", "L1").document["gates"]
    return next(gate for gate in gates if gate["gate_id"] == "drill")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with drilled_demo(tmp_path_factory.mktemp("drills")) as made:
        yield made


@pytest.fixture
def approver(demo: Demo) -> Iterator[Approver]:
    """Bob and Erin, who answer what lies in the inbox."""
    player = Approver(demo.house, lambda _: None)
    player.start()
    yield player
    player.leave()
    player.join(60)


def test_before_any_drill_the_gate_says_what_is_missing(demo: Demo) -> None:
    gate = drill_gate(demo)
    assert gate["status"] == "FAIL"
    assert gate["reasons"] == [
        "kill drill: never passed on paper", "rollback drill L1 to L0: never passed on paper",
    ]  # fmt: skip


def test_a_kill_drill_passes_and_leaves_both_targets_as_they_were(demo: Demo, approver: Approver) -> None:
    live_before = DemoVenue(demo.world.live.broker_url).read()
    done = demo.drill()
    assert done.code == 0, done.document.get("reasons") or done.words
    assert done.document["passed"] == 13
    steps = {step["step"]: step for step in done.document["steps"]}
    assert any(one["negative"] and one["observed"] == BLOCK_REASON for one in steps["D5"]["findings"])
    assert any(one["negative"] and one["ok"] for one in steps["D11"]["findings"])
    paper, live = DemoVenue(demo.world.paper.broker_url).read(), DemoVenue(demo.world.live.broker_url).read()
    assert not paper.blocked
    assert (live.blocked, live.cash) == (False, live_before.cash)
    state = demo.state()
    assert (state.latches, state.epoch, state.intents) == ({}, 0, {}), "live state ignores what a drill did"
    run = state.drills[done.document["run"]]
    assert (run.state, run.mode, run.target["account"]) == ("PASS", "paper", "HERON-PAPER-01")
    assert run.until is not None
    assert run.until > run.started


@pytest.mark.parametrize(("path", "words"), [("trigger", "by a trigger"), ("hangup", "from a terminal")])
def test_the_kill_holds_by_every_path_and_the_evidence_names_it(
    demo: Demo, approver: Approver, path: str, words: str
) -> None:
    done = demo.drill("--path", path)
    assert done.code == 0, done.document.get("reasons") or done.words
    fired = next(step for step in done.document["steps"] if step["step"] == "D4")["findings"][0]
    assert fired["says"].startswith(f"fired {words}")
    run = demo.state().drills[done.document["run"]]
    assert (run.path, run.fired is not None) == (path, True)


def test_the_bundle_holds_the_raw_answers_and_is_named_by_its_digest(demo: Demo, approver: Approver) -> None:
    run = next(iter(demo.state().drills.values()), None)
    if run is None:
        assert demo.drill().code == 0
        run = next(iter(demo.state().drills.values()))
    path = demo.bundle(run.run)
    bundle = json.loads(path.read_text())
    assert run.artifacts == (f"{path.name} sha256:{sha256(path.read_bytes()).hexdigest()}",)
    assert bundle["drill"]["state"] == run.state
    assert {"venue", "app", "live venue", "target ledger"} <= {answer["source"] for answer in bundle["raw"]}
    assert bundle["target"]["account"] != bundle["live"]["account"]


def test_a_rollback_drill_steps_the_paper_target_down_and_puts_it_back(demo: Demo) -> None:
    wiring = Wiring.of(demo.house.config)
    before = wiring.repository.read(wiring.repository.fetch(), "apps/heron-paper/scheduler.yaml")
    done = demo.drill("--kind", "rollback", "--to", "L1")
    assert done.code == 0, done.document.get("reasons") or done.words
    assert done.document["transition"] == "L2 to L1"
    assert wiring.repository.read(wiring.repository.fetch(), "apps/heron-paper/scheduler.yaml") == before
    wiring.close()


def test_a_rollback_holds_though_its_terminal_was_closed_in_the_middle(demo: Demo) -> None:
    done = demo.drill("--kind", "rollback", "--path", "hangup")
    assert done.code == 0, done.document.get("reasons") or done.words
    fired = next(step for step in done.document["steps"] if step["step"] == "D4")["findings"][0]
    assert fired["says"] == "fired from a terminal that was closed in the middle"
    run = demo.state().drills[done.document["run"]]
    assert (run.act, run.transition, run.path, run.fired is not None) == ("rollback", "L1 to L0", "hangup", True)


def paper_state(demo: Demo) -> ControlState:
    """What the paper target's own ledger says."""
    wiring = Wiring.of(demo.house.config)
    try:
        with closing(target_wiring(wiring)) as target:
            return target.ledger.state()
    finally:
        wiring.close()


def test_a_rollback_by_a_trigger_is_the_reflexs_own_and_leaves_no_latch(demo: Demo) -> None:
    for _ in range(2):
        done = demo.drill("--kind", "rollback", "--path", "trigger")
        assert done.code == 0, done.document.get("reasons") or done.words
        steps = {step["step"]: [one["says"] for one in step["findings"]] for step in done.document["steps"]}
        assert steps["D4"][0] == "fired by a trigger, with injected input"
        assert "a clear without right is refused" in steps["D11"]
        assert steps["D12"][-1] == "the injected input is gone, and its latch with it"
        run = demo.state().drills[done.document["run"]]
        assert (run.act, run.transition, run.path, run.state) == ("rollback", "L1 to L0", "trigger", "PASS")
    state = paper_state(demo)
    down = [one for one in state.intents.values() if one.automatic]
    assert [(one.to_stage, one.mode.name, one.settled) for one in down[-2:]] == [("L0", "FROZEN", "converged")] * 2
    assert not [one for one in state.latches.values() if one.trigger == INJECTED]


def test_a_person_fires_a_rollback_by_its_phrase(demo: Demo) -> None:
    wiring = Wiring.of(demo.house.config)
    try:
        drills = PersonsHands(wiring, lambda: None).drills
        assert drills.start("drill rollback heron-paper").ok
        run = next(one for one in wiring.ledger.state().drills.values() if one.state == "RUNNING").run
        eventually(lambda: "D4" in wiring.ledger.state().drills[run].entered)
        assert drills.fire(run, "ROLLBACK L1").ok is False
        fired = drills.fire(run, "rollback l0")
        assert fired.ok, fired.note
        eventually(lambda: wiring.ledger.state().drills[run].state != "RUNNING")
        done = wiring.ledger.state().drills[run]
        assert (done.state, done.reasons, done.path, done.transition) == ("PASS", (), "key", "L1 to L0")
    finally:
        wiring.close()


def test_a_person_starts_it_fires_it_and_sees_it_pass(demo: Demo, approver: Approver) -> None:
    """As the screen does, hands and all: the drill is another process, and the act is fired by this one."""
    wiring = Wiring.of(demo.house.config)
    try:
        drills = PersonsHands(wiring, lambda: None).drills
        ground = drills.ground()
        assert (ground.trouble, ground.upper, ground.lower) == ("", "L1", "L0")
        assert drills.start("DRILL KILL heron").ok is False
        begun = drills.start("drill kill heron-paper")
        assert begun.ok, begun.note
        run = next(one for one in wiring.ledger.state().drills.values() if one.state == "RUNNING")
        assert drills.start("DRILL KILL heron-paper").note.startswith("a drill runs already")
        eventually(lambda: "D4" in wiring.ledger.state().drills[run.run].entered)
        assert drills.fire(run.run, "KILL heron").ok is False
        fired = drills.fire(run.run, "KILL heron-paper")
        assert fired.ok, fired.note
        eventually(lambda: wiring.ledger.state().drills[run.run].state != "RUNNING")
        done = wiring.ledger.state().drills[run.run]
        assert (done.state, done.reasons, done.path) == ("PASS", (), "key")
        told = drills.bundle(run.run)
        assert told.ok
        assert Path(told.note.removeprefix("evidence: ")).exists()
    finally:
        wiring.close()


def test_a_tabletop_is_answered_from_the_screen(demo: Demo) -> None:
    wiring = Wiring.of(demo.house.config)
    try:
        drills = PersonsHands(wiring, lambda: None).drills
        assert drills.start("tabletop kill").ok
        run = next(one for one in wiring.ledger.state().drills.values() if one.state == "RUNNING").run
        for number in range(13):
            eventually(partial(waits_at, wiring, run, f"D{number}"))
            assert drills.answer(run, f"D{number}", "u" if number == 9 else "y", "said so").ok
        eventually(lambda: wiring.ledger.state().drills[run].state != "RUNNING")
        done = wiring.ledger.state().drills[run]
        assert (done.state, len(done.findings)) == ("FAIL", 13)
        assert "(unknown)" in done.reasons[0]
    finally:
        wiring.close()


def test_an_abandoned_drill_lifts_its_kill(demo: Demo, approver: Approver) -> None:
    wiring = Wiring.of(demo.house.config)
    try:
        drills = PersonsHands(wiring, lambda: None).drills
        assert drills.start("DRILL KILL heron-paper").ok
        run = next(one for one in wiring.ledger.state().drills.values() if one.state == "RUNNING").run
        eventually(lambda: "D4" in wiring.ledger.state().drills[run].entered)
        assert drills.fire(run, "KILL heron-paper").ok
        assert drills.abandon(run).ok
        eventually(lambda: wiring.ledger.state().drills[run].state != "RUNNING")
        done = wiring.ledger.state().drills[run]
        assert (done.state, done.tidied) == ("ABORTED", True), done
        assert not DemoVenue(demo.world.paper.broker_url).read().blocked
    finally:
        wiring.close()


def test_with_both_drills_passed_they_are_in_date_and_the_gate_opens(demo: Demo, approver: Approver) -> None:
    for words in (("--kind", "kill"), ("--kind", "rollback")):
        assert demo.drill(*words).code == 0
    listed = demo.drill("list")
    assert (listed.code, listed.document["inDate"]) == (0, True), listed.document["reasons"]
    gate = drill_gate(demo)
    assert gate["status"] == "PASS", gate


def test_a_target_that_is_the_live_one_is_refused(demo: Demo, tmp_path: Path) -> None:
    settings = json.loads(demo.house.config.read_text())
    config = tmp_path / "rampdeck.yaml"
    config.write_text(json.dumps(settings | {"drillTarget": str(demo.house.config)}))
    done = verb(config, "drill")
    assert done.code == 2
    assert "venue.app" in done.words or "shares account" in done.words


def test_a_drill_on_a_target_that_is_blocked_already_does_not_fire(demo: Demo) -> None:
    broker = demo.world.paper.broker_url
    requests.post(broker + "/block", json={"reason": "someone else"}, timeout=60)
    try:
        done = demo.drill()
    finally:
        requests.post(broker + "/unblock", timeout=60)
    assert (done.code, done.document["state"]) == (1, "FAIL")
    assert any("takes orders" in reason for reason in done.document["reasons"])
    assert any("D4 was not run" in reason for reason in done.document["reasons"])


def test_a_drill_whose_restore_nobody_approves_fails_and_leaves_the_target_killed(demo: Demo) -> None:
    """Runs last: only a restore of the target ends what it leaves."""
    done = demo.drill()
    assert (done.code, done.document["state"]) == (1, "FAIL")
    assert any(reason.startswith("D12: restored by the rule: 0 of 2 approvals") for reason in done.document["reasons"])
    assert DemoVenue(demo.world.paper.broker_url).read().blocked
    assert not DemoVenue(demo.world.live.broker_url).read().blocked
    listed = demo.drill("list")
    assert listed.code == 1
    assert "kill drill: the last one was FAIL" in listed.document["reasons"][0]
