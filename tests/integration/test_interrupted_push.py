"""A push that is interrupted anywhere leaves the remote untouched or complete, and recovery tells which."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from console.gitops.mirror import Mirror
from console.procedures.follow import resolve
from console.wiring import SystemClock
from tests.integration.actuation import ROOT, World, git
from tests.integration.remotes import Line, over_git

PUSHES = b"git-receive-pack"


def recover(world: World, grace: timedelta = timedelta()) -> str:
    """What the ledger says of the one act after recovery."""
    resolve(world.ledger, world.repository, world.running, SystemClock(), actor="alice", grace=grace)
    (intent,) = world.ledger.state().intents.values()
    return intent.outcome


def told_and_true(world: World, before: str) -> str:
    """The outcome, held against the remote: complete or untouched, and sound."""
    outcome = recover(world)
    (intent,) = world.ledger.state().intents.values()
    assert world.head() == (intent.sha if outcome == "pushed" else before)
    assert outcome in ("pushed", "abandoned", "rejected")
    assert world.ledger.state().unresolved == ()
    git("fsck", "--strict", cwd=world.remote)
    assert world.ledger.verify().ok
    return outcome


def length_of_a_push(folder: Path, line: Line, port: int) -> tuple[int, int]:
    """How many bytes one whole push of a like plan takes, there and back."""
    world = World.make(folder)
    world.repository = Mirror(f"git://127.0.0.1:{port}/measured/remote.git", "main", folder / "line", name="alice")
    plan = world.plan("L1")
    assert world.apply(plan, [world.approve(plan)]).outcome == "pushed"
    world.ledger.close()
    assert line.counted.wait(20)
    return line.sent, line.received


def test_a_line_that_breaks_at_any_byte_of_a_push(tmp_path: Path) -> None:
    with over_git(tmp_path) as daemon:
        line = Line(daemon)
        line.only = PUSHES
        with line.open() as port:
            (tmp_path / "measured").mkdir()
            sent, received = length_of_a_push(tmp_path / "measured", line, port)
            there = [0, sent // 8, sent // 2, sent - 30, sent - 1]
            back = [0, received // 2, received - 1]
            found = {}
            for name, cut, cut_back in [*(("there", n, None) for n in there), *(("back", None, n) for n in back)]:
                place = f"{name}{cut if cut is not None else cut_back}"
                (tmp_path / place).mkdir()
                world = World.make(tmp_path / place)
                url = f"git://127.0.0.1:{port}/{place}/remote.git"
                world.repository = Mirror(url, "main", world.folder / "line", name="alice")
                plan, before = world.plan("L1"), world.head()
                line.break_after, line.break_back_after = cut, cut_back
                answer = world.apply(plan, [world.approve(plan)])
                line.break_after = line.break_back_after = None
                assert answer.outcome in ("pushed", "unknown", "rejected"), (place, answer)
                found[place] = told_and_true(world, before)
                if answer.outcome != "unknown":
                    assert answer.outcome == found[place], (place, answer)
                world.ledger.close()
    assert {found[f"there{n}"] for n in there[:3]} <= {"abandoned", "rejected"}, found
    assert found[f"back{received - 1}"] == "pushed", found


def held_at(world: World, hook: str) -> tuple[Path, Path]:
    """The remote stops in ``hook`` until it is told to go on: where it says so, and where it waits."""
    begun, gate = world.folder / "begun", world.folder / "gate"
    os.mkfifo(begun)
    os.mkfifo(gate)
    path = world.remote / "hooks" / hook
    path.write_text(f'#!/bin/sh\ncat > /dev/null\necho > {begun}\nread answer < {gate}\n[ "$answer" = go ]\n')
    path.chmod(0o755)
    return begun, gate


def kill_while_pushing(world: World, begun: Path) -> None:
    """Apply in another process, and ``kill -9`` it when the remote is at work on its push."""
    world.ledger.close()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.actuation", "apply", str(world.folder), "never"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    begun.read_text()
    process.kill()
    assert process.wait(20) == -signal.SIGKILL


@pytest.mark.parametrize(("hook", "answer", "outcome"), [
    ("pre-receive", "go", "pushed"),
    ("pre-receive", "no", "abandoned"),
    ("post-receive", "go", "pushed"),
])  # fmt: skip
def test_a_worker_killed_during_its_push_is_not_given_up_while_the_push_may_arrive(
    tmp_path: Path, hook: str, answer: str, outcome: str
) -> None:
    world = World.make(tmp_path)
    before = world.head()
    begun, gate = held_at(world, hook)
    kill_while_pushing(world, begun)
    started = World(tmp_path)
    early = recover(started, timedelta(minutes=2))
    assert early == ("pushed" if hook == "post-receive" else "unknown")
    gate.write_text(f"{answer}\n")
    for _ in range(200):
        if answer == "no" or started.head() != before:
            break
        started.pause(0.05)
    assert told_and_true(started, before) == outcome
