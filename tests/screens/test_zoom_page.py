"""Zoom: one signal over time at every size, in every state, and the keys that turn it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.desk import Frame
from console.screens.zoom.page import WINDOWS, Sight, copied, zoom_page
from stages.closeup import Closeup
from stages.plot import Point
from stages.signals import LIVE_BOOK, SignalKey
from stages.value import replace
from stages.verdict import RowState
from tests.screens import closeups, ladder, states
from tests.screens.pressing import until
from widgets.glyphs import ascii_twin

SIZES = ((160, 45), (100, 30), (80, 24), (60, 20))
GROSS = SignalKey(LIVE_BOOK, "gross")
START = states.NOW - WINDOWS[1]


def measured(name: str = "gross", state: str = "ok") -> Sight:
    key = SignalKey(LIVE_BOOK, name)
    row = closeups.rows_of(states.STATES[state]())[key]
    return Sight(key, closeup=closeups.closeup(key, START, states.NOW, row))


SIGHTS = {
    "ok": ("ok", measured()),
    "breach": ("breach", measured(state="breach")),
    "loss": ("ok", measured("pnl")),
    "minimum": ("ok", measured("filled")),
    "loading": ("ok", Sight(GROSS)),
    "error": ("ok", Sight(GROSS, trouble="readings: ledger.db cannot be opened")),
    "empty": ("ok", Sight(GROSS, closeup=Closeup(GROSS, START, states.NOW, ()))),
    "blind": ("blind", measured()),
    "waiting": ("waiting", Sight(GROSS)),
    "read_only": ("read_only", measured()),
}


def text(name: str, size: tuple[int, int], **more) -> str:
    state, sight = SIGHTS[name]
    return "\n".join(line.text for line in zoom_page(states.view(states.STATES[state](), **more), sight, *size))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SIGHTS)
def test_zoom_reads_as_recorded(name, size, page_snapshot) -> None:
    shown = text(name, size)
    assert len(shown.splitlines()) == size[1]
    assert max(len(line) for line in shown.splitlines()) <= size[0]
    assert "esc back" in shown
    assert "\n".join(line.rstrip() for line in shown.splitlines()) == page_snapshot


@pytest.mark.parametrize("size", SIZES)
def test_the_chart_has_its_limit_its_letters_and_its_hole(size) -> None:
    shown = text("ok", size)
    assert "┄ limit L1 ┄" in shown
    assert " warn ·" in shown
    chart = shown[shown.index("─ last") : shown.index("WHERE")]
    assert "?" in chart, "the hole is a hole"
    assert "? torghut" in chart or size[0] < 100, "and says why"
    assert "near miss" in shown or size == (60, 20)
    assert "believed" in shown


def test_the_origin_of_a_number_is_on_its_page() -> None:
    shown = text("ok", (100, 30))
    assert "torghut" in shown
    assert "GET /trading/status x" in shown
    assert "520 of 600 believed; not: 80 torghut gives no answer" in text("ok", (160, 45))
    assert "stale after" in shown


def test_nothing_known_is_nowhere_a_number() -> None:
    assert "reading what was kept" in text("loading", (80, 24))
    assert "ledger.db cannot be opened" in text("error", (80, 24))
    assert "no reading of this time is kept" in text("empty", (80, 24))
    later = text("ok", (80, 24), wall=states.NOW + timedelta(seconds=40))
    assert "CUT OFF 40s" in later
    assert "was 3,912" in later
    blind = text("blind", (100, 30))
    assert "was 3,912" in blind
    assert "BLIND" in blind


def test_a_breach_elsewhere_stands_at_the_right_of_row_two() -> None:
    shown = "\n".join(
        line.text for line in zoom_page(states.view(states.breach()), measured("net"), 160, 45)
    ).splitlines()
    assert shown[1].rstrip().endswith("■ BREACH 106 % gross")


def test_ascii_marks_carry_the_same_chart() -> None:
    shown = ascii_twin(text("ok", (80, 24)))
    assert shown.isascii()
    assert "- limit L1 -" in shown


async def test_enter_zooms_into_the_worst_and_the_keys_turn_it(console) -> None:
    made = console(states.breach())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: "believed" in made.text)
        assert "gross" in made.text.splitlines()[1]
        await pilot.press("minus")
        await until(pilot, lambda: "last 4 h" in made.text)
        await pilot.press("left")
        await until(pilot, lambda: "4 h to " in made.text)
        made.now += timedelta(minutes=5)  # somebody reads; the way to the newest moment is no longer for that
        made.feed.give(states.breach())
        await until(pilot, lambda: made.app.view.wall == made.now)
        await pilot.press("right")
        await until(pilot, lambda: "last 4 h" in made.text)
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "gross if all fill" in made.text.splitlines()[1])
        await pilot.press("y")
        await until(pilot, lambda: made.app.clipboard.startswith("# torghut live/grossFilled"))
        await pilot.press("escape")
        await until(pilot, lambda: "EXPOSURE" in made.text)
        assert made.hands.asked == []


async def test_the_cursor_chooses_what_enter_zooms_into(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("down", "down", "down", "up")
        await until(pilot, lambda: "enter zooms into gross" in made.text)
        await pilot.press("enter")
        await until(pilot, lambda: "gross" in made.text.splitlines()[1])


async def test_a_store_that_is_away_is_said_and_the_last_chart_stays(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: "believed" in made.text)
        made.books.away = "is locked"
        made.now += timedelta(seconds=4)
        later = replace(states.evaluation().snapshot, wall=made.now, market=made.now)
        made.feed.give(states.frame(evaluation=states.evaluation(snapshot=later)))
        made.now += timedelta(seconds=2)
        await until(pilot, lambda: "NOT READ AGAIN" in made.text)
        assert "believed" in made.text


def test_what_is_copied_has_times_and_holes() -> None:
    points = (Point(states.NOW, 1.5), Point(states.NOW, None, "stale"))
    text = copied(states.view(states.ok()), Sight(GROSS, closeup=Closeup(GROSS, START, states.NOW, points)))
    assert text.splitlines()[2:] == ["2026-11-24T19:31:08+00:00\t1.5\t", "2026-11-24T19:31:08+00:00\t\tstale"]


def test_the_limit_of_each_stage_stands_there_and_those_on_the_scale_are_drawn(monkeypatch) -> None:
    for size in SIZES[:3]:
        assert "L0 5,000 ►L1 5,000 L2 25,000 L3 100,000" in text("ok", size)
    monkeypatch.setitem(ladder.LIMITS, "L2", (2500, 5800, 2700, "0.25", 600, "NVDA,AMD,MU"))
    shown = replace(states.ok(), policy=ladder.policy())
    drawn = "\n".join(line.text for line in zoom_page(states.view(shown), measured("gross"), 160, 45))
    assert "· limit L2 ·" in drawn


def derived(name: str, title: str, **more: object) -> Frame:
    """The quiet frame, with one row that the console works out."""
    row = replace(states.rows()[0], key=SignalKey("live", f"derived/{name}"), title=title, **more)  # type: ignore[arg-type]
    return replace(states.ok(), evaluation=replace(states.ok().evaluation, derived=(row,)))


@pytest.mark.parametrize("size", SIZES[:3])
def test_a_row_that_the_console_works_out_says_what_it_is_made_of(size) -> None:
    frame = derived("runs/books", "runs in this burn-in")
    sight = replace(measured("books"), key=SignalKey("live", "derived/runs/books"))
    shown = "\n".join(line.text for line in zoom_page(states.view(frame), sight, *size))
    assert "broker vs ledger; the chart shows it" in shown
    assert "believed" in shown
    alone = derived("flat", "flat by close")
    sight = Sight(SignalKey("live", "derived/flat"))
    shown = "\n".join(line.text for line in zoom_page(states.view(alone), sight, *size))
    assert "worked out by the console at each tick" in shown
    assert "ledger and venue" in shown


async def test_a_row_that_the_console_works_out_is_read_by_what_it_is_made_of(console) -> None:
    made = console(derived("runs/books", "runs in this burn-in", state=RowState.WARN))
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: "runs in this burn-in" in made.text.splitlines()[1])
        await until(pilot, lambda: "believed" in made.text)
