"""The newest hour of a signal, as the sparklines draw it: one point for ten seconds, gaps as gaps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from console.desk import POINT_SECONDS, TREND_SECONDS, Trends
from stages.signals import LIVE_BOOK, SignalKey

KEY = SignalKey(LIVE_BOOK, "gross")
BEGAN = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
POINTS = TREND_SECONDS // POINT_SECONDS


def history(*points: tuple[float, float | None]) -> tuple[float | None, ...]:
    trends = Trends()
    for seconds, value in points:
        trends.add(KEY, BEGAN + timedelta(seconds=seconds), value)
    return tuple(trends.history()[KEY])


def test_the_newest_value_of_a_slot_stands_for_it() -> None:
    assert history((0, 1.0), (3, 2.0), (9.9, 3.0), (10, 4.0)) == (3.0, 4.0)


def test_time_without_values_is_a_gap_of_its_length() -> None:
    assert history((0, 1.0), (40, 2.0)) == (1.0, None, None, None, 2.0)


def test_a_gap_after_a_full_hour_is_as_long_as_any_other() -> None:
    whole = [(second, 1.0) for second in range(0, TREND_SECONDS, POINT_SECONDS)]
    found = history(*whole, (TREND_SECONDS + 50, 2.0))
    assert len(found) == POINTS
    assert found[-7:] == (1.0, None, None, None, None, None, 2.0)


def test_a_night_without_values_leaves_nothing_of_the_day_before() -> None:
    found = history((0, 1.0), (12 * 3600, 2.0))
    assert found == (*[None] * (POINTS - 1), 2.0)


def test_a_clock_that_is_set_back_adds_no_point() -> None:
    assert history((0, 1.0), (60, 2.0), (30, 3.0), (70, 4.0)) == (1.0, None, None, None, None, None, 3.0, 4.0)
