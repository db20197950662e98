"""Faults in the palette: one entry each where the console was handed some, none anywhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.screens import states
from tests.screens.conftest import Console, Mishaps


async def until(pilot, true: Callable[[], object]) -> None:
    """Waits on a condition, with a deadline."""
    async with asyncio.timeout(60):
        while not true():
            await pilot.pause(0.02)


def offered(made: Console) -> list[str]:
    titles = [command.title for command in made.app.get_system_commands(made.app.screen)]
    return [title for title in titles if title.startswith("inject")]


async def test_each_fault_has_an_entry_and_calm_is_the_last(console) -> None:
    made = console(states.ok(), faults=Mishaps())
    async with made.app.run_test(size=(100, 30)):
        assert offered(made) == ["inject stale-data", "inject calm"]


async def test_a_fault_is_injected_from_the_palette_and_told(console) -> None:
    faults = Mishaps()
    made = console(states.ok(), faults=faults)
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("ctrl+p", *"inject", "space", *"stale")
        await until(pilot, lambda: "stale-data" in made.text)
        await pilot.press("enter")
        await until(pilot, lambda: faults.injected == ["stale-data"])
        await until(pilot, lambda: "trade signals stand still" in made.text)


async def test_a_fault_that_did_not_strike_says_why(console) -> None:
    faults = Mishaps()
    faults.trouble = "connection refused"
    made = console(states.ok(), faults=faults)
    async with made.app.run_test(size=(100, 30)) as pilot:
        next(one for one in made.app.get_system_commands(made.app.screen) if one.title == "inject calm").callback()
        await until(pilot, lambda: "inject calm failed: connection refused" in made.text)


async def test_without_faults_or_to_look_only_there_is_nothing_to_inject(console) -> None:
    for made in (console(states.ok()), console(states.ok(), faults=Mishaps(), read_only=True)):
        async with made.app.run_test(size=(100, 30)):
            assert offered(made) == []
