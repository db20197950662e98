"""Ways back that are proposed as a branch: the venue stays blocked until somebody merged it and a person resumed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from console.procedures.follow import resolve, settle
from console.procedures.resume import survey
from console.watch.report import publishing_lines
from console.way_back import Returned
from console.wiring import SystemClock
from stages.posture import Mode
from stages.settling import Truth
from stages.state import Intent
from tests.integration.actuation import World, git
from tests.integration.broker import Broker
from tests.integration.test_proposals import merge
from tests.integration.test_restore import attempt, sign
from tests.integration.test_resume import clear, hold

MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world at L1 whose venue stands beside it; what goes up is proposed, what goes down is pushed."""
    world = World.make(tmp_path)
    plan = world.plan("L1")
    assert world.apply(plan, [world.approve(plan)]).ok
    world.venue = Broker(tmp_path / "blocked")
    return world


def halted(world: World) -> None:
    """Halt at L1 by a latch that is cleared since; from then on acts are proposed."""
    key = hold(world)
    assert world.reduce("L1", Mode.HALTED, automatic=True).outcome == "pushed"
    clear(world, key)
    world.by_branch = True


def killed(world: World) -> Returned:
    """Kill at L1 and restore by two approvals as a branch; the answer of that."""
    assert world.reduce("L0", Mode.KILLED).outcome == "pushed"
    world.by_branch = True
    return attempt(world, sign(world, "bob"), sign(world, "erin"))


def blocked(world: World) -> bool:
    assert isinstance(world.venue, Broker)
    return world.venue.blocked


def follow(world: World) -> list[str]:
    ports = (world.ledger, world.repository, world.running, SystemClock())
    return [one.outcome for one in resolve(*ports, actor="watch", grace=timedelta())]


def newest(world: World) -> Intent:
    return list(world.ledger.state().intents.values())[-1]


def test_a_resume_is_proposed_and_the_venue_stays_blocked_until_it_is_merged_and_resumed(world: World) -> None:
    halted(world)
    before = world.head()
    done = world.resume()
    assert (done.outcome, world.head()) == ("proposed", before), done
    assert done.venue == f"the venue stays blocked until {done.branch} is merged; then rampdeck resume"
    assert blocked(world)
    assert follow(world) == []
    state = world.ledger.state()
    assert [(one.kind, one.branch) for one in state.awaiting] == [("resume", done.branch)]
    assert any(
        f"resume to L1 IS NOT IN FORCE: it awaits the merge of branch {done.branch}" in line
        for line in publishing_lines(state, reduce=False)
    )
    refusal = survey(world.return_ports, world.force, actor="alice").refusal
    assert refusal is not None
    assert refusal.code == "awaits-merge"
    merge(world, done.branch)
    assert follow(world) == ["pushed"]
    assert blocked(world), "what is merged lifts no block by itself"
    settle(world.ledger, SystemClock(), actor="watch", truth=Truth(True), convergence=MINUTE)
    assert newest(world).settled == "converged"
    again = world.resume()
    assert (again.outcome, again.venue) == ("unchanged", "the venue takes orders again")
    assert not blocked(world)


def test_a_restore_is_proposed_and_lets_the_venue_go_after_its_merge(world: World) -> None:
    done = killed(world)
    assert done.outcome == "proposed", done
    assert blocked(world)
    assert world.repository.info(done.sha).trailers["Rampdeck-Approved-By"] == "bob, erin"
    merge(world, done.branch, "--squash")
    assert follow(world) == ["pushed"]
    assert world.says("value: paper")
    assert world.resume().venue == "the venue takes orders again"
    assert not blocked(world)


def test_a_reduction_takes_a_proposed_way_back_back(world: World) -> None:
    done = killed(world)
    world.by_branch = False
    assert world.reduce("L0", Mode.KILLED).outcome in ("pushed", "unchanged")
    follow(world)
    (proposed,) = (one for one in world.ledger.state().intents.values() if one.branch == done.branch)
    assert proposed.outcome == "abandoned"
    assert git("for-each-ref", "refs/heads/rampdeck", cwd=world.remote) == ""
    assert blocked(world)


def test_a_branch_that_is_deleted_unmerged_leaves_everything_held(world: World) -> None:
    halted(world)
    done = world.resume()
    git("update-ref", "-d", f"refs/heads/{done.branch}", cwd=world.remote)
    assert follow(world) == ["abandoned"]
    assert blocked(world)
    assert world.resume().outcome == "proposed", "it may be asked for again"


def test_a_remote_that_refuses_the_branch_leaves_the_venue_blocked(world: World) -> None:
    halted(world)
    hook = world.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho no branches here >&2\nexit 1\n")
    hook.chmod(0o755)
    done = world.resume()
    assert (done.outcome, "no branches here" in done.message) == ("rejected", True), done
    assert blocked(world)
