"""The program in a process of its own: interrupted, it gives back what it held and leaves nothing half-done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.integration.actuation import ROOT, World
from tests.integration.people import configure


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World.make(tmp_path)
    configure(world, "alice")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return world


def program(world: World, *words: str) -> subprocess.Popen[str]:
    """The program in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "console", *words, "--config", str(world.folder / "alice.yaml")],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for a condition, and fail when it does not come."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        pause.wait(0.05)


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str, str]:
    """Send a signal and wait for the end."""
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_watch_that_is_interrupted_gives_the_lease_back(world: World, number: signal.Signals) -> None:
    with program(world, "watch", "--act", "--json") as watch:
        until(lambda: (row := world.ledger.lease.current()) is not None and row.alive(datetime.now(UTC)))
        code, out, err = ended(watch, number)
    assert (code, "Traceback" in err) == (0, False), err
    assert all(json.loads(line)["kind"] for line in out.splitlines())
    row = world.ledger.lease.current()
    assert row is None or not row.alive(datetime.now(UTC))


def test_a_lease_that_is_taken_elsewhere_makes_the_second_watch_a_desk(world: World) -> None:
    with program(world, "watch", "--act") as first:
        until(lambda: world.ledger.lease.current() is not None)
        holder = world.ledger.lease.current()
        assert holder is not None
        with program(world, "watch", "--act") as second:
            assert second.stdout is not None
            assert second.stdout.readline(), "it tells what it sees"
            now = world.ledger.lease.current()
            assert now is not None
            assert (now.holder, now.term) == (holder.holder, holder.term)
            assert ended(second, signal.SIGINT)[0] == 0
        now = world.ledger.lease.current()
        assert now is not None
        assert (now.holder, now.alive(datetime.now(UTC))) == (holder.holder, True), "a desk gives nobody's lease back"
        assert ended(first, signal.SIGINT)[0] == 0


def test_a_plan_that_is_interrupted_writes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The remote hangs, so that the interrupt lands in the middle of a fetch."""
    pipe, hang = world.folder / "began", world.folder / "hang"
    os.mkfifo(pipe)
    hang.write_text(f"#!/bin/sh\necho begun > {pipe}\nexec sleep 600\n")
    hang.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(hang))
    configure(world, "alice", repository={"remote": "ssh://git@nowhere.invalid/x", "branch": "main"}, ledger=None)
    before = world.kinds()
    with program(world, "plan", "--to", "L1", "-o", str(world.folder / "out.json")) as plan:
        assert pipe.read_text() == "begun\n"
        code, out, err = ended(plan, signal.SIGINT)
    assert (code, out) == (130, ""), (code, out, err)
    assert err == "rampdeck: interrupted; nothing more was started\n"
    assert not (world.folder / "out.json").exists()
    assert world.kinds() == before
