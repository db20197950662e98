"""Panic without a screen: every act with all there, each witness away, and any two of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest
import requests

from console.__main__ import main
from console.panic import looking
from console.panic.acting import Responder
from console.panic.phrases import Meant
from console.procedures.kill import HAND_OVER_SECONDS
from console.store.spill import Spill
from console.verbs import panic as verb
from console.wiring import Wiring
from stages.commands import BeginReduce
from stages.owing import owed
from stages.posture import Mode
from stages.releases import MANUAL_BLOCK, MANUAL_KILL
from tests.integration.test_kill import Scene, scene, until

__all__ = ["scene"]

PARTS = ("prometheus", "git", "venue", "ledger")
AWAY = list(chain(combinations(PARTS, 1), combinations(PARTS, 2)))


@pytest.fixture
def night(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """The scene with a policy that was in force on this machine before, and a Prometheus that does not answer."""
    monkeypatch.setattr(verb, "FOLLOW", 15.0)
    monkeypatch.setattr(looking, "PATIENCE", 3.0)
    config = scene.world.folder / "alice.yaml"
    settings = json.loads(config.read_text()) | {"prometheus": {"url": "http://127.0.0.1:9"}}
    config.write_text(json.dumps(settings))
    assert main(["freeze", "--confirm", "FREEZE", "--config", str(config)]) == 0
    assert list((scene.world.folder / "state").glob("*.policy.yaml"))
    return scene


def panic(scene: Scene, *words: str) -> tuple[int, dict[str, Any], str]:
    scene.capsys.readouterr()
    code = main(["panic", *words, "--json", "--config", str(scene.world.folder / "alice.yaml")])
    told = scene.capsys.readouterr()
    return code, json.loads(told.out) if told.out else {}, told.err


def lose(scene: Scene, parts: tuple[str, ...]) -> None:
    scene.lose(*(part for part in parts if part != "prometheus"))


def orders(scene: Scene) -> list[Any]:
    found: list[Any] = requests.get(scene.broker + "/orders", timeout=60).json()
    return found


def blocked(scene: Scene) -> bool:
    return requests.get(scene.broker + "/account", timeout=60).json()["blocked"] is True


@pytest.mark.parametrize("away", [(), *AWAY], ids=lambda away: "+".join(away) or "none")
def test_a_block_reaches_whoever_is_there_and_names_the_rest(night: Scene, away: tuple[str, ...]) -> None:
    lose(night, away)
    code, said, _ = panic(night, "block")
    assert said["handedOverSeconds"] <= HAND_OVER_SECONDS
    assert code == (2 if "venue" in away else 0), said
    assert ("venue block" in said["unverified"]) == ("venue" in away)
    assert said["spilled"] == ("ledger" in away)
    assert bool(said["byHand"]) == bool(said["unverified"])
    night.find_again()
    # A venue that was only stopped answers what waited at its door in no set order.
    until(lambda: blocked(night))
    assert orders(night), "a block leaves what works alone"


def test_a_block_holds_in_the_ledger_until_trader_and_risk_clear_it(night: Scene) -> None:
    assert panic(night, "block")[0] == 0
    assert panic(night, "block")[0] == 0
    held = [one for one in night.world.ledger.state().latches.values() if one.trigger == MANUAL_BLOCK]
    assert [(one.mode, one.clear_roles) for one in held] == [(Mode.HALTED, ("trader", "risk"))]


def test_what_was_decided_without_the_ledger_joins_it_when_it_is_back(night: Scene) -> None:
    down = BeginReduce("watch", "r1", "L1", "L0", Mode.REDUCE_ONLY, datetime.now(UTC), "a drill", automatic=True)
    night.world.ledger.transact(down, now=datetime.now(UTC))
    night.lose("ledger")
    assert panic(night, "block", "--reason", "prices are wrong")[1]["spilled"]
    for file in night.world.folder.glob("away-ledger.db*"):
        file.rename(file.with_name(file.name.removeprefix("away-")))
    spill = next((night.world.folder / "state").glob("*.spill"))
    assert "prices are wrong" in spill.read_text()
    Spill(spill).merge(night.world.ledger, actor="alice", now=datetime.now(UTC))
    state = night.world.ledger.state()
    assert state.epoch > 0, "or a key of the empty epoch would be the right one"
    assert [key for key, one in state.latches.items() if one.trigger == MANUAL_BLOCK] == list(state.explained)
    assert [one.text for one in owed(state, datetime.now(UTC))] == []


@pytest.mark.parametrize("away", [(), *AWAY], ids=lambda away: "+".join(away) or "none")
def test_a_cancel_leaves_no_order_and_says_that_more_may_come(night: Scene, away: tuple[str, ...]) -> None:
    lose(night, away)
    code, said, _ = panic(night, "cancel")
    assert said["handedOverSeconds"] <= HAND_OVER_SECONDS
    assert code == (2 if "venue" in away else 0), said
    night.find_again()
    assert not blocked(night)
    assert orders(night) == [] or "venue" in away


@pytest.mark.parametrize("away", [(), ("git",), ("ledger",), ("venue",), ("git", "ledger")], ids="+".join)
def test_a_step_down_goes_by_its_own_process(
    night: Scene, away: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verb, "FOLLOW", 15.0 if not away else 1.0)
    lose(night, away)
    code, said, _ = panic(night, "step-down")
    assert (said["stage"], said["handedOverSeconds"] <= 2 * HAND_OVER_SECONDS) == ("L0", True)
    assert code == (0 if not away else code)
    night.find_again()
    until(lambda: "Roll back" in night.world.commits()[0] or "Step down" in night.world.commits()[0], 60)


@pytest.mark.parametrize("away", [(), ("git", "ledger"), ("venue", "ledger"), ("git", "venue")], ids="+".join)
def test_a_kill_of_the_screen_reaches_whoever_is_there_and_git_when_it_is_back(
    night: Scene, away: tuple[str, ...]
) -> None:
    lose(night, away)
    wiring = Wiring.of(night.world.folder / "alice.yaml")
    try:
        act = Responder(wiring).act(Meant("KILL"))
    finally:
        wiring.close()
    assert act.handed <= HAND_OVER_SECONDS
    assert {"Git, by a worker"} <= set(act.unverified), "nobody has heard of Git at this moment"
    assert ("venue block" in act.unverified) == ("venue" in away)
    night.find_again()
    until(night.says_killed, 60)
    until(lambda: blocked(night) and not orders(night), 60)


def test_a_kill_without_any_policy_stops_the_venue_and_says_that_git_was_not_told(
    night: Scene,
) -> None:
    for file in (night.world.folder / "state").glob("*.policy.yaml"):
        file.unlink()
    wiring = Wiring.of(night.world.folder / "alice.yaml")
    try:
        act = Responder(wiring).act(Meant("KILL"))
    finally:
        wiring.close()
    assert "Git" in act.unverified
    assert blocked(night)
    assert orders(night) == []
    state = night.world.ledger.state()
    assert [(one.mode, one.cap) for one in state.latches.values() if one.trigger == MANUAL_KILL] == [(Mode.KILLED, 0)]
    assert [one.what for one in owed(state, datetime.now(UTC))] == ["alice's kill"]


def test_the_policy_file_alone_is_enough_to_be_told_what_to_do_by_hand(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(root))
    policy = str(root / "stages/policies/demo.yaml")
    assert main(["panic", "block", "--json", "--policy", policy]) == 2
    said = json.loads(capsys.readouterr().out)
    assert set(said["unverified"]) == {"ledger", "venue"}
    assert any("broker" in line for line in said["byHand"])
    assert main(["panic", "--print", "--policy", policy]) == 0
    assert "git clone" in capsys.readouterr().out
    assert main(["panic", "verify", "--json", "--policy", policy]) == 2
    assert {one["state"] for one in json.loads(capsys.readouterr().out)["witnesses"]} <= {"none", "?"}


def test_verify_answers_yes_no_and_not_known(night: Scene) -> None:
    code, said, _ = panic(night, "verify")
    assert (code, said["safeNow"]) == (1, False)
    panic(night, "block")
    panic(night, "cancel")
    code, said, _ = panic(night, "verify")
    assert (code, said["safeNow"]) == (0, True)
    states = {one["witness"]: one["state"] for one in said["witnesses"]}
    assert (states["Git"], states["ledger"], states["venue"]) == ("ok", "ok", "ok")
    night.lose("git", "venue")
    code, said, _ = panic(night, "verify")
    assert (code, said["safeNow"]) == (2, None)
    assert {"Git", "venue"} <= set(said["unverified"])


def test_a_reason_given_later_finds_the_block_that_owes_it(night: Scene) -> None:
    assert panic(night, "block")[0] == 0
    config = str(night.world.folder / "alice.yaml")
    assert main(["note", "--reason", "prices are wrong", "--config", config]) == 0
    state = night.world.ledger.state()
    assert {key for key in state.latches if MANUAL_BLOCK in key} == set(state.explained)
    assert main(["note", "--reason", "again", "--config", config]) == 1


def test_without_a_terminal_and_without_an_act_one_line_says_what_to_do(night: Scene) -> None:
    code, _, err = panic(night)
    assert (code, err.count("\n")) == (2, 1)
    assert "block|cancel|step-down|verify" in err
