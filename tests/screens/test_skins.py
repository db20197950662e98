"""Themes on the screen: by configuration, by palette, and with NO_COLOR."""

from __future__ import annotations

import pytest
from rich.color import Color
from textual.app import App

from console.app import RampdeckApp
from console.seat import Seat
from tests.screens import states
from tests.screens.pressing import until
from widgets.palette import THEMES


def colours(app: App[None]) -> set[str]:
    """Every colour on the screen."""
    found: set[str] = set()
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            if segment.text.strip() and segment.style is not None and isinstance(segment.style.color, Color):
                found.add(segment.style.color.get_truecolor().hex)
    return found


def dressed(console, tmp_path, theme: str):
    made = console(states.breach())
    seat = Seat("torghut", "PRODUCTION", "alice", False, "0", tmp_path, theme=theme)
    made.app = RampdeckApp(made.feed, made.hands, made.books, lambda: made.now, seat)
    return made


@pytest.mark.parametrize("theme", THEMES)
async def test_a_configured_theme_is_worn_and_the_words_stay(console, tmp_path, theme) -> None:
    made = dressed(console, tmp_path, theme)
    async with made.app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "BREACH" in made.text)
        assert THEMES[theme].red in colours(made.app)
        plain = made.text
        made.app.theme = "light"
        await until(pilot, lambda: THEMES["light"].red in colours(made.app))
        assert made.text == plain, "colour is all that a theme changes"


async def test_the_palette_offers_every_theme(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        offered = {command.title for command in made.app.get_system_commands(made.app.screen)}
        assert {f"theme {name}" for name in THEMES} <= offered


async def test_no_color_is_obeyed(console, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    made = dressed(console, tmp_path, "dark")
    async with made.app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "BREACH" in made.text)
        worn = {f"{value[1:3]}" for value in colours(made.app)}
        assert all(value[1:3] == value[3:5] == value[5:7] for value in colours(made.app)), worn
