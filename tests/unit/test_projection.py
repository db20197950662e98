"""Projections: only a steady trend is one, nothing is projected over a hole, and what is told does not flicker."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from console.watch.once import Look
from console.watch.plain_report import sentences
from console.watch.report import status_document, status_lines
from stages.projection import Course, about, until_zero
from stages.verdict import TriggerRow, TriggerState
from stages.watching import WatchState
from tests.unit.watched import ACTING, Watched

START = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
LINE = [(15.0 * step, 1000.0 - 15.0 * step) for step in range(16)]
"""A dollar a second towards the limit, for four minutes."""


def told(lefts: Sequence[float | None], *, every: float = 1.0) -> list[float | None]:
    """Seconds to firing after each reading; None among the readings is one that could not be believed."""
    course, said = Course(), []
    for step, left in enumerate(lefts):
        at = START + timedelta(seconds=every * step)
        if left is not None:
            course = course.see(at, left, "1", every)
        said.append((course.fires - at).total_seconds() if course.fires is not None else None)
    return said


def falling(seconds: int, rate: float = 1.0, start: float = 1000.0) -> list[float | None]:
    return [start - rate * step for step in range(seconds)]


def test_a_steady_fall_is_told_after_two_minutes_and_is_right() -> None:
    said = told(falling(300, start=600.0))
    assert all(one is None for one in said[:120])
    assert said[150] == pytest.approx(450, rel=0.05)
    assert said[299] == pytest.approx(301, rel=0.05)


def test_what_is_told_counts_down_and_does_not_jump() -> None:
    """Noise moves each estimate; the moment that is told stands until the evidence has clearly moved."""
    dice = random.Random(4)
    said = told([left + dice.gauss(0, 8) for left in falling(600, start=1400.0) if left is not None])
    first = next(place for place, one in enumerate(said) if one is not None)
    told_ones = [one for one in said[first:] if one is not None]
    assert len(told_ones) == len(said) - first, "once told it stays told while the fall goes on"
    jumps = [b - a for a, b in pairwise(told_ones) if abs(b - a + 1) > 0.01]
    assert len(jumps) <= 4


@pytest.mark.parametrize(
    "shape",
    [
        lambda _: 1000.0,
        lambda step: 100.0 + step,
        lambda step: 1000.0 if step < 200 else 300.0,
        lambda step: 1000.0 - step % 60 * 10,
        lambda step: 500.0 + 40 * (-1) ** (step // 7),
        lambda _: float("nan"),
    ],
    ids=["flat", "away", "one-step", "sawtooth", "to-and-fro", "no-number"],
)
def test_what_is_no_trend_projects_nothing(shape: Callable[[int], float]) -> None:
    assert set(told([shape(step) for step in range(400)])) == {None}


def test_noise_and_wandering_hardly_ever_look_like_a_trend() -> None:
    dice, wrong = random.Random(11), 0
    for _ in range(60):
        noise = told([300.0 + dice.gauss(0, 60) for _ in range(300)])
        wrong += any(one is not None for one in noise)
    assert wrong == 0
    for _ in range(60):
        left, walk = 400.0, []
        for _ in range(300):
            left = max(5.0, left + dice.gauss(0, 4))
            walk.append(left)
        wrong += told(walk)[-1] is not None
    assert wrong <= 6


def test_nothing_is_projected_far_beyond_what_was_seen() -> None:
    assert until_zero(LINE) is not None
    far = [(at, left + 5000) for at, left in LINE]
    assert until_zero(far) is None
    assert until_zero(LINE[:7]) is None


def test_wild_points_do_not_move_it() -> None:
    wild = [(at, left - 600 if at == 90 else left) for at, left in LINE]
    assert until_zero(wild) == pytest.approx(until_zero(LINE) or 0, rel=0.05)


def test_a_gap_begins_anew() -> None:
    lefts = falling(400, start=700.0)
    lefts[200:240] = [None] * 40
    said = told(lefts)
    assert said[199] is not None
    assert set(said[240:350]) == {None}
    assert said[399] is not None


def test_a_single_lost_reading_is_no_gap_and_an_old_event_counts_once() -> None:
    lefts = falling(300)
    lefts[200] = None
    assert told(lefts)[299] is not None
    course = Course().see(START, 9.0, "1", 1.0).see(START + timedelta(seconds=3), 8.0, "1", 1.0)
    assert course.see(START + timedelta(seconds=3), 1.0, "1", 1.0) == course
    assert course.see(START, 1.0, "1", 1.0) == course


def test_a_reset_takes_the_projection_away_at_the_next_point() -> None:
    said = told([*falling(300), *[1500.0] * 60])
    assert said[299] is not None
    assert set(said[330:]) == {None}


def test_other_limits_begin_anew() -> None:
    course = Course()
    for step, left in enumerate(falling(300)):
        course = course.see(START + timedelta(seconds=step), left or 0.0, "1", 1.0)
    assert course.fires is not None
    assert course.see(START + timedelta(seconds=300), 20_000.0, "2", 1.0).points == ()


def test_a_slow_source_is_projected_from_its_own_readings() -> None:
    said = told([7200.0 - 60.0 * 5 * step for step in range(14)], every=60.0)
    assert said[-1] is not None


@pytest.mark.parametrize(
    ("seconds", "words"), [(5, "1 min"), (95, "2 min"), (715, "12 min"), (5300, "88 min"), (7300, "2 h")]
)
def test_a_projection_sounds_no_more_exact_than_it_is(seconds: float, words: str) -> None:
    assert about(seconds) == words


# ------------------------------------------------------------------------------------------------- on a watched world


def climbing(seconds: int, rate: str = "5") -> Watched:
    """Gross climbs towards its limit of 5,000 by so much a second, from 3,000."""
    world = Watched().tick(3)
    for step in range(seconds):
        world.tick(gross=3000 + Decimal(rate) * step)
    return world


def trigger(world: Watched, name: str = "grossLimit") -> TriggerRow:
    return next(row for row in world.judge().triggers if row.name == name)


def test_a_climb_is_told_in_every_report() -> None:
    world = climbing(200)
    row = trigger(world)
    assert row.projected == pytest.approx(200, rel=0.1)
    assert [one.name for one in world.judge().triggers if one.projected is not None] == ["grossLimit"]
    look = Look(world.judge(), ACTING, own=True)
    document = next(one for one in status_document(world.policy, look)["triggers"] if one["name"] == "grossLimit")
    assert document["projectedSeconds"] == round(row.projected or 0)
    assert any("NEARING gross over its limit: 1,005 $ left, fires in about 3 min" in line
               for line in status_lines(world.policy, look))  # fmt: skip
    plain = next(one for one in sentences(world.policy, look) if one.topic == "trigger grossLimit")
    assert plain.sense == "armed, nearing"
    assert "fires in about 3 min at this rate; then REDUCE ONLY" in plain.text


def test_what_is_stale_blind_or_fired_is_never_projected() -> None:
    world = climbing(200)
    world.frozen.add("gross")
    world.tick(8)
    assert trigger(world).projected is None
    blind = climbing(200)
    blind.silent = True
    assert trigger(blind.tick(2)).projected is None
    fired = climbing(200).tick(3, gross=5100)
    assert trigger(fired).state is TriggerState.FIRED
    assert trigger(fired).projected is None
    assert fired.watch.triggers["grossLimit"].courses == {}


def test_what_is_remembered_of_courses_survives_a_restart_and_stays_small() -> None:
    world = climbing(300)
    document = world.watch.to_document()
    assert WatchState.from_document(document) == world.watch
    courses = world.watch.triggers["grossLimit"].courses
    assert [len(course.points) for course in courses.values()] == [16]
