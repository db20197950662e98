"""Burn-in: the run's life, the clock that counts observed market time alone, and what a pass needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from stages.commands import (
    ChangeBurnIn,
    ClearLatch,
    ExtendBurnIn,
    OpenLatch,
    Quorum,
    VerifiedApproval,
    WaiveBurnIn,
)
from stages.decide import decide
from stages.gates import GateFacts, judge_gates
from stages.objectives import waivable
from stages.posture import Mode
from stages.refusal import Refusal
from stages.value import replace
from tests.unit.watched import ACTING, OPEN, Watched, make_policy, policy_document


def run_states(world: Watched) -> list[str]:
    return [one.state for one in world.commands if isinstance(one, ChangeBurnIn)]


def with_burn_in(**changes: object) -> Watched:
    stages = policy_document()["spec"]["stages"]
    stages[1]["burnIn"] |= changes
    return Watched(make_policy(stages=stages))


def test_the_clock_starts_when_the_runtime_has_converged_not_at_the_push() -> None:
    world = Watched(stage=0)
    world.push("advance", "L0", "L1")
    world.stand(1, runtime=False)
    world.tick(5)
    assert run_states(world) == []
    world.stand(1)
    world.tick(3)
    assert run_states(world) == []
    world.settle()
    world.tick(2)
    assert run_states(world) == ["ARMED", "OBSERVING"]


def test_no_run_begins_while_the_runtime_runs_something_else() -> None:
    world = Watched()
    world.runtime = dict(world.policy.resolved[0])
    assert run_states(world.tick(10)) == []
    world.stand(1)
    assert run_states(world.tick(1)) == ["ARMED"]


def test_no_run_begins_while_more_than_a_freeze_is_held() -> None:
    world = Watched()
    halt = OpenLatch("alice", "incident", "INC-1", "", Mode.HALTED, None, 1, "L1", ("risk",))
    world.decide(halt)
    assert run_states(world.tick(5)) == []
    frozen = Watched()
    frozen.decide(replace(halt, mode=Mode.FROZEN))
    assert run_states(frozen.tick(1)) == ["ARMED"]


def test_a_run_passes_once_with_everything_met() -> None:
    world = Watched().tick(60)
    assert run_states(world) == ["ARMED", "OBSERVING", "PASSED"]
    assert world.judge().burn_in.progress == 1.0
    assert world.state.runs["L1"].run == "L1-0-1"


def test_warm_up_does_not_count() -> None:
    world = with_burn_in(warmUp="5s").tick(12)
    assert run_states(world) == ["ARMED", "WARMUP", "OBSERVING"]
    assert float(world.watch.burn_in.observed) < 10


def test_what_is_blind_or_without_a_sample_is_no_warm_up() -> None:
    objectives = [{"signal": "slippage", "atMost": 6, "minSamples": 5}]
    world = with_burn_in(warmUp="5s", objectives=objectives).tick(30, orders=3)
    assert run_states(world)[-1] == "WARMUP"
    assert run_states(world.tick(7, orders=40))[-1] == "OBSERVING"


def test_repeated_samples_are_no_samples() -> None:
    world = with_burn_in(objectives=[{"signal": "gross", "withinLimit": True, "minSamples": 5, "coverage": 0}]).tick(3)
    world.frozen.add("gross")
    world.tick(3)
    assert world.watch.burn_in.objectives["0:gross"].coverage.samples == 1


def test_blind_time_does_not_count_and_is_a_state_after_two_ticks() -> None:
    world = Watched().tick(6)
    seen = world.watch.burn_in.observed
    world.silent = True
    world.tick(4)
    assert world.watch.burn_in.observed == seen
    assert world.watch.burn_in.blind == 4
    assert run_states(world)[-1] == "BLIND"
    world.silent = False
    world.tick(1)
    assert run_states(world)[-1] == "OBSERVING"


FAILING = [
    {"signal": "gross", "withinLimit": True, "minSamples": 5, "coverage": 0},
    {"signal": "slippage", "atMost": 6, "minSamples": 5, "coverage": 0, "failWhen": {"breaches": 50, "of": 100}},
]
"""Hard limits, and costs that may be bad for long before they fail."""


@pytest.mark.parametrize("slippage", [1, 9])
def test_blind_time_does_not_count_whatever_else_fails_meanwhile(slippage: int) -> None:
    world = with_burn_in(objectives=FAILING).tick(6, slippage=slippage)
    seen = world.watch.burn_in.observed
    world.missing.add("gross")
    world.tick(8, slippage=slippage)
    assert (world.watch.burn_in.observed, world.watch.burn_in.blind) == (seen, 8)
    assert run_states(world)[-1] == "BLIND"


@pytest.mark.parametrize("slippage", [1, 9])
def test_a_pass_is_void_after_a_blind_period_whatever_else_fails_meanwhile(slippage: int) -> None:
    world = with_burn_in(objectives=FAILING).tick(30, slippage=1)
    assert run_states(world)[-1] == "PASSED"
    world.missing.add("gross")
    world.tick(7, slippage=slippage)
    assert world.watch.burn_in.voided == "it was blind"


@pytest.mark.parametrize("warm_up", ["0s", "1h"])
def test_a_run_that_is_blind_or_warms_up_for_ever_ends_too(warm_up: str) -> None:
    world = with_burn_in(maxMarketTime="30s", warmUp=warm_up).tick(3)
    world.silent = True
    world.tick(40)
    assert run_states(world)[-1] == "INCONCLUSIVE"


def test_time_that_nobody_watched_is_blind() -> None:
    world = Watched().tick(6)
    seen = world.watch.burn_in.observed
    world.tick(1, seconds=600)
    assert world.watch.burn_in.observed == seen
    assert world.watch.burn_in.blind == 600


def test_a_closed_market_suspends_and_its_hours_do_not_count() -> None:
    world = Watched(start=datetime(2026, 11, 24, 20, 59, 55, tzinfo=UTC)).tick(8)
    assert run_states(world) == ["ARMED", "OBSERVING", "SUSPENDED"]
    assert world.watch.burn_in.observed <= 5


def test_coverage_below_its_share_does_not_pass() -> None:
    world = Watched().tick(4)
    for _ in range(20):
        world.silent = not world.silent
        world.tick(1)
    assert "PASSED" not in run_states(world)
    binding = [item.name for item in world.judge().burn_in.items if not item.met]
    assert "coverage of gross" in binding


def test_the_last_evaluations_in_a_row_all_pass() -> None:
    """A breach that is not confirmed fails nothing, and the run of good evaluations begins anew."""
    world = with_burn_in(passRun=8).tick(11)
    assert world.watch.burn_in.streak > 0
    world.tick(1, gross=6000)
    assert world.watch.burn_in.streak == 0
    world.tick(7, gross=3000)
    assert run_states(world)[-1] == "OBSERVING"
    assert "good evaluations" in world.judge().burn_in.lacks
    world.tick(1)
    assert run_states(world)[-1] == "PASSED"


def test_reconciliation_has_to_be_clean_at_the_end() -> None:
    world = Watched().tick(30, residuals=1)
    assert "PASSED" not in run_states(world)
    assert "reconciliation not clean: residuals" in world.judge().burn_in.lacks
    world.tick(3, residuals=0)
    assert run_states(world)[-1] == "PASSED"


def test_a_confirmed_failure_ends_the_run_and_holds_what_nothing_else_holds() -> None:
    objective = {"signal": "slippage", "atMost": 6, "minSamples": 5, "failWhen": {"breaches": 3, "of": 5}}
    world = with_burn_in(objectives=[objective]).tick(4).tick(1, slippage=6).tick(1, slippage=5).tick(2, slippage=7)
    assert run_states(world)[-1] == "FAILED"
    assert world.latches == ["burn-in-failed"]
    assert world.opened[0].clear_roles == ("trader", "risk")
    world.tick(20, slippage=1)
    assert run_states(world).count("ARMED") == 1


def test_a_failed_run_holds_what_its_stage_says() -> None:
    objective = {"signal": "slippage", "atMost": 6, "minSamples": 5, "failWhen": {"breaches": 3, "of": 5}}
    world = with_burn_in(objectives=[objective], onFail="HALTED").tick(4).tick(4, slippage=7)
    assert [one.mode for one in world.opened] == [Mode.HALTED]


def test_one_cause_opens_one_latch() -> None:
    world = Watched().tick(6).tick(3, gross=6000)
    assert run_states(world)[-1] == "FAILED"
    assert world.latches == ["grossLimit"]


def test_a_mean_without_its_count_stops_the_clock_and_is_no_pass() -> None:
    objective = {"signal": "slippage", "atMost": 6, "minSamples": 1}
    world = with_burn_in(objectives=[objective])
    world.tick(30, orders=3)
    assert world.watch.burn_in.observed == 0
    assert "PASSED" not in run_states(world)


def test_time_up_with_something_unmet_is_inconclusive() -> None:
    world = with_burn_in(maxMarketTime="15s", minMarketTime="12s").tick(5)
    world.tick(20, residuals=1)
    assert run_states(world)[-1] == "INCONCLUSIVE"
    assert "reconciliation" in world.state.runs["L1"].reason


def test_leaving_the_stage_aborts_the_run_and_coming_back_begins_another() -> None:
    world = Watched().tick(5)
    world.push("reduce", "L1", "L0")
    world.stand(0)
    world.settle()
    world.tick(3)
    assert [one.run for one in world.commands if isinstance(one, ChangeBurnIn)][-2:] == ["L0-1-1", "L0-1-1"]
    assert "ABORTED" in run_states(world)
    world.push("advance", "L0", "L1", "i2")
    world.stand(1)
    world.settle("i2")
    world.tick(3)
    assert world.state.runs["L1"].run == "L1-1-1"


def test_a_kill_aborts_the_run_of_the_stage_where_it_stands() -> None:
    world = Watched(make_policy(postures={"KILLED": {"controls": {"maxOrderNotional": 0}}}), stage=0).tick(5)
    assert run_states(world) == ["ARMED", "OBSERVING"]
    for values in (world.git_values, world.runtime):
        values["maxOrderNotional"] = Decimal(0)
    world.head = "c1"
    world.tick(2)
    assert world.judge().standing.mode is Mode.KILLED
    assert run_states(world)[-1] == "ABORTED"
    assert world.state.runs["L0"].reason == "killed"
    assert run_states(world.tick(5)).count("ARMED") == 1, "nothing begins while it is killed"


def test_a_pass_of_an_earlier_stay_does_not_count() -> None:
    world = Watched().tick(20)
    assert world.state.runs["L1"].state == "PASSED"
    world.push("reduce", "L1", "L0", "i1")
    world.stand(0)
    world.settle("i1")
    world.tick(2)
    world.push("advance", "L0", "L1", "i2")
    world.stand(1)
    world.settle("i2")
    world.tick(2)
    assert world.judge().burn_in.state != "PASSED"


def test_a_pass_is_void_after_a_failure_or_a_blind_period() -> None:
    failed = Watched().tick(20).tick(2, gross=6000)
    assert failed.judge().burn_in.reason == ""
    failed.tick(1, gross=6000)
    assert "failed" in failed.watch.burn_in.voided
    blind = Watched().tick(20)
    blind.silent = True
    blind.tick(3)
    assert blind.watch.burn_in.voided == ""
    blind.tick(4)
    assert blind.watch.burn_in.voided == "it was blind"


def test_at_most_one_transition_per_tick() -> None:
    world = Watched()
    for _ in range(60):
        before = len(run_states(world))
        world.tick(1)
        assert len(run_states(world)) - before <= 1


@pytest.mark.parametrize("speed", [1, 60])
def test_speed_scales_market_time_and_leaves_coverage_alone(speed: int) -> None:
    world = with_burn_in(minMarketTime="20m")
    world.speed = speed
    world.tick(30)
    assert (run_states(world)[-1] == "PASSED") is (speed == 60)
    coverage = next(item for item in world.judge().burn_in.items if item.name.startswith("coverage"))
    assert coverage.have > Decimal(99)


def test_a_restart_pauses_the_clock_without_blindness() -> None:
    world = Watched().tick(6)
    world.push("reduce", "L1", "L1")
    world.settle()
    seen = world.watch.burn_in.observed
    world.silent = True
    world.tick(5)
    assert (world.watch.burn_in.observed, world.watch.burn_in.blind) == (seen, 0)
    assert run_states(world) == ["ARMED", "OBSERVING"]
    world.silent = False
    world.tick(2)
    assert world.watch.burn_in.observed == seen + 2, "the same run goes on"


COSTS = {"signal": "slippage", "atMost": 6, "minSamples": 500, "coverage": 0}
ACTION = Quorum(
    "act", (VerifiedApproval("n", "bob", ("risk",), "act", "", "roster", OPEN, OPEN + timedelta(days=9)),), 1
)


def undecided(*more: dict[str, object]) -> Watched:
    """A run whose time is up and which lacks samples of a performance signal."""
    world = with_burn_in(maxMarketTime="15s", objectives=[COSTS, *more])
    world.tick(25)
    assert run_states(world)[-1] == "INCONCLUSIVE"
    return world


def test_nothing_advances_from_an_undecided_run() -> None:
    world = undecided()
    gates = judge_gates(world.policy, world.state, world.judge(), None, GateFacts(world.wall, ACTING, True))
    gate = next(gate for gate in gates if gate.gate_id == "burn-in")
    assert not gate.passes
    assert gate.reasons[0].startswith("burn-in of L1: time is up"), "it is no pass that counts no more"


def extend(world: Watched, minutes: int = 1) -> ExtendBurnIn:
    until = world.market + timedelta(minutes=minutes)
    return ExtendBurnIn("alice", "L1", world.state.runs["L1"].run, until, world.market, "one more minute")


def test_an_undecided_run_is_extended_once() -> None:
    world = undecided()
    world.decide(extend(world))
    assert world.state.runs["L1"].state == "OBSERVING"
    world.tick(59)
    assert world.state.runs["L1"].state == "OBSERVING"
    world.tick(3)
    assert world.state.runs["L1"].state == "INCONCLUSIVE"
    again = decide(world.state, extend(world), world.wall)
    assert isinstance(again, Refusal)
    assert "once" in again.reason


def waive(world: Watched, item: str, *, quorum: Quorum = ACTION) -> WaiveBurnIn:
    spec = world.policy.stages[1].burn_in
    assert spec is not None
    safety = not waivable(world.policy, spec, item)
    return WaiveBurnIn("alice", "L1", world.state.runs["L1"].run, item, safety, world.market, "few orders", quorum)


def test_a_performance_item_is_waived_by_name_with_approval() -> None:
    world = undecided()
    unapproved = decide(world.state, waive(world, "samples of slippage", quorum=Quorum("act", (), 0)), world.wall)
    assert isinstance(unapproved, Refusal)
    world.decide(waive(world, "samples of slippage"))
    world.tick(2)
    assert world.state.runs["L1"].state == "PASSED"
    item = next(one for one in world.judge().burn_in.items if one.name == "samples of slippage")
    assert item.detail == "waived: few orders"


@pytest.mark.parametrize("item", ["market time", "reconciliation", "evaluations in a row", "samples of gross"])
def test_a_safety_item_is_not_waived(item: str) -> None:
    world = undecided({"signal": "gross", "withinLimit": True, "minSamples": 5})
    answer = decide(world.state, waive(world, item), world.wall)
    assert isinstance(answer, Refusal)
    assert answer.code == "safety"


def test_a_waiver_without_a_reason_is_refused() -> None:
    world = undecided()
    answer = decide(world.state, replace(waive(world, "samples of slippage"), reason=" "), world.wall)
    assert isinstance(answer, Refusal)
    assert answer.code == "reason"


def test_a_waiver_ends_with_its_run() -> None:
    world = undecided()
    world.decide(waive(world, "samples of slippage"))
    world.push("reduce", "L1", "L0")
    world.stand(0)
    world.settle()
    world.tick(3)
    world.push("advance", "L0", "L1", "i2")
    world.stand(1)
    world.settle("i2")
    world.tick(3)
    assert world.state.runs["L1"].waived == {}


def test_a_run_whose_terms_changed_is_aborted_and_another_begins() -> None:
    world = Watched().tick(6)
    stages = policy_document()["spec"]["stages"]
    stages[1]["burnIn"]["minMarketTime"] = "20s"
    world.policy = make_policy(stages=stages)
    world.tick(3)
    assert run_states(world) == ["ARMED", "OBSERVING", "ABORTED", "ARMED", "OBSERVING"]
    assert world.state.runs["L1"].run == "L1-0-2"


def test_a_change_elsewhere_in_the_policy_leaves_the_run_alone() -> None:
    world = Watched().tick(6)
    stages = policy_document()["spec"]["stages"]
    stages[2]["approvals"] = {"required": 3}
    world.policy = make_policy(stages=stages)
    world.tick(3)
    assert run_states(world) == ["ARMED", "OBSERVING"]


def test_after_a_failure_another_run_begins_when_nothing_is_held_any_more() -> None:
    world = with_burn_in(objectives=[COSTS | {"failWhen": {"breaches": 3, "of": 5}}]).tick(6).tick(4, slippage=9)
    assert world.state.runs["L1"].state == "FAILED"
    world.tick(10, slippage=1)
    key = next(iter(world.state.latches))
    both = Quorum(
        "act",
        tuple(replace(ACTION.approvals[0], nonce=role, approver=role, roles=(role,)) for role in ("trader", "risk")),
        0,
    )
    world.decide(ClearLatch("alice", key, gone=True, quorum=both))
    world.tick(2)
    assert world.state.runs["L1"].run == "L1-1-1"


def test_time_in_which_nothing_was_blind_and_nothing_counted_is_told_apart() -> None:
    world = with_burn_in(objectives=[COSTS]).tick(6).tick(10, orders=3)
    assert (world.watch.burn_in.wasted, world.watch.burn_in.blind) == (10, 0)


def test_a_pass_counts_for_its_time_only() -> None:
    world = with_burn_in(validFor="20s").tick(16)
    found = world.judge().burn_in
    assert found.state == "PASSED"
    assert found.valid_until is not None
    world.tick(40)
    gates = judge_gates(world.policy, world.state, world.judge(), None, GateFacts(world.wall, ACTING, True))
    assert "too long ago" in next(gate for gate in gates if gate.gate_id == "burn-in").reasons[0]
