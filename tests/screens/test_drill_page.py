"""Drill: every state of it, at every size; what is typed on it, and what leaves it alone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from console.desk import DrillGround, Frame
from console.screens import View
from console.screens.drill import DrillScreen, wrong_answer
from console.screens.drill.page import Sitting, drill_page, phrases
from console.screens.ramp.outline import Look
from console.screens.ramp.page import ramp_page
from console.screens.rollback import ReduceScreen
from stages.value import replace
from stages.verdict import Sees
from tests.screens import drills, states
from tests.screens.conftest import Console, MakeConsole

SIZES = ((160, 45), (120, 36), (100, 30), (80, 24), (60, 20))

FRAMES: dict[str, Callable[[], Frame]] = {
    "ready": lambda: drills.frame(*drills.earlier()),
    "scored": lambda: drills.frame(*drills.many()),
    "empty": lambda: drills.frame(reasons=("kill drill: never passed on paper",)),
    "firing": lambda: drills.frame(*drills.earlier(), drills.firing()),
    "running": lambda: drills.frame(*drills.earlier(), drills.running()),
    "table": lambda: drills.frame(*drills.earlier(), drills.table()),
    "passed": lambda: drills.frame(*drills.earlier(), drills.passed(), reasons=()),
    "failed": lambda: drills.frame(*drills.earlier(), drills.failed()),
    "aborted": lambda: drills.frame(*drills.earlier(), drills.aborted()),
}
SITTING = Sitting(drills.GROUND)


def drawn(view: View, sitting: Sitting, size: tuple[int, int]) -> tuple[str, int | None]:
    lines, field_at = drill_page(view, sitting, *size)
    assert len(lines) == size[1]
    assert [line.text for line in lines if line.length > size[0]] == []
    return "\n".join(line.text.rstrip() for line in lines), field_at


def page(name: str, size: tuple[int, int] = (120, 36)) -> str:
    return drawn(states.view(FRAMES[name]()), SITTING, size)[0]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", FRAMES)
def test_every_state_of_a_drill_reads_as_recorded(name: str, size: tuple[int, int], page_snapshot) -> None:
    assert page(name, size) == page_snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", FRAMES)
def test_what_it_stops_and_what_it_leaves_alone_stand_at_every_size(name: str, size: tuple[int, int]) -> None:
    shown = page(name, size)
    assert "WHAT IT TOUCHES" in shown
    if name != "table":
        assert "PA3SX7FYNUTF PAPER" in shown
        assert "8820154411 LIVE" in shown


def test_before_the_first_tick_and_without_a_target_it_says_so() -> None:
    assert "reads the drill's target" in drawn(states.view(None), Sitting(), (100, 30))[0]
    sitting = Sitting(DrillGround(None, None, trouble="'drillTarget' is not configured"))
    shown, field_at = drawn(states.view(drills.frame()), sitting, (100, 30))
    assert "CANNOT DRILL" in shown
    assert "'drillTarget' is not configured" in shown
    assert field_at is None


def test_the_clock_begins_with_how_soon_a_breach_is_seen_where_that_was_measured() -> None:
    measured = replace(FRAMES["running"](), sees=Sees(0.94, 1.31, 240))
    shown = drawn(states.view(measured), SITTING, (120, 36))[0]
    assert re.search(r"a breach → on this screen, p99 +0\.9 s", shown)
    unmeasured = replace(measured, sees=None)
    assert "a breach →" not in drawn(states.view(unmeasured), SITTING, (120, 36))[0]


TROUBLE = "the drill's target is not set up: no policy was adopted (paper.yaml); run 'rampdeck policy adopt'"
NO_TARGET = Sitting(DrillGround(None, drills.LIVE, trouble=TROUBLE))


def cut_off(name: str) -> View:
    """The same, and no tick since a minute and a half."""
    view = states.view(FRAMES[name]())
    return replace(view, wall=view.wall + timedelta(seconds=95))


def read_only(name: str) -> View:
    return states.view(replace(FRAMES[name](), read_only=True))


STATES: dict[str, tuple[Callable[[], View], Sitting]] = {
    "loading": (lambda: states.view(None), Sitting()),
    "target-not-read": (lambda: states.view(FRAMES["ready"]()), Sitting()),
    "error": (lambda: states.view(FRAMES["empty"]()), NO_TARGET),
    "read-only": (lambda: read_only("scored"), SITTING),
    "disconnected": (lambda: cut_off("running"), SITTING),
    "disconnected-before": (lambda: cut_off("ready"), SITTING),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", STATES)
def test_every_state_of_the_console_reads_as_recorded(name: str, size: tuple[int, int], page_snapshot) -> None:
    view, sitting = STATES[name]
    assert drawn(view(), sitting, size)[0] == page_snapshot


def test_before_the_first_tick_nobody_claims_that_there_was_no_drill() -> None:
    shown = drawn(states.view(None), Sitting(), (100, 30))[0]
    assert "none yet" not in shown
    assert "not known before the first tick" in shown


def test_an_obstacle_stands_in_full_with_what_to_do_about_it() -> None:
    shown, field_at = drawn(states.view(FRAMES["empty"]()), NO_TARGET, (80, 24))
    assert "WHY NONE CAN BE HELD" in shown
    assert " ".join(TROUBLE.split()[-3:]) in " ".join(shown.split())
    assert "d reads the target again" in shown
    assert field_at is None


def test_a_console_that_only_looks_offers_no_phrase_and_says_why() -> None:
    shown, field_at = drawn(read_only("scored"), SITTING, (100, 30))
    assert field_at is None
    assert "DRILL KILL torghut-sim" not in shown
    assert "READ-ONLY, this console was started so" in shown
    assert "f fault" not in shown


def test_without_ticks_nothing_is_ready_and_no_clock_runs() -> None:
    ready = drawn(cut_off("ready"), SITTING, (100, 30))[0]
    assert "CUT OFF" in ready
    assert "READY" not in ready
    shown = drawn(cut_off("running"), SITTING, (100, 30))[0]
    assert re.search(r"\? D6 .* UNKNOWN +/5 s", shown)
    assert "since the act" not in shown
    assert "►" not in shown
    assert "goes on by itself" in shown


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_step_under_way_and_the_clock_since_the_act_are_in_sight(size: tuple[int, int]) -> None:
    shown = page("running", size)
    assert "► D6" in shown
    assert "4.1 s since the act" in shown
    assert "ASKED, NO ANSWER" in shown


def test_the_clock_stands_beside_that_of_the_last_drill_that_passed() -> None:
    lines = page("running", (160, 45)).splitlines()
    row = next(line for line in lines if "→ new orders blocked" in line)
    assert row.partition("│")[0].split()[-2:] == ["0.3", "s"]


def test_a_drill_that_left_its_target_as_it_is_says_so_until_it_is_put_right() -> None:
    assert "NOT CLEANED UP" in page("failed", (160, 45))
    aside = replace(SITTING, aside=drills.failed().run)
    later = drawn(states.view(drills.frame(drills.failed())), aside, (120, 36))[0]
    assert "NOT CLEANED UP" in later
    assert "torghut-sim" in later


def test_only_what_may_be_typed_is_offered() -> None:
    ready = states.view(drills.frame())
    assert phrases(ready, SITTING) == (
        "DRILL KILL torghut-sim", "DRILL ROLLBACK torghut-sim", "TABLETOP KILL", "TABLETOP ROLLBACK",
    )  # fmt: skip
    top = Sitting(replace(drills.GROUND, lower="", upper=""))
    assert "DRILL ROLLBACK torghut-sim" not in phrases(ready, top)
    assert phrases(states.view(FRAMES["firing"]()), SITTING) == ("KILL torghut-sim",)
    assert phrases(states.view(FRAMES["running"]()), SITTING) == ()


@pytest.mark.parametrize("size", SIZES[:4], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_scorecard_tells_outcome_streak_time_to_safe_age_and_whether_it_counts(size: tuple[int, int]) -> None:
    shown = page("scored", size)
    assert re.search(r"PASS 2 in a row +safe in \d\.\d s of 5 s ▂+ +1 h ago, in date", shown)
    assert "D10" in shown
    if size[0] >= 100:
        assert "SCORECARD rollback" in shown
    if size[0] >= 120:
        assert re.search(r"· D10 .* pass +2 +■", shown)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_chosen_fault_stands_in_the_phrase_and_says_what_must_hold(size: tuple[int, int]) -> None:
    view, sitting = states.view(drills.frame()), replace(SITTING, fault="push-refused")
    shown, field_at = drawn(view, sitting, size)
    assert phrases(view, sitting) == ("DRILL KILL torghut-sim WITH push-refused",)
    assert "UNDER A FAULT: push-refused" in shown
    assert field_at is not None


def test_an_answer_begins_with_its_letter() -> None:
    assert wrong_answer("y everybody saw it") == ""
    assert wrong_answer("U") == ""
    assert "y (it held)" in wrong_answer("yes")


async def until(condition: Callable[[], bool], pilot) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await pilot.pause(0.02)


async def typed(made: Console, pilot, text: str) -> None:
    screen = made.app.screen
    assert isinstance(screen, DrillScreen)
    await until(lambda: screen.token.display and screen.token.ready, pilot)
    if not screen.token.has_focus:
        await pilot.press("tab")
    await until(lambda: screen.token.has_focus, pilot)
    await pilot.press(*("space" if letter == " " else "minus" if letter == "-" else letter for letter in text), "enter")


async def test_d_opens_it_and_the_phrase_starts_it(console: MakeConsole) -> None:
    made = console(drills.frame())
    async with made.app.run_test(size=(120, 36)) as pilot:
        await pilot.press("d")
        await until(lambda: "TYPE ONE, THEN ENTER" in made.text, pilot)
        await typed(made, pilot, "drill kill torghut-si")
        assert made.hands.drills.asked == []
        await pilot.press("m", "enter")
        await until(lambda: made.hands.drills.asked == [("start", "drill kill torghut-sim")], pilot)
        await pilot.press("escape")
        await until(lambda: "WAY DOWN" in made.text, pilot)


async def test_the_act_is_fired_by_its_own_phrase(console: MakeConsole) -> None:
    made = console(FRAMES["firing"]())
    async with made.app.run_test(size=(120, 36)) as pilot:
        await pilot.press("d")
        await until(lambda: isinstance(made.app.screen, DrillScreen), pilot)
        await typed(made, pilot, "kill torghut-sim")
        await until(lambda: bool(made.hands.drills.asked), pilot)
        assert made.hands.drills.asked == [("fire", "14d9e1f3a2", "kill torghut-sim")]


async def test_a_tabletop_takes_an_answer_with_words(console: MakeConsole) -> None:
    made = console(FRAMES["table"]())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("d")
        await until(lambda: isinstance(made.app.screen, DrillScreen), pilot)
        await typed(made, pilot, "n nobody knew")
        await until(lambda: bool(made.hands.drills.asked), pilot)
        assert made.hands.drills.asked == [("answer", "15a0b1c2d3", "D5", "n", "nobody knew")]


@pytest.mark.parametrize(("key", "kill"), [("r", False), ("exclamation_mark", True)])
@pytest.mark.parametrize("name", ["running", "firing"])
async def test_reduce_and_kill_mean_live_during_a_drill(console: MakeConsole, key: str, kill: bool, name: str) -> None:
    made = console(FRAMES[name]())
    async with made.app.run_test(size=(120, 36)) as pilot:
        await pilot.press("d")
        await until(lambda: isinstance(made.app.screen, DrillScreen), pilot)
        await pilot.press(*(["tab"] if name == "firing" and not kill else []), key)
        await until(lambda: isinstance(made.app.screen, ReduceScreen), pilot)
        screen = made.app.screen
        assert isinstance(screen, ReduceScreen)
        assert screen.plea.kill is kill
        assert "KILL torghut " in made.text
        assert "KILL torghut-sim" not in made.text
    assert made.hands.drills.asked == []


async def test_a_drill_is_abandoned_by_a_and_its_evidence_is_named_by_e(console: MakeConsole) -> None:
    made = console(FRAMES["running"]())
    async with made.app.run_test(size=(120, 36)) as pilot:
        await pilot.press("d")
        await until(lambda: isinstance(made.app.screen, DrillScreen), pilot)
        await pilot.press("A")
        await until(lambda: made.hands.drills.asked == [("abandon", "14d9e1f3a2")], pilot)
        await pilot.press("e")
        await until(lambda: "/drills/drill-14d9e1f3.json" in made.text, pilot)


async def test_the_page_follows_the_ledger(console: MakeConsole) -> None:
    made = console(FRAMES["running"]())
    async with made.app.run_test(size=(120, 36)) as pilot:
        await pilot.press("d")
        await until(lambda: "RUNNING" in made.text, pilot)
        made.feed.give(FRAMES["passed"]())
        await until(lambda: "PASSED" in made.text, pilot)
        await pilot.press("d")
        await until(lambda: "TYPE ONE, THEN ENTER" in made.text, pilot)


@pytest.mark.parametrize("size", SIZES[:4], ids=lambda size: f"{size[0]}x{size[1]}")
def test_ramp_says_which_target_a_drill_is_on_and_what_is_held_back_until_when(size: tuple[int, int]) -> None:
    shown = "\n".join(line.text for line in ramp_page(states.view(FRAMES["running"]()), Look(), *size)[:3])
    assert ("DRILL on torghut-sim" if size[0] >= 100 else "DRILL") in shown.splitlines()[0]
    assert "DRILL 14d9e1f3: alarms of torghut-sim are held back until 14:4" in shown
    assert "HOLD" in shown
    table = "\n".join(line.text for line in ramp_page(states.view(FRAMES["table"]()), Look(), *size)[:3])
    assert "DRILL" not in table


def test_ramp_gives_no_alarm_up_for_a_drill() -> None:
    loud = replace(states.breach(), drills=FRAMES["running"]().drills)
    shown = "\n".join(line.text for line in ramp_page(states.view(loud), Look(), 160, 45)[:3])
    assert "BREACH" in shown
    assert "STEPPING DOWN" in shown
    assert "held back" not in shown


@pytest.mark.parametrize("size", [(160, 45), (120, 36)])
def test_the_truth_of_the_live_target_stands_beside_a_drill(size: tuple[int, int]) -> None:
    shown = page("running", size)
    assert "TRUTH OF THE LIVE TARGET" in shown
    assert "kill switch" in shown
