"""Every row of the table of triggers as the shipped policies have it: confirmation, contribution, who clears it."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from stages.measures import Clear, Trigger
from stages.policy import Policy
from stages.policy_checks import check, reaction_seconds
from stages.policy_text import load
from tests.unit.watched import Watched, make_policy, policy_document, signal

ROOT = Path(__file__).resolve().parents[2]
BOTH = ("demo.yaml", "torghut.yaml")

LOWER, LOWEST = "-1", "L0"
ROWS = {
    # name: reads, ((mode, cap, after minutes, times, reads, second path), ...), who clears, signed, next session
    "grossLimit": (3, (("REDUCE_ONLY", LOWER, 0, 1, None, False),), ("risk", "trader"), True, False),
    "netLimit": (3, (("REDUCE_ONLY", LOWER, 0, 1, None, False),), ("risk", "trader"), True, False),
    "nameLimit": (3, (("REDUCE_ONLY", LOWER, 0, 1, None, False),), ("risk", "trader"), True, False),
    "hardLoss": (3, (("KILLED", LOWEST, 0, 1, None, False),), ("risk", "trader"), True, True),
    "softLoss": (3, (("FROZEN", LOWER, 0, 1, None, False),), ("trader",), True, True),
    "inputsStale": (
        2,
        (
            ("HALTED", None, 0, 1, None, False),
            ("HALTED", LOWER, 30, 1, None, False),
            ("HALTED", LOWER, 0, 3, None, False),
        ),
        ("operator",),
        False,
        False,
    ),
    "booksDiffer": (
        2,
        (("FROZEN", None, 0, 1, None, False), ("HALTED", None, 0, 1, 3, False)),
        ("risk",),
        True,
        False,
    ),
    "costFast": (1, (("FROZEN", LOWER, 0, 1, None, False),), ("trader", "risk"), True, False),
    "costSlow": (1, (("FROZEN", None, 0, 1, None, False),), ("trader", "risk"), True, False),
    "sev1": (3, (("HALTED", LOWEST, 0, 1, None, False),), ("incident-commander", "risk"), True, False),
    "sev2": (3, (("FROZEN", LOWER, 0, 1, None, False),), ("incident-commander", "risk"), True, False),
    "sev3": (3, (("FROZEN", None, 0, 1, None, False),), ("incident-commander", "risk"), True, False),
    "blind": (
        1,
        (
            ("FROZEN", None, 0, 1, None, False),
            ("HALTED", None, 3, 1, None, True),
            ("FROZEN", LOWER, 30, 1, None, False),
        ),
        ("operator",),
        False,
        False,
    ),
    "notFlat": (1, (("FROZEN", None, 0, 1, None, False),), ("trader",), True, False),
    "drift": (
        2,
        (("FROZEN", None, 0, 1, None, False), ("HALTED", None, 0, 1, None, False)),
        ("operator",),
        False,
        False,
    ),
    "account": (1, (("HALTED", None, 0, 1, None, False),), ("risk",), True, False),
    "proofsExpired": (1, (("FROZEN", None, 0, 1, None, False),), ("operator",), True, False),
}


@cache
def shipped(name: str) -> Policy:
    return load((ROOT / "stages" / "policies" / name).read_text(encoding="utf-8"), name)


def steps(trigger: Trigger) -> tuple[tuple[object, ...], ...]:
    return tuple(
        (one.mode, one.cap, one.after.total_seconds() / 60, one.times, one.reads, one.second_path_lost)
        for one in trigger.then
    )


@pytest.mark.parametrize("file", BOTH)
@pytest.mark.parametrize("name", ROWS)
def test_a_shipped_trigger_is_what_its_row_says(file: str, name: str) -> None:
    trigger = shipped(file).spec.triggers[name]
    reads, then, by, signed, next_session = ROWS[name]
    assert (trigger.confirm.reads, steps(trigger)) == (reads, then)
    assert (trigger.clear.by, trigger.clear.approval, trigger.clear.next_session) == (by, signed, next_session)


@pytest.mark.parametrize("file", BOTH)
def test_the_shipped_dwells_are_those_of_the_table(file: str) -> None:
    triggers = shipped(file).spec.triggers

    def dwell(clear: Clear | None) -> tuple[float, float]:
        assert clear is not None
        return clear.good.total_seconds() / 60, clear.hold.total_seconds() / 60

    assert dwell(triggers["grossLimit"].clear) == (30, 15)
    assert dwell(triggers["inputsStale"].clear) == (5, 0)
    assert dwell(triggers["blind"].clear) == (10, 0)
    assert triggers["softLoss"].at * 100 == 60
    for name, place in (("inputsStale", 1), ("inputsStale", 2), ("blind", 2)):
        clear = triggers[name].then[place].clear
        assert clear is not None
        assert (clear.by, clear.approval) == (("trader",), True), "a cap is the trader's to clear"
    assert triggers["proofsExpired"].clear.itself
    assert triggers["booksDiffer"].clear.explain
    fast, slow = triggers["costFast"].windows, triggers["costSlow"].windows
    assert fast is not None
    assert slow is not None
    assert [one.total_seconds() / 60 for one in (fast.long, fast.short, slow.long, slow.short)] == [15, 5, 60, 10]
    assert fast.deltas == 2
    assert slow.deltas == 1
    if file == "torghut.yaml":  # the demo trades less
        assert {(one.min_long, one.min_short) for one in (fast, slow)} == {(50, 10)}


@pytest.mark.parametrize(("file", "name"), [("demo.yaml", "unknownOrders"), ("torghut.yaml", "unknownPositions")])
def test_an_unknown_order_or_position_halts_to_the_lowest_stage_at_its_first_read(file: str, name: str) -> None:
    trigger = shipped(file).spec.triggers[name]
    assert (trigger.confirm.reads, steps(trigger)) == (1, (("HALTED", LOWEST, 0, 1, None, False),))
    assert (trigger.clear.by, trigger.clear.explain) == (("risk",), True)


@pytest.mark.parametrize("file", BOTH)
def test_an_order_over_its_limit_only_lets_risk_go_down(file: str) -> None:
    """The application tells it, which is one source; only the venue's own word may act at its first read."""
    trigger = shipped(file).spec.triggers["orderLimit"]
    assert (trigger.confirm.reads, steps(trigger)) == (3, (("REDUCE_ONLY", LOWER, 0, 1, None, False),))
    assert (trigger.clear.by, trigger.clear.approval, trigger.clear.gone) == (("risk", "trader"), True, False)


@pytest.mark.parametrize("file", BOTH)
def test_storms_cooldown_and_dark_windows_start_at_their_values(file: str) -> None:
    gates = shipped(file).spec.gates
    assert gates.storm_within == timedelta(seconds=30)
    assert gates.cooldown_sessions == 1


def rates(**more: object) -> dict[str, object]:
    share = signal("participation", unit="ratio", limit={"control": "participationCap"})
    other = signal("share of volume", unit="ratio", limit={"control": "participationCap"})
    return {**policy_document()["spec"]["signals"], "participation": share, "volumeShare": other, **more}


def test_two_shares_of_different_things_have_no_limit_in_common() -> None:
    found = [one.what for one in check(make_policy(signals=rates()))]
    assert any("relative to different things and share the limit participationCap" in what for what in found), found


def test_a_second_source_of_one_share_is_measured_against_the_same_limit() -> None:
    triggers = policy_document()["spec"]["triggers"]
    seconded = triggers["grossLimit"] | {
        "signals": ["participation"],
        "confirm": {"reads": 3, "second": "volumeShare"},
    }
    found = [one.what for one in check(make_policy(signals=rates(), triggers={**triggers, "shares": seconded}))]
    assert not [what for what in found if "relative" in what]


def test_the_reaction_that_is_shown_is_the_one_computed_at_load_its_second_source_in_it() -> None:
    triggers = policy_document()["spec"]["triggers"]
    gross = triggers["grossLimit"] | {"confirm": {"reads": 3, "second": "slow"}}
    signals = {**policy_document()["spec"]["signals"], "slow": signal("gross again", every="5s", maxAge="20s")}
    policy = make_policy(signals=signals, triggers={**triggers, "grossLimit": gross})
    world = Watched(policy)
    world.values["slow"] = world.values["gross"]
    shown = {row.name: row.reaction for row in world.tick(1).judge().triggers}
    for name, trigger in world.policy.spec.triggers.items():
        assert shown[name] == reaction_seconds(world.policy, trigger) > 0, name
    assert shown["grossLimit"] == 15
