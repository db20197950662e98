"""Acts that are proposed as a branch: nothing is in force before a person merges it, and the ledger says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.procedures.follow import Resolved, resolve, settle
from console.store.ledger import SqlLedger
from console.watch.chronicle import Chronicle
from console.wiring import SystemClock
from stages.decide import decide, denial
from stages.posture import Mode
from stages.readiness import refused_down
from stages.settling import Truth
from stages.state import ControlState, Intent, fold
from tests.integration.actuation import World, git
from tests.screens import states

MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World.make(tmp_path)
    made.by_branch = True
    return made


def follow(world: World) -> tuple[Resolved, ...]:
    ports = (world.ledger, world.repository, world.running, SystemClock())
    return resolve(*ports, actor="watch", grace=timedelta())


def branches(world: World) -> list[str]:
    return git("for-each-ref", "--format=%(refname:short)", "refs/heads/rampdeck", cwd=world.remote).splitlines()


def newest(world: World) -> Intent:
    return list(world.ledger.state().intents.values())[-1]


def merge(world: World, branch: str, *options: str) -> str:
    """Somebody merges the branch on the remote's side."""
    git("fetch", "-q", "origin", cwd=world.work)
    git("merge", "-q", "--ff-only", "origin/main", cwd=world.work)
    git("merge", "-q", *(options or ("--no-ff", "-m", "Merge")), f"origin/{branch}", cwd=world.work)
    if "--squash" in options:
        git("commit", "-qm", "Squashed, and its words lost", cwd=world.work)
    git("push", "-q", "origin", "HEAD:main", cwd=world.work)
    return world.head()


def protect(world: World) -> None:
    """Main takes no push; other branches do."""
    hook = world.remote / "hooks" / "update"
    hook.write_text('#!/bin/sh\n[ "$1" != refs/heads/main ] || { echo "main is protected: GH006" >&2; exit 1; }\n')
    hook.chmod(0o755)


def test_an_advance_is_proposed_as_a_branch_named_after_its_plan(world: World) -> None:
    before, plan = world.head(), world.plan("L1")
    answer = world.apply(plan, [world.approve(plan)])
    assert (answer.outcome, answer.branch) == ("proposed", f"rampdeck/{plan.id}")
    assert answer.branch in answer.message
    assert world.head() == before
    assert branches(world) == [answer.branch]
    state = world.ledger.state()
    assert [(one.branch, one.sha) for one in state.awaiting] == [(answer.branch, answer.sha)]
    assert state.last_pushed is None
    assert follow(world) == ()
    told = Chronicle()
    told.read(world.ledger)
    running = told.running(states.POLICY, state, states.evaluation())
    assert running is not None
    assert (running.awaits, running.finished) == (answer.branch, None)
    assert [(step.name, step.state) for step in running.steps][-2:] == [("merge", "running"), ("runtime", "waiting")]
    second = world.plan("L1")
    refused = world.apply(second, [world.approve(second)])
    assert refused.refusal is not None
    assert refused.refusal.code == "awaits-merge"


@pytest.mark.parametrize("options", [(), ("--ff-only",), ("--squash",)])
def test_a_merge_of_any_kind_is_the_push(world: World, options: tuple[str, ...]) -> None:
    plan = world.plan("L1")
    answer = world.apply(plan, [world.approve(plan)])
    proposed = newest(world)
    merge(world, answer.branch, *options)
    assert [one.outcome for one in follow(world)] == ["pushed"]
    merged = newest(world)
    assert world.ledger.state().settling == (merged,)
    assert merged.at > proposed.at, "its time to converge begins at the merge"
    settle(world.ledger, SystemClock(), actor="watch", truth=Truth(True), convergence=MINUTE)
    assert newest(world).settled == "converged"


def test_a_branch_that_is_deleted_unmerged_ends_the_act(world: World) -> None:
    plan = world.plan("L1")
    answer = world.apply(plan, [world.approve(plan)])
    git("update-ref", "-d", f"refs/heads/{answer.branch}", cwd=world.remote)
    assert [one.outcome for one in follow(world)] == ["abandoned"]
    assert world.ledger.state().awaiting == ()


def test_a_remote_that_is_away_decides_nothing(world: World) -> None:
    plan = world.plan("L1")
    world.apply(plan, [world.approve(plan)])
    world.remote.rename(world.remote.with_name("away.git"))
    assert follow(world) == ()
    assert len(world.ledger.state().awaiting) == 1


def test_a_reduction_takes_a_waiting_advance_back(world: World) -> None:
    plan = world.plan("L1")
    world.apply(plan, [world.approve(plan)])
    world.by_branch = False
    answer = world.reduce("L0", Mode.REDUCE_ONLY)
    assert answer.outcome == "pushed"
    assert branches(world) == []
    assert world.ledger.state().awaiting == ()
    assert "taken back" in next(iter(world.ledger.state().intents.values())).message


def test_a_proposal_does_not_outlive_its_plan(world: World) -> None:
    plan = world.plan("L1")
    answer = world.apply(plan, [world.approve(plan)])
    assert newest(world).expires == plan.expires_at

    class Later(SystemClock):
        def wall(self) -> datetime:
            return max(plan.expires_at, datetime.now(UTC))

    found = resolve(world.ledger, world.repository, world.running, Later(), actor="watch")
    assert [(one.outcome, "expired" in one.message) for one in found] == [("abandoned", True)]
    assert answer.branch not in branches(world)


def test_a_branch_that_somebody_added_to_is_not_deleted(world: World) -> None:
    plan = world.plan("L1")
    answer = world.apply(plan, [world.approve(plan)])
    git("fetch", "-q", "origin", cwd=world.work)
    git("checkout", "-q", "-b", "more", f"origin/{answer.branch}", cwd=world.work)
    git("commit", "-q", "--allow-empty", "-m", "A remark", cwd=world.work)
    git("push", "-q", "origin", f"more:{answer.branch}", cwd=world.work)
    assert world.repository.withdraw(answer.branch, answer.sha) is False
    assert branches(world) == [answer.branch]


def test_a_reduction_on_a_protected_main_becomes_a_branch_and_says_so(world: World) -> None:
    world.by_branch = False
    plan = world.plan("L1")
    assert world.apply(plan, [world.approve(plan)]).ok
    protect(world)
    high = world.head()
    answer = world.reduce("L0")
    assert answer.outcome == "proposed"
    assert not answer.ok
    assert "NOT LOWER YET" in answer.message
    assert "main is protected: GH006" in answer.message
    assert world.head() == high
    assert branches(world) == [answer.branch]
    state = world.ledger.state()
    assert refused_down(state)
    assert state.reducing == state.awaiting[0]


def test_the_same_automatic_reduction_is_proposed_once_and_anew_when_its_files_change(world: World) -> None:
    world.by_branch = False
    plan = world.plan("L1")
    assert world.apply(plan, [world.approve(plan)]).ok
    world.by_branch = True
    first = world.reduce("L0", automatic=True)
    again = world.reduce("L0", automatic=True)
    assert (again.outcome, again.branch, again.intent) == ("proposed", first.branch, first.intent)
    assert branches(world) == [first.branch]
    world.elsewhere("apps/heron/scheduler.yaml", "v1.48.0", "v1.49.0")
    fresh = world.reduce("L0", automatic=True)
    assert fresh.outcome == "proposed"
    assert fresh.intent == first.intent
    assert branches(world) == [fresh.branch]
    merge(world, fresh.branch)
    assert [one.outcome for one in follow(world)] == ["pushed"]
    assert world.says("value: paper")
    assert world.says("v1.49.0")


def test_another_machine_follows_a_proposal_that_it_never_saw(world: World, tmp_path: Path) -> None:
    plan = world.plan("L1")
    answer = world.apply(plan, [world.approve(plan)])
    elsewhere = World(tmp_path)
    elsewhere.repository.folder = tmp_path / "other-cache.git"
    assert follow(elsewhere) == ()
    merge(world, answer.branch, "--squash")
    assert [one.outcome for one in follow(elsewhere)] == ["pushed"]


def test_a_reduction_that_was_spilled_is_known_again_when_its_commit_was_picked(world: World) -> None:
    """It guessed an epoch, and joined the ledger in a higher one; another change lies over its files by then."""
    world.by_branch = False
    plan = world.plan("L1")
    assert world.apply(plan, [world.approve(plan)]).ok
    assert world.reduce("L1", automatic=True).outcome == "unchanged"
    away = World(world.folder, by_branch=True)
    away.__dict__["ledger"] = SqlLedger(
        f"sqlite:///{world.folder}/away.db", fold=fold, initial=ControlState(), decide=decide, denial=denial
    )
    answer = away.reduce("L0")
    assert (answer.outcome, answer.spilled) == ("proposed", True)
    world.spill.merge(world.ledger, actor="watch", now=SystemClock().wall())
    assert world.repository.info(answer.sha).trailers["Rampdeck-Epoch"] == "1"
    assert newest(world).epoch == world.ledger.state().epoch == 2
    assert follow(world) == ()
    world.elsewhere("apps/heron/scheduler.yaml", "v1.48.0", "v1.49.0")
    git("cherry-pick", f"origin/{answer.branch}", cwd=pulled(world))
    git("push", "-q", "origin", "HEAD:main", f":{answer.branch}", cwd=world.work)
    assert [one.outcome for one in follow(world)] == ["pushed"]


def pulled(world: World) -> Path:
    """The colleague's clone, with every branch of the remote."""
    git("fetch", "-q", "origin", cwd=world.work)
    return world.work
