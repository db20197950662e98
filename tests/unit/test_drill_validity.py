"""Which drills count for an advance, what voids them, and what a drill's entries do to the state: nothing else."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from stages.drill import ABORTED, FAIL, KILL, PAPER, PASS, ROLLBACK, RUNNING, TABLETOP
from stages.drill_validity import newest, pins, validity
from stages.entries import Draft, Entry, write
from stages.facts import DrillRun
from stages.gates import GateFacts, judge_gates
from stages.loosening import loosened
from stages.policy import DrillSpec, Policy
from stages.posture import Mode
from stages.signals import Quality, Sample, SignalKey
from stages.state import ControlState, fold
from stages.value import replace
from tests.unit.test_all_triggers import held, one, world
from tests.unit.watched import ACTING, OPEN, Watched, make_policy, policy_document, signal

ENDPOINT = "http://venue"


def asking(**changes: Any) -> Policy:
    """A policy that asks for drills."""
    return with_drill(make_policy(), DrillSpec(**changes))


def with_drill(policy: Policy, spec: DrillSpec | None) -> Policy:
    return policy.model_copy(update={"spec": policy.spec.model_copy(update={"drill": spec})})


def state(*runs: DrillRun) -> ControlState:
    return ControlState(drills={run.run: run for run in runs})


def run(policy: Policy, name: str, act: str = KILL, outcome: str = PASS, **changes: Any) -> DrillRun:
    down = "L2 to L1" if act == ROLLBACK else ""
    made = DrillRun(
        name, act, PAPER, down, outcome, "alice", OPEN, OPEN, {"account": "PAPER"}, pins(policy, ENDPOINT, "sha256:a")
    )
    return replace(made, **changes)


def reasons(policy: Policy, *runs: DrillRun, hours: float = 1, endpoint: str = ENDPOINT) -> tuple[str, ...]:
    market = OPEN + timedelta(hours=hours)
    return validity(policy, state(*runs), market, "L2 to L1", endpoint=endpoint).reasons


def test_both_drills_are_asked_for_and_a_policy_may_ask_for_less() -> None:
    policy = asking()
    assert reasons(policy) == (
        "kill drill: never passed on paper",
        "rollback drill L2 to L1: never passed on paper",
    )
    assert reasons(policy, run(policy, "a"), run(policy, "b", ROLLBACK)) == ()
    assert reasons(asking(rollback=False), run(policy, "a")) == ()
    assert reasons(with_drill(policy, None)) == ()


def test_a_rollback_drill_counts_for_its_own_transition() -> None:
    policy = asking(kill=False)
    other = run(policy, "b", ROLLBACK, transition="L1 to L0")
    assert reasons(policy, other) == ("rollback drill L2 to L1: never passed on paper",)


def test_it_expires_after_one_trading_day() -> None:
    policy = asking(rollback=False)
    assert reasons(policy, run(policy, "a"), hours=23) == ()
    assert "expired" in reasons(policy, run(policy, "a"), hours=49)[0]


@pytest.mark.parametrize("outcome", [FAIL, ABORTED])
def test_a_later_drill_that_did_not_pass_voids_an_earlier_one(outcome: str) -> None:
    policy = asking(rollback=False)
    later = run(policy, "b", outcome=outcome, reasons=("D6: still open",))
    assert reasons(policy, run(policy, "a"), later) == (f"kill drill: the last one was {outcome} (D6: still open)",)
    assert reasons(policy, later, run(policy, "c")) == ()


def test_one_that_runs_blocks_and_a_tabletop_changes_nothing() -> None:
    policy = asking(rollback=False)
    assert "runs" in reasons(policy, run(policy, "a"), run(policy, "b", outcome=RUNNING))[0]
    table = run(policy, "t", mode=TABLETOP, outcome=FAIL)
    assert reasons(policy, run(policy, "a"), table) == ()
    assert "never passed" in reasons(policy, run(policy, "t", mode=TABLETOP))[0]


def test_another_endpoint_account_or_posture_mapping_voids_it() -> None:
    policy = asking(rollback=False)
    good = run(policy, "a")
    assert reasons(policy, good, endpoint="http://elsewhere") == (
        "kill drill: void by a change of the venue's endpoint",
    )
    assert reasons(policy, good, endpoint="") == (), "an endpoint that is not known here is not compared"
    for pin, said in (("account", "the venue account"), ("posture", "the posture mapping")):
        odd = replace(good, pins={**good.pins, pin: "other"})
        assert reasons(policy, odd) == (f"kill drill: void by a change of {said}",)


def test_another_image_is_a_warning_that_the_policy_may_raise() -> None:
    for image, ok in (("warn", True), ("void", False)):
        policy = asking(rollback=False, image=image)
        found = validity(policy, state(run(policy, "a")), OPEN, "", endpoint=ENDPOINT, image="sha256:b")
        assert found.ok is ok
        assert "another image runs than was drilled" in (found.warnings + found.reasons)[0]


def test_asking_for_drills_is_not_looser_and_no_longer_asking_is() -> None:
    without, asked = with_drill(asking(), None), asking()
    assert loosened(without, asked) == ()
    assert loosened(asked, without)
    assert any("validFor" in line for line in loosened(asked, asking(valid_for="3 sessions")))


def test_a_step_that_does_not_exist_has_no_budget() -> None:
    with pytest.raises(ValueError, match="there is no step D13"):
        DrillSpec(budgets={"D13": timedelta(seconds=1)})


def entries(*drafts: Draft) -> ControlState:
    found, before = ControlState(), None
    for draft in drafts:
        entry: Entry = write(draft, ledger="l", previous=before, now=OPEN)
        found, before = fold(found, entry), entry
    return found


def drafts(run_id: str = "r1") -> list[Draft]:
    first = {
        "run": run_id, "act": KILL, "mode": PAPER, "state": RUNNING, "market": OPEN, "target": {"account": "PAPER"},
        "pins": {"account": "x"}, "drill": run_id,
    }  # fmt: skip
    declared = {"run": run_id, "state": RUNNING, "step": "D2", "until": OPEN + timedelta(minutes=15), "drill": run_id}
    last = {"run": run_id, "state": FAIL, "reasons": ["D6"], "artifacts": ["b.json"], "drill": run_id}
    return [Draft("drill", None, None, "alice", body) for body in (first, declared, last)]


def test_the_state_knows_a_drill_by_its_newest_entry() -> None:
    found = entries(*drafts()).drills["r1"]
    assert (found.state, found.step, found.reasons, found.artifacts) == (FAIL, "D2", ("D6",), ("b.json",))
    assert found.until == OPEN + timedelta(minutes=15)
    assert newest(entries(*drafts("r1"), *drafts("r2")), KILL) == entries(*drafts("r1"), *drafts("r2")).drills["r2"]


def test_live_state_ignores_what_carries_a_drills_scope() -> None:
    body = {"plan": "p", "approver": "bob", "reason": "no"}
    scoped = Draft("approval-rejected", None, None, "bob", body | {"drill": "r1"})
    assert entries(scoped).rejected == {}
    assert entries(Draft("approval-rejected", None, None, "bob", body)).rejected == {"p": "bob: no"}


def test_a_drill_that_expired_fires_the_readiness_trigger_and_one_that_never_passed_does_not() -> None:
    expired = one("readiness", {"mode": "FROZEN"}, signals=["booksAge"])
    watched = world(expired=expired)
    watched.policy = with_drill(watched.policy, DrillSpec(rollback=False))
    assert held(watched.tick(3)) == []
    running = run(watched.policy, "c", outcome=RUNNING)
    good = run(watched.policy, "a", market=watched.wall, pins=pins(watched.policy, ""))
    watched.state = replace(watched.state, drills={"a": good, "c": running})
    assert held(watched.tick(2)) == [], "a drill that renews the proof takes none away"
    passed = run(watched.policy, "a", market=watched.wall - timedelta(days=10), pins=pins(watched.policy, ""))
    watched.state = replace(watched.state, drills={"a": passed})
    assert held(watched.tick(2)) == [(Mode.FROZEN, None)]
    renewed = run(watched.policy, "b", market=watched.wall, pins=pins(watched.policy, ""))
    again = world(expired=expired)
    again.policy = watched.policy
    again.state = replace(again.state, drills={"a": passed, "b": renewed})
    assert held(again.tick(3)) == []


@pytest.mark.parametrize(("says", "quality", "known"), [("sha256:b", Quality.OK, True), ("", Quality.MISSING, False)])
@pytest.mark.parametrize("asked", ["warn", "void"])
def test_the_gate_holds_drills_against_the_image_that_runs(
    says: str, quality: Quality, known: bool, asked: str
) -> None:
    image = signal("image", unit="word", **{"class": "info"}, panel="incident", eventTime=None)
    watched = Watched(make_policy(signals=policy_document()["spec"]["signals"] | {"image": image}, image="image"))
    watched.values["image"] = Decimal(0)
    watched.policy = with_drill(watched.policy, DrillSpec(rollback=False, image=asked))
    watched.tick(2)
    proof = run(watched.policy, "a", market=watched.market, pins=pins(watched.policy, "", "sha256:a"))
    watched.state = replace(watched.state, drills={"a": proof})
    heard = Sample(quality, watched.wall, text=says)
    watched.snapshot = replace(
        watched.snapshot, samples={**watched.snapshot.samples, SignalKey("live", "image"): heard}
    )
    facts = GateFacts(watched.wall, ACTING, rollback_ready=True)
    found = judge_gates(watched.policy, watched.state, watched.judge(), None, facts)
    gate = next(one for one in found if one.gate_id == "drill")
    told = [one for one in gate.reasons if "another image runs than was drilled" in one]
    assert bool(told) is known
    assert gate.passes is not (known and asked == "void")
