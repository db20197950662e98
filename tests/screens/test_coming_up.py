"""The console before it has hands: what it says, and what becomes of keys that come too early."""

from __future__ import annotations

import pytest

from console.app import RampdeckApp
from console.screens.ramp import RampScreen
from console.screens.rollback import ReduceScreen
from console.seat import Seat
from tests.screens import states
from tests.screens.conftest import Recorder, Shelves, Stage
from tests.screens.pressing import until


class Coming:
    """An app that nobody has furnished yet."""

    def __init__(self) -> None:
        self.feed = Stage(None)
        self.hands, self.books = Recorder(), Shelves()
        self.started: list[RampdeckApp] = []
        self.hastened: list[object] = []
        self.app = RampdeckApp(
            self.feed,
            None,
            None,
            lambda: states.NOW,
            Seat("rampdeck", "…", "…"),
            painted=self.started.append,
            hasten=lambda: self.hastened.append(self.app.screen),
        )

    @property
    def text(self) -> str:
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)


@pytest.fixture
def coming() -> Coming:
    return Coming()


@pytest.mark.parametrize("size", [(160, 45), (100, 30), (80, 24), (60, 20)])
async def test_the_first_paint_says_what_is_waited_for_and_then_where_it_is(coming: Coming, size) -> None:
    async with coming.app.run_test(size=size) as pilot:
        await until(pilot, lambda: coming.started == [coming.app])
        assert "WAIT" in coming.text
        assert "EXPOSURE" in coming.text
        assert "[…]" in coming.text
        coming.app.be_seated(Seat("torghut", "PRODUCTION", "alice", theme="light"))
        await until(pilot, lambda: "torghut [PROD" in coming.text)
        assert coming.app.theme == "light"


async def test_a_page_that_is_asked_for_too_early_opens_as_soon_as_it_can(coming: Coming) -> None:
    async with coming.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("l", "r")
        await until(pilot, lambda: "reduce opens as soon as" in coming.text)
        assert isinstance(coming.app.screen, RampScreen)
        assert len(coming.hastened) == 2, "each wish asks for hands at once"
        coming.app.furnish(coming.hands, coming.books)
        await until(pilot, lambda: isinstance(coming.app.screen, ReduceScreen))
        assert coming.hands.asked == []


async def test_escape_forgets_the_page(coming: Coming) -> None:
    async with coming.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("r")
        await until(pilot, lambda: "reduce opens as soon as" in coming.text)
        await pilot.press("escape")
        await until(pilot, lambda: "reduce opens as soon as" not in coming.text)
        coming.app.furnish(coming.hands, coming.books)
        await pilot.pause()
        assert isinstance(coming.app.screen, RampScreen)


async def test_nothing_is_taken_over_while_there_are_no_hands(coming: Coming) -> None:
    async with coming.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("T")
        await until(pilot, lambda: "nothing to act with yet" in coming.text)
        coming.app.furnish(coming.hands, coming.books)
        await pilot.pause()
        assert coming.hands.asked == []


async def test_it_can_be_left_at_once(coming: Coming) -> None:
    async with coming.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("q")
        await until(pilot, lambda: not coming.app.is_running)
    assert coming.app.return_code == 0
