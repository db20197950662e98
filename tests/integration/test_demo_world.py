"""The demo's world: up without being waited for, true to its addresses, and gone without a trace of a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from console.demo.floor import Pace
from console.demo.world import POLICY_PATH, Settings, World
from console.venue.demo import DemoVenue
from stages.refusal import Trouble

CONTENT = {POLICY_PATH: b"kind: RampPolicy\n", "people/allowed_signers": b"bob ssh-ed25519 AAAA\n"}
FAST = Settings(seed=3, speed=60, pace=Pace(restart_seconds=0.3), sync_delay=0.2)
READY = 30.0


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for a condition, and fail when it does not come."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        pause.wait(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def git(remote: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "--git-dir", str(remote), *arguments], capture_output=True, check=True).stdout


def gross(url: str) -> Decimal:
    answer = requests.get(url + "/trading/status", timeout=60)
    return Decimal(answer.json()["exposure"]["gross"]) if answer.status_code == 200 else Decimal(0)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world"), CONTENT, FAST) as started:
        started.ready(READY)
        yield started


def test_the_first_commit_holds_the_sample_and_what_was_handed_in(world: World) -> None:
    assert git(world.remote, "rev-list", "--count", "main") == b"1\n"
    assert git(world.remote, "show", f"main:{POLICY_PATH}") == CONTENT[POLICY_PATH]
    assert git(world.remote, "show", "main:people/allowed_signers") == CONTENT["people/allowed_signers"]
    assert b"TRADING_STATIC_SYMBOLS" in git(world.remote, "show", "main:apps/heron/scheduler.yaml")
    assert git(world.remote, "fsck", "--strict") == b""


def test_paper_trades_while_live_runs_flat(world: World) -> None:
    until(lambda: gross(world.paper.app_url) > 3000)
    live = requests.get(world.live.app_url + "/trading/status", timeout=60).json()
    assert live["running"] is True
    assert live["exposure"]["gross"] == "0.00"
    assert live["ramp"]["controls"]["tradingMode"] == "paper"


def test_the_two_venues_report_two_accounts(world: World) -> None:
    live, paper = DemoVenue(world.live.broker_url).read(), DemoVenue(world.paper.broker_url).read()
    assert (live.account_label, live.environment) == ("HERON-LIVE-01", "live")
    assert (paper.account_label, paper.environment) == ("HERON-PAPER-01", "paper")


def test_a_fault_reaches_the_venue_that_is_named(world: World) -> None:
    until(lambda: gross(world.paper.app_url) > 3000)
    assert world.inject("gap").startswith("armed"), "the live book is flat"
    assert world.inject("calm").startswith("trading resumed")
    assert "gap" in world.inject("gap", world.paper)
    until(lambda: gross(world.paper.app_url) > 5000, 60)
    assert world.inject("calm", world.paper).startswith("trading resumed")
    with pytest.raises(Trouble, match="unknown_fault"):
        world.inject("meteor")


def test_the_children_have_groups_of_their_own_and_log_to_the_folder(world: World) -> None:
    assert len(world.children) == 4
    assert all(os.getpgid(child.pid) == child.pid for child in world.children)
    assert all(child.log.parent == world.folder and child.log.exists() for child in world.children)


def test_start_does_not_wait_and_stop_ends_everything(tmp_path: Path) -> None:
    world = World(tmp_path / "new" / "folder", CONTENT, FAST)
    began = time.monotonic()
    world.start()
    assert time.monotonic() - began < 1
    assert world.live.app_url.startswith("http://127.0.0.1:")
    world.ready(READY)
    pids = [child.pid for child in world.children]
    world.stop()
    assert not any(alive(pid) for pid in pids)
    world.stop()
    with pytest.raises(Trouble, match="does not answer"):
        DemoVenue(world.live.broker_url, timeout=1).read()


def test_a_stop_at_once_leaves_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, CONTENT, FAST)
    world.start()
    world.stop()
    until(lambda: world.children == ())
    with pytest.raises(Trouble):
        world.ready(0.5)


def test_a_folder_that_was_kept_goes_on_with_its_remote(tmp_path: Path) -> None:
    with World(tmp_path, CONTENT, FAST) as first:
        first.ready(READY)
        head = git(first.remote, "rev-parse", "main")
    with World(tmp_path, {}, FAST) as second:
        second.ready(READY)
        assert git(second.remote, "rev-parse", "main") == head


def test_a_child_that_dies_is_named_with_its_log(tmp_path: Path) -> None:
    with World(tmp_path, CONTENT, FAST) as world:
        until(lambda: len(world.children) == 4)
        os.kill(world.children[0].pid, signal.SIGKILL)
        with pytest.raises(Trouble, match="venue-live ended"):
            until(lambda: world.ready(READY), READY)


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with World(tmp_path / "file" / "below", CONTENT, FAST) as world, pytest.raises(Trouble, match="can be written"):
        world.ready(READY)


def test_no_child_survives_a_parent_that_was_killed(tmp_path: Path, root: Path) -> None:
    program = (
        "import sys, threading; from pathlib import Path; from console.demo.world import World; "
        "w = World(Path(sys.argv[1]), {}); w.start(); w.ready(30); "
        "print(*(c.pid for c in w.children), flush=True); threading.Event().wait()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], cwd=root, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 4
        assert all(alive(pid) for pid in pids)
        parent.kill()
        until(lambda: not any(alive(pid) for pid in pids))
