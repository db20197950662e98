"""The reflex: one reduction per need, in its own time, never from nothing; and alarms that ring as they should."""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from console.detach import CommandNotifier
from console.watch.reflex import FIRST_RETRY, Reflex
from stages.commands import OpenLatch
from stages.policy import Policy
from stages.posture import Mode, Posture
from stages.reflex import Need, need, with_pending
from stages.refusal import Trouble
from stages.standing import Difference, Standing
from tests.integration.watching import START, Remembers, demo_policy


@pytest.fixture
def policy(root: Path) -> Policy:
    return demo_policy(root)


def at(stage: int, mode: Mode = Mode.NORMAL) -> Standing:
    return Standing(stage, mode, stage)


CALM = Posture(Mode.NORMAL, 3)
DOWN = Posture(Mode.REDUCE_ONLY, 0)


def test_nothing_is_needed_where_git_shows_it_already(policy: Policy) -> None:
    assert need(policy, CALM, at(1)) is None
    assert need(policy, Posture(Mode.FROZEN, policy.top), at(1)) is None
    assert need(policy, DOWN, at(0, Mode.REDUCE_ONLY)) is None
    assert need(policy, DOWN, at(0, Mode.KILLED)) is None


def test_a_stage_above_the_cap_or_a_missing_mode_is_a_need(policy: Policy) -> None:
    assert need(policy, DOWN, at(1)) == Need(0, Mode.REDUCE_ONLY)
    assert need(policy, DOWN, at(0)) == Need(0, Mode.REDUCE_ONLY)
    assert need(policy, Posture(Mode.FROZEN, 0), at(1)) == Need(0, Mode.FROZEN)


def test_a_stricter_mode_alone_leads_to_where_it_stands_and_never_up_to_the_cap(policy: Policy) -> None:
    assert need(policy, Posture(Mode.HALTED, policy.top), at(1)) == Need(1, Mode.HALTED)


def test_between_two_stages_the_riskiest_control_counts(policy: Policy) -> None:
    between = Standing(None, Mode.NORMAL, 2, differences=(Difference("maxGrossExposure", None, None, safer=False),))
    assert need(policy, Posture(Mode.NORMAL, 1), between) == Need(1, Mode.NORMAL)


def test_one_need_starts_one_worker_until_it_is_due_again(policy: Policy) -> None:
    remembers = Remembers()
    reflex = Reflex(remembers, "watch@a:1")
    for second in range(int(FIRST_RETRY.total_seconds())):
        now = START + timedelta(seconds=second)
        reflex.consider(policy, DOWN, at(1), cause="grossLimit", wait=False, now=now)
    assert len(remembers.launched) == 1
    later = START + FIRST_RETRY
    reflex.consider(policy, DOWN, at(1), cause="grossLimit", wait=False, now=later)
    assert len(remembers.launched) == 2
    reflex.consider(policy, DOWN, at(1), cause="grossLimit", wait=False, now=later + FIRST_RETRY)
    assert len(remembers.launched) == 2, "pauses grow"


def test_a_stricter_posture_does_not_wait_for_the_pause(policy: Policy) -> None:
    remembers = Remembers()
    reflex = Reflex(remembers, "watch@a:1")
    reflex.consider(policy, Posture(Mode.FROZEN, 0), at(1), cause="softLoss", wait=False, now=START)
    reflex.consider(policy, Posture(Mode.KILLED, 0), at(1), cause="hardLoss", wait=False, now=START)
    assert [arguments[4] for arguments in remembers.launched] == ["FROZEN", "KILLED"]


def test_what_is_on_its_way_is_given_time_and_then_done_again(policy: Policy) -> None:
    remembers = Remembers()
    reflex = Reflex(remembers, "watch@a:1")
    reflex.consider(policy, DOWN, at(1), cause="grossLimit", wait=True, now=START)
    assert not remembers.launched
    reflex.consider(policy, DOWN, at(1), cause="grossLimit", wait=True, now=START + FIRST_RETRY)
    assert len(remembers.launched) == 1


def test_what_slips_in_after_it_held_is_reduced_again(policy: Policy) -> None:
    remembers = Remembers()
    reflex = Reflex(remembers, "watch@a:1")
    reflex.consider(policy, DOWN, at(1), cause="grossLimit", wait=False, now=START)
    reflex.consider(policy, DOWN, at(0, Mode.REDUCE_ONLY), cause="grossLimit", wait=False, now=START)
    reflex.consider(policy, DOWN, at(1), cause="grossLimit", wait=False, now=START + timedelta(seconds=1))
    assert len(remembers.launched) == 2


def test_a_worker_that_cannot_be_started_is_told_and_tried_again(policy: Policy) -> None:
    remembers = Remembers(refuses=True)
    reflex = Reflex(remembers, "watch@a:1")
    reflex.consider(policy, DOWN, at(1), cause="grossLimit", wait=False, now=START)
    assert "no process" in reflex.trouble
    remembers.refuses = False
    reflex.consider(policy, DOWN, at(1), cause="grossLimit", wait=False, now=START + FIRST_RETRY)
    assert remembers.launched
    assert not reflex.trouble


@pytest.mark.parametrize(("cap", "expected"), [("-1", 1), ("0", 0), (None, 3)])
def test_latches_that_could_not_be_written_count_all_the_same(policy: Policy, cap: str | None, expected: int) -> None:
    latch = OpenLatch("w", "grossLimit", "gross", "106 %", Mode.REDUCE_ONLY, cap, 2, "L2", ("risk",))
    top = policy.top
    joined = with_pending(policy, Posture(Mode.NORMAL, top), [latch])
    assert joined == Posture(Mode.REDUCE_ONLY, min(expected, top))


def test_the_notify_command_gets_the_text_as_its_last_argument(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    script = "import pathlib, sys; pathlib.Path(sys.argv[1] + '.new').write_text(sys.argv[-1]);"
    script += "pathlib.Path(sys.argv[1] + '.new').rename(sys.argv[1])"
    CommandNotifier([sys.executable, "-c", script, os.fspath(heard)]).notify("gross 106 % ; $(rm) `x`")
    deadline, pause = time.monotonic() + 60, threading.Event()
    while not heard.exists() and time.monotonic() < deadline:
        pause.wait(0.02)
    assert heard.read_text() == "gross 106 % ; $(rm) `x`"


def test_a_notify_command_that_does_not_exist_is_trouble() -> None:
    with pytest.raises(Trouble, match="notify"):
        CommandNotifier(["/nonexistent/pager"]).notify("text")
