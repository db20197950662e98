"""Tones as terminal styles, for dark and for light themes.

The hues were chosen for a contrast of at least 4.5 on their background and to stay apart for colour-blind eyes;
there is no green, and red belongs to BREACH alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.style import Style

from widgets.line import Tone


@dataclass(frozen=True, slots=True)
class Hues:
    """The few colours of a theme."""

    amber: str
    red: str
    violet: str
    blue: str
    grey: str


DARK = Hues(amber="#ffb454", red="#ff7b72", violet="#d2a8ff", blue="#79c0ff", grey="#8b929c")
LIGHT = Hues(amber="#7d4e00", red="#b3001b", violet="#6639ba", blue="#0550ae", grey="#5a616b")


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
    }
