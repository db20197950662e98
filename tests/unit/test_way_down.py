"""The ways down: ready only where nothing known stands in the way and every drill that is asked for counts."""

from __future__ import annotations

from datetime import timedelta

from stages.drill import FAIL, ROLLBACK
from stages.manifest import MarketSpan
from stages.policy import DrillSpec, Policy
from stages.signals import Snapshot
from stages.value import replace
from stages.way_down import CANNOT, NOT_PROVEN, READY, UNKNOWN, Way, ways
from tests.screens import states
from tests.unit.test_drill_validity import run, state, with_drill
from tests.unit.test_working import POLICY
from tests.unit.watched import OPEN

HOUR = timedelta(hours=1)


def snapshot(*, git: str = "", venue: str = "") -> Snapshot:
    base = states.SNAPSHOT
    assert base.git is not None
    assert base.venue is not None
    return replace(base, market=OPEN + HOUR, git=replace(base.git, error=git), venue=replace(base.venue, error=venue))


def killable() -> Policy:
    return with_drill(POLICY, DrillSpec(valid_for=MarketSpan(time=timedelta(minutes=90))))


def by_name(found: tuple[Way, ...]) -> dict[str, tuple[str, str]]:
    return {way.name: (way.state, way.note) for way in found}


def test_what_was_never_drilled_is_not_proven() -> None:
    found = by_name(ways(killable(), state(), snapshot(), 2))
    assert found == {"roll back to L1": (NOT_PROVEN, "never drilled"), "kill": (NOT_PROVEN, "never drilled")}


def test_a_drill_in_date_makes_it_ready_and_says_since_when() -> None:
    policy = killable()
    drilled = state(run(policy, "a"), run(policy, "b", ROLLBACK))
    found = by_name(ways(policy, drilled, snapshot(), 2))
    assert found["roll back to L1"][0] == READY
    assert found["roll back to L1"][1].endswith("proven 60 min ago")
    assert found["kill"][1].startswith("venue at once, Git ~")


def test_an_expired_drill_says_for_how_long_there_was_none_and_a_failed_one_why() -> None:
    policy = killable()
    late = replace(snapshot(), market=OPEN + timedelta(days=9))
    drilled = state(run(policy, "a"), run(policy, "b", ROLLBACK, FAIL, reasons=("too slow",)))
    found = by_name(ways(policy, drilled, late, 2))
    assert found["kill"] == (NOT_PROVEN, "no drill for 9 d 0 h")
    assert found["roll back to L1"][0] == NOT_PROVEN
    assert "FAIL" in found["roll back to L1"][1]


def test_a_policy_that_asks_for_no_drill_is_ready_without_a_proof() -> None:
    found = by_name(ways(with_drill(POLICY, None), state(), snapshot(), 1))
    assert found["roll back to L0"][0] == READY
    assert "proven" not in found["roll back to L0"][1]


def test_from_the_lowest_stage_only_the_kill_leads_further() -> None:
    assert list(by_name(ways(killable(), state(), snapshot(), 0))) == ["kill"]


def test_a_kill_needs_one_of_git_and_venue_and_a_rollback_needs_git() -> None:
    policy = with_drill(POLICY, None)
    found = by_name(ways(policy, state(), snapshot(git="refused"), 1))
    assert found["roll back to L0"] == (CANNOT, "Git gives no answer")
    assert found["kill"] == (READY, "by the venue alone; Git gives no answer")
    assert by_name(ways(policy, state(), snapshot(venue="refused"), 1))["kill"][1].startswith("by Git alone")
    assert by_name(ways(policy, state(), snapshot(git="refused", venue="refused"), 1))["kill"][0] == CANNOT
    unread = replace(snapshot(), git=None, venue=None)
    assert {state_ for state_, _ in by_name(ways(policy, state(), unread, 1)).values()} == {UNKNOWN}
