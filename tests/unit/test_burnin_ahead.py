"""What lies ahead of a run: the earliest end, the opens and closes it has to see, and that it cannot pass any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.test_burnin import run_states, with_burn_in
from tests.unit.watched import OPEN, Watched

COVERED = [{"signal": "gross", "withinLimit": True, "minSamples": 5, "coverage": 0.99}]


def test_the_earliest_end_counts_what_is_lacking_in_market_time() -> None:
    world = with_burn_in(minMarketTime="30m", objectives=COVERED).tick(10)
    burn_in = world.judge().burn_in
    assert burn_in.hopeless == ""
    assert burn_in.earliest is not None
    assert abs(burn_in.earliest - (OPEN + timedelta(minutes=30))) < timedelta(seconds=10)


def test_an_end_after_the_close_lies_in_the_next_session() -> None:
    world = with_burn_in(minMarketTime="150m", objectives=COVERED).tick(3)
    earliest = world.judge().burn_in.earliest
    assert earliest is not None
    # Two hours are left of this session; the other half hour follows the next open, 14:30 UTC.
    assert abs(earliest - datetime(2026, 11, 25, 15, 0, tzinfo=UTC)) < timedelta(seconds=10)


def test_a_gap_in_coverage_puts_the_end_off_until_it_is_made_up_for() -> None:
    world = with_burn_in(minMarketTime="1m", objectives=COVERED).tick(6)
    world.silent = True
    world.tick(6)
    world.silent = False
    earliest = world.tick(1).judge().burn_in.earliest
    assert earliest is not None
    # Six seconds are 1 % of ten minutes.
    assert timedelta(minutes=9) < earliest - OPEN < timedelta(minutes=12)


def test_a_run_that_cannot_pass_any_more_says_so_at_that_minute() -> None:
    world = with_burn_in(minMarketTime="1m", maxMarketTime="10m", objectives=COVERED).tick(6)
    assert world.judge().burn_in.hopeless == ""
    world.silent = True
    world.tick(60)
    burn_in = world.judge().burn_in
    assert burn_in.hopeless.startswith("coverage of gross can reach 89.")
    assert burn_in.lacks == f"cannot pass any more: {burn_in.hopeless}"
    assert burn_in.earliest is None


def test_market_time_that_does_not_fit_any_more_is_said() -> None:
    world = with_burn_in(minMarketTime="9m", maxMarketTime="10m", objectives=[{**COVERED[0], "coverage": 0.1}]).tick(6)
    world.silent = True
    world.tick(90)
    assert "market min are lacking" in world.judge().burn_in.hopeless


@pytest.mark.parametrize("which", ["opens", "closes"])
def test_a_run_that_saw_no_open_or_no_close_does_not_pass(which: str) -> None:
    regimes = {"opens": 0, "closes": 0, "edge": "1m", which: 1}
    world = with_burn_in(objectives=COVERED, regimes=regimes).tick(60)
    assert run_states(world)[-1] == "OBSERVING"
    item = next(one for one in world.judge().burn_in.items if one.name == f"{which} covered")
    assert (int(item.have), int(item.need), item.met) == (0, 1, False)
    due = datetime(2026, 11, 25, 14, 31, tzinfo=UTC) if which == "opens" else datetime(2026, 11, 24, 21, 0, tzinfo=UTC)
    assert world.judge().burn_in.earliest == due


def test_an_edge_counts_when_most_of_it_was_observed() -> None:
    regimes = {"opens": 0, "closes": 1, "edge": "20s", "share": 0.5}
    policy = with_burn_in(objectives=COVERED, regimes=regimes).policy
    world = Watched(policy, start=OPEN + timedelta(hours=2, seconds=-18)).tick(15)
    item = next(one for one in world.judge().burn_in.items if one.name == "closes covered")
    assert item.met
