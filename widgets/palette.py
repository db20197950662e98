"""Tones as terminal styles, in every theme.

The hues were chosen for a contrast of at least 4.5 on their background (7 in the high-contrast theme) and to stay apart
for colour-blind eyes; there is no green, and red belongs to BREACH alone. Colour only repeats what mark and word say.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rich.style import Style

from stages.value import Struct
from widgets.line import Tone


class Hues(Struct, frozen=True):
    """The few colours of a theme, each as ``#rrggbb``."""

    background: str
    foreground: str
    amber: str
    red: str
    violet: str
    blue: str
    grey: str
    dark: bool = True


THEMES: Final[Mapping[str, Hues]] = MappingProxyType(
    {
        "dark": Hues("#121212", "#e0e0e0", "#ffb454", "#ff7b72", "#a371f7", "#a5d6ff", "#8b929c"),
        "light": Hues("#f7f7f7", "#1f1f1f", "#996600", "#8c0a1e", "#3d1a78", "#0550d0", "#5a616b", dark=False),
        "high-contrast": Hues("#000000", "#ffffff", "#ffd75f", "#ff9085", "#c277f8", "#b4dcf9", "#c4c9d0"),
        "colour-blind": Hues("#101010", "#e6e6e6", "#f0e442", "#f05a28", "#a371f7", "#9fd8ff", "#8f969f"),
    }
)
"""The themes by name; the first is the default. ``colour-blind`` follows Okabe and Ito: yellow, orange, sky blue."""

DEFAULT: Final = "dark"


def hues_of(theme: str) -> Hues:
    """The hues of a theme; of one that is not known those of the default."""
    return THEMES.get(theme, THEMES[DEFAULT])


def styles(hues: Hues) -> Mapping[Tone, Style]:
    """The style of every tone."""
    return {
        Tone.PLAIN: Style.null(),
        Tone.DIM: Style(color=hues.grey),
        Tone.BOLD: Style(bold=True),
        Tone.WARN: Style(color=hues.amber, bold=True),
        Tone.BREACH: Style(color=hues.red, bold=True),
        Tone.BREACH_WORD: Style(color=hues.red, bold=True, reverse=True),
        Tone.UNKNOWN: Style(color=hues.violet),
        Tone.UNKNOWN_WORD: Style(color=hues.violet, bold=True, reverse=True),
        Tone.OVER: Style(color=hues.blue, bold=True),
        Tone.REVERSE: Style(reverse=True),
        Tone.ALARM: Style(reverse=True, bold=True),
        Tone.REMOVED: Style(color=hues.amber),
        Tone.REMOVED_PART: Style(color=hues.amber, bold=True, underline=True),
        Tone.ADDED: Style(color=hues.blue),
        Tone.ADDED_PART: Style(color=hues.blue, bold=True, underline=True),
        Tone.INPUT: Style(bold=True),
        Tone.ON_BODY: Style(color=hues.grey, reverse=True),
    }
