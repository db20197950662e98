"""Skins: the palette's themes as Textual knows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from textual.app import App
from textual.theme import Theme

from widgets.palette import THEMES

PALETTE: Final = """
CommandPalette SearchIcon { display: none }
CommandPalette #--input { border: none }
CommandPalette CommandList, CommandPalette CommandList:focus { border: none }
"""
"""Textual's palette without its emoji and its frame of blocks: neither is in every terminal's fonts and encoding."""


def skins() -> Iterator[Theme]:
    """Every theme, under the name that configuration and palette use."""
    for name, hues in THEMES.items():
        yield Theme(
            name=name,
            primary=hues.blue,
            secondary=hues.violet,
            warning=hues.amber,
            error=hues.red,
            accent=hues.blue,
            foreground=hues.foreground,
            background=hues.background,
            dark=hues.dark,
        )


def dress(app: App[None], theme: str) -> None:
    """Makes every theme known to ``app`` and puts this one on."""
    for skin in skins():
        app.register_theme(skin)
    app.theme = theme
