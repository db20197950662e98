"""The mouse: whatever has a key can be clicked, and a click does what the key does."""

from __future__ import annotations

import pytest

from console.actions import Action, On
from console.footer import footer, footer_places
from console.screens.ledger import LedgerScreen
from console.screens.ramp import RampScreen
from tests.screens import ledgers, states
from tests.screens.pressing import field_of, until, write
from widgets.header import CrumbLink
from widgets.line import Line
from widgets.stage_rail import StageLink


def find(made, wanted) -> tuple[int, int]:
    """A cell on which a click means what is wanted."""
    for y, line in enumerate(made.app.screen.sheet.lines):
        for start, _, target in line.links:
            if wanted(target):
                return start, y
    raise AssertionError(f"nothing to click\n{made.text}")


async def click(pilot, made, wanted) -> None:
    await pilot.click(offset=find(made, wanted))
    await pilot.pause()


def test_links_move_with_the_text_they_lie_on() -> None:
    inner = Line().put("ab").link("x", 1)
    line = Line().put("| ").extend(inner).extend(inner)
    assert [line.at(cell) for cell in range(7)] == [None, None, None, "x", None, "x", None]
    assert Line().put("a").link("first").link("second").at(0) == "second"


@pytest.mark.parametrize("width", [60, 80, 98, 158, 200])
def test_every_part_of_the_footer_is_its_own_action(width: int) -> None:
    for on in On:
        text, places = footer_places(on, states.breach(), width)
        assert text == footer(on, states.breach(), width)
        ends = 0
        for start, end, action in places:
            assert start >= ends
            assert text[start:].startswith(action.label)
            ends = end
        assert ends == len(text)


@pytest.mark.parametrize(("action", "shows"), [("ledger", "LEDGER"), ("reduce", "REDUCE RISK"), ("help", "HERE:")])
async def test_a_click_on_the_footer_is_its_key(console, action: str, shows: str) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(160, 45)) as pilot:
        await until(pilot, lambda: "s sort" in made.text)
        await click(pilot, made, lambda target: isinstance(target, Action) and target.id == action)
        await until(pilot, lambda: shows in made.text)
        assert made.hands.asked == []


async def test_rows_are_chosen_then_opened_and_stages_looked_at(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(160, 45)) as pilot:
        await until(pilot, lambda: "s sort" in made.text)
        await click(pilot, made, lambda target: target == StageLink(2))
        await until(pilot, lambda: "WHAT IF L2" in made.text)
        await pilot.press("escape")
        await until(pilot, lambda: "WHAT IF" not in made.text)
        key = states.ok().evaluation.rows[1].key
        await click(pilot, made, lambda target: target == key)
        await until(pilot, lambda: made.app.ramp.look.cursor == key)
        await click(pilot, made, lambda target: target == key)
        await until(pilot, lambda: f"ZOOM {key.name}" in made.text)


async def test_the_way_is_climbed_by_a_click_and_gives_nothing_up_at_once(console) -> None:
    made = console(states.ok())
    made.books.entries = ledgers.story()
    async with made.app.run_test(size=(160, 45)) as pilot:
        await pilot.press("l")
        await until(pilot, lambda: isinstance(made.app.screen, LedgerScreen) and made.app.screen.reading.loaded)
        await pilot.press("slash")
        await field_of(pilot, made.app)
        await write(pilot, "bob")
        await click(pilot, made, lambda target: target == CrumbLink(1))
        await until(pilot, lambda: "what is typed here is lost then" in made.text)
        await click(pilot, made, lambda target: target == CrumbLink(1))
        await until(pilot, lambda: isinstance(made.app.screen, RampScreen))


async def test_entries_and_pages_take_a_click(console) -> None:
    made = console(states.ok())
    made.books.entries = ledgers.story()
    made.hands.rehearsal = states.BLOCKED_REHEARSAL
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("l")
        await until(pilot, lambda: isinstance(made.app.screen, LedgerScreen) and made.app.screen.reading.loaded)
        await click(pilot, made, lambda target: getattr(target, "seq", None) == 10)
        await until(pilot, lambda: made.app.screen.reading.shelf.cursor == 10)
        await click(pilot, made, lambda target: getattr(target, "seq", None) == 10)
        await until(pilot, lambda: made.app.screen.reading.opened)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(made.app.screen, RampScreen))
        await pilot.press("p")
        await until(pilot, lambda: "WHAT CHANGES" in made.text)
        await click(pilot, made, lambda target: getattr(target, "page", None) == 3)
        await until(pilot, lambda: "› GATES" in made.text)
