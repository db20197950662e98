"""The page that reduces risk, on fakes: a phrase of few keys, typed or pasted, with nothing known as well."""

from __future__ import annotations

from textual import events

from console.desk import Told
from stages.value import replace
from tests.screens import states
from tests.screens.pressing import field_of, until, write


async def test_twelve_keys_roll_back(console) -> None:
    made = console(states.breach())
    frame = replace(states.breach(), running=None)
    made.feed.shown = frame
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        await field_of(pilot, made.app)
        await write(pilot, "rollback l1")
        await pilot.press("enter")
        await until(pilot, lambda: made.hands.asked)
        assert made.hands.asked == [("rollback", "L1", "rollback l1")]
        await until(pilot, lambda: "ROLLBACK L1: started" in made.text)
        made.feed.give(replace(frame, running=states.reducing()))
        await until(pilot, lambda: "TIME TO SAFE" in made.text)


async def test_fourteen_keys_kill_and_a_digit_gives_the_reason(console) -> None:
    made = console(replace(states.breach(), running=None))
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("exclamation_mark")
        await field_of(pilot, made.app)
        await until(pilot, lambda: "► KILL torghut" in made.text)
        await write(pilot, "5")
        await pilot.press("enter")
        assert made.hands.asked == []
        await pilot.press("backspace")
        await write(pilot, "kill torghut")
        await pilot.press("enter")
        await until(pilot, lambda: "handed over in 4 ms" in made.text)
        assert made.hands.asked == [("kill", "kill torghut")]
        await write(pilot, "5")
        await pilot.press("enter")
        await until(pilot, lambda: ("reason", "incident") in made.hands.asked)


async def test_reductions_take_paste_by_both_routes(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("r")
        field = await field_of(pilot, made.app)
        field.post_message(events.Paste("FREEZE\n"))
        await until(pilot, lambda: field.typed == "FREEZE")
        await pilot.press("ctrl+u")
        made.app.copy_to_clipboard("ROLLBACK L0")
        await pilot.press("ctrl+v", "enter")
        await until(pilot, lambda: made.hands.asked)
        assert made.hands.asked == [("rollback", "L0", "ROLLBACK L0")]


async def test_keys_that_come_faster_than_they_are_drawn_count_in_the_order_typed(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("r")
        field = await field_of(pilot, made.app)
        made.app.copy_to_clipboard("k l0")
        strokes = [(letter, letter) for letter in "wrong"]
        strokes += [
            ("ctrl+u", "\x15"),
            *((letter, letter) for letter in "rollbac"),
            ("ctrl+v", "\x16"),
            ("enter", "\r"),
        ]
        for key, character in strokes:
            made.app.post_message(events.Key(key, character))
        await until(pilot, lambda: made.hands.asked or field.said)
        assert made.hands.asked == [("rollback", "L0", "rollback l0")], field.said


async def test_the_page_opens_with_nothing_known_and_still_acts(console) -> None:
    made = console()
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        await field_of(pilot, made.app)
        await write(pilot, "rollback l0")
        await pilot.press("enter")
        await until(pilot, lambda: made.hands.asked)
        assert made.hands.asked == [("rollback", "L0", "rollback l0")]


async def test_an_empty_line_and_a_wrong_stage_do_nothing(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        await field_of(pilot, made.app)
        await pilot.press("enter")
        await write(pilot, "rollback l7")
        await pilot.press("enter")
        await until(pilot, lambda: "word 2 is 'l7', not 'L0'" in made.text)
        assert made.hands.asked == []


async def test_keys_before_the_field_has_the_focus_are_said(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        field = await field_of(pilot, made.app)
        made.app.screen.set_focus(None)
        await pilot.press("x")
        await until(pilot, lambda: "1 key came too early" in field.said)
        assert field.typed == ""


async def test_the_commands_by_hand_are_on_the_page(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("r")
        await until(pilot, lambda: "git clone ... # to L0" in made.text)


async def test_what_is_under_way_is_named_once(console, monkeypatch) -> None:
    made = console(replace(states.breach(), running=None))
    note = "ROLLBACK L1: process 7 is at it; it goes on when this terminal closes"
    monkeypatch.setattr(made.hands, "rollback", lambda _stage, _phrase: Told(True, note))
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("r")
        await field_of(pilot, made.app)
        await write(pilot, "rollback l1")
        await pilot.press("enter")
        await until(pilot, lambda: "ROLLBACK L1: process 7 is at it" in made.text)
        assert "ROLLBACK L1: ROLLBACK" not in made.text
