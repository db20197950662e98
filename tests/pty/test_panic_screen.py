"""Panic in a real terminal of 60x20 while nothing answers: the phrases stand at once, and an act says what it knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pty.terminal import ROOT, Terminal

pytestmark = [pytest.mark.pty, pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.xdist_group("walk")]

POLICY = str(ROOT / "stages/policies/demo.yaml")


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A configuration of which nothing can be reached."""
    settings = {
        "repository": {"remote": (tmp_path / "no-remote.git").as_uri(), "branch": "main"},
        "policy": "ops/ramp.yaml",
        "ledger": f"sqlite:///{tmp_path}/none/ledger.db",
        "identity": {"name": "alice"},
        "venue": {"kind": "demo", "url": "http://127.0.0.1:9"},
        "cache": str(tmp_path / "cache"),
        "state": str(tmp_path / "state"),
    }
    file = tmp_path / "rampdeck.yaml"
    file.write_text(json.dumps(settings))
    return str(file)


def test_with_nothing_but_the_policy_file_it_acts_says_what_it_could_not_verify_and_asks_for_the_reason(
    config: str, tmp_path: Path
) -> None:
    with Terminal(["panic", "--policy", POLICY, "--config", config], columns=60, rows=20) as terminal:
        terminal.sees("WAYS DOWN", "KILL")
        terminal.sees("BLOCK heron", "Git ?", "ledger ?")
        assert max(len(line) for line in terminal.lines) <= 60
        terminal.press("block heron")
        terminal.enter()
        terminal.sees("UNVERIFIED", "reason owed within")
        terminal.press("3")
        terminal.enter()
        terminal.sees("reason: stale")
        terminal.press("h")
        terminal.sees("BY HAND", "curl")
        terminal.escape()
        assert terminal.ends() == 0
    assert terminal.restored
    spilled = next((tmp_path / "state").glob("*.spill")).read_text()
    assert "manual-block" in spilled
    assert "stale" in spilled


def test_a_configuration_that_cannot_be_read_is_said_on_the_page(tmp_path: Path) -> None:
    broken = tmp_path / "rampdeck.yaml"
    broken.write_text("a: [")
    with Terminal(["panic", "--config", str(broken)], columns=60, rows=20) as terminal:
        terminal.sees("WAYS DOWN", "Nothing can be done from here")
        terminal.escape()
        assert terminal.ends() == 0
    assert terminal.restored
