"""Sizes that nobody designs for, resized live, with names in wide characters: the layout holds on every screen."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from rich.cells import cell_len

from console.desk import Frame
from stages.value import replace
from stages.verdict import WatchPresence
from tests.screens import ledgers, states, test_clear_page
from tests.screens.conftest import Console
from tests.screens.pressing import until

SIZES = ((200, 60), (60, 20), (120, 36), (61, 19), (140, 36), (79, 23), (160, 45))
WIDE = "交易策略-漢字"
KEYS = {
    "ramp": (),
    "plan": ("2", "p"),
    "reduce": ("r",),
    "ledger": ("l",),
    "clear": ("c",),
    "incident": ("i",),
    "zoom": ("enter",),
    "drill": ("d",),
    "help": ("question_mark",),
    "leave": ("q",),
}


def named_widely() -> Frame:
    """A breach of a target whose name, people, signals and triggers are written in wide characters."""
    frame = states.breach()
    policy = frame.policy.model_copy(update={"metadata": frame.policy.metadata.model_copy(update={"name": WIDE})})
    found = frame.evaluation
    rows = tuple(replace(row, title=f"總曝險 {row.title}", text=row.text and WIDE) for row in found.rows)
    triggers = tuple(replace(row, title=f"超過上限 {row.title}") for row in found.triggers)
    held = test_clear_page.held(test_clear_page.judged(test_clear_page.BY_TWO))
    return replace(
        frame,
        policy=policy,
        who="張偉",
        evaluation=replace(found, rows=rows, triggers=triggers),
        clearances=held.clearances,
        presence=WatchPresence("張偉@控制台", True, True, 0.4),
    )


def _fits(made: Console, width: int, height: int) -> bool:
    lines = made.text.split("\n")
    return made.app.screen.size == (width, height) and len(lines) == height and lines[0].strip() != ""


@pytest.mark.parametrize("screen", KEYS)
async def test_the_layout_holds_at_any_size_with_wide_characters(screen: str, tmp_path: Path) -> None:
    made = Console(named_widely(), tmp_path / "state")
    made.books.entries = ledgers.story(20)
    async with made.app.run_test(size=(160, 45)) as pilot:
        await pilot.press(*KEYS[screen])
        await until(pilot, lambda: screen == "ramp" or len(made.app.screen_stack) > 1)
        for width, height in SIZES:
            await pilot.resize_terminal(width, height)
            await until(pilot, partial(_fits, made, width, height))
            lines = made.text.split("\n")
            assert [line for line in lines if cell_len(line) > width] == []
            assert "交易" in lines[0] or screen == "plan", lines[0]
            top = "\n".join(lines[:4])
            words = ("BREACH", "TIME TO SAFE", "RISKIER", "PLAN to")
            assert any(word in top for word in words), f"{screen} at {width}x{height}:\n{top}"
            assert "r reduce risk" in lines[-1] or "esc" in lines[-1] or screen == "ramp", lines[-1]
            assert any("r reduce risk" in line for line in lines) or screen != "ramp"


async def test_a_terminal_that_is_far_too_small_still_says_what_is_wrong(tmp_path: Path) -> None:
    made = Console(named_widely(), tmp_path / "state")
    async with made.app.run_test(size=(40, 10)) as pilot:
        await until(pilot, lambda: "BREACH   106 %" in made.text or "BREACH 106 %" in made.text)
        assert "too small" in made.text
        await pilot.resize_terminal(1, 1)
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "EXPOSURE" in made.text)


async def test_a_card_without_room_is_said_and_not_silently_left_out(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b")
        await until(
            pilot, lambda: "the burn-in card needs 100 columns and 28 rows; see rampdeck status --json" in made.text
        )
