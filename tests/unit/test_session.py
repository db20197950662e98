"""The calendar: phases, holidays, early closes, the horizon, and minutes of open market."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from stages.policy import SessionHours
from stages.session import (
    market_after,
    market_minutes,
    phase,
    session_date,
    session_length,
    session_on,
    sessions_begun,
    span,
)
from tests.unit.watched import make_policy


@pytest.fixture
def hours() -> SessionHours:
    return make_policy().spec.target.session


def utc(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_naive_times_are_refused(hours: SessionHours) -> None:
    naive = datetime(2026, 11, 24, 19, 0)  # noqa: DTZ001 - the point of the test
    with pytest.raises(ValueError, match="without zone"):
        phase(hours, naive)
    with pytest.raises(ValueError, match="without zone"):
        market_minutes(hours, naive, utc(24, 19))


def test_past_its_horizon_the_calendar_has_failed_and_is_not_closed(hours: SessionHours) -> None:
    found = phase(hours, datetime(2027, 1, 4, 19, tzinfo=UTC))
    assert (found.name, found.is_closed, found.is_open) == ("unknown", False, False)
    assert "2026-12-31" in found.note


def test_an_unknown_time_zone_has_failed_and_is_not_closed(hours: SessionHours) -> None:
    broken = hours.model_copy(update={"timezone": "America/Nowhere"})
    assert phase(broken, utc(24, 19)).name == "unknown"
    assert market_minutes(broken, utc(24, 15), utc(24, 19)) == 0


@pytest.mark.parametrize(
    ("market", "name", "note"),
    [
        (utc(24, 14, 29), "closed", "opens in 60 s"),
        (utc(24, 14, 30), "open", "entries stop in"),
        (utc(24, 19, 32), "open", "entries stop in 58 min"),
        (utc(24, 20, 40), "open", "entries stopped, flat by in 10 min"),
        (utc(24, 20, 55), "open", "closes in 5 min"),
        (utc(24, 21, 0), "closed", "opens in 17 h 30 min"),
        (utc(26, 19, 0), "closed", "opens in 19 h 30 min"),
        (utc(28, 19, 0), "closed", "opens in 43 h 30 min"),
    ],
)
def test_phases(hours: SessionHours, market: datetime, name: str, note: str) -> None:
    found = phase(hours, market)
    assert found.name == name
    assert found.note.startswith(note)


def test_an_early_close_moves_everything_that_hangs_on_the_close(hours: SessionHours) -> None:
    session = session_on(hours, date(2026, 11, 27))
    assert session is not None
    assert session.closes == utc(27, 18)
    assert session.entry_cutoff == utc(27, 17, 30)
    assert session.flat_by == utc(27, 17, 50)
    assert phase(hours, utc(27, 18, 1)).is_closed


def test_summer_and_winter_open_at_the_same_local_time(hours: SessionHours) -> None:
    summer, winter = session_on(hours, date(2026, 7, 1)), session_on(hours, date(2026, 12, 1))
    assert summer is not None
    assert winter is not None
    assert (summer.opens.hour, winter.opens.hour) == (13, 14)


def test_market_minutes_count_open_time_alone(hours: SessionHours) -> None:
    assert market_minutes(hours, utc(24, 20, 50), utc(25, 14, 40)) == 20
    assert market_minutes(hours, utc(25, 21), utc(27, 14, 30)) == 0
    assert market_minutes(hours, utc(27, 14, 30), utc(30, 14, 30)) == 210
    assert market_minutes(hours, utc(24, 19), utc(24, 18)) == 0


def test_market_after_is_the_inverse_of_market_minutes(hours: SessionHours) -> None:
    start = utc(25, 20, 30)
    end = market_after(hours, start, 300)
    assert end is not None
    assert market_minutes(hours, start, end) == 300
    assert market_after(hours, utc(30, 20, 30, month=12), 10_000) is None


def test_sessions_are_counted_by_their_opens(hours: SessionHours) -> None:
    assert session_length(hours) == timedelta(hours=6, minutes=30)
    assert sessions_begun(hours, utc(25, 19), utc(27, 15)) == 1
    assert sessions_begun(hours, utc(24, 14, 30), utc(24, 21)) == 0
    assert session_date(hours, utc(24, 19)) == date(2026, 11, 24)
    assert session_date(hours, utc(26, 19)) is None


def test_spans_for_people() -> None:
    lengths = [41, 58 * 60, 14 * 3600 + 28 * 60, 76 * 3600, -5]
    assert [span(timedelta(seconds=one)) for one in lengths] == ["41 s", "58 min", "14 h 28 min", "3 d 4 h", "0 s"]
