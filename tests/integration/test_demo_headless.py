"""The demo's JSON: events in order and where it ended, for the breach and for the calm."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.playing import holds_its_shape, play, pushed_to
from tests.pty.places import commits, entries, message, of_kind

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.xdist_group("demo")]


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
