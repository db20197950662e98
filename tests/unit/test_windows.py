"""Windows over distinct event times: a repeat confirms nothing, a gap forgives nothing and clears nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from stages.windows import Confirmations, Coverage, Dwell, Window, clear_level

START = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_repeated_event_time_confirms_nothing() -> None:
    seen = Confirmations()
    for _ in range(100):
        seen = seen.see(at(0), True)
    assert seen.bad == 1


def test_an_older_event_time_confirms_nothing() -> None:
    assert Confirmations().see(at(5), True).see(at(4), True).bad == 1


def test_a_good_reading_starts_the_confirmation_again() -> None:
    assert Confirmations().see(at(0), True).see(at(1), True).see(at(2), False).see(at(3), True).bad == 1


def test_the_kth_breach_among_the_last_n_counts_and_older_ones_fall_out() -> None:
    window = Window()
    for second, breach in enumerate([True, False, True, False, True]):
        window = window.see(at(second), breach, 5)
    assert window.breaches == 3
    assert window.see(at(5), False, 5).breaches == 2


def test_a_repeated_or_older_event_time_is_no_further_breach_of_the_window() -> None:
    window = Window().see(at(5), True, 5)
    assert window.see(at(5), True, 5) == window
    assert window.see(at(4), True, 5) == window


def test_a_gap_keeps_the_breaches_of_the_window() -> None:
    window = Window().see(at(0), True, 5).see(at(1), True, 5)
    assert window.see(at(3600), True, 5).breaches == 3


def test_dwell_grows_with_valid_readings_and_a_gap_empties_it() -> None:
    dwell = Dwell().see(at(0), True, 5)
    for second in (5, 10, 19):
        dwell = dwell.see(at(second), True, 5)
    assert dwell.seconds == 19
    assert dwell.see(at(31), True, 5).seconds == 0


def test_dwell_does_not_grow_by_repeats_and_ends_with_a_bad_reading() -> None:
    dwell = Dwell().see(at(0), True, 5).see(at(5), True, 5)
    assert dwell.see(at(5), True, 5).seconds == 5
    assert dwell.see(at(3), True, 5) == dwell, "an older reading takes nothing back"
    assert dwell.see(at(6), False, 5).seconds == 0


def test_coverage_loses_silence_and_forgives_a_late_loop() -> None:
    seen = Coverage()
    for tick in range(100):
        seen = seen.see(at(tick * 1.03), 1.0)
    assert seen.samples == 100
    assert seen.share(103.0) > 0.99
    assert seen.see(at(200), 1.0).share(200) < 0.6


def test_coverage_counts_an_event_time_once_and_nothing_of_no_time() -> None:
    assert Coverage().see(at(0), 1).see(at(0), 1).samples == 1
    assert Coverage().see(at(0), 1).share(0) == 0


def test_the_clear_level_lies_below_the_trip_level() -> None:
    assert clear_level(Decimal("0.6"), Decimal("0.2")) == Decimal("0.48")
