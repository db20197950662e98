"""Every scenario of the demo, played headless, ends as its name says: the events, the commits and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from console.demo.scenarios import names
from tests.integration.playing import Result, holds_its_shape, play, pushed_to
from tests.pty.places import commits, entries, message, of_kind

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

AT_ONCE = 3
"""Worlds beside each other: each waits for its own clock most of the time."""


@dataclass(frozen=True)
class Played:
    """A scenario that has come to its end."""

    folder: Path
    result: Result


Play = Callable[[str], Played]


def stepped_down(folder: Path, trigger: str) -> bool:
    """The trigger's latch is open, and a reduction after it was read back from the runtime."""
    found = entries(folder)
    opened = [one["seq"] for one in of_kind(found, "latch-opened") if one["body"]["trigger"] == trigger]
    down = {one["intent"] for one in of_kind(found, "intent") if one["body"]["act"] == "reduce"}
    back = [one["seq"] for one in of_kind(found, "converged") if one["intent"] in down]
    return bool(opened) and any(seq > opened[0] for seq in back)


ENDS = {
    "tca-degradation": ("costFast", "L0 NORMAL", "FROZEN L0"),
    "stale-data": ("inputsStale", "L1 HALTED", "HALTED L3"),
    "reconciliation-mismatch": ("unknownOrders", "L0 NORMAL", "HALTED L0"),
    "incident": ("sev2", "L0 NORMAL", "FROZEN L0"),
    "loss-limit": ("hardLoss", "L0 KILLED", "KILLED L0"),
    "wrong-account": ("account", "L1 HALTED", "HALTED L3"),
}
"""By scenario: the trigger whose latch opens, the standing in Git at the end, and the posture."""

OVER: Mapping[str, Callable[[Path], bool]] = {
    "calm": lambda folder: pushed_to(folder, "L2"),
    "risk-breach": lambda folder: len(of_kind(entries(folder), "converged")) == 2,
    **{name: partial(stepped_down, trigger=trigger) for name, (trigger, _, _) in ENDS.items()},
}
"""When each has come to its end."""


def test_every_scenario_is_played() -> None:
    assert {*OVER} == set(names())


def _wanted(request: pytest.FixtureRequest, name: str) -> bool:
    """Whether a test of this run asks for the scenario."""
    mine = [item.name for item in request.session.items if item.path == request.path]
    return any(f"[{name}]" in one for one in mine)


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """What came of a scenario; all that are asked for begin with the first, the longest first."""
    folders = {name: tmp_path_factory.mktemp(name) / "demo" for name in OVER if _wanted(request, name)}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun = {name: pool.submit(play, folder, name, partial(OVER[name], folder)) for name, folder in folders.items()}
        yield lambda name: Played(folders[name], begun[name].result())


@pytest.mark.parametrize("name", ["risk-breach"])
def test_a_breach_at_l1_is_followed_by_a_step_down_with_its_commit(name: str, played: Play) -> None:
    folder, result = played(name).folder, played(name).result
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


@pytest.mark.parametrize("name", ["calm"])
def test_the_calm_reaches_l2_and_opens_no_latch(name: str, played: Play) -> None:
    folder, result = played(name).folder, played(name).result
    holds_its_shape(result, folder)
    kinds = [event["kind"] for event in result["events"]]
    assert [event["stage"] for event in result["events"] if event["kind"] == "advance"] == ["L1", "L2"]
    assert "latch" not in kinds
    assert "step-down" not in kinds
    final = result["final"]
    assert final["standing"] == {"stage": "L2", "mode": "NORMAL"}
    assert final["posture"] == {"mode": "NORMAL", "cap": "L3"}
    assert final["remote"]["commits"] == 3


@pytest.mark.parametrize("name", ENDS)
def test_a_scenario_ends_as_its_name_says(name: str, played: Play) -> None:
    folder, result = played(name).folder, played(name).result
    trigger, standing, posture = ENDS[name]
    holds_its_shape(result, folder)
    final = result["final"]
    assert (final["standing"]["stage"], final["standing"]["mode"]) == tuple(standing.split())
    assert (final["posture"]["mode"], final["posture"]["cap"]) == tuple(posture.split())
    down = [event for event in result["events"] if event["kind"] == "step-down"]
    assert 1 <= len(down) <= 2, "one act by one cause, and one more where a second latch asks for more"
    assert trigger in down[-1]["detail"]
