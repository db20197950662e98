"""Plays a scenario of the demo as a user would, headless, and reads what is left of it."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.pty.places import commits, entries, no_process_left, of_kind, until, verified
from tests.pty.terminal import program, surroundings

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
