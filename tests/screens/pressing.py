"""What a hand does at the console: it waits for what it wants to see, finds the field, and types."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.screens import states
from widgets.token_input import TokenInput


async def until(pilot, true: Callable[[], object]) -> None:
    """Waits on a condition, with a deadline."""
    async with asyncio.timeout(60):
        while not true():
            await pilot.pause(0.02)


async def field_of(pilot, app) -> TokenInput:
    """The phrase's field, once it takes keys."""
    await until(pilot, lambda: [field for field in app.screen.query(TokenInput) if field.ready and field.has_focus])
    return app.screen.query_one(TokenInput)


async def write(pilot, text: str) -> None:
    names = {" ": "space", ",": "comma"}
    await pilot.press(*(names.get(character, character) for character in text))


def is_ready(made) -> None:
    made.hands.rehearsal, made.hands.standing = states.READY_REHEARSAL, states.READY
