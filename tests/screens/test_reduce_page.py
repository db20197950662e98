"""Reduce risk: it opens with what is known, suggests, runs with a clock, and gives its verdicts apart."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.desk import Frame, RunningStep
from console.screens.rollback import Plea, phrases, reduce_page
from console.screens.rollback.ways import suggested
from stages.posture import Mode
from stages.value import replace
from tests.screens import states

SIZES = ((160, 45), (100, 30), (80, 24), (60, 20))
BY_HAND = ("git clone https://git.example/gitops.git", "git revert --no-edit 5be2d71", "git push origin main")


def finished() -> Frame:
    steps = tuple(replace(step, state="done", took=2.0) for step in states.STEPS)
    run = states.reducing(
        steps=steps, finished=states.NOW, outcome="done", stays_so="UNVERIFIED", stays_note="Git gives no answer for 4m"
    )
    return replace(states.breach(), running=run)


def proposed() -> Frame:
    """A reduction that protected rules let be a branch only: it waits for a person."""
    branch = "rampdeck/5be2d710"
    steps = (
        RunningStep("recorded", "done", 0.0),
        RunningStep("commit", "done", 0.4),
        RunningStep("push", "done", 1.2, 30.0, f"pushed as branch {branch}; nothing changes before somebody merges it"),
        RunningStep("merge", "running", note=f"waits for {branch}"),
        RunningStep("runtime", "waiting"),
    )
    run = states.reducing(steps=steps, awaits=branch, stays_so="NOT YET", stays_note="its branch is not merged")
    return replace(states.breach(), running=run)


def killing() -> Frame:
    """A kill six seconds old: the venue blocks, one order gave no answer, Git is on its way."""
    asked = "1 of 2 orders ASKED, NO ANSWER: buy NVDA"
    run = states.reducing(
        title="carol KILLS, L0",
        steps=(
            RunningStep("recorded", "done", 0.0),
            RunningStep("commit", "done", 0.4),
            RunningStep("push", "running", None, 30.0),
            RunningStep("venue block", "done", 0.6, 5.0, "new orders are blocked"),
            RunningStep("venue cancel", "unknown", None, 5.0, asked),
        ),
        safe_now="NOT YET",
        safe_note="blocked, 1 order not confirmed gone",
    )
    return replace(states.breach(), running=run)


def killed() -> Frame:
    """A kill that is over, of which Git has told nothing."""
    steps = (
        RunningStep("recorded", "done", 0.0),
        RunningStep("push", "unknown", None, 30.0, "the remote cannot be read"),
        RunningStep("venue block", "done", 0.6, 5.0, "new orders are blocked"),
        RunningStep("venue cancel", "done", 1.3, 5.0, "2 orders cancelled"),
    )
    run = states.reducing(
        title="carol KILLS, L0", steps=steps, finished=states.NOW, outcome="failed", safe_now="YES",
        safe_note="venue blocks new orders", stays_so="UNVERIFIED", stays_note="Git gives no answer for 4m",
    )  # fmt: skip
    return replace(states.breach(), running=run)


def refused() -> Frame:
    """A rollback of which the manifests did not take all."""
    why = "maxGrossExposure: apps/torghut/scheduler.yaml:41: not readable as YAML"
    steps = (
        RunningStep("recorded", "done", 0.0),
        RunningStep("commit", "done", 0.9),
        RunningStep("push", "failed", 1.1, 30.0, f"NOT WRITTEN: {why}"),
        RunningStep("runtime", "running"),
    )
    run = states.reducing(
        title="carol ROLLS BACK TO L1", steps=steps, outcome="", safe_now="NOT YET", safe_note=f"not in Git: {why}",
        stays_so="NOT YET", stays_note=f"not in Git: {why}",
    )  # fmt: skip
    return replace(states.breach(), running=run)


FRAMES = {
    "nothing-known": lambda: None,
    "quiet": states.ok,
    "over": states.over,
    "blind": states.blind,
    "between": states.between,
    "read-only": states.read_only,
    "running": states.breach,
    "finished": finished,
    "proposed": proposed,
    "refused": refused,
}


def text(name: str, size: tuple[int, int]) -> tuple[str, int]:
    lines, field_at = reduce_page(states.view(FRAMES[name]()), Plea(by_hand=BY_HAND), *size)
    assert len(lines) == size[1]
    assert [line.text for line in lines if line.length > size[0]] == []
    return "\n".join(line.text.rstrip() for line in lines), field_at


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", FRAMES)
def test_every_way_down_reads_as_recorded(name: str, size: tuple[int, int], page_snapshot) -> None:
    shown, _ = text(name, size)
    assert shown == page_snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_what_is_not_written_is_named_beside_the_verdict_at_every_size(size: tuple[int, int]) -> None:
    shown, _ = text("refused", size)
    verdict = next(line for line in shown.splitlines() if "STAYS SO" in line)
    assert "NOT YET" in verdict
    assert "not in Git: " in verdict
    assert "NOT WRITTEN: " in shown or size == (60, 20)


def test_it_takes_phrases_with_nothing_known() -> None:
    shown, _ = text("nothing-known", (100, 30))
    assert "FREEZE" in shown
    assert "ROLLBACK <stage>" in shown
    assert "WHAT IS OPEN: not known" in shown


def test_every_lower_stage_is_a_way_down_and_the_kill_is_the_last() -> None:
    down = ("FREEZE", "ROLLBACK L1", "ROLLBACK L0", "KILL torghut")
    assert phrases(states.view(states.breach())) == down
    assert phrases(states.view(states.between())) == down
    assert phrases(states.view(states.ok())) == ("FREEZE", "ROLLBACK L0", "KILL torghut")


@pytest.mark.parametrize("size", SIZES[:3], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", ["quiet", "killing", "killed"])
def test_a_kill_reads_as_recorded_before_during_and_after(name: str, size: tuple[int, int], page_snapshot) -> None:
    plea = Plea(by_hand=BY_HAND, kill=name == "quiet", owes=name != "quiet")
    lines, field_at = reduce_page(
        states.view({"killing": killing, "killed": killed}.get(name, states.ok)()), plea, *size
    )
    assert len(lines) == size[1]
    shown = "\n".join(line.text.rstrip() for line in lines)
    before = "\n".join(line.text for line in lines[:field_at])
    assert shown == page_snapshot
    assert "KILL torghut" in before
    if name == "quiet":
        assert "► KILL torghut" in before
        assert "not before" in before
        assert "at 15:45 either: the desk must" in before
    else:
        assert "Reason, within 10 min: 1 risk" in shown


def test_safe_now_and_stays_so_of_a_kill_are_two_verdicts() -> None:
    shown = "\n".join(line.text for line in reduce_page(states.view(killed()), Plea(), 100, 30)[0])
    assert "SAFE NOW  YES" in shown
    assert "STAYS SO  UNVERIFIED" in shown
    assert "ASKED, NO ANSWER" not in shown
    during = "\n".join(line.text for line in reduce_page(states.view(killing()), Plea(), 100, 30)[0])
    assert "SAFE NOW  NOT YET" in during
    assert "ASKED, NO ANSWER" in during


def test_the_suggestion_has_a_reason() -> None:
    way, why = suggested(states.blind())
    assert way is not None
    assert way.phrase == "ROLLBACK L0"
    assert "BLIND" in why
    assert suggested(states.ok())[0] is None


def test_the_clock_and_two_separate_verdicts() -> None:
    shown, _ = text("running", (100, 30))
    assert "TIME TO SAFE   00:06.2" in shown
    assert "SAFE NOW  YES" in shown
    assert "STAYS SO  NOT YET" in shown
    done, _ = text("finished", (100, 30))
    assert "SAFE IN   00:06.2" in done
    assert "STAYS SO  UNVERIFIED" in done


def test_an_act_that_ended_long_ago_makes_room_for_the_next() -> None:
    view = states.view(finished(), wall=states.NOW + timedelta(minutes=3))
    lines, _ = reduce_page(view, Plea(), 100, 30)
    assert not any("STEPS" in line.text for line in lines)


@pytest.mark.parametrize("size", [*SIZES, (60, 18)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", ["running", "finished"])
def test_further_down_is_reached_while_one_way_runs_and_after_it(name: str, size: tuple[int, int]) -> None:
    shown, field_at = text(name, size)
    lines = shown.splitlines()
    assert any("FURTHER DOWN" in line for line in lines[:field_at])
    for phrase in ("FREEZE", "ROLLBACK L1", "ROLLBACK L0"):
        assert any(phrase in line for line in lines[:field_at])
    assert lines[field_at : field_at + 2] == ["", ""]
    assert field_at + 2 <= size[1] - 2
    steps = next(index for index, line in enumerate(lines) if "STEPS" in line)
    assert steps < next(index for index, line in enumerate(lines) if "FURTHER" in line)


def test_what_holds_already_is_not_suggested_again() -> None:
    held = states.warning()
    evaluation = replace(held.evaluation, posture=replace(held.evaluation.posture, mode=Mode.REDUCE_ONLY))
    way, why = suggested(replace(held, evaluation=evaluation))
    assert way is None
    assert "REDUCE ONLY holds already" in why


def test_a_halt_comes_back_at_the_stage_that_then_stands() -> None:
    held = states.over()
    assert "comes back at the stage that stands" not in reduce_text(held, Mode.FROZEN)
    assert "comes back at the stage that stands" in reduce_text(held, Mode.HALTED)


def reduce_text(frame: Frame, mode: Mode) -> str:
    evaluation = replace(frame.evaluation, posture=replace(frame.evaluation.posture, mode=mode))
    lines, _ = reduce_page(states.view(replace(frame, evaluation=evaluation)), Plea(), 160, 45)
    return "\n".join(line.text for line in lines)


def test_the_way_back_is_said_before_the_phrase() -> None:
    shown, field_at = text("over", (100, 30))
    lines = shown.splitlines()
    assert any("not before Wed 25 Nov" in line for line in lines[:field_at])
    assert any("BY HAND" in line for line in lines)


@pytest.mark.parametrize("size", SIZES)
def test_what_the_watch_cannot_do_is_said_before_anybody_types(size: tuple[int, int]) -> None:
    frame = replace(states.ok(), notices=("the ledger is locked by process 4711",))
    lines, _ = reduce_page(states.view(frame), Plea(), *size)
    said = " ".join(line.text for line in lines[:4])
    assert "The phrases work without it: the ledger is locked by proc" in said
