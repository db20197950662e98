"""The demo's JSON: events in order and where it ended, for the breach and for the calm."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pty.places import commits, entries, message, no_process_left, of_kind, until, verified
from tests.pty.terminal import program, surroundings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.xdist_group("demo")]

Result = dict[str, Any]
LONGEST = 140.0
"""Wall seconds; two busy cores need half of it."""


def play(folder: Path, scenario: str, done: Callable[[], object]) -> Result:
    """Plays a scenario until ``done``, then interrupts it as ctrl+c does; what it printed."""
    words = ["--json", "demo", "--headless", "--scenario", scenario, "--until", str(LONGEST), "--dir", str(folder)]
    demo = subprocess.Popen(
        [*program(), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=surroundings(),
    )
    try:
        until(lambda: done() or demo.poll() is not None, LONGEST, what=f"the end of {scenario}")
        demo.send_signal(signal.SIGINT)
        printed, said = demo.communicate(timeout=60)
    finally:
        if demo.poll() is None:
            demo.kill()
            demo.wait()
    assert demo.returncode == 0, said
    result: Result = json.loads(printed)
    return result


def pushed_to(folder: Path, stage: str) -> bool:
    return any(
        entry["kind"] == "converged" and any(e["body"].get("to") == stage for e in acts(folder, entry["intent"]))
        for entry in entries(folder)
    )


def acts(folder: Path, intent: str) -> list[dict]:
    return [entry for entry in of_kind(entries(folder), "intent") if entry["intent"] == intent]


def holds_its_shape(result: Result, folder: Path) -> None:
    for event in result["events"]:
        assert {"time", "kind", "stage", "mode", "detail"} == event.keys()
    times = [event["time"] for event in result["events"]]
    assert times == sorted(times)
    final = result["final"]
    assert final["standing"].keys() == {"stage", "mode"}
    assert final["posture"].keys() == {"mode", "cap"}
    assert final["ledger"] == {
        "entries": len(entries(folder)),
        "verified": True,
        "path": str(folder / "ledger.db"),
    }
    assert final["remote"] == {"commits": len(commits(folder))}
    no_process_left(folder)
    assert verified(folder)


def test_a_breach_at_l1_is_followed_by_a_step_down_with_its_commit(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    result = play(folder, "risk-breach", lambda: len(of_kind(entries(folder), "converged")) == 2)
    holds_its_shape(result, folder)
    told = [(event["kind"], event["stage"]) for event in result["events"]]
    up, latch, down = told.index(("advance", "L1")), told.index(("latch", "L1")), told.index(("step-down", "L0"))
    assert up < latch < down
    assert [kind for kind, _ in told].count("step-down") == 1
    assert commits(folder)[-1].startswith(result["events"][down]["detail"].split()[0])
    assert "Rampdeck-Stage: L0" in message(folder, commits(folder)[-1])
    final = result["final"]
    assert final["remote"]["commits"] == 3
    assert final["posture"] == {"mode": "REDUCE_ONLY", "cap": "L0"}
    assert final["standing"] == {"stage": "L0", "mode": "REDUCE_ONLY"}


def test_the_calm_reaches_l2_and_opens_no_latch(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    result = play(folder, "calm", lambda: pushed_to(folder, "L2"))
    holds_its_shape(result, folder)
    kinds = [event["kind"] for event in result["events"]]
    assert [event["stage"] for event in result["events"] if event["kind"] == "advance"] == ["L1", "L2"]
    assert "latch" not in kinds
    assert "step-down" not in kinds
    final = result["final"]
    assert final["standing"] == {"stage": "L2", "mode": "NORMAL"}
    assert final["posture"] == {"mode": "NORMAL", "cap": "L3"}
    assert final["remote"]["commits"] == 3
