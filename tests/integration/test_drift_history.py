"""Drift against the last applied plan: who moved a control, in which commit, and to which side."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from console.watch.history import applied_controls
from stages.applied import Applied, compare
from stages.ladder import Value
from stages.verdict import ControlDrift
from tests.integration.actuation import World, git

GROSS = "maxGrossExposure"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World.make(tmp_path)
    plan = made.plan("L1")
    assert made.apply(plan, [made.approve(plan)]).ok
    return made


def applied(world: World) -> Applied:
    world.repository.fetch()
    return applied_controls(world.force.policy, world.repository, world.ledger.state())


def one(git_value: Value | None, state: str = "same") -> ControlDrift:
    return ControlDrift(GROSS, git_value, git_value, git_value, state, riskier=False)


def test_nothing_applied_is_nothing_to_compare(tmp_path: Path) -> None:
    fresh = World.make(tmp_path)
    assert applied(fresh) == Applied()
    (found,) = compare(fresh.force.policy, (one(None),), Applied(), None)
    assert (found.state, found.differences, found.unknown) == ("same", (), ())


def test_an_unmoved_control_is_the_same_by_four_witnesses(world: World) -> None:
    world.elsewhere("apps/heron/scheduler.yaml", "v1.48.0", "v1.49.0")
    known = applied(world)
    assert known.origins == {}
    (found,) = compare(world.force.policy, (one(known.controls.values[GROSS]),), known, None)
    assert (found.state, found.applied) == ("same", found.git)


@pytest.mark.parametrize(("value", "riskier"), [("7500", True), ("2500", False)])
def test_a_control_that_somebody_moved_names_the_commit_the_person_and_the_side(
    world: World, value: str, riskier: bool
) -> None:
    policy, sha = world.force.policy, ""
    for path in sorted({binding.binding.file for binding in policy.spec.controls[GROSS].bindings}):
        text = git("show", f"main:apps/heron/{path}", cwd=world.remote)
        old = next(line for line in _after(text, "MAX_GROSS_EXPOSURE") if "value:" in line)
        sha = world.elsewhere(f"apps/heron/{path}", old, old.replace("5000", value), by="Mallory")
    known = applied(world)
    assert (known.origins[GROSS].author, known.origins[GROSS].sha) == ("Mallory", sha)
    now = policy.resolved[1][GROSS]
    assert known.controls.values[GROSS] == now
    (found,) = compare(policy, (one(Decimal(value)),), known, None)
    assert (found.state, found.riskier) == ("drift", riskier)
    assert f"by Mallory in {sha[:8]}" in found.differences[0]
    assert found.differences[0].endswith(", riskier" if riskier else ", not riskier")


def _after(text: str, name: str) -> list[str]:
    lines = text.splitlines()
    return lines[next(at for at, line in enumerate(lines) if name in line) :]


def test_what_cannot_be_read_is_unknown_and_never_no_drift(world: World) -> None:
    known = applied(world)
    lost = Applied(known.sha, trouble="the mirror does not hold it")
    (found,) = compare(world.force.policy, (one(known.controls.values[GROSS]),), lost, None)
    assert found.state == "unknown"
    assert found.unknown == ("last applied plan: the mirror does not hold it",)


def test_a_runtime_that_differs_says_since_when(world: World) -> None:
    known, since = applied(world), datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
    (found,) = compare(world.force.policy, (one(known.controls.values[GROSS], "drift"),), known, since)
    assert "since 2026-11-20 15:00:00Z, not riskier" in found.differences[0]
