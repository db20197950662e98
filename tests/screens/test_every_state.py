"""Every screen in every state at three sizes: its state's word, the number that matters, and a whole footer."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.screens import states
from tests.screens.conftest import Console
from tests.screens.matrix import SCREENS, STATE_NAMES, Case
from tests.screens.pressing import until
from widgets.token_input import TokenInput

SIZES = ((160, 45), (100, 30), (80, 24))
CASES = [
    (screen, state, case) for screen, row in SCREENS.items() for state, case in row.items() if isinstance(case, Case)
]


def test_the_table_is_whole_and_says_why_where_it_shows_nothing() -> None:
    assert {screen: tuple(row) for screen, row in SCREENS.items()} == dict.fromkeys(SCREENS, STATE_NAMES)
    reasons = [case for row in SCREENS.values() for case in row.values() if isinstance(case, str)]
    assert all(len(reason.split()) > 6 for reason in reasons)


@pytest.mark.parametrize(("screen", "state", "case"), CASES, ids=[f"{screen}-{state}" for screen, state, _ in CASES])
async def test_every_screen_in_every_state(screen: str, state: str, case: Case, tmp_path: Path, page_snapshot) -> None:
    pages = await drawn(case, tmp_path)
    for (width, height), page in pages.items():
        rows = page.split("\n")
        assert len(rows) == height
        assert max(map(len, rows)) <= width
        missing = [words for words in case.says if words not in page]
        assert not missing, f"{screen} {state} at {width}x{height} lacks {missing}:\n{page}"
        assert "[PRODUCTION]" in rows[0]
        assert ("esc" in rows[-1]) or (screen == "ramp" and "r reduce risk" in rows[-1]), rows[-1]
        assert "…" not in rows[-1]
        cut = [words for words in rows[1].split("   ") if "…" in words]
        assert not cut, f"row 2 is cut: {cut}"
    assert "\n".join(f"== {width}x{height}\n{page}" for (width, height), page in pages.items()) == page_snapshot


def _shows(made: Console, height: int, says: tuple[str, ...]) -> bool:
    return made.text.count("\n") == height - 1 and all(words in made.text for words in says)


async def drawn(case: Case, folder: Path) -> dict[tuple[int, int], str]:
    """The pages of a case by size, from one console that is resized; no field of its page reaches into the footer."""
    made = Console(case.frame(), folder / "state")
    case.prepare(made)
    pages: dict[tuple[int, int], str] = {}
    async with made.app.run_test(size=SIZES[0]) as pilot:
        await pilot.press(*case.keys)
        if case.later:
            await pilot.pause()
            case.after(made)
            made.now += case.later
            made.feed.give(made.feed.shown)
        for width, height in SIZES:
            if made.app.size != (width, height):
                await pilot.resize_terminal(width, height)
            # What is missing in the end is said by the assertions, with the page.
            with suppress(TimeoutError):
                await until(pilot, partial(_shows, made, height, case.says))
            fields = [field for field in made.app.screen.query(TokenInput) if field.display]
            assert all(field.region.bottom < height for field in fields)
            pages[width, height] = made.text
    return pages


async def test_keys_that_need_what_is_not_read_yet_say_so(tmp_path: Path) -> None:
    made = Console(None, tmp_path / "state")
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("p")
        await until(pilot, lambda: "a plan needs the policy" in made.text)
        await pilot.press("enter")
        await until(pilot, lambda: "there is no signal to zoom into" in made.text)
        assert made.hands.asked == []


async def test_a_read_only_console_declares_nothing_and_plans_nothing(tmp_path: Path) -> None:
    made = Console(states.read_only(), tmp_path / "state")
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("p")
        await until(pilot, lambda: "READ-ONLY: nothing can be planned from here" in made.text)
        await pilot.press("i")
        await until(pilot, lambda: "nothing can be declared from here" in made.text)
        await pilot.press(*"sev2", "space", *"lies", "enter")
        await pilot.pause()
        assert made.hands.asked == []


async def test_a_plan_in_the_making_says_what_it_does_and_is_left_by_escape(tmp_path: Path) -> None:
    made = Console(states.ok(), tmp_path / "state")
    made.hands.hold.clear()
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "p")
        await until(pilot, lambda: "step 2 of 3" in made.text)
        assert "makes the plan to L2" in made.text
        assert "· fetches the newest head" in made.text
        assert "► reads the manifests" in made.text
        await pilot.press("escape")
        await until(pilot, lambda: "EXPOSURE" in made.text)
        made.hands.hold.set()
