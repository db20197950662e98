"""Random keys, clicks and sizes: nothing crashes, and nothing is changed that asks for a confirmation.

Two short walks by default; ``FUZZ_SECONDS=300`` walks for minutes, each time from another seed.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Iterator

import pytest
from textual.pilot import Pilot

from console.actions import ACTIONS, Action
from console.screens import Live
from tests.screens import states
from tests.screens.conftest import Console

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
STEPS = 110
SIZES = ((60, 20), (80, 24), (100, 30), (160, 45), (200, 60), (40, 10))
UNASKED = {"rehearse", "request", "acknowledge", "take over", "ask", "reason"}
"""What a person may ask for by a key alone; everything else wants its phrase typed."""

LEAVING = {"q", "ctrl+q", "ctrl+c"}
KEYS = sorted(
    {key for action in ACTIONS for key in action.keys.split(",")} - LEAVING
    | {"up", "down", "pageup", "pagedown", "home", "end", "tab", "enter", "escape", "space", "backspace", "ctrl+u"}
    | set("abcdefghijklmnoprstuvwxyz0123456789")
)


def seeds() -> Iterator[int]:
    yield from (1, 2)
    deadline, seed = time.monotonic() + SECONDS, 2
    while time.monotonic() < deadline:
        seed += 1
        yield seed


async def click(made: Console, pilot: Pilot[None], chance: random.Random) -> str:
    """Clicks on any cell but those that leave."""
    width, height = made.app.size
    x, y = chance.randrange(width), chance.randrange(height)
    lines = made.app.screen.sheet.lines if isinstance(made.app.screen, Live) else []
    target = lines[y].at(x) if y < len(lines) else None
    if not (isinstance(target, Action) and target.id == "quit"):
        await pilot.click(offset=(x, y))
    return f"click {x},{y}"


async def walk(made: Console, seed: int) -> list[str]:
    """Presses keys and changes the size at random; the keys, so that a failure can be walked again."""
    chance, pressed = random.Random(seed), []
    names = [name for name in states.STATES if name != "waiting"]
    async with made.app.run_test(size=SIZES[seed % len(SIZES)]) as pilot:
        for _ in range(STEPS):
            draw = chance.random()
            if draw < 0.08:
                size = chance.choice(SIZES)
                pressed.append(f"{size[0]}x{size[1]}")
                await pilot.resize_terminal(*size)
            elif draw < 0.12:
                pressed.append(chance.choice(names))
                made.feed.give(states.STATES[pressed[-1]]())
            elif draw < 0.18:
                pressed.append(await click(made, pilot, chance))
            elif draw < 0.25:
                pressed.append("escape")
                await pilot.press("escape")
            else:
                pressed.append(chance.choice(KEYS))
                await pilot.press(pressed[-1])
            assert made.app.return_code in (None, 0), pressed[-12:]
            assert made.text, pressed[-12:]
    return pressed


@pytest.mark.timeout(60 + 2 * SECONDS)
def test_random_keys_and_sizes_change_nothing_and_break_nothing(console) -> None:
    for seed in seeds():
        made = console(states.breach() if seed % 2 else states.ok())
        pressed = asyncio.run(walk(made, seed))
        assert len(pressed) == STEPS
        done = [one for one in made.hands.asked if one[0] not in UNASKED]
        assert done == [], f"seed {seed}: {' '.join(pressed)}"
        assert [one for one in made.hands.drills.asked if one[0] in ("start", "fire")] == []
