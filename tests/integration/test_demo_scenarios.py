"""Every scenario of the demo, played headless, ends as its name says: the latch, the step and where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.demo.scenarios import names
from tests.integration.playing import holds_its_shape, play
from tests.pty.places import entries, of_kind

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ENDS = {
    "tca-degradation": ("costFast", "L0 NORMAL", "FROZEN L0"),
    "stale-data": ("inputsStale", "L1 HALTED", "HALTED L3"),
    "reconciliation-mismatch": ("unknownOrders", "L0 NORMAL", "HALTED L0"),
    "incident": ("sev2", "L0 NORMAL", "FROZEN L0"),
    "loss-limit": ("hardLoss", "L0 KILLED", "KILLED L0"),
    "wrong-account": ("account", "L1 HALTED", "HALTED L3"),
}
"""By scenario: the trigger whose latch opens, the standing in Git at the end, and the posture."""


def test_every_scenario_is_played_somewhere() -> None:
    assert {*ENDS, "calm", "risk-breach"} == set(names())


@pytest.mark.parametrize("name", ENDS)
def test_a_scenario_ends_as_its_name_says(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    trigger, standing, posture = ENDS[name]

    def over() -> bool:
        """The latch is open, and a reduction after it was read back from the runtime."""
        found = entries(folder)
        opened = [one["seq"] for one in of_kind(found, "latch-opened") if one["body"]["trigger"] == trigger]
        down = {one["intent"] for one in of_kind(found, "intent") if one["body"]["act"] == "reduce"}
        back = [one["seq"] for one in of_kind(found, "converged") if one["intent"] in down]
        return bool(opened) and any(seq > opened[0] for seq in back)

    result = play(folder, name, over)
    holds_its_shape(result, folder)
    final = result["final"]
    assert (final["standing"]["stage"], final["standing"]["mode"]) == tuple(standing.split())
    assert (final["posture"]["mode"], final["posture"]["cap"]) == tuple(posture.split())
    down = [event for event in result["events"] if event["kind"] == "step-down"]
    assert 1 <= len(down) <= 2, "one act by one cause, and one more where a second latch asks for more"
    assert trigger in down[-1]["detail"]
