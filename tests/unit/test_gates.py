"""Gates: every one is judged, every reason is given, and what is not known does not pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from console.watch.drift_report import drift_answer, drift_document, drift_lines
from stages.bearings import git_standing
from stages.dry_run import DryRun
from stages.gates import GateFacts, allowed, judge_gates, reasons
from stages.ladder import Direction
from stages.plan import Plan
from stages.rendering import Rendering
from stages.stake import BlastRadius
from stages.value import replace
from stages.verdict import Gate, GateStatus
from stages.watching import BurnWatch
from tests.unit.watched import ACTING, NOBODY, OPEN, Watched, make_policy, policy_document, signal

CORE = [
    "policy",
    "order",
    "standing",
    "posture",
    "burn-in",
    "freshness",
    "reconciliation",
    "drift",
    "rollback-target",
    "watch-acting",
    "plan-fresh",
]


def plan(**changes: object) -> Plan:
    made = Plan(
        id="b81c",
        namespace="heron",
        epoch=0,
        from_stage="L1",
        to_stage="L2",
        direction=Direction.RISKIER,
        policy_digest="policy",
        policy_version=1,
        roster_digest="roster",
        edits=(),
        changes=(),
        blast_radius=BlastRadius(None, None, None, None, None, None, None, None),
        created_by="alice",
        created_at=OPEN,
        expires_at=OPEN + timedelta(hours=8),
        base_commit="c0",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def facts(world: Watched, **changes: object) -> GateFacts:
    return replace(GateFacts(world.wall, ACTING, rollback_ready=True), **changes)  # type: ignore[arg-type]


def gates(world: Watched, the_plan: Plan | None = None, **changes: object) -> dict[str, Gate]:
    found = judge_gates(world.policy, world.state, world.judge(), the_plan, facts(world, **changes))
    return {gate.gate_id: gate for gate in found}


@pytest.fixture
def ready() -> Watched:
    return Watched().tick(20)


def test_with_everything_met_every_gate_passes_and_the_advance_is_allowed(ready: Watched) -> None:
    found = gates(ready, plan())
    assert list(found) == CORE
    assert reasons(found.values()) == ()
    assert allowed(found.values())


@pytest.mark.parametrize(
    ("gate", "changes"),
    [
        ("policy", {"policy_digest": "other"}),
        ("order", {"to_stage": "L1"}),
        ("order", {"to_stage": "L0"}),
        ("plan-fresh", {"epoch": 1}),
        ("plan-fresh", {"expires_at": OPEN}),
        ("plan-fresh", {"roster_digest": "other"}),
        ("plan-fresh", {"refusals": ("pinned",)}),
    ],
)
def test_a_plan_that_does_not_fit_is_blocked_by_its_gate_alone(ready: Watched, gate: str, changes: dict) -> None:
    found = gates(ready, plan(**changes))
    assert [one.gate_id for one in found.values() if not one.passes] == [gate]
    assert found[gate].reasons


@pytest.mark.parametrize(
    ("gate", "changes", "status"),
    [
        ("rollback-target", {"rollback_ready": None}, GateStatus.UNKNOWN),
        ("rollback-target", {"rollback_ready": False, "rollback_reason": "no clone"}, GateStatus.FAIL),
        ("watch-acting", {"presence": NOBODY}, GateStatus.FAIL),
        ("plan-fresh", {"stale": ("scheduler.yaml changed",)}, GateStatus.FAIL),
        ("plan-fresh", {"head_known": False}, GateStatus.UNKNOWN),
    ],
)
def test_facts_that_speak_against_it(ready: Watched, gate: str, changes: dict, status: GateStatus) -> None:
    found = gates(ready, plan(), **changes)
    assert found[gate].status is status
    assert not allowed(found.values())


@pytest.mark.parametrize(
    ("found", "when", "status", "passes"),
    [
        (Rendering(objects=4), "required", GateStatus.PASS, True),
        (Rendering(objects=4, not_checked=("not checked: a chart",)), "required", GateStatus.PASS, True),
        (Rendering(wrong=("no",), unknown=("what",)), "whenPresent", GateStatus.FAIL, False),
        (Rendering(unknown=("max gross cannot be read",)), "whenPresent", GateStatus.UNKNOWN, False),
        (Rendering(absent="not checked: no tool"), "required", GateStatus.UNKNOWN, False),
        (Rendering(absent="not checked: no tool"), "whenPresent", GateStatus.NOT_CONFIGURED, True),
    ],
)
def test_the_built_result_is_judged_and_what_was_not_looked_at_is_told(
    found: Rendering, when: str, status: GateStatus, passes: bool
) -> None:
    world = Watched(make_policy(gates={"render": when})).tick(20)
    gate = gates(world, plan(), rendered=found)["render"]
    assert (gate.status, gate.passes) == (status, passes)
    said = {*found.wrong, *found.unknown, *found.not_checked, found.absent} - {""}
    assert said <= set(gate.reasons)


def test_all_reasons_are_given_at_once() -> None:
    world = Watched().tick(2)
    world.silent = True
    world.tick(10)
    blocked = [gate_id for gate_id, gate in gates(world, plan(), rollback_ready=None).items() if not gate.passes]
    expected = ["posture", "burn-in", "freshness", "reconciliation", "drift", "rollback-target", "plan-fresh"]
    assert set(expected[:-1]) <= set(blocked)


def test_what_is_not_read_is_unknown_and_does_not_pass(ready: Watched) -> None:
    ready.silent = True
    ready.tick(1)
    found = gates(ready, plan())
    assert found["freshness"].status is GateStatus.UNKNOWN
    assert found["drift"].status is GateStatus.UNKNOWN
    assert not found["freshness"].passes


def test_between_stages_nothing_goes_up(ready: Watched) -> None:
    ready.git_values["maxGrossExposure"] = Decimal(25000)
    ready.tick(1)
    found = gates(ready, plan())
    assert "maxGrossExposure" in found["standing"].reasons[0]
    assert not found["order"].passes


def test_a_digest_that_is_not_its_documents_lets_nothing_up_and_is_drift(ready: Watched) -> None:
    seen = ready.judge()
    assert seen.snapshot.git is not None
    said = "pin economic-policy: api.yaml says sha256:aa, but policy.json has sha256:bb"
    snapshot = replace(seen.snapshot, git=replace(seen.snapshot.git, parted=(said,)))
    found = replace(seen, standing=git_standing(ready.policy, snapshot))
    by_id = {gate.gate_id: gate for gate in judge_gates(ready.policy, ready.state, found, plan(), facts(ready))}
    assert (by_id["standing"].status, by_id["standing"].reasons) == (GateStatus.FAIL, (said,))
    assert drift_answer(found, ()) == "drift"
    assert f"DOES NOT FIT {said}" in tuple(drift_lines(ready.policy, found, ()))
    assert drift_document(ready.policy, found, ())["standing"]["parted"] == [said]


def test_a_latch_and_the_cooldown_stand_in_the_posture() -> None:
    world = Watched(stage=2).tick(3).tick(3, gross=26000)
    world.push("reduce", "L2", "L1")
    world.stand(1)
    world.settle()
    world.tick(3, gross=3000)
    why = " / ".join(gates(world)["posture"].reasons)
    assert "REDUCE ONLY" in why
    assert "at most L1" in why
    assert "cooldown" in why
    world.wall = datetime(2026, 11, 25, 18, 59, tzinfo=UTC)
    assert "cooldown" in " / ".join(gates(world.tick(1))["posture"].reasons), "a session is not over yet"
    world.wall += timedelta(minutes=2)
    assert "cooldown" not in " / ".join(gates(world.tick(1))["posture"].reasons)


def test_an_act_whose_outcome_nobody_knows_blocks(ready: Watched) -> None:
    ready.push("advance", "L1", "L2")
    intent = ready.state.intents["i1"]
    ready.state = replace(ready.state, intents={"i1": replace(intent, outcome="unknown")})
    assert "outcome unknown" in " ".join(gates(ready)["standing"].reasons)


def test_a_pass_that_is_too_old_does_not_carry_an_advance() -> None:
    stages = policy_document()["spec"]["stages"]
    stages[1]["burnIn"]["validFor"] = "60s"
    world = Watched(make_policy(stages=stages)).tick(40)
    assert gates(world)["burn-in"].passes
    world.tick(60)
    assert "too long ago" in gates(world)["burn-in"].reasons[0]


def test_a_pass_that_may_have_been_voided_where_nobody_can_look_does_not_carry_an_advance() -> None:
    world = Watched().tick(40)
    assert gates(world)["burn-in"].passes
    world.watch = replace(world.watch, burn_in=BurnWatch())
    gate = gates(world)["burn-in"]
    assert gate.status is GateStatus.UNKNOWN
    assert not gate.passes
    assert "cannot be read now" in gate.reasons[0]


def test_without_signals_core_gates_do_not_pass() -> None:
    world = Watched(make_policy(signals={}, triggers={}, heartbeats={}, stages=_without_burn_in())).tick(3)
    found = gates(world)
    assert found["freshness"].status is GateStatus.NOT_CONFIGURED
    assert not found["freshness"].passes


def _without_burn_in() -> list[dict]:
    return [
        {name: value for name, value in stage.items() if name != "burnIn"}
        for stage in policy_document()["spec"]["stages"]
    ]


def test_a_way_down_by_branch_only_is_said_first(ready: Watched) -> None:
    gate = gates(ready, down_by_branch=True)["rollback-target"]
    assert gate.status is GateStatus.PASS
    assert gate.reasons[0].startswith("DOWN BY BRANCH ONLY")


def test_the_drift_gate_tells_who_moved_git_and_never_passes_on_an_unread_plan(ready: Watched) -> None:
    who = "gross: Git was moved from 5,000 $ to 2,500 $ by Mallory in 1a2b3c4d, not riskier"
    told = gates(ready, moved=(who,))["drift"]
    assert (told.status, told.reasons[-1]) == (GateStatus.PASS, who)
    lost = gates(ready, applied_unknown="the mirror does not hold it")["drift"]
    assert lost.status is GateStatus.UNKNOWN
    assert lost.reasons == ("last applied plan: the mirror does not hold it",)


@pytest.mark.parametrize(
    ("found", "when", "status", "passes"),
    [
        (DryRun(tried=4), "required", GateStatus.PASS, True),
        (DryRun(), "required", GateStatus.PASS, True),
        (DryRun(tried=3, refused=("no",), unknown=("what",)), "whenPresent", GateStatus.FAIL, False),
        (DryRun(tried=3, unknown=("no answer",)), "whenPresent", GateStatus.UNKNOWN, False),
        (DryRun(absent="no cluster"), "required", GateStatus.UNKNOWN, False),
        (DryRun(absent="no cluster"), "whenPresent", GateStatus.NOT_CONFIGURED, True),
        (None, "whenPresent", GateStatus.UNKNOWN, False),
    ],
)
def test_a_dry_run_never_takes_silence_for_a_yes(
    found: DryRun | None, when: str, status: GateStatus, passes: bool
) -> None:
    world = Watched(make_policy(gates={"dryRun": when})).tick(20)
    gate = gates(world, plan(), dry_run=found)["dry-run"]
    assert (gate.status, gate.passes) == (status, passes)
    assert gate.reasons


def test_a_dry_run_is_a_gate_only_of_a_plan_and_only_where_the_policy_asks_for_it(ready: Watched) -> None:
    assert "dry-run" not in gates(ready, plan(), dry_run=DryRun(tried=1))
    assert "dry-run" not in gates(Watched(make_policy(gates={"dryRun": "required"})).tick(20))


@pytest.mark.parametrize(("name", "gate"), [("streak", "freshness"), ("second", "reconciliation")])
@pytest.mark.parametrize(("limit", "passes"), [({}, True), ({"limit": {"atMost": 9}}, False)])
def test_what_only_informs_closes_no_gate_when_it_stands_still(
    name: str, gate: str, limit: dict[str, Any], passes: bool
) -> None:
    signals = policy_document()["spec"]["signals"]
    signals[name] = signal(name, panel=gate, unit="count", **{"class": "info"}, **limit)
    world = Watched(make_policy(signals=signals))
    world.values[name] = Decimal(1)
    world.tick(3)
    world.frozen.add(name)
    world.tick(9)
    assert gates(world, plan())[gate].passes is passes
