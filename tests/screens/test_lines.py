"""The grid that every panel is drawn on, and the small pieces drawn on it."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from stages.ladder import Unit
from widgets.bar import bar
from widgets.figures import age, clock, number, percent
from widgets.glyphs import ascii_twin
from widgets.line import Line, Tone, beside, changed_cells, fit, fit_sentences, title
from widgets.trend import span_minutes, trend

NUMBERS = st.decimals(allow_nan=True, allow_infinity=True)


def test_columns_do_not_move_and_what_is_cut_is_said() -> None:
    line = Line().put("a long name that runs").put("next", at=10).right("12", 20).fill(24)
    assert line.text == "a long n… next    12    "
    assert Line().put("short").put("next", at=10).text == "short     next"


def test_a_line_is_cut_between_wide_characters() -> None:
    assert cell_len(Line().put("漢字漢字").fill(5).text) == 5
    assert cell_len(fit("漢字漢字", 5)) <= 5


@example([("🏻", 1), ("0", 2)], 1)
@given(st.lists(st.tuples(st.text(max_size=20), st.integers(0, 60)), max_size=8), st.integers(1, 60))
def test_any_text_at_any_column_fills_exactly(pieces: list[tuple[str, int]], width: int) -> None:
    line = Line()
    for text, at in pieces:
        line.put(text, Tone.WARN, at=at)
    filled = line.fill(width).text
    assert cell_len(filled) == width
    assert filled.isprintable()


@given(st.text(max_size=80), st.integers(0, 60))
def test_fit_never_exceeds_its_width(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) <= width
    assert cell_len(fit_sentences(text, width)) <= width


@given(st.text(max_size=60))
def test_the_ascii_twin_is_ascii_and_as_wide(text: str) -> None:
    twin = ascii_twin(text)
    assert twin.isascii()
    assert len(twin) == cell_len(text) or not text.isprintable()


def test_sentences_are_dropped_whole() -> None:
    text = "Stepping down. Nothing is sold. New risk is blocked."
    assert fit_sentences(text, 40) == "Stepping down. Nothing is sold."
    assert fit_sentences(text, 10) == "Stepping…" or fit_sentences(text, 10).endswith("…")


def test_titles_join_the_rule_between_two_columns() -> None:
    left = [title("A", 10), Line(), Line(), title("B", 10)]
    right = [title("C", 9), Line(), title("D", 9), Line()]
    assert [line.text[10] for line in beside(left, right, 10, 20)] == list("┬│├┤")


def test_bars_are_thin_or_solid_and_end_at_the_limit() -> None:
    assert bar(Decimal("0.82"), 12, solid=False, tick=Decimal("0.95")) == "━━━━━━━━━╸·╎"
    assert bar(Decimal("0.98"), 12, solid=True, tick=None) == "███████████▌"
    assert bar(Decimal(1), 12, solid=True, tick=None) == "███████████►"
    assert bar(Decimal(0), 4, solid=False, tick=None) == "····"


@given(NUMBERS, NUMBERS, st.integers(1, 30), st.booleans())
def test_any_bar_has_its_length(used: Decimal, tick: Decimal, cells: int, solid: bool) -> None:
    assert len(bar(used, cells, solid=solid, tick=tick)) == cells


def test_trends_end_where_knowledge_ends() -> None:
    known = [0.5] * 30
    assert trend([*known[:15], *([None] * 15)], 10, 5) == "▅▅▅▅▅     "
    assert trend([1.5] * 30, 4, 5) == "███►"
    assert trend([0.1] * 15, 4, 5) == "  ▁▁"
    assert [span_minutes(points) for points in (0, 30, 31, 360, 9999)] == [5, 5, 15, 60, 60]


@given(st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=True), max_size=400), st.integers(1, 40))
def test_any_series_draws(series: list[float | None], cells: int) -> None:
    drawn = trend(series, cells)
    assert len(drawn) == cells
    if not any(value is not None and math.isfinite(value) for value in series):
        assert drawn.strip() == ""


@pytest.mark.parametrize(
    ("value", "unit", "more", "shown"),
    [
        ("3912.4", Unit.USD, {}, "3,912"),
        ("-21.4", Unit.USD, {"decimals": 2, "signed": True}, "-21.40"),
        ("12345.67", Unit.USD, {"decimals": 2, "signed": True}, "+12,346"),
        ("0.962", Unit.RATIO, {}, "96.2"),
        ("3.44", Unit.BASIS_POINTS, {}, "+3.4"),
        ("41", Unit.SECONDS, {}, "41s"),
        ("300", Unit.SECONDS, {}, "300s"),
        ("7200", Unit.SECONDS, {}, "2h"),
        ("12", Unit.MILLISECONDS, {}, "12ms"),
        ("5000", Unit.MILLISECONDS, {}, "5.0s"),
        ("-0.001", Unit.USD, {}, "0"),
        ("NaN", Unit.USD, {}, "?"),
        ("Infinity", Unit.SECONDS, {}, "?"),
    ],
)
def test_numbers_read_by_their_unit(value: str, unit: Unit, more: dict[str, Any], shown: str) -> None:
    assert number(Decimal(value), unit, **more) == shown


def test_below_the_limit_is_never_a_hundred_and_at_it_never_less() -> None:
    shares = ("0.824", "0.999", "1", "1.004", "-0.2", "NaN")
    assert [percent(Decimal(share)) for share in shares] == [" 82 %", " 99 %", "100 %", "100 %", "-20 %", "?"]


def test_ages_are_short() -> None:
    ages = (None, 0.0, 0.2, 41, 130, 10_920, 400_000, float("nan"))
    assert [age(seconds) for seconds in ages] == ["?", "0s", "0.2s", "41s", "2m", "3h02", "4d", "?"]
    assert clock(6.25, tenths=True) == "00:06.2"
    assert clock(250) == "04:10"


@given(NUMBERS, st.sampled_from([unit for unit in Unit if unit.is_number]))
def test_any_number_reads(value: Decimal, unit: Unit) -> None:
    assert number(value, unit)
    assert len(percent(value)) <= 7


@given(
    st.lists(st.tuples(st.text("ab 文é", max_size=6), st.sampled_from([Tone.PLAIN, Tone.DIM])), max_size=6), st.data()
)
def test_outside_the_changed_cells_two_lines_look_the_same(spans, data) -> None:
    def drawn(parts) -> Line:
        line = Line()
        for text, tone in parts:
            line.put(text, tone)
        return line.fill(30)

    def cells(line: Line) -> list[tuple[str, Tone]]:
        return [(part, tone) for text, tone in line.spans for c in text for part in (c, *[""] * (cell_len(c) - 1))]

    before = drawn(spans)
    place = data.draw(st.integers(0, len(spans)))
    after = drawn([*spans[:place], (data.draw(st.text("ab 文é", max_size=4)), Tone.PLAIN), *spans[place + 1 :]])
    start, end = changed_cells(before, after)
    one, other = cells(before), cells(after)
    assert one[:start] == other[:start]
    assert one[end:] == other[end:]
    assert 0 <= start <= end <= 30
