"""The filter of the Ramp: it narrows, it says what it hides, and it never hides what is not ok."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.screens.ramp.outline import Look
from console.screens.ramp.page import ramp_page
from stages.value import replace
from stages.verdict import RowState, TriggerState
from tests.screens import states
from tests.screens.pressing import field_of, until, write
from widgets.narrowing import left_out, narrowed, narrowed_triggers, rows_left_out
from widgets.status import QUIET

SIZES = ((160, 45), (100, 30), (80, 24), (60, 20))
FRAMES = {name: frame for name, made in states.STATES.items() if (frame := made()) is not None}


def page(name: str, words: str, size: tuple[int, int]) -> str:
    view = states.view(states.STATES[name]())
    return "\n".join(line.text for line in ramp_page(view, Look(words=words), *size))


def test_it_narrows_rows_and_triggers_and_says_how_many_are_hidden() -> None:
    shown = page("ok", "gross", (160, 45))
    every = page("ok", "", (160, 45))
    exposure = next(line for line in shown.splitlines() if "EXPOSURE" in line)
    assert "/gross: " in exposure
    assert " hidden" in exposure
    assert "largest order" in every
    assert "largest order" not in shown
    assert "gross if all fill" in shown
    triggers = next(line for line in shown.splitlines() if "TRIGGERS" in line)
    assert "/gross: " in triggers


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_breach_is_shown_whatever_the_words(size: tuple[int, int]) -> None:
    shown = page("breach", "no row has this", size)
    assert "26,410" in shown.split("\n", 3)[3], "the row itself, below the headline"


@given(words=st.text(max_size=12), name=st.sampled_from(sorted(FRAMES)))
@settings(max_examples=60, deadline=None)
def test_no_words_hide_what_is_not_ok(words: str, name: str) -> None:
    found = FRAMES[name].evaluation
    kept, triggers = narrowed(found.rows, words), narrowed_triggers(found.triggers, words)
    assert [row for row in found.rows if row.state not in QUIET and row not in kept] == []
    assert [one for one in found.triggers if one.state is not TriggerState.ARMED and one not in triggers] == []
    assert narrowed(found.rows, "") == list(found.rows)


def test_a_breach_for_which_there_is_no_room_is_counted() -> None:
    rows = [row for row in FRAMES["breach"].evaluation.rows if row.state is RowState.BREACH]
    assert len(rows) >= 2
    assert rows_left_out("x", rows, rows[:1], 9) == f"/x: {9 + len(rows) - 1} hidden, {len(rows) - 1} of them in breach"
    assert left_out("x", 9, 4, 0, 2) == "/x: 5 hidden, 2 of them not ok"
    assert left_out("", 9, 4, 3, 3) == ""


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_panel_says_so_and_none_leaves_its_place(size: tuple[int, int]) -> None:
    for name in FRAMES:
        shown = page(name, "zzz", size)
        assert "names no signal" not in shown or "names no signal" in page(name, "", size)
        if "TCA" in page(name, "", size):
            assert "TCA" in shown, name


async def test_typed_taken_and_cleared(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(160, 45)) as pilot:
        await until(pilot, lambda: "/ filter" in made.text)
        await pilot.press("slash")
        await field_of(pilot, made.app)
        await write(pilot, "gross fill")
        await pilot.press("enter")
        await until(pilot, lambda: "/gross fill: " in made.text)
        await pilot.press("down")
        await until(pilot, lambda: "zooms into gross if all fill" in made.text)
        await pilot.press("slash")
        field = await field_of(pilot, made.app)
        assert field.typed == "gross fill", "the words stand there to be changed"
        await pilot.press("escape")
        await until(pilot, lambda: made.app.ramp.field is None)
        assert made.app.ramp.look.words == "gross fill"
        await pilot.press("escape")
        await until(pilot, lambda: "/gross fill: " not in made.text)


async def test_letters_that_are_keys_are_words_while_typing(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("slash")
        await field_of(pilot, made.app)
        await write(pilot, "prlq")
        assert made.app.screen is made.app.ramp
        assert made.hands.asked == []
        made.feed.give(replace(states.breach()))
        await until(pilot, lambda: "BREACH" in made.text.splitlines()[1])
        assert "> prlq" in made.text, "a new frame leaves the field where it is"
