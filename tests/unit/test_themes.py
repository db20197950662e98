"""Every theme: readable by ratio, apart for colour-blind eyes, and no state told by colour alone."""

from __future__ import annotations

import itertools
import re

import pytest

from stages.verdict import RowState, TriggerState
from widgets.glyphs import ascii_twin
from widgets.line import Tone
from widgets.palette import THEMES, Hues, hues_of, styles
from widgets.status import HEADLINE_MARKS, QUIET, ROW_MARKS, ROW_TONES, ROW_WORDS, TRIGGER_MARKS, TRIGGER_TONES

LOUD = [state for state in RowState if state not in QUIET]
BLINDNESS = {
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
}
"""Machado, Oliveira and Fernandes 2009, full severity, on linear red, green and blue."""

Colour = tuple[float, float, float]


def linear(text: str) -> Colour:
    parts = [int(text[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def luminance(text: str) -> float:
    red, green, blue = linear(text)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def seen(text: str, blindness: str) -> Colour:
    """A colour in CIE Lab as such eyes see it."""
    source = linear(text)
    red, green, blue = (
        min(1.0, max(0.0, sum(factor * part for factor, part in zip(row, source, strict=True))))
        for row in BLINDNESS[blindness]
    )
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    fx, fy, fz = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def distance(one: str, other: str, blindness: str) -> float:
    pairs = zip(seen(one, blindness), seen(other, blindness), strict=True)
    return sum((a - b) ** 2 for a, b in pairs) ** 0.5


def drawn(hues: Hues, tone: Tone) -> tuple[str, str]:
    """Text and ground of a tone; reversed tones have them the other way round."""
    style = styles(hues)[tone]
    text = style.color.name if style.color is not None else hues.foreground
    return (hues.background, text) if style.reverse else (text, hues.background)


@pytest.mark.parametrize("tone", Tone)
@pytest.mark.parametrize("theme", THEMES)
def test_every_tone_can_be_read(theme, tone) -> None:
    least = 7.0 if theme == "high-contrast" else 4.5
    assert contrast(*drawn(THEMES[theme], tone)) >= least


@pytest.mark.parametrize("blindness", BLINDNESS)
@pytest.mark.parametrize("theme", THEMES)
def test_states_stay_apart_for_colour_blind_eyes(theme, blindness) -> None:
    hues = THEMES[theme]
    least = 25 if theme == "colour-blind" else 15
    near = {
        (one, other): round(distance(getattr(hues, one), getattr(hues, other), blindness))
        for one, other in itertools.combinations(("amber", "red", "violet", "blue"), 2)
        if distance(getattr(hues, one), getattr(hues, other), blindness) < least
    }
    assert near == {}


@pytest.mark.parametrize("state", LOUD)
@pytest.mark.parametrize("theme", THEMES)
def test_every_state_has_a_word_a_shape_and_a_colour(theme, state) -> None:
    assert ROW_WORDS[state].strip(), "the word carries the meaning"
    assert ROW_MARKS[state].strip(), "the shape repeats it"
    assert ascii_twin(ROW_MARKS[state]).strip("_"), "without Unicode too"
    known = styles(THEMES[theme])
    assert known[ROW_TONES[state]] != known[Tone.PLAIN], "and so does the colour"


def test_no_two_states_share_word_and_shape() -> None:
    assert len({(ROW_MARKS[state], ROW_WORDS[state]) for state in LOUD}) == len(LOUD)
    alarming = {ROW_MARKS[RowState.BREACH], ROW_MARKS[RowState.WARN], ROW_MARKS[RowState.BLIND], ROW_MARKS[RowState.OK]}
    assert len({ascii_twin(mark) for mark in alarming}) == len(alarming)
    assert set(TRIGGER_MARKS) == set(TriggerState)
    assert TRIGGER_TONES[TriggerState.FIRED] is Tone.BREACH
    assert HEADLINE_MARKS["breach"] == ROW_MARKS[RowState.BREACH]


def test_colours_are_exact_and_no_theme_has_a_green() -> None:
    for theme, hues in THEMES.items():
        for name in ("background", "foreground", "amber", "red", "violet", "blue", "grey"):
            assert re.fullmatch("#[0-9a-f]{6}", getattr(hues, name)), (theme, name)
        for name in ("amber", "red", "violet", "blue"):
            red, green, blue = linear(getattr(hues, name))
            assert not (green > red and green > blue), f"{theme}: {name} is a green"
    assert hues_of("of another program") == THEMES["dark"]
