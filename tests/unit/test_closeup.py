"""Close-ups: what of a reading may be believed, what a near miss is, and what belongs on the time axis."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from console.watch.closeup_report import closeup_document, closeup_lines
from stages.closeup import Closeup, Kind, near_misses, origin, reading_at, stride_for, used
from stages.plot import Point
from stages.signals import LIVE_BOOK, SignalKey
from stages.value import replace
from tests.screens import ladder, states
from widgets.chart import Chart, Level, chart_lines, fixed_scale
from widgets.line import Tone

NOON = datetime(2026, 11, 24, 17, tzinfo=UTC)
POLICY = ladder.policy()
GROSS = SignalKey(LIVE_BOOK, "gross")


def points_of(*values: float | None) -> tuple[Point, ...]:
    return tuple(Point(NOON + timedelta(seconds=step), value) for step, value in enumerate(values))


@pytest.mark.parametrize(
    ("sample", "why"),
    [
        (None, "not read"),
        ({"quality": "PROVIDER_ERROR", "value": "3"}, "provider error"),
        ({"quality": "MISSING", "detail": "no such path"}, "no such path"),
        ({"quality": "OK", "value": "NaN"}, "not a number"),
        ({"quality": "OK", "value": "soon"}, "not a number"),
        ({"quality": "OK", "value": "3", "event_time": (NOON - timedelta(minutes=5)).isoformat()}, "stale"),
    ],
)
def test_what_was_not_believed_is_no_number(sample, why) -> None:
    assert reading_at(NOON, sample, POLICY.spec.signals["gross"]) == Point(NOON, None, why)


def test_a_good_reading_is_its_number() -> None:
    sample = {"quality": "OK", "value": "3912.5", "event_time": NOON.isoformat()}
    assert reading_at(NOON, sample, POLICY.spec.signals["gross"]) == Point(NOON, 3912.5)


def test_a_near_miss_came_back_without_reaching_the_limit() -> None:
    (only,) = near_misses(POLICY, "gross", points_of(1000, 4100, 4900, 4500, 1000), 5000)
    assert (only.kind, only.at) == (Kind.NEAR_MISS, NOON + timedelta(seconds=2))
    assert "98 %" in only.words
    assert near_misses(POLICY, "gross", points_of(1000, 4900, 5100, 4900, 1000), 5000) == (), "that one was a hit"
    assert near_misses(POLICY, "gross", points_of(1000, 4900), 5000) == (), "it has not come back yet"
    assert near_misses(POLICY, "gross", points_of(1000, 4900, 1000), None) == ()


def test_harm_has_its_own_direction() -> None:
    assert used(POLICY, "pnl", -300, 600, minimum=False) == 0.5
    assert used(POLICY, "pnl", 300, 600, minimum=False) == 0
    assert used(POLICY, "net", -300, 600, minimum=False) == 0.5
    assert used(POLICY, "filled", 0.9, 0.9, minimum=True) == 1
    assert used(POLICY, "filled", 0.0, 0.9, minimum=True) == math.inf


def test_a_long_window_reads_no_more_than_an_hour_of_ticks() -> None:
    assert stride_for(timedelta(hours=1)) == 1
    assert stride_for(timedelta(hours=24)) == 24


def test_the_origin_names_who_answers_and_what_is_asked() -> None:
    assert origin(POLICY, "gross") == ("torghut", "GET /trading/status x")
    assert origin(POLICY, "derived/flat")[0] == "the console"


def test_the_report_tells_the_worst_of_each_part_and_what_is_not_known() -> None:
    points = tuple(
        Point(NOON + timedelta(minutes=minute), None if minute in (20, 21) else 1000.0 + minute, "blind")
        for minute in range(60)
    )
    closeup = Closeup(GROSS, NOON, NOON + timedelta(hours=1), points)
    row = next(row for row in states.rows() if row.key == GROSS)
    lines = list(closeup_lines(POLICY, closeup, row))
    assert "source torghut: GET /trading/status x" in lines
    assert "samples 60, believed 58; 2 blind" in lines
    assert "17:20:00Z worst 1,024 $, 2 not known" in lines
    assert len([line for line in lines if " worst " in line]) == 12
    document = closeup_document(POLICY, closeup, row)
    assert document["samples"] == {"read": 60, "believed": 58, "not": {"blind": 2}}
    assert document["points"][20]["value"] is None


def test_the_scale_hangs_on_the_limit_and_not_on_the_noise() -> None:
    assert fixed_scale(12.0, [2.0, 2.1]) == (0.0, 15.0)
    assert fixed_scale(12.0, [16.0]) == (0.0, 30.0)
    assert fixed_scale(-600.0, [-20.0]) == (-750.0, 0.0)
    assert fixed_scale(2500.0, [-100.0, 100.0], both=True) == (-3125.0, 3125.0)
    assert fixed_scale(None, [37.0]) == (0.0, 50.0)
    assert fixed_scale(None, []) == (0.0, 1.0)
    assert fixed_scale(0.0, [0.0]) == (0.0, 1.0)


def drawn(points: list[Point], *, falling: bool = False, width: int = 42) -> list[str]:
    end = NOON + timedelta(seconds=32)
    chart = Chart(points, NOON, end, 0.0, 100.0, lambda value: f"{value:.0f}", lambda at: f"{at:%H:%M}")
    return [line.text for line in chart_lines(replace(chart, falling=falling), width, 12)]


def test_a_gap_is_a_gap_and_says_why() -> None:
    points = [Point(NOON + timedelta(seconds=step), None if 8 <= step < 24 else 50.0, "blind") for step in range(32)]
    lines = drawn(points)
    columns = [{line[9 + column] for line in lines[1:-1]} for column in range(32)]
    assert columns[2] & set("▁▂▃▄▅▆▇█")
    assert not columns[15] & set("▁▂▃▄▅▆▇█"), "nothing bridges it, no line runs through it"
    assert "? blind" in lines[1]


@pytest.mark.parametrize("falling", [False, True])
def test_a_column_shows_the_worst_of_its_time(falling) -> None:
    points = [Point(NOON + timedelta(seconds=step / 4), 90.0 if step % 4 == 1 else 10.0) for step in range(128)]
    lines = drawn(points, falling=falling)
    rows = [index for index, line in enumerate(lines) if set(line[9:]) & set("▁▂▃▄▅▆▇█")]
    assert rows[0] == (9 if falling else 2)


def test_a_value_is_a_height_over_nothing_whichever_side_it_lies_on() -> None:
    chart = Chart(
        [Point(NOON, 80.0), Point(NOON + timedelta(seconds=20), -80.0)], NOON, NOON + timedelta(seconds=32),
        -100.0, 100.0, lambda value: f"{value:.0f}", lambda at: f"{at:%H:%M}", levels=(Level(40.0, "", "·"),),
    )  # fmt: skip
    drawn_lines = chart_lines(chart, 42, 12)
    through = {text for line in drawn_lines for text, tone in line.spans if tone is Tone.ON_BODY}
    assert through == {"·"}, "a line runs on through a body, to be seen on it"
    lines = [line.text for line in drawn_lines][1:-1]
    up, down = ("".join(line[column] for line in lines) for column in (9, 29))
    assert up.strip()[1:] == "█·─", "from under the value to the line of nothing, other lines in sight"
    assert up.strip()[0] in "▁▂▃▄▅▆▇█"
    assert down.strip().endswith(("███▀", "████"))
    assert down.strip()[:2] == "·─", "and what hangs begins under it"


def test_a_value_off_the_scale_says_so_at_the_edge() -> None:
    lines = drawn([Point(NOON, 500.0), Point(NOON + timedelta(seconds=20), -80.0)])
    assert "▲" in lines[1]
    assert "▼" in lines[-2]
