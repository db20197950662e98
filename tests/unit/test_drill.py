"""The drill's state machine: what passes, what fails, and what makes a drill worth nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stages import drill as machine
from stages.drill import ABORTED, FAIL, KILL, PAPER, PASS, ROLLBACK, TABLETOP, Declared, Drill, Finding, Scope
from stages.value import replace

NOW = datetime(2026, 3, 3, 15, tzinfo=UTC)
DECLARED = Declared(("o-1",), ("blocked",), NOW + timedelta(minutes=15))


def begun(act: str = KILL, mode: str = PAPER) -> Drill:
    return machine.declare(Drill("r1", act, mode, "", NOW), DECLARED)


def walked(drill: Drill, odd: dict[str, Finding] | None = None, *, until: str = "D12") -> Drill:
    """Every step up to ``until`` with a finding that holds, or with the one in ``odd``."""
    for step in drill.steps:
        drill = machine.enter(drill, step.id)
        good = Finding(step.id, step.says, True, 0.1, negative=step.id in machine.NEGATIVE)
        drill = machine.find(drill, (odd or {}).get(step.id, good))
        if step.id == until:
            break
    return drill


@pytest.mark.parametrize("act", [KILL, ROLLBACK])
def test_it_passes_when_every_assertion_of_every_step_holds(act: str) -> None:
    done = machine.conclude(walked(begun(act)))
    assert (done.state, done.reasons, done.passed) == (PASS, (), 13)


@pytest.mark.parametrize("number", range(13))
def test_one_assertion_that_does_not_hold_fails_it(number: int) -> None:
    step = f"D{number}"
    bad = Finding(step, "it holds", False, 0.1, observed="seen otherwise")
    done = machine.conclude(walked(begun(), {step: bad}))
    assert done.state == FAIL
    assert f"{step}: it holds: seen otherwise" in done.reasons


def test_what_is_not_known_does_not_hold() -> None:
    done = machine.conclude(walked(begun(), {"D6": Finding("D6", "every planted order is gone", None, 0.1)}))
    assert (done.state, done.reasons) == (FAIL, ("D6: every planted order is gone (unknown)",))


def test_what_takes_longer_than_its_budget_does_not_hold() -> None:
    slow = Finding("D6", "every planted order is gone", True, 5.1, observed="gone")
    done = machine.conclude(walked(begun(), {"D6": slow}))
    assert done.reasons == ("D6: every planted order is gone: gone; 5.1 s, the budget is 5 s",)
    patient = replace(begun(), budgets={"D6": timedelta(seconds=6)})
    assert machine.conclude(walked(patient, {"D6": slow})).state == PASS


@pytest.mark.parametrize("step", ["D5", "D11"])
def test_a_drill_without_a_negative_result_is_invalid(step: str) -> None:
    done = machine.conclude(walked(begun(), {step: Finding(step, "all well", True, 0.1)}))
    assert (done.state, done.reasons) == (FAIL, (f"{step}: nothing was refused, so the drill is invalid",))


def test_steps_that_were_not_run_fail_it() -> None:
    done = machine.conclude(walked(begun(), until="D9"))
    assert done.state == FAIL
    assert done.reasons[:3] == ("D10 was not run", "D11 was not run", "D12 was not run")


def test_it_cannot_fire_before_its_effects_are_declared() -> None:
    silent = walked(Drill("r1", KILL, PAPER, "", NOW), until="D3")
    with pytest.raises(ValueError, match="declares its effects before it fires"):
        machine.enter(silent, "D4")
    assert machine.enter(machine.declare(silent, DECLARED), "D4").at == "D4"
    assert walked(Drill("r1", KILL, TABLETOP, "", NOW), until="D4").at == "D4", "a tabletop has no effects"


def test_effects_cannot_be_declared_after_it_fired() -> None:
    with pytest.raises(ValueError, match="before the drill fires"):
        machine.declare(walked(begun(), until="D4"), DECLARED)


def test_steps_come_in_their_order_and_findings_belong_to_the_current_one() -> None:
    with pytest.raises(ValueError, match="D3 does not follow"):
        machine.enter(walked(begun(), until="D1"), "D3")
    with pytest.raises(ValueError, match="D5 is not the current step"):
        machine.find(walked(begun(), until="D1"), Finding("D5", "", True, 0))


def test_a_drill_broken_off_is_aborted_and_takes_no_more_findings() -> None:
    done = machine.abort(walked(begun(), until="D6"), "its process died")
    assert (done.state, done.reasons) == (ABORTED, ("its process died",))
    with pytest.raises(ValueError, match="ABORTED"):
        machine.enter(done, "D7")


def test_a_target_shares_nothing_with_the_live_one() -> None:
    live = Scope("heron", "LIVE-01", "live", "heron", "apps/heron", "http://live")
    paper = Scope("heron-paper", "PAPER-01", "paper", "heron-paper", "apps/heron-paper", "http://paper")
    assert paper.shares(live) == ()
    assert replace(paper, account="LIVE-01").shares(live) == ("account LIVE-01",)
    assert replace(paper, path="apps/heron").shares(live) == ("repository path apps/heron",)
    assert replace(paper, namespace="heron").shares(live) == ("namespace heron",)
