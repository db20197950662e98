"""Nearing: which of the things that a trigger watches heads for its limit, and when it would get there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from stages.looking import Observation
from stages.projection import Course


def courses_after(
    before: Mapping[str, Course], seen: Iterable[Observation], against: str, interval: float
) -> dict[str, Course]:
    """The courses of what a trigger sees, by key. What has reached its limit, or hangs over it, has none."""
    after: dict[str, Course] = {}
    for one in seen:
        course = before.get(one.key, Course())
        if one.bad is None:
            after[one.key] = course
        elif not one.bad and one.left is not None and one.left > 0 and one.event is not None:
            after[one.key] = course.see(one.event, float(one.left), against, interval)
    return {key: course for key, course in after.items() if course.since is not None}


def soonest(courses: Mapping[str, Course], seen: Iterable[Observation], now: datetime) -> float | None:
    """Seconds until the first of what is seen well now fires at its rate; None when nothing heads there."""
    moments = [courses[one.key].fires for one in seen if one.bad is False and one.key in courses]
    ahead = [(at - now).total_seconds() for at in moments if at is not None and at > now]
    return min(ahead, default=None)
