"""The app on fakes: keys, alarms, leaving, crashes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.screens import states


async def until(pilot, true: Callable[[], bool]) -> None:
    """Waits on a condition, with a deadline."""
    async with asyncio.timeout(10):
        while not true():
            await pilot.pause(0.02)


async def test_home_paints_before_there_is_anything_to_show(console) -> None:
    made = console()
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        assert "WAIT" in made.text
        assert "Starts the world of the demo." in made.text
        assert "not read yet" in made.text
        made.feed.give(states.ok())
        await until(pilot, lambda: "HOLD" in made.text)


async def test_looking_at_any_stage_leaves_rows_one_and_two_alone(console) -> None:
    for size in ((160, 45), (100, 30), (80, 24)):
        made = console(states.ok())
        async with made.app.run_test(size=size) as pilot:
            await pilot.pause()
            before = made.text.splitlines()[:2]
            for key in "0123":
                await pilot.press(key)
                await pilot.pause()
                assert made.text.splitlines()[:2] == before
            assert "WHAT IF L3" in made.text
            await pilot.press("escape")
            await pilot.pause()
            assert "WHAT IF" not in made.text
