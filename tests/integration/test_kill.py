"""Kill, on a real venue process, a bare remote and SQLite: all there, each away, and any two away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from console.__main__ import main
from console.detach import DetachedLauncher
from console.procedures.kill import HAND_OVER_SECONDS
from console.venue.demo import DemoVenue
from console.verbs import kill as verb
from console.watch.chronicle import Chronicle
from stages.protection import protective
from stages.witness import Order, Position
from tests.integration.actuation import ROOT, World, git
from tests.screens import states


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for a condition, and fail when it does not come."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        pause.wait(0.05)


@dataclass
class Scene:
    """A world at L1 with a venue of its own process that has one resting order."""

    world: World
    broker: str
    process: subprocess.Popen[bytes]
    capsys: pytest.CaptureFixture[str]
    away: set[str] = field(default_factory=set)

    def lose(self, *parts: str) -> None:
        self.away |= set(parts)
        if "venue" in parts:
            self.process.send_signal(signal.SIGSTOP)  # it takes the connection and never answers
        if "git" in parts:
            self.world.remote.rename(self.world.folder / "away.git")
        if "ledger" in parts:
            self.world.ledger.close()
            for file in self.world.folder.glob("ledger.db*"):
                file.rename(file.with_name(f"away-{file.name}"))

    def find_again(self) -> None:
        if "venue" in self.away:
            self.process.send_signal(signal.SIGCONT)
        if "git" in self.away:
            (self.world.folder / "away.git").rename(self.world.remote)
        self.away.clear()

    def kill(self, *words: str, phrase: str = "kill heron") -> tuple[int, dict[str, Any], str]:
        self.capsys.readouterr()
        config = str(self.world.folder / "alice.yaml")
        code = main(["kill", "--confirm", phrase, *words, "--json", "--config", config])
        told = self.capsys.readouterr()
        return code, json.loads(told.out) if told.out else {}, told.err

    def says_killed(self) -> bool:
        """Whether the branch holds a kill."""
        return "Rampdeck-Mode: KILLED" in git("log", "-1", "--format=%B", "main", cwd=self.world.remote)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Scene]:
    world = World.make(tmp_path)
    plan = world.plan("L1")
    assert world.apply(plan, [world.approve(plan)]).ok
    ports, config = tmp_path / "ports.json", tmp_path / "venue.json"
    account = {"label": "HERON", "environment": "live", "cash": "250000"}
    config.write_text(json.dumps({"account": account, "seed": 5, "ports_file": str(ports)}))
    command = [sys.executable, "-m", "console.demo.venue", "--config", str(config)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    until(ports.exists)
    broker = f"http://127.0.0.1:{json.loads(ports.read_text())['broker']}"
    order = {"symbol": "MU", "side": "buy", "qty": "1", "limit_price": "0.01"}
    assert requests.post(broker + "/orders", json=order, timeout=60).status_code == 201
    settings = {
        "repository": {"remote": world.remote.as_uri(), "branch": "main"},
        "policy": "ops/ramp.yaml",
        "ledger": f"sqlite:///{tmp_path}/ledger.db",
        "identity": {"name": "alice", "key": str(world.key("alice"))},
        "venue": {"kind": "demo", "url": broker},
        "cache": str(tmp_path / "cache"),
        "state": str(tmp_path / "state"),
    }
    (tmp_path / "alice.yaml").write_text(json.dumps(settings))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(verb, "FOLLOW", 15.0)
    yield Scene(world, broker, process, capsys)
    process.send_signal(signal.SIGCONT)
    process.terminate()
    process.wait(10)


@pytest.mark.parametrize(
    ("broken", "away"), [(("scheduler",), ""), (("scheduler", "api"), ""), (("scheduler",), "ledger")]
)
def test_a_kill_that_the_manifests_refuse_is_not_called_done(scene: Scene, broken: tuple[str, ...], away: str) -> None:
    for name in broken:
        scene.world.elsewhere(f"apps/heron/{name}.yaml", "apiVersion:", "[apiVersion:")
    if away:
        scene.lose(away)
    code, told, _ = scene.kill()
    assert code == 2
    assert (told["outcome"], "git" in told["unverified"]) == ("refused", True)
    assert "NOT WRITTEN" in told["message"]
    assert "scheduler.yaml" in told["message"] or "api.yaml" in told["message"]


AWAY = (
    (), ("venue",), ("git",), ("ledger",), ("venue", "git"), ("venue", "ledger"), ("git", "ledger"),
    ("venue", "git", "ledger"),
)  # fmt: skip


@pytest.mark.parametrize("away", AWAY, ids=lambda away: "-and-".join(away) or "nothing")
def test_what_is_reachable_is_commanded_at_once_and_the_rest_is_unverified(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, away: tuple[str, ...]
) -> None:
    if "git" in away:
        monkeypatch.setattr(verb, "FOLLOW", 4.0)
    scene.lose(*away)
    code, told, _ = scene.kill()
    assert told["handedOverSeconds"] <= HAND_OVER_SECONDS
    assert {one["witness"] for one in told["witnesses"]} >= {
        "ledger",
        "venue block",
        "venue cancel",
        "Git, by a worker",
    }
    venue = {"venue block", "venue cancel", "venue read"} if "venue" in away else set()
    lost = venue | ({"ledger"} if "ledger" in away else set()) | ({"git"} if "git" in away else set())
    assert set(told["unverified"]) == lost
    assert code == (2 if lost else 0)
    if "venue" not in away:
        reading = DemoVenue(scene.broker).read()
        assert (reading.blocked, reading.open_orders) == (True, ())
        assert [(one["symbol"], one["outcome"]) for one in told["orders"]] == [("MU", "cancelled")]
        assert told["left"] == []
    else:
        assert told["left"] is None
    if "git" not in away:
        assert scene.says_killed()
        assert scene.world.says('TRADING_KILL_SWITCH_ENABLED\n              value: "true"')
        assert scene.world.says("value: paper")
    if "ledger" not in away:
        state = scene.world.ledger.state()
        assert [latch.trigger for latch in state.latches.values()] == ["manual-kill"]
        assert [one.mode.name for one in state.intents.values()][-1] == "KILLED"
        assert [entry.kind for entry in scene.world.ledger.entries()].count("intent") == 2
    else:
        assert told["spilled"]
        assert list((scene.world.folder / "state").glob("*.spill"))
    scene.find_again()
    until(scene.says_killed)
    until(lambda: _gone(told["process"]))
    assert DemoVenue(scene.broker).read().blocked


def test_a_terminal_that_closes_in_the_middle_of_a_kill_is_told_of_afterwards(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_when_it_came: list[list[str]] = []

    def closed(_number: int, _frame: object) -> None:
        known_when_it_came.append([entry.kind for entry in scene.world.ledger.entries()])

    launch = DetachedLauncher.launch

    def closes(launcher: DetachedLauncher, arguments: Sequence[str]) -> int:
        os.kill(os.getpid(), signal.SIGHUP)
        return launch(launcher, arguments)

    monkeypatch.setattr(DetachedLauncher, "launch", closes)
    before = signal.signal(signal.SIGHUP, closed)
    try:
        code, told, _ = scene.kill()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (code, told["unverified"]) == (0, [])
    (known,) = known_when_it_came
    assert known[-5:].count("note") >= 3, "every witness had answered"
    until(lambda: _gone(told["process"]))


def _gone(pid: int) -> bool:
    """Whether the worker has ended; it is a child of this process."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def test_a_ledger_that_comes_back_learns_of_the_kill_once(scene: Scene) -> None:
    scene.lose("ledger")
    _, told, _ = scene.kill()
    until(lambda: _gone(told["process"]))
    for file in scene.world.folder.glob("away-ledger.db*"):
        file.rename(file.with_name(file.name.removeprefix("away-")))
    again, _, _ = scene.kill()
    assert again == 0
    del scene.world.__dict__["ledger"]
    intents = [
        entry for entry in scene.world.ledger.entries() if entry.kind == "intent" and entry.body["act"] == "reduce"
    ]
    assert [entry.intent for entry in intents].count(told["intent"]) == 1
    assert scene.world.ledger.verify().ok


def test_a_wrong_phrase_kills_nothing(scene: Scene) -> None:
    code, told, err = scene.kill(phrase="kill hero")
    assert (code, told) == (1, {})
    assert "word 2 is 'hero', not heron" in err
    assert not DemoVenue(scene.broker).read().blocked
    assert scene.world.kinds()[-1] == "confirmation-failed"


def test_the_reason_is_asked_after_and_given_by_a_note(scene: Scene) -> None:
    code, told, _ = scene.kill()
    assert code == 0
    assert scene.world.ledger.state().intents[told["intent"]].reason == ""
    config = str(scene.world.folder / "alice.yaml")
    assert main(["note", "--reason", "the", "feed", "lies", "--config", config]) == 0
    assert scene.world.ledger.state().intents[told["intent"]].reason == "the feed lies"
    assert main(["note", "--reason", "again", "--config", config]) == 1


def test_the_commands_by_hand_kill_as_well(scene: Scene) -> None:
    scene.capsys.readouterr()
    assert main(["kill", "--print", "--config", str(scene.world.folder / "alice.yaml")]) == 0
    script = scene.capsys.readouterr().out.partition("# only while Git")[0]
    person = {f"GIT_{role}_{what}": "alice" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["sh", "-ec", script], cwd=scene.world.folder, env={**os.environ, **person}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    reading = DemoVenue(scene.broker).read()
    assert (reading.blocked, reading.open_orders) == (True, ())
    assert scene.world.says('TRADING_KILL_SWITCH_ENABLED\n              value: "true"')


def test_the_page_tells_what_the_venue_answered_and_keeps_what_nobody_knows(scene: Scene) -> None:
    scene.lose("venue")
    scene.kill()
    chronicle = Chronicle()
    chronicle.read(scene.world.ledger)
    running = chronicle.running(states.POLICY, scene.world.ledger.state(), states.evaluation())
    assert running is not None
    assert running.title == "alice KILLS, L0"
    steps = {step.name: step.state for step in running.steps}
    assert (steps["push"], steps["venue block"], steps["venue cancel"]) == ("done", "unknown", "unknown")
    scene.find_again()


def test_orders_that_close_a_position_are_protective() -> None:
    def order(number: str, symbol: str, side: str) -> Order:
        return Order(number, symbol, side, Decimal(1), None, None)

    orders = [order("1", "MU", "sell"), order("2", "MU", "buy"), order("3", "AMD", "buy"), order("4", "NVDA", "sell")]
    held = [Position("MU", Decimal(2), Decimal(9)), Position("AMD", Decimal(-2), Decimal(-9))]
    assert [one.order_id for one in protective(orders, held)] == ["1", "3"]
